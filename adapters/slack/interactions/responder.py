"""The person who gave a command or pressed a button: who they are, where they did it, and what they are shown."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import structlog
from slack_bolt.async_app import AsyncRespond

from adapters.slack.api.identity import Identity
from adapters.slack.inbound.messages import is_direct, locate
from adapters.slack.outbound.channel import PAGE
from adapters.slack.outbound.payload import bare, form, measure
from adapters.slack.settings import Settings
from bot.domain.errors import StorageError
from bot.domain.messages import Author, Caller, Page, Place
from bot.markdown import split
from bot.runtime.health import Host
from bot.texts import STORAGE

RESTARTING = "I am being restarted. Please try again in a minute."
REFUSED = re.compile(r'"ok"\s*:\s*false')
T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to answer; `thread` is where they are, empty outside of one."""

    caller: Caller
    thread: str
    respond: AsyncRespond

    async def tell(self, text: str, *, replace: bool = False, public: bool = False) -> None:
        """Show this to them alone, or to all in the channel; with `replace`, in place of what they clicked on.

        The text is markdown. Where Slack does not take its form, its words are shown alone.
        """
        for number, part in enumerate(split(text, lambda page: measure(Page(page)), PAGE)[0]):
            page, first = Page(part), replace and not number
            if not await self._show(**form(page), replace=first, public=public):
                await self._show(**bare(page), replace=first, public=public)

    async def ask(self, text: str, blocks: list[dict[str, Any]]) -> None:
        """Show them alone something to pick from."""
        await self._show(text, blocks)

    async def _show(
        self, text: str, blocks: list[dict[str, Any]], *, replace: bool = False, public: bool = False
    ) -> bool:
        """Send it where Slack wants the answer; False where it was refused."""
        try:
            answer = await self.respond(
                text,
                blocks,
                response_type="in_channel" if public else "ephemeral",
                replace_original=replace,
                unfurl_links=False,
                unfurl_media=False,
                thread_ts=self.thread or None,
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("a command's answer could not be shown", error=type(error).__name__)
            return True
        taken = answer.status_code < 400 and not REFUSED.search(answer.body)
        if not taken:
            log.warning("slack refused a command's answer", status=answer.status_code, reason=answer.body[:100])
        return taken


def meet(body: Mapping[str, Any], respond: AsyncRespond, settings: Settings) -> Person:
    """Who sent this: slash commands say it flat, everything else in a table."""
    user = body.get("user") or {"id": body.get("user_id") or "", "name": body.get("user_name") or ""}
    author = Author(user["id"], user.get("name") or user.get("username") or user["id"])
    where = body.get("container") or body.get("message") or {}
    teams = user.get("team_id"), body.get("team_id"), (body.get("team") or {}).get("id")
    caller = Caller(author, author.id in settings.admins, marks=tuple(str(team) for team in teams if team))
    return Person(caller, where.get("thread_ts") or "", respond)


def team_of(body: Mapping[str, Any], me: Identity) -> str:
    """The workspace that it came from."""
    return body.get("team_id") or (body.get("team") or {}).get("id") or me.team


def place_of(body: Mapping[str, Any], me: Identity, settings: Settings) -> Place:
    """The conversation that the message of a shortcut belongs to, whoever speaks in it."""
    message, channel = body["message"], body["channel"]["id"]
    direct = is_direct(channel)
    thread = message.get("thread_ts") or ""
    whole = direct or settings.reply_in == "channel"
    root = ("" if thread == message["ts"] else thread) if whole else thread or message["ts"]
    return locate(team_of(body, me), channel, root, direct)


async def told(host: Host, do: Callable[[], Awaitable[T]]) -> T | str:
    """What came of it, or the sentence for why nothing did."""
    if host.closing.is_set():
        return RESTARTING
    try:
        return await do()
    except StorageError as error:
        log.error("the memory failed", error=str(error))
        return STORAGE
