"""What people tell the bot itself, by commands and buttons, carried out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from bot import texts
from bot.access.admission import Admission
from bot.access.listening import Listening
from bot.access.policy import OPERATORS, Kind, Subject
from bot.domain.commands import LONGEST, PRIVATE, RULES
from bot.domain.errors import StorageError
from bot.domain.messages import Author, Caller, Control, Incoming, Place, State
from bot.domain.ports import Channel, Library, Memory, Transcript
from bot.domain.spending import start_of_days
from bot.interactions.privacy import UNNAMED, Attach, Privacy
from bot.interactions.usage import DEFAULT_DAYS, describe_usage
from bot.prompts.channel_settings import MODEL, PERSONA, Customs
from bot.turns.queue import TurnQueue
from bot.turns.recovery import Recovery

MEMORY_GRACE = 0.5
"""Seconds between the end of an answer on the screen and in the memory, at most, for somebody who is quick."""
DEFAULT = "default"
"""The word that takes a choice back."""
MAX_SUGGESTIONS = 25
"""Values that are offered, as many as Discord takes."""

PAUSES = {"pause": texts.PAUSED, "resume": texts.RESUMED}
BLOCKS = {"block": texts.BLOCKED, "unblock": texts.UNBLOCKED}
MENTION = re.compile(r"(?:<@!?)?(\w{1,40})(?:\|[^>]*)?>?")
"""A mention as either platform writes it, or an id."""
IDS = {"discord": re.compile(r"[0-9]+"), "slack": re.compile(r"[UWB][A-Z0-9]+")}
"""What a person's id looks like."""
MARKUP = re.compile(r"[^\w .,'’()-]+")

log = structlog.get_logger(__name__)


class CommandDispatcher:
    """Carries out commands and presses; each returns what the person is told. Raises StorageError."""

    def __init__(
        self,
        memory: Memory,
        places: TurnQueue,
        recovery: Recovery,
        customs: Customs,
        admission: Admission,
        listening: Listening,
    ) -> None:
        self._memory = memory
        self._places = places
        self._recovery = recovery
        self._customs = customs
        self._admission = admission
        self._listening = listening
        self._privacy = Privacy(memory, places)

    async def run_command(self, name: str, place: Place, caller: Caller, argument: str) -> str:
        """Run a command."""
        author = caller.author
        log.info("command", command=name, place=place.key, author=author.id)
        if name in PRIVATE:  # whoever is barred from asking still has a right to these
            return await self._run_private(name, place, author)
        if reason := await self._admission.find_bar(Subject.from_caller(place, caller)):
            return texts.NO_ENTRY[reason]
        if name in RULES:
            return await self._moderate(name, place, caller.admin, argument)
        match name:
            case "reset":
                return _describe_reset(place, author) if await self.reset_place(place) else texts.NOTHING_TO_RESET
            case "stop":
                return (
                    texts.STOPPING
                    if self.stop_turns(place, "" if caller.admin else author.id)
                    else texts.NOTHING_TO_STOP
                )
            case "usage":
                return await self._describe_usage(place, author)
            case "model":
                return await self._choose_model(place, caller, argument) if argument else await self._list_models(place)
            case "persona":
                return await self._set_persona(place, caller, argument)
            case "listen":
                return await self._listening.change_listening(place, caller, argument)
        return await self._describe_bot(place)

    async def run_message_command(self, said: Incoming, channel: Channel | Transcript) -> str:
        """Run a command that was said as a message; what is too long for one is given as a file where that can be."""
        if said.command == "export" and not said.place.shared and isinstance(channel, Library):
            return await self.export_own_words(said.place, said.author, channel.attach)
        caller = Caller(said.author, said.admin, said.manages, said.marks)
        name, _, argument = said.command.partition(" ")
        return await self.run_command(name, said.place, caller, argument)

    async def export_own_words(self, place: Place, author: Author, attach: Attach) -> str:
        """Give a person what they said as files that nobody else sees; returns what they are told."""
        log.info("command", command="export", place=place.key, author=author.id)
        return await self._privacy.export_files(place, author, attach)

    def suggest_values(self, name: str, text: str) -> list[str]:
        """Values for the argument of a command, best first."""
        if name != "model":
            return []
        known = [*self._customs.roster.names, DEFAULT]
        wanted = text.strip().casefold()
        found = [value for value in known if wanted in value.casefold()]
        return sorted(found, key=lambda value: not value.casefold().startswith(wanted))[:MAX_SUGGESTIONS]

    async def press_button(self, control: Control, turn: int, caller: Caller) -> str:
        """Do what a button under an answer says; returns what only the person is told, empty for nothing."""
        author = caller.author
        log.info("pressed", control=control.value, turn=turn, author=author.id)
        try:
            asked = await self._memory.turn(turn)
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return texts.STORAGE
        if asked is None:
            return texts.FORGOTTEN
        if not caller.admin and author.id not in {question.author.id for question in asked.questions}:
            return texts.NOT_YOURS
        if control is Control.STOP:
            stopped = self._places.stop_turns(State.STOPPED, lambda waiting: waiting.turn == turn)
            return "" if stopped else texts.NOTHING_TO_STOP
        if await self._places.wait_idle(turn=turn, seconds=MEMORY_GRACE):
            return texts.STILL_WRITING
        if not asked.last:
            return texts.OLDER
        try:
            said = replace(asked.incoming, author=author, admin=caller.admin, marks=caller.marks)
            refusal = await self._admission.admit(Subject.from_message(said), Kind.RETRY)
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return texts.STORAGE
        if refusal:
            return refusal.sentence
        return "" if self._recovery.answer_anew(asked) else texts.CLOSED

    def stop_turns(self, place: Place, author: str = "", message: str = "") -> bool:
        """Stop what is written or waits in a place, for all or for this asker or message; False if nothing was.

        Where each person has a conversation of their own, all of those are meant.
        """
        return self._stop_matching(
            lambda said: (
                said.place.room == place.room and author in ("", said.author.id) and message in ("", said.message_id)
            )
        )

    async def reset_place(self, place: Place) -> bool:
        """Stop what is being written in a place and forget every text of it; False if there was nothing."""
        stopped = self._stop_matching(lambda said: said.place.key == place.key)
        await self._places.wait_idle(place.key)
        return await self._memory.forget(place.key) or stopped

    def _stop_matching(self, chosen: Callable[[Incoming], bool]) -> bool:
        return self._places.stop_turns(State.STOPPED, lambda waiting: chosen(waiting.incoming)) > 0

    async def _describe_bot(self, place: Place) -> str:
        """Who it is, and in a channel whether it has to be mentioned."""
        model, _ = await self._customs.of(place)
        told = texts.introduction(model.reader)
        if not place.shared or place.platform in OPERATORS:
            return told
        state = texts.LISTENS[await self._listening.answers_all(place)]
        return f"{told}\n{texts.LISTEN_HELP.format(state=state)}"

    async def _run_private(self, name: str, place: Place, author: Author) -> str:
        """What is a person's own: deleted, or told where nobody else reads it."""
        if name == "export":
            return texts.EXPORT_ALONE if place.shared else await self._privacy.export_text(place, author)
        if place.platform in UNNAMED:
            return texts.RESET if await self.reset_place(place) else texts.NOTHING_TO_RESET
        await self._admission.notices.forget_person(place, author)
        return await self._privacy.forget_person(place, author)

    async def _moderate(self, name: str, place: Place, admin: bool, whom: str) -> str:
        """Who may talk to the bot, from the chat."""
        if place.platform in OPERATORS:
            return texts.NOT_HERE
        if not admin:
            return texts.ADMINS_ONLY
        platform = place.platform.capitalize()
        if name in ("pause", "resume"):
            changed, said = await self._admission.set_pause(place.platform, name == "pause"), PAUSES[name]
            return said.format(platform=platform) if changed else texts.AS_IT_WAS
        mention = MENTION.fullmatch(whom)
        person = mention[1].upper() if mention else ""
        if not IDS[place.platform].fullmatch(person):
            return texts.WHOM
        changed = await self._admission.set_block(f"{place.platform}:{person}", name == "block")
        return BLOCKS[name].format(person=person, platform=platform) if changed else texts.AS_IT_WAS

    async def _list_models(self, place: Place) -> str:
        names = ", ".join(f"`{name}`" for name in self._customs.roster.names)
        choice = f"\n{texts.MODELS.format(names=names)}" if len(self._customs.roster.names) > 1 else ""
        return texts.MODEL.format(model=await self._customs.model(place)) + choice

    async def _choose_model(self, place: Place, caller: Caller, name: str) -> str:
        if not (caller.admin or caller.manages):
            return texts.ADMINS_ONLY
        known = self._customs.roster.names
        if name not in (*known, DEFAULT):
            return texts.UNKNOWN_MODEL.format(name=name[:100], names=", ".join(f"`{one}`" for one in known))
        await self._customs.choose(place, MODEL, "" if name == DEFAULT else name)
        return texts.CHOSEN.format(model=await self._customs.model(place))

    async def _set_persona(self, place: Place, caller: Caller, persona: str) -> str:
        if persona and not (caller.admin or caller.manages):
            return texts.ADMINS_ONLY
        if len(persona) > LONGEST:
            return texts.TOO_LONG.format(most=LONGEST)
        if persona:
            await self._customs.choose(place, PERSONA, "" if persona == DEFAULT else persona)
        shown = "\n> ".join((await self._customs.persona(place)).splitlines())
        return (texts.TOLD if persona else texts.PERSONA).format(persona=shown)

    async def _describe_usage(self, place: Place, author: Author) -> str:
        who, now = f"{place.platform}:{author.id}", time.time()
        where = place.key if place.platform in UNNAMED else ""
        today = await self._memory.spent(who, start_of_days(1, now), where)
        return describe_usage(today, await self._memory.spent(who, start_of_days(DEFAULT_DAYS, now), where))


def _describe_reset(place: Place, author: Author) -> str:
    """That a conversation is forgotten: all who shared it are to know who did it."""
    if place.person:
        return texts.RESET_OWN
    return texts.RESET_BY.format(name=_safe_name(author)) if place.shared else texts.RESET


def _safe_name(author: Author) -> str:
    """A person's name in a sentence that all read: nothing in it is markup or a mention."""
    return " ".join(MARKUP.sub(" ", author.name).split())[:80] or "Somebody"
