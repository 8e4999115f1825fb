"""Reading what was said: conversations, their messages and threads, within a limit of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from adapters.slack.api.calls import call
from adapters.slack.api.workspace import Workspace
from adapters.slack.inbound.shape import sound, tables
from bot.domain.errors import PlatformError, PlatformFault
from bot.pacing.pacer import Pacer, Urgency

TYPES = {"public_channel": "channels:read", "private_channel": "groups:read", "mpim": "mpim:read"}
"""The kinds of conversations that can be listed, and the scope that each needs."""
PAGE, PAGES = 100, 3
"""Entries of one page of a list, and how many pages are read."""
LONGEST, LONG = 999, 2
"""The same where a thread is read back while somebody waits for an answer."""
TRIES = 4
"""How often a reading that the network lost is tried; one that is refused for its rate does not count."""

Entry = Mapping[str, Any]
Request = Callable[[str | None], Awaitable[Any]]
"""Asks for the page at a cursor."""


class History:
    """A workspace's past. Each reading raises PlatformError where the network fails; it is empty where it may not be.

    A message has the fields that its event has, without the channel.
    """

    def __init__(self, workspace: Workspace, pacer: Pacer | None = None) -> None:
        self._client = workspace.client
        self._pacer = pacer or workspace.reads
        self._types = [kind for kind, scope in TYPES.items() if scope in workspace.scopes]

    async def channels(self) -> dict[str, bool]:
        """The channels that the bot is in, as far as the scopes let it know: whether each is shared with others."""
        if not self._types:
            return {}
        listed = await self._list(
            "channels",
            lambda cursor: self._client.users_conversations(
                types=self._types, exclude_archived=True, limit=PAGE, cursor=cursor
            ),
        )
        return {channel["id"]: bool(channel.get("is_ext_shared")) for channel in listed if channel.get("id")}

    async def messages(self, channel: str, since: str) -> list[Entry]:
        """What was said after this `ts` outside of threads, and what began one, the oldest first."""
        return _sort(
            await self._list(
                "messages",
                lambda cursor: self._client.conversations_history(
                    channel=channel, oldest=since, limit=PAGE, cursor=cursor
                ),
            )
        )

    async def replies(self, channel: str, thread: str, since: str) -> list[Entry]:
        """What was said after this `ts` in a thread, the oldest first, without the message that began it."""
        found = await self._list(
            "messages",
            lambda cursor: self._client.conversations_replies(
                channel=channel, ts=thread, oldest=since, limit=PAGE, cursor=cursor
            ),
        )
        return [message for message in _sort(found) if message["ts"] > since and message["ts"] != thread]

    async def earlier(self, channel: str, thread: str, before: str) -> list[Entry]:
        """What was said in a thread before this `ts`, the message that began it included, the oldest first.

        Slack gives the oldest first, so that it takes long pages; of a longer thread than `LONG` pages the end is cut.
        """
        found = await self._list(
            "messages",
            lambda cursor: self._client.conversations_replies(
                channel=channel, ts=thread, latest=before, limit=LONGEST, cursor=cursor
            ),
            LONG,
        )
        return _sort(found)

    async def _list(self, key: str, request: Request, pages: int = PAGES) -> list[Entry]:
        """A list that comes in pages; what is no entry is left out, and of each what has another shape than it should.

        Every message has its `ts`.
        """
        entries: list[Entry] = []
        cursor = None
        for _ in range(pages):
            answer = await self._ask(request, cursor)
            found = map(sound, tables(answer.get(key)))
            entries += [entry for entry in found if key != "messages" or entry.get("ts")]
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                break
        return entries

    async def _ask(self, request: Request, cursor: str | None) -> Mapping[str, Any]:
        """One page, when the limit allows."""
        failures = 0
        seat = self._pacer.seat(lambda: 0.0)
        try:
            while True:
                await seat.turn(Urgency.FIRST)
                try:
                    return await call(request(cursor), self._pacer)
                except PlatformError as error:
                    if error.fault not in (PlatformFault.RATE, PlatformFault.NETWORK):
                        return {}
                    if error.fault is PlatformFault.NETWORK:
                        failures += 1
                        self._pacer.back_off(2.0**failures)
                    if failures == TRIES:
                        raise
        finally:
            seat.leave()


def _sort(messages: list[Entry]) -> list[Entry]:
    """Messages by their time; one without it is none."""
    return sorted((message for message in messages if "ts" in message), key=lambda message: str(message["ts"]))
