"""What each rate limit was charged, kept over restarts: a platform goes on counting while the program is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Self
from weakref import WeakValueDictionary

import structlog
from pydantic import BaseModel, ValidationError

from bot.domain.errors import StorageError
from bot.domain.ports import Memory
from bot.pacing.pacer import Charges, Pacer
from bot.runtime.tasks import report

PLACE, NOTE = "parley:calls", "charges"
"""Where the memory keeps it: a place that nobody speaks in."""
SAVE_INTERVAL = 1.0
"""Seconds between two notes while calls are made; what a kill leaves unknown is as long."""
LONGEST_AGE = 600.0
"""Seconds after which no call counts any more, nor a refusal from before the start: longer than any limit's period."""

log = structlog.get_logger(__name__)


class CallHistory:
    """Keeps what pacers were charged, each under a name that is the same after a restart.

    `clock` gives the time in seconds since 1970, which goes on while the program does not run.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._pacers: WeakValueDictionary[str, Pacer] = WeakValueDictionary()
        self._earlier: dict[str, Charges] = {}  # as it was when `_loaded`
        self._loaded = 0.0
        self._saved: dict[str, _Limit] = {}

    def keep(self, name: str, pacer: Pacer) -> Pacer:
        """Keep what a pacer is charged from now on, charge it with what is known of before, and return it."""
        if earlier := self._earlier.pop(name, None):
            pacer.resume(_age(earlier, self._clock() - self._loaded))
        self._pacers[name] = pacer
        return pacer

    async def load(self, memory: Memory) -> None:
        """Read what was charged before this start. Raises StorageError."""
        note, self._loaded = (await memory.metadata(PLACE)).get(NOTE), self._clock()
        with suppress(ValidationError):  # nothing is known then, as at the first start
            self._earlier = _Note.model_validate(note).charges(self._loaded)

    async def save(self, memory: Memory, stopped: bool = False) -> None:
        """Write down what was charged, if that has changed. Raises StorageError.

        `stopped` says that no call follows.
        """
        now = self._clock()
        charges = {name: _age(earlier, now - self._loaded) for name, earlier in self._earlier.items()}
        charges |= {name: pacer.charges() for name, pacer in list(self._pacers.items())}
        limits = {name: _Limit.at(now, one) for name, one in charges.items() if one.blocked or one.ages}
        if stopped or limits != self._saved:
            await memory.annotate(PLACE, NOTE, _Note(at=now, stopped=stopped, limits=limits).model_dump())
            self._saved = limits

    async def save_regularly(self, memory: Memory) -> None:
        """Save every `SAVE_INTERVAL` seconds, until cancelled; what cannot be written is written the next time."""
        while True:
            await asyncio.sleep(SAVE_INTERVAL)
            try:
                await self.save(memory)
            except StorageError as error:
                log.error("the memory failed", error=str(error))


@asynccontextmanager
async def keep_calls(history: CallHistory, memory: Memory) -> AsyncIterator[None]:
    """Within it, what pacers are charged is kept over restarts. Raises StorageError at the start only."""
    await history.load(memory)
    await history.save(memory)
    saving = asyncio.create_task(history.save_regularly(memory), name="call history")
    saving.add_done_callback(report)
    try:
        yield
    finally:
        saving.cancel()
        await asyncio.wait((saving,))
        try:
            await history.save(memory, stopped=True)
        except StorageError as error:
            log.error("the memory failed", error=str(error))


class _Limit(BaseModel):
    """What a limit was charged, by moments in seconds since 1970: its calls, and until when nothing may go."""

    calls: list[float]
    until: float

    @classmethod
    def at(cls, now: float, charges: Charges) -> Self:
        return cls(calls=[round(now - age, 2) for age in charges.ages], until=round(now + charges.blocked, 2))


class _Note(BaseModel):
    """What the memory keeps: written when, whether as the program's last word, and each limit."""

    at: float
    stopped: bool
    limits: dict[str, _Limit]

    def charges(self, now: float) -> dict[str, Charges]:
        """The charges that still count.

        After a kill nobody knows what was called since the note was written: where calls were made just before it,
        they are taken to have gone on.
        """
        since = now - self.at
        if not 0 <= since < LONGEST_AGE:
            return {}
        charges = {}
        for name, limit in self.limits.items():
            ages = tuple(_bound(now - call) for call in limit.calls)
            busy = not self.stopped and min(ages, default=LONGEST_AGE) <= since + SAVE_INTERVAL
            charges[name] = Charges(ages, _bound(limit.until - now), SAVE_INTERVAL if busy else 0.0)
        return charges


def _age(charges: Charges, seconds: float) -> Charges:
    """The same charges, so many seconds later, without those that count no more."""
    later = max(0.0, seconds)
    ages = tuple(age + later for age in charges.ages if age + later < LONGEST_AGE)
    return Charges(ages, _bound(charges.blocked - later), charges.unknown)


def _bound(seconds: float) -> float:
    """A time as the memory has it, which may be damaged: between 0 and `LONGEST_AGE`."""
    return min(max(0.0, seconds), LONGEST_AGE)
