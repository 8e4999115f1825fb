"""Discord's refusals of a REST call, as PlatformError. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.errors import PlatformError, PlatformFault

GONE_CHANNEL = 10003
GONE = frozenset({GONE_CHANNEL, 10004, 10008})
"""Unknown channel, guild, message (this and the others: opcodes and status codes in Discord's documentation)."""
UNAUTHORIZED = 40001
FORBIDDEN = frozenset({UNAUTHORIZED, 50001, 50005, 50007, 50008, 50013, 50024, 50083, 50278, 160005})
"""No access, no permission, another's message, closed DMs, archived and locked threads."""
MODERATED = frozenset({20009, 200000, 200001, 240000})
"""Explicit content, a server's AutoMod refuses the words or the title, or a link in them is taken for harmful."""
TOO_OLD = 30046
"""Too many edits of a message older than an hour: refused with a 429 that no short wait mends; a new post does."""
NO_HISTORY = 160002
"""A reply needs the permission to read the history; a message without a reference does not."""
THREAD_EXISTS = 160004
"""A message has one thread at most, and this one has it."""
SLOW_MODE = 20016
"""A channel's slow mode, which holds for posts alone: a 429 that says when the next one may come, in hours perhaps."""
LONGEST_SLOW_MODE = 30.0
"""Seconds of slow mode that a post waits; after a longer one, edits would wait in vain too."""
PAUSE = 1.0
"""Seconds to wait where a 429 does not say how long."""


def explain(status: int, body: Any, headers: Mapping[str, str]) -> PlatformError:
    """The error for a response that is no success; its text is Discord's own code and words."""
    said = body if isinstance(body, dict) else {}
    code = int(said.get("code") or 0)
    detail = f"{code} {said.get('message') or ''}".strip() if code else f"HTTP {status}"
    if code == SLOW_MODE and wait(said, headers) > LONGEST_SLOW_MODE:
        return PlatformError(PlatformFault.FORBIDDEN, detail)
    if status == 429 and code != TOO_OLD:
        return PlatformError(PlatformFault.RATE, detail, wait(said, headers))
    return PlatformError(_fault(status, code), detail)


def wait(said: Mapping[str, Any], headers: Mapping[str, str]) -> float:
    """Seconds that a 429 wants: its body is exacter than its header, and Cloudflare sends the header alone."""
    for value in (said.get("retry_after"), headers.get("Retry-After")):
        try:
            return max(0.0, float(str(value)))
        except ValueError:
            continue
    return PAUSE


def number(error: PlatformError) -> int:
    """Discord's code of an error; 0 where it gave none."""
    first = str(error).partition(" ")[0]
    return int(first) if first.isdigit() else 0


def _fault(status: int, code: int) -> PlatformFault:
    if code in GONE:
        return PlatformFault.GONE
    if code in FORBIDDEN:
        return PlatformFault.FORBIDDEN
    if code in MODERATED:
        return PlatformFault.MODERATED
    if code == TOO_OLD:
        return PlatformFault.REJECTED
    if status in (401, 403) and code != NO_HISTORY:
        return PlatformFault.FORBIDDEN
    if status == 404:
        return PlatformFault.GONE
    if status >= 500 or status == 408:
        return PlatformFault.NETWORK
    return PlatformFault.REJECTED
