"""The signs that an answer is coming: a status in the thread where that is allowed, or a reaction on the question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from adapters.slack.api.calls import call
from adapters.slack.api.workspace import Workspace
from bot.domain.errors import PlatformError, PlatformFault

STATUS_METHOD = "assistant.threads.setStatus"
REACTION_METHOD = "reactions.add"
STATUS = "is thinking…"
FRESH = 90.0
"""Seconds after which the status is set anew: Slack takes it away after two minutes (the method's reference)."""
EYES, HOURGLASS = "eyes", "hourglass_flowing_sand"
"""Reactions on a question: its answer is coming, and it waits for its turn."""
PASSING = (PlatformFault.RATE, PlatformFault.NETWORK)
TRIES = 3
"""How often a sign is tried to be taken away; it stays if the network fails so often."""


@dataclass(frozen=True, slots=True)
class Sign:
    """The signs for one question; `thread` is empty in a direct message outside of a thread."""

    workspace: Workspace
    channel: str
    thread: str
    question: str
    fresh: float = FRESH

    async def show(self) -> None:
        """Show that the answer is coming until cancelled, then take the sign away."""
        await self._hold(*((STATUS, EYES) if self.thread else (EYES,)))

    async def wait(self) -> None:
        """Show that the question waits for its turn until cancelled, then take the sign away."""
        await self._hold(HOURGLASS)

    async def _hold(self, *signs: str) -> None:
        """Show the first of these signs that is allowed; no call is cancelled in flight."""
        showing = asyncio.ensure_future(self._show(signs))
        try:
            while await asyncio.shield(showing) == STATUS:
                await asyncio.sleep(self.fresh)
                showing = asyncio.ensure_future(self._show(signs))
            await asyncio.Event().wait()
        finally:
            await self._hide(await showing)

    async def _show(self, signs: tuple[str, ...]) -> str:
        """Show the first sign that is allowed and return it; empty where none is to be had."""
        for sign in signs:
            if await self._try(sign):
                return sign
        return ""

    async def _hide(self, sign: str) -> None:
        for attempt in range(TRIES if sign else 0):
            try:
                await call(self._request(sign, show=False))
            except PlatformError as error:
                if error.fault not in PASSING or attempt == TRIES - 1:
                    return
                await asyncio.sleep(error.retry_after or 2.0**attempt)
            else:
                return

    async def _try(self, sign: str) -> bool:
        """Whether the sign is shown, or may be; a method that is refused for itself is not tried again."""
        method = STATUS_METHOD if sign == STATUS else REACTION_METHOD
        if method in self.workspace.lacking:
            return False
        try:
            await call(self._request(sign, show=True))
        except PlatformError as error:
            if str(error) == "missing_scope" or (sign == STATUS and error.fault not in PASSING):
                self.workspace.miss(method, str(error))
            lost = error.fault is PlatformFault.NETWORK and sign != STATUS  # it may be there: it has to be taken away
            return lost or str(error) == "already_reacted"
        return True

    def _request(self, sign: str, *, show: bool) -> Awaitable[Any]:
        client = self.workspace.client
        if sign == STATUS:
            status = STATUS if show else ""
            return client.assistant_threads_setStatus(channel_id=self.channel, thread_ts=self.thread, status=status)
        react = client.reactions_add if show else client.reactions_remove
        return react(channel=self.channel, name=sign, timestamp=self.question)
