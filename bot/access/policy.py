"""Who may talk to the bot: decided from the settings, what admins said in the chat, and the message. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

from bot.config.settings import AccessSettings
from bot.domain.messages import Incoming
from bot.domain.spending import DenialReason

BLOCKED, PAUSED = "blocked", "paused"
"""What is kept of `/block` and `/pause`: lists of people, `<platform>:<id>`, and of platforms."""


@dataclass(frozen=True, slots=True)
class Switches:
    """What admins said in the chat: who is blocked, as `<platform>:<id>`, and on which platforms it pauses."""

    blocked: frozenset[str] = frozenset()
    paused: frozenset[str] = frozenset()

    @classmethod
    def read(cls, notes: Mapping[str, Any]) -> Self:
        """What the memory has noted of them."""
        return cls(frozenset(notes.get(BLOCKED) or ()), frozenset(notes.get(PAUSED) or ()))

    def write(self) -> Mapping[str, list[str]]:
        """The same for the memory."""
        return MappingProxyType({BLOCKED: sorted(self.blocked), PAUSED: sorted(self.paused)})


@dataclass(frozen=True, slots=True)
class Access:
    """The lists of the settings, asked about one message."""

    settings: AccessSettings = field(default_factory=AccessSettings)

    def judge(self, said: Incoming, switches: Switches) -> DenialReason | None:
        """Why a message is not answered; None where it is.

        `access.block` holds for everybody and a pause for every question, not for commands; all else lets admins pass.
        Bots are only answered where they are named, and then by the same rules as people.
        """
        platform, marks = said.place.platform, _marks(said)
        if said.bot and not names(self.settings.bots, platform, marks):
            return DenialReason.BOT
        if names(self.settings.block, platform, marks) or (not said.admin and names(switches.blocked, platform, marks)):
            return DenialReason.BLOCKED
        if platform in switches.paused and not said.command:
            return DenialReason.PAUSED
        return None if said.admin else self._look(said, platform, marks)

    def _look(self, said: Incoming, platform: str, marks: Collection[str]) -> DenialReason | None:
        """The lists that let in."""
        wanted, direct = self.settings, said.place.direct
        if said.external and not wanted.external:
            return DenialReason.EXTERNAL
        listed = names(wanted.allow_people, platform, marks)
        if direct and (wanted.dms == "off" or (wanted.dms == "listed" and not listed)):
            return DenialReason.DIRECT
        if wanted.allow_people and not listed and not said.bot:
            return DenialReason.PERSON
        return (
            DenialReason.PLACE
            if wanted.allow_places and not direct and not names(wanted.allow_places, platform, marks)
            else None
        )


def _marks(said: Incoming) -> tuple[str, ...]:
    """What the platform says, and what a place and a person are by themselves."""
    place = said.place
    ids = (*place.room.split(":")[1:], *place.home.split(":")[1:])
    return (*said.marks, said.author.id, place.room, place.home, *ids)


def names(listed: Collection[str], platform: str, marks: Iterable[str]) -> bool:
    """Whether a list has one of the marks, as it is or behind its platform's name."""
    return bool(listed) and any(mark in listed or f"{platform}:{mark}" in listed for mark in marks if mark)
