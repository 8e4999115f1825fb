"""What people tell the bot itself, by commands and buttons, carried out."""

from __future__ import annotations

import time

import structlog

from bot import notes
from bot.commands import LONGEST
from bot.customs import MODEL, PERSONA, Customs
from bot.errors import StorageError
from bot.live import Places
from bot.messages import Author, Control, Place, State
from bot.ports import Memory
from bot.recovery import Recovery
from bot.usage import DAYS, since, tell

MOMENT = 0.5
"""Seconds between the end of an answer on the screen and in the memory, at most, for somebody who is quick."""
DEFAULT = "default"
"""The word that takes a choice back."""
SUGGESTIONS = 25
"""Values that are offered, as many as Discord takes."""

log = structlog.get_logger(__name__)


class Controls:
    """Carries out commands and presses; each returns what the person is told. Raises StorageError."""

    def __init__(self, memory: Memory, places: Places, recovery: Recovery, customs: Customs) -> None:
        self._memory = memory
        self._places = places
        self._recovery = recovery
        self._customs = customs

    async def command(self, name: str, place: Place, author: Author, admin: bool, argument: str) -> str:
        """Run a command."""
        log.info("command", command=name, place=place.key, author=author.id)
        match name:
            case "reset":
                return notes.RESET if await self.reset(place) else notes.NOTHING_TO_RESET
            case "stop":
                return notes.STOPPING if self.stop(place, "" if admin else author.id) else notes.NOTHING_TO_STOP
            case "usage":
                return await self._usage(place, author)
            case "model":
                return await self._choose(place, admin, argument) if argument else await self._models(place)
            case "persona":
                return await self._tell(place, admin, argument)
        model, _ = await self._customs.of(place)
        return notes.introduction(model.reader)

    def suggest(self, name: str, text: str) -> list[str]:
        """Values for the argument of a command, best first."""
        if name != "model":
            return []
        known = [*self._customs.roster.names, DEFAULT]
        wanted = text.strip().casefold()
        found = [value for value in known if wanted in value.casefold()]
        return sorted(found, key=lambda value: not value.casefold().startswith(wanted))[:SUGGESTIONS]

    async def press(self, control: Control, turn: int, author: Author, admin: bool) -> str:
        """Do what a button under an answer says; returns what only the person is told, empty for nothing."""
        log.info("pressed", control=control.value, turn=turn, author=author.id)
        try:
            asked = await self._memory.turn(turn)
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return notes.STORAGE
        if asked is None:
            return notes.FORGOTTEN
        if not admin and author.id not in {question.author.id for question in asked.questions}:
            return notes.NOT_YOURS
        if control is Control.STOP:
            stopped = self._places.halt(State.STOPPED, lambda waiting: waiting.turn == turn)
            return "" if stopped else notes.NOTHING_TO_STOP
        if await self._places.settle(turn=turn, seconds=MOMENT):
            return notes.STILL_WRITING
        if not asked.last:
            return notes.OLDER
        return "" if self._recovery.answer_anew(asked) else notes.CLOSED

    def stop(self, place: Place, author: str = "", message: str = "") -> bool:
        """Stop what is written or waits in a place, for all or for this asker or message; False if nothing was."""
        return (
            self._places.halt(
                State.STOPPED,
                lambda waiting: (
                    waiting.incoming.place.key == place.key
                    and author in ("", waiting.incoming.author.id)
                    and message in ("", waiting.incoming.message_id)
                ),
            )
            > 0
        )

    async def reset(self, place: Place) -> bool:
        """Stop what is being written in a place and forget every text of it; False if there was nothing."""
        stopped = self.stop(place)
        await self._places.settle(place.key)
        return await self._memory.forget(place.key) or stopped

    async def _models(self, place: Place) -> str:
        names = ", ".join(f"`{name}`" for name in self._customs.roster.names)
        choice = f"\n{notes.MODELS.format(names=names)}" if len(self._customs.roster.names) > 1 else ""
        return notes.MODEL.format(model=await self._customs.model(place)) + choice

    async def _choose(self, place: Place, admin: bool, name: str) -> str:
        if not admin:
            return notes.ADMINS_ONLY
        known = self._customs.roster.names
        if name not in (*known, DEFAULT):
            return notes.UNKNOWN_MODEL.format(name=name[:100], names=", ".join(f"`{one}`" for one in known))
        await self._customs.choose(place, MODEL, "" if name == DEFAULT else name)
        return notes.CHOSEN.format(model=await self._customs.model(place))

    async def _tell(self, place: Place, admin: bool, persona: str) -> str:
        if persona and not admin:
            return notes.ADMINS_ONLY
        if len(persona) > LONGEST:
            return notes.TOO_LONG.format(most=LONGEST)
        if persona:
            await self._customs.choose(place, PERSONA, "" if persona == DEFAULT else persona)
        shown = "\n> ".join((await self._customs.persona(place)).splitlines())
        return (notes.TOLD if persona else notes.PERSONA).format(persona=shown)

    async def _usage(self, place: Place, author: Author) -> str:
        who, now = f"{place.platform}:{author.id}", time.time()
        today = await self._memory.spent(who, since(1, now))
        return tell(today, await self._memory.spent(who, since(DAYS, now)))
