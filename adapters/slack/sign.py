"""The sign that an answer is coming: a status in the thread where that is allowed, else eyes on the question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from adapters.slack.calls import call
from adapters.slack.workspace import Workspace
from bot.errors import PlatformError, PlatformFault

STATUS_METHOD = "assistant.threads.setStatus"
REACTION_METHOD = "reactions.add"
STATUS = "is thinking…"
FRESH = 90.0
"""Seconds after which the status is set anew: Slack takes it away after two minutes (the method's reference)."""
EYES = "eyes"
PASSING = (PlatformFault.RATE, PlatformFault.NETWORK)
TRIES = 3
"""How often the sign is tried to be taken away; it stays if the network fails so often."""


@dataclass(frozen=True, slots=True)
class Sign:
    """The sign for one question; `thread` is empty in a direct message outside of a thread."""

    workspace: Workspace
    channel: str
    thread: str
    question: str
    fresh: float = FRESH

    async def show(self) -> None:
        """Show it until cancelled, then take it away; no call is cancelled in flight."""
        showing = asyncio.ensure_future(self._show())
        try:
            while await asyncio.shield(showing) == STATUS_METHOD:
                await asyncio.sleep(self.fresh)
                showing = asyncio.ensure_future(self._show())
            await asyncio.Event().wait()
        finally:
            await self._hide(await showing)

    async def _show(self) -> str:
        """Show the best sign that is allowed and return its method; empty where none is to be had."""
        if self.thread and await self._try(STATUS_METHOD):
            return STATUS_METHOD
        if await self._try(REACTION_METHOD):
            return REACTION_METHOD
        return ""

    async def _hide(self, method: str) -> None:
        for attempt in range(TRIES if method else 0):
            try:
                await call(self._request(method, show=False))
            except PlatformError as error:
                if error.fault not in PASSING or attempt == TRIES - 1:
                    return
                await asyncio.sleep(error.retry_after or 2.0**attempt)
            else:
                return

    async def _try(self, method: str) -> bool:
        """Whether the sign is shown; a method that is refused for itself is not tried again."""
        if method in self.workspace.lacking:
            return False
        try:
            await call(self._request(method, show=True))
        except PlatformError as error:
            if str(error) == "missing_scope" or (method == STATUS_METHOD and error.fault not in PASSING):
                self.workspace.miss(method, str(error))
            return str(error) == "already_reacted"
        return True

    def _request(self, method: str, *, show: bool) -> Awaitable[Any]:
        client = self.workspace.client
        if method == STATUS_METHOD:
            status = STATUS if show else ""
            return client.assistant_threads_setStatus(channel_id=self.channel, thread_ts=self.thread, status=status)
        react = client.reactions_add if show else client.reactions_remove
        return react(channel=self.channel, name=EYES, timestamp=self.question)
