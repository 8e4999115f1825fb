"""What the admins are told in a direct message: at most once a day for each kind of trouble."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from bot.errors import PlatformError

DAY = 86_400.0
Teller = Callable[[str], Awaitable[None]]
"""Writes a sentence to the admins of one platform. May raise PlatformError."""
log = structlog.get_logger(__name__)


class Alerts:
    """Tells the admins of every connected platform. `clock` gives the time in seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._told: dict[str, float] = {}
        self._tellers: dict[str, Teller] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, platform: str, teller: Teller) -> None:
        """A platform whose admins can be written to."""
        self._tellers[platform] = teller

    def tell(self, kind: str, sentence: str) -> None:
        """Tell the admins, unless they were told of this kind within the last day. Returns at once."""
        now = self._clock()
        if now - self._told.get(kind, float("-inf")) < DAY:
            return
        self._told[kind] = now
        log.warning("the admins are told", kind=kind, sentence=sentence)
        for platform, teller in self._tellers.items():
            task = asyncio.create_task(self._write(platform, teller, sentence))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _write(self, platform: str, teller: Teller, sentence: str) -> None:
        try:
            await teller(sentence)
        except PlatformError as error:
            log.warning("the admins could not be told", platform=platform, fault=error.fault.value, error=str(error))
