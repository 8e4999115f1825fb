"""Denials: why a question is not taken, and who was told so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from bot.domain.messages import Author, Incoming, Place
from bot.domain.ports import Memory
from bot.domain.spending import DenialReason, Limit

NOTICES_PLACE, NOTICES_KEY = "parley:notices", "told"
"""Where the memory keeps until when who is told nothing more: a place in which nobody speaks, and its key."""
MAX_NOTICES = 2000
"""Notices that are remembered."""
MAX_SILENCE = 25 * 3600.0
"""Seconds for which anybody is told nothing more; what is longer is of before the clock was set back."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a question is not taken: "access" or "limit", and a sentence for the person.

    Once told, they are not told again until the `end`.
    """

    fault: str
    sentence: str
    reason: DenialReason | Limit
    end: float

    @property
    def limit(self) -> bool:
        """True where a limit is reached."""
        return isinstance(self.reason, Limit)

    @property
    def public(self) -> bool:
        """True where others may read it too, as it passes by itself."""
        return self.limit or self.reason is DenialReason.PAUSED


class DenialNotices:
    """Remembers who was told. Raises StorageError.

    `wanted` says that people are told where they may not ask; `clock` gives the time in seconds since 1970.
    """

    def __init__(self, memory: Memory, wanted: bool, clock: Callable[[], float]) -> None:
        self._memory = memory
        self._wanted = wanted
        self._clock = clock
        self._ends: dict[str, float] | None = None  # by person, and limit: until when they are told nothing more
        self._lock = asyncio.Lock()

    async def should_send(self, message: Incoming, denial: Denial) -> bool:
        """Return True at most once for a limit and once a day for all else; then `mark_sent` or `unmark` follows.

        Always False for bots, and for messages that were not addressed to this one.
        """
        async with self._lock:
            ends, now, name = await self._load(), self._clock(), _name_notice(message, denial)
            wanted = denial.limit or (self._wanted and not message.follows)
            if message.bot or not wanted or now < ends.get(name, 0.0) <= now + MAX_SILENCE:
                return False
            place, author = message.place.key, message.author.id
            log.info("turned away", fault=denial.fault, reason=denial.reason.value, place=place, author=author)
            latest = sorted((end, known) for known, end in ends.items() if now < end)[1 - MAX_NOTICES :]
            self._ends = {known: end for end, known in latest} | {name: denial.end}
            return True

    async def mark_sent(self) -> None:
        """Write down that they were told."""
        async with self._lock:
            await self._memory.annotate(NOTICES_PLACE, NOTICES_KEY, await self._load() or None)

    def unmark(self, message: Incoming, denial: Denial) -> None:
        """Undo `should_send`: the person could not be told, and is another time."""
        (self._ends or {}).pop(_name_notice(message, denial), None)

    async def forget_person(self, place: Place, author: Author) -> None:
        """Let go of what a person was told on a platform."""
        who = f"{place.platform}:{author.id}"
        async with self._lock:
            ends = await self._load()
            self._ends = {name: end for name, end in ends.items() if name.partition(" ")[0] != who}
            if self._ends != ends:
                await self._memory.annotate(NOTICES_PLACE, NOTICES_KEY, self._ends or None)

    async def _load(self) -> dict[str, float]:
        if self._ends is None:
            stored, now = (await self._memory.metadata(NOTICES_PLACE)).get(NOTICES_KEY), self._clock()
            known = stored if isinstance(stored, Mapping) else {}
            self._ends = {name: end for name, end in known.items() if now < end}
        return self._ends


def _name_notice(message: Incoming, denial: Denial) -> str:
    """Name what a person is told: they may have heard it in private and not elsewhere."""
    what = f" {denial.reason}" if denial.limit else ""
    return f"{message.place.platform}:{message.author.id}{what}{' direct' if message.place.direct else ''}"
