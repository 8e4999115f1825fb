"""What the admins are told in a direct message: at most once a day for each kind of trouble, or more seldom."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from bot.domain.errors import PlatformError, StorageError
from bot.domain.ports import Memory
from bot.runtime.tasks import report
from bot.texts import ALERTS

DAY = 86_400.0
PLACE = "parley:alerts"
"""Where the memory keeps what was told: a place that nobody speaks in."""
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
        self._memory: Memory | None = None
        self._untold: dict[str, str] = {}  # what nobody could be told yet

    async def remember(self, memory: Memory) -> None:
        """Go on from what was told before this start, and keep what is told from now on. Raises StorageError."""
        self._memory = memory
        self._told.update(await memory.metadata(PLACE))

    def connect(self, platform: str, teller: Teller) -> None:
        """A platform whose admins can be written to; they are told what happened before."""
        self._tellers[platform] = teller
        untold, self._untold = self._untold, {}
        for kind, sentence in untold.items():
            self._spread(kind, sentence)

    def tell(self, kind: str, sentence: str, pause: float = DAY) -> None:
        """Tell the admins, unless they were told of this kind within the last `pause` seconds. Returns at once."""
        now = self._clock()
        if now - self._told.get(kind, float("-inf")) < pause:
            return
        self._told[kind] = now
        log.warning("the admins are told", kind=kind, sentence=sentence)
        if self._tellers:
            self._spread(kind, sentence)
        else:
            self._untold[kind] = sentence

    @contextmanager
    def watch_memory(self) -> Iterator[None]:
        """Within it, a memory that fails is told of; the StorageError goes on."""
        try:
            yield
        except StorageError:
            self.tell("storage", ALERTS["storage"])
            raise

    async def settle(self, seconds: float = 2.0) -> None:
        """Wait until what was told is written down and written to the admins, `seconds` at most."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def _spread(self, kind: str, sentence: str) -> None:
        self._spawn(self._keep(kind, self._told[kind]))
        for platform, teller in self._tellers.items():
            self._spawn(self._write(platform, teller, sentence))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(report)

    async def _keep(self, kind: str, now: float) -> None:
        try:
            if self._memory:
                await self._memory.annotate(PLACE, kind, now)
        except StorageError as error:
            log.error("the memory failed", error=str(error))

    async def _write(self, platform: str, teller: Teller, sentence: str) -> None:
        try:
            await teller(sentence)
        except PlatformError as error:
            log.warning("the admins could not be told", platform=platform, fault=error.fault.value, error=str(error))
