"""The one path from a message to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import structlog

from bot import texts
from bot.access.admission import Admission
from bot.access.listening import Listening
from bot.access.policy import OPERATORS, Kind, Subject
from bot.config.places import PlaceTables
from bot.config.settings import AccessSettings, BotSettings, FilesSettings, LimitsSettings, PlaceSettings
from bot.domain.errors import StorageError
from bot.domain.messages import Author, Caller, Control, Incoming, Place, State
from bot.domain.ports import Channel, Memory, Model, Transcript
from bot.domain.records import Answer
from bot.interactions.dispatch import CommandDispatcher
from bot.interactions.privacy import Attach
from bot.models.registry import Roster
from bot.prompts.channel_settings import Customs
from bot.prompts.request import Desk
from bot.prompts.summarizer import Summaries
from bot.replies.system_messages import apologise, say, turn_away
from bot.runtime.alerts import Alerts
from bot.runtime.logging import TEXTS
from bot.runtime.metrics import Metrics
from bot.runtime.tasks import report
from bot.turns.queue import PendingTurn, TurnQueue
from bot.turns.recovery import OpenChannel, Recovery
from bot.turns.runner import TurnRunner

log = structlog.get_logger(__name__)
conversation_log = structlog.get_logger(TEXTS)
CLOSING = 0.3
"""The part of the time for stopping that is kept for closing what is still being written."""


class Engine:
    """Answers messages, one at a time in a place, places beside each other."""

    def __init__(
        self,
        model: Model | Roster,
        memory: Memory,
        settings: BotSettings,
        metrics: Metrics,
        alerts: Alerts | None = None,
        files: FilesSettings | None = None,
        places: Mapping[str, PlaceSettings] | None = None,
        access: AccessSettings | None = None,
        limits: LimitsSettings | None = None,
    ) -> None:
        self.alerts = alerts or Alerts()
        self.roster = model if isinstance(model, Roster) else Roster(model)
        self.model = self.roster.default
        self.memory = memory
        self.settings = settings
        self.metrics = metrics
        self._desk = Desk(memory, settings, files or FilesSettings())
        self._tables = PlaceTables(places or {})
        self._customs = Customs(self.roster, memory, settings, self._tables)
        self.listening = Listening(memory, self._tables)
        self.access = access or AccessSettings()
        self._admission = Admission(memory, self.alerts, self.access, limits)
        self._summaries = Summaries(self._desk, self._customs)
        self._runner = TurnRunner(self._desk, self._customs, self._admission, self._summaries, metrics, self.alerts)
        self._turns = TurnQueue(self._runner.run_turns)
        self._recovery = Recovery(self._desk, self._turns, self._run_message_command)
        self._controls = CommandDispatcher(
            memory, self._turns, self._recovery, self._customs, self._admission, self.listening
        )
        self._tasks: set[asyncio.Task[object]] = set()

    def register_platform(self, platform: str, opener: OpenChannel) -> None:
        """Say that a platform can be written to: the turns that were broken off there are brought to their end.

        `opener` makes the channel for any message of it, old ones too.
        """
        self._recovery.register_platform(platform, opener)
        self._spawn(self._recovery.finish_open_turns(platform))
        self._spawn(self.listening.warn_of_hindrance(platform, self.settings.names))

    async def close_orphaned_turns(self) -> None:
        """Close what a crash left open where nobody can read it any more: on the page and in the terminal."""
        try:
            for platform in OPERATORS:
                await self._recovery.close_orphaned_turns(platform)
        except StorageError as error:  # they stay as they are until the next start
            log.error("the memory failed", error=str(error))

    async def submit(self, incoming: Incoming, channel: Channel | Transcript) -> asyncio.Future[Answer] | None:
        """Journal a message and begin its turn, or turn it away; None if that was done before. Raises StorageError."""
        incoming = replace(incoming, place=self.place_for(incoming.place, incoming.author))
        with self.alerts.watch_memory():
            if await self.memory.heard(incoming):
                return None
            if refused := await self._turn_away(incoming, channel):
                return refused
            turn = await self.memory.claim(incoming)
        if turn is None:
            return None
        waiting = PendingTurn(turn.id, incoming, channel, turn.first)
        if incoming.command:
            self._run_message_command(waiting)
        elif self._turns.count_waiting(incoming.place.key) >= self.settings.waiting:
            self._answer_beside(waiting, self._refuse_full(waiting))
        else:
            self._turns.enqueue(waiting)
        return waiting.answer

    async def admit(self, incoming: Incoming, channel: Channel) -> bool:
        """Whether a message may be answered; it is counted, once, or else its author is told. Raises StorageError.

        For an adapter that has something to do before it calls `take`, or answers the message itself.
        """
        incoming = replace(incoming, place=self.place_for(incoming.place, incoming.author))
        with self.alerts.watch_memory():
            return not await self.memory.heard(incoming) and await self._turn_away(incoming, channel) is None

    async def respond(self, incoming: Incoming, channel: Channel | Transcript) -> Answer | None:
        """Answer a message; None if it was claimed before.

        Never raises for what a model, a platform or the memory does: the answer says it, and so was the person told.
        """
        try:
            answer = await self.submit(incoming, channel)
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            if incoming.follows or await self._admission.is_barred_offline(Subject.from_message(incoming)):
                return Answer(state=State.FAILED, note=texts.STORAGE, fault="storage")
            return await apologise(channel, texts.STORAGE, "storage")
        return await asyncio.shield(answer) if answer else None

    def place_for(self, place: Place, person: Author) -> Place:
        """The place where a person's conversation is: a place of their own, where the settings say so."""
        return self._tables.place_for(place, person.id)

    async def run_command(self, name: str, place: Place, caller: Caller, argument: str = "") -> str:
        """Run a command and return what the person is told. Raises StorageError."""
        return await self._controls.run_command(name, place, caller, argument)

    async def access_denial_text(self, place: Place, caller: Caller) -> str:
        """What somebody is told whose commands are not obeyed; empty for everybody else. Raises StorageError."""
        reason = await self._admission.find_bar(Subject.from_caller(place, caller))
        return texts.NO_ENTRY[reason] if reason else ""

    async def export_own_words(self, place: Place, author: Author, attach: Attach) -> str:
        """Give a person what they said as files, so that nobody else sees them; returns what they are told."""
        return await self._controls.export_own_words(place, author, attach)

    def suggest_values(self, name: str, text: str) -> list[str]:
        """Values for the argument of a command that begin with or contain a text, best first, 25 at most."""
        return self._controls.suggest_values(name, text)

    async def press_button(self, control: Control, turn: int, caller: Caller) -> str:
        """Do what a button under an answer says; returns what only the person is told, empty for nothing."""
        return await self._controls.press_button(control, turn, caller)

    async def message_edited(self, incoming: Incoming, anew: bool = True) -> None:
        """A question was changed: the memory has its new text; with `anew` the last answer of a place is written again.

        What somebody says now who may not ask is not taken in: what they said before is forgotten.
        """
        subject = Subject.from_message(incoming)
        if await self._admission.find_bar(subject):
            await self.message_deleted(incoming.place.platform, incoming.channel_id, incoming.message_id)
            return
        asked = await self.memory.amend(incoming)
        if asked and asked.last and anew and not await self._admission.admit(subject, Kind.RETRY):
            self._turns.stop_turns(State.STOPPED, lambda waiting: waiting.turn == asked.id)
            self._recovery.answer_anew(asked)
        elif asked:
            self._turns.update_waiting(incoming)

    async def message_deleted(self, platform: str, channel_id: str, message_id: str) -> None:
        """A question, or a post of an answer, was deleted: the turn is stopped and leaves the memory."""
        asked = await self.memory.retract(platform, channel_id, message_id)
        if asked:
            self._turns.stop_turns(State.STOPPED, lambda waiting: waiting.turn == asked.id)

    async def stop_turns(self, place: Place, author: str = "", message: str = "") -> bool:
        """Stop what is written or waits in a place, for all or for this asker or message; False if nothing was."""
        return self._controls.stop_turns(place, author, message)

    def close(self) -> None:
        """Leave summaries that are being written to the next start; answers end with `drain`."""
        self._summaries.close()

    async def drain_turns(self, grace: float) -> None:
        """Let running turns end within `grace` seconds; those that do not are closed with an honest note.

        What still waits is left to the next start.
        """
        self._turns.release_waiting(Answer(state=State.INTERRUPTED, note=texts.ENDINGS[State.INTERRUPTED]))
        late = await self._turns.wait_idle(seconds=grace * (1 - CLOSING))
        self._turns.stop_turns(State.INTERRUPTED, lambda _: True)
        if late:
            lost = await self._turns.wait_idle(seconds=grace * CLOSING)
            log.warning("live replies were interrupted", turns=late, unfinished=lost)
        self.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace * CLOSING)

    async def _turn_away(self, said: Incoming, channel: Channel | Transcript) -> asyncio.Future[Answer] | None:
        """Turn a message away for good, if it may not be answered."""
        denial = await self._admission.admit(Subject.from_message(said), Kind.of(said))
        if denial is None:
            return None
        try:
            await self.memory.decline(said)
        except StorageError as error:  # it may be found again, and be turned away again
            log.error("the memory failed", error=str(error))
        return self._answer_beside(
            PendingTurn(0, said, channel), turn_away(said, channel, denial, self._admission.notices)
        )

    def _answer_beside(self, waiting: PendingTurn, answering: Awaitable[Answer]) -> asyncio.Future[Answer]:
        """Answer beside what is being written in the place."""

        async def answer() -> None:
            waiting.answer.set_result(await self._runner.run_guarded(waiting, answering))

        self._spawn(answer())
        return waiting.answer

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(report)

    def _run_message_command(self, waiting: PendingTurn) -> None:
        """Run a command that was said as a message, and show what it says."""

        async def obey() -> Answer:
            text = await self._controls.run_message_command(waiting.incoming, waiting.channel)
            return await self._runner.close_turn(waiting, await say(text, waiting.channel))

        self._answer_beside(waiting, obey())

    async def _refuse_full(self, waiting: PendingTurn) -> Answer:
        """Say that too much waits here already."""
        answer = await say(texts.FULL, waiting.channel)
        return await self._runner.close_turn(
            waiting, replace(answer, text="", state=State.FAILED, note=texts.FULL, fault="full")
        )
