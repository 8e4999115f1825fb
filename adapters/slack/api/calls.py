"""Calls of Slack's Web API: what can go wrong with one, as PlatformError."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain.errors import PlatformError, PlatformFault
from bot.pacing.pacer import Pacer

RATE = ("ratelimited", "rate_limited")
GONE = ("message_not_found", "channel_not_found", "thread_not_found", "cannot_reply_to_message")
FORBIDDEN = (
    "not_in_channel",
    "is_archived",
    "cant_delete_message",
    "missing_scope",
    "messages_tab_disabled",
    "no_permission",
    "access_denied",
    "ekm_access_denied",
    "team_access_not_granted",
    "user_disabled",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
)
FROZEN = ("cant_update_message", "edit_window_closed")
"""What Slack says of a message that takes no edit any more; a new post does."""
MODERATED = ("restricted_action", "message_limit_exceeded", "dlp", "blocked", "content_policy")
"""What codes begin with or hold that are about the words: a workspace's rules, its allowance, its data loss prevention.

Only the first two are documented (docs.slack.dev, chat.postMessage); rules of a workspace come in many words."""
DEAD = (
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
    "org_login_required",
)
"""What Slack says of a token that will never do."""
PASSING = ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "accesslimited")
PAUSE = 1.0
"""Seconds to wait where a 429 does not say how long."""


async def call(request: Awaitable[Any], pacer: Pacer | None = None) -> Mapping[str, Any]:
    """Await one call, made once. Raises PlatformError, whose text is Slack's own word; tells the pacer of a 429."""
    try:
        answer: Mapping[str, Any] = await request
        return answer
    except SlackApiError as error:
        fault = _explain(error)
    except (aiohttp.ClientError, TimeoutError, OSError, SlackClientError) as error:
        fault = PlatformError(PlatformFault.NETWORK, type(error).__name__)
    if pacer and fault.retry_after is not None:
        pacer.back_off(fault.retry_after)
    raise fault


def classify(code: str, status: int) -> PlatformFault:
    """Tell the kind of a refusal, by Slack's own word for it, empty where it gave none, and the HTTP status."""
    if status == 429 or code in RATE:
        return PlatformFault.RATE
    if status >= 500 or code in PASSING:
        return PlatformFault.NETWORK
    if code in GONE:
        return PlatformFault.GONE
    if code in FORBIDDEN or code in DEAD:
        return PlatformFault.FORBIDDEN
    return PlatformFault.MODERATED if any(word in code for word in MODERATED) else PlatformFault.REJECTED


def _explain(error: SlackApiError) -> PlatformError:
    code, status = _reason(error), _status(error)
    fault = classify(code, status)
    if fault is PlatformFault.RATE:
        return PlatformError(fault, "ratelimited", _retry_after(error))
    return PlatformError(fault, code or f"HTTP {status}")


def _reason(error: SlackApiError) -> str:
    """Slack's own word for a refusal; empty where it gave none."""
    data = getattr(error.response, "data", None)
    return str(data.get("error") or "") if isinstance(data, dict) else ""


def _status(error: SlackApiError) -> int:
    """The HTTP status: the SDK hands over its own response, or aiohttp's where the body was no JSON."""
    return int(getattr(error.response, "status_code", 0) or getattr(error.response, "status", 0))


def _retry_after(error: SlackApiError) -> float:
    header = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
    return float(header) if header.isdigit() else PAUSE
