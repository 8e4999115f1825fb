"""Why a question is not taken, and who was told so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from bot.domain.messages import Author, Incoming, Place
from bot.domain.ports import Memory
from bot.domain.spending import DenialReason, Limit

NOTICES, TOLD = "parley:notices", "told"
"""Where the memory keeps until when who is told nothing more: a place nobody speaks in."""
MOST = 2000
"""Notices that are remembered."""
LONGEST = 25 * 3600.0
"""Seconds for which anybody is told nothing more; what is longer is of before the clock was set back."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a question is not taken: "access" or "limit", and a sentence for the person.

    Once told, they are not told again until the `end`.
    """

    fault: str
    sentence: str
    reason: DenialReason | Limit
    end: float

    @property
    def limit(self) -> bool:
        """Whether a limit is reached."""
        return isinstance(self.reason, Limit)

    @property
    def public(self) -> bool:
        """Whether others may read it too, as it passes by itself."""
        return self.limit or self.reason is DenialReason.PAUSED


class Notices:
    """Knows who was told. Raises StorageError.

    `wanted` is whether people are told that they may not ask; `clock` gives the time in seconds since 1970.
    """

    def __init__(self, memory: Memory, wanted: bool, clock: Callable[[], float]) -> None:
        self._memory = memory
        self._wanted = wanted
        self._clock = clock
        self._told: dict[str, float] | None = None  # by person, and limit: until when they are told nothing more
        self._one = asyncio.Lock()

    async def due(self, said: Incoming, refusal: Refusal) -> bool:
        """Whether a person is to be told why they are turned away; then `keep` or `undo` says what came of it.

        Once for a limit, and once a day for all else; a bot never is, nor who was not speaking to this one.
        """
        async with self._one:
            told, now, name = await self._read(), self._clock(), _name(said, refusal)
            wanted = refusal.limit or (self._wanted and not said.follows)
            if said.bot or not wanted or now < told.get(name, 0.0) <= now + LONGEST:
                return False
            place, author = said.place.key, said.author.id
            log.info("turned away", fault=refusal.fault, reason=refusal.reason.value, place=place, author=author)
            latest = sorted((to, one) for one, to in told.items() if now < to)[1 - MOST :]
            self._told = {one: to for to, one in latest} | {name: refusal.end}
            return True

    async def keep(self) -> None:
        """They were told."""
        async with self._one:
            await self._memory.annotate(NOTICES, TOLD, await self._read() or None)

    def undo(self, said: Incoming, refusal: Refusal) -> None:
        """They could not be told: they are, another time."""
        (self._told or {}).pop(_name(said, refusal), None)

    async def forget(self, place: Place, author: Author) -> None:
        """Let go of what a person was told."""
        who = f"{place.platform}:{author.id}"
        async with self._one:
            told = await self._read()
            self._told = {name: to for name, to in told.items() if name.partition(" ")[0] != who}
            if self._told != told:
                await self._memory.annotate(NOTICES, TOLD, self._told or None)

    async def _read(self) -> dict[str, float]:
        if self._told is None:
            found, now = (await self._memory.metadata(NOTICES)).get(TOLD), self._clock()
            self._told = {one: to for one, to in found.items() if now < to} if isinstance(found, Mapping) else {}
        return self._told


def _name(said: Incoming, refusal: Refusal) -> str:
    """What a person is told, by a name: they may have heard it in private and not elsewhere."""
    what = f" {refusal.reason}" if refusal.limit else ""
    return f"{said.place.platform}:{said.author.id}{what}{' direct' if said.place.direct else ''}"
