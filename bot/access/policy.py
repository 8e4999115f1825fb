"""The access lists of the settings, asked about one person in one place. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from bot.access.overrides import Overrides
from bot.config.settings import AccessSettings
from bot.domain.commands import PRIVATE
from bot.domain.messages import Author, Caller, Incoming, Place
from bot.domain.spending import DenialReason

OPERATORS = ("web", "terminal")
"""Platforms where a person is the operator, or has limits of that adapter's own: only the bot's limit counts there."""


class Kind(StrEnum):
    """What somebody wants: QUESTION a new answer, RETRY an answer written anew, COMMAND, OWN_WORDS what is theirs.

    OWN_WORDS are the commands on a person's own words: whoever may not ask still has a right to these.
    """

    QUESTION = "question"
    RETRY = "retry"
    COMMAND = "command"
    OWN_WORDS = "own words"

    @classmethod
    def of(cls, incoming: Incoming) -> Self:
        """Return the kind of a message."""
        return cls("own words" if incoming.command in PRIVATE else "command" if incoming.command else "question")


@dataclass(frozen=True, slots=True)
class Subject:
    """A person or a bot who wants something, with the message that says so, `<channel>:<id>`.

    `principals` are the ids by which a list may name them; `late` says that the message was found some time after it
    was written.
    """

    place: Place
    author: Author
    principals: tuple[str, ...] = ()
    admin: bool = False
    external: bool = False
    bot: bool = False
    message: str = ""
    late: bool = False

    @classmethod
    def from_message(cls, incoming: Incoming) -> Self:
        """Return who wrote a message."""
        key = f"{incoming.channel_id}:{incoming.message_id}"
        rights = (incoming.admin, incoming.external, incoming.bot)
        return cls(incoming.place, incoming.author, incoming.marks, *rights, key, incoming.late)

    @classmethod
    def from_caller(cls, place: Place, caller: Caller) -> Self:
        """Return who gives a command or presses a button in a place."""
        return cls(place, caller.author, caller.marks, caller.admin)

    @property
    def person(self) -> str:
        """The person for all places of their platform: `<platform>:<id>`."""
        return f"{self.place.platform}:{self.author.id}"

    @property
    def operator(self) -> bool:
        """True where no list and no limit of a person holds."""
        return self.place.platform in OPERATORS


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The lists of the settings."""

    settings: AccessSettings = field(default_factory=AccessSettings)

    def find_reason(self, subject: Subject, kind: Kind, overrides: Overrides) -> DenialReason | None:
        """Return why somebody is not answered; None where they are.

        `access.block` holds for everybody and a pause for every question, not for commands; all else lets admins pass.
        Bots are only answered where they are named, and then by the same rules as people.
        """
        platform, ids = subject.place.platform, _list_ids(subject)
        if subject.bot and not matches_any(self.settings.bots, platform, ids):
            return DenialReason.BOT
        blocked = matches_any(overrides.blocked, platform, ids) and not subject.admin
        if blocked or matches_any(self.settings.block, platform, ids):
            return DenialReason.BLOCKED
        if platform in overrides.paused and kind in (Kind.QUESTION, Kind.RETRY):
            return DenialReason.PAUSED
        return None if subject.admin else self._find_unlisted(subject, platform, ids)

    def _find_unlisted(self, subject: Subject, platform: str, ids: Collection[str]) -> DenialReason | None:
        """Ask the lists that let in."""
        wanted, direct = self.settings, subject.place.direct
        if subject.external and not wanted.external:
            return DenialReason.EXTERNAL
        listed = matches_any(wanted.allow_people, platform, ids)
        if direct and (wanted.dms == "off" or (wanted.dms == "listed" and not listed)):
            return DenialReason.DIRECT
        if wanted.allow_people and not listed and not subject.bot:
            return DenialReason.PERSON
        if wanted.allow_places and not direct and not matches_any(wanted.allow_places, platform, ids):
            return DenialReason.PLACE
        return None


def _list_ids(subject: Subject) -> tuple[str, ...]:
    """List the ids that the platform names, and those of the place and the person themselves."""
    place = subject.place
    parts = (*place.room.split(":")[1:], *place.home.split(":")[1:])
    return (*subject.principals, subject.author.id, place.room, place.home, *parts)


def matches_any(listed: Collection[str], platform: str, ids: Iterable[str]) -> bool:
    """Return True where a list has one of the ids, as it is or behind its platform's name."""
    return bool(listed) and any(one in listed or f"{platform}:{one}" in listed for one in ids if one)
