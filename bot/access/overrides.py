"""Blocks and pauses that admins set from the chat: they outlast a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Self

from bot.domain.ports import Memory

BLOCKED, PAUSED = "blocked", "paused"
"""The keys under which the memory keeps them: lists of people, `<platform>:<id>`, and of platforms."""
OVERRIDES_PLACE = "parley:access"
"""The place, in which nobody speaks, where the memory keeps them."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """People who are blocked, as `<platform>:<id>`, and platforms on which the bot pauses."""

    blocked: frozenset[str] = frozenset()
    paused: frozenset[str] = frozenset()

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> Self:
        """Return what the memory has."""
        return cls(frozenset(metadata.get(BLOCKED) or ()), frozenset(metadata.get(PAUSED) or ()))

    def to_metadata(self) -> Mapping[str, list[str]]:
        """Return the same for the memory."""
        return MappingProxyType({BLOCKED: sorted(self.blocked), PAUSED: sorted(self.paused)})

    def without_pauses(self) -> Self:
        """Return the blocks alone."""
        return replace(self, paused=frozenset())


class AdminOverrides:
    """Reads them once and writes them down; nobody else writes them. Raises StorageError."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._current: Overrides | None = None

    async def load(self) -> Overrides:
        """Return what holds now."""
        if self._current is None:
            self._current = Overrides.from_metadata(await self._memory.metadata(OVERRIDES_PLACE))
        return self._current

    async def set_block(self, person: str, on: bool) -> bool:
        """Block a person or let them in again; False if it was so."""
        old = await self.load()
        return await self._store(replace(old, blocked=old.blocked | {person} if on else old.blocked - {person}))

    async def set_pause(self, platform: str, on: bool) -> bool:
        """Answer nobody on a platform, or everybody again; False if it was so."""
        old = await self.load()
        return await self._store(replace(old, paused=old.paused | {platform} if on else old.paused - {platform}))

    async def _store(self, overrides: Overrides) -> bool:
        if overrides == self._current:
            return False
        for key, value in overrides.to_metadata().items():
            await self._memory.annotate(OVERRIDES_PLACE, key, value or None)
        self._current = overrides
        return True
