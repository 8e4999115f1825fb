"""The one path from a message to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot import notes
from bot.alerts import Alerts
from bot.config import BotSettings
from bot.delivery import deliver, tell
from bot.errors import ModelFault, StorageError
from bot.live import Places, Waiting
from bot.messages import Author, Control, Incoming, Message, Place, State
from bot.metrics import Metrics
from bot.own_words import apologise, introduce, paper
from bot.ports import Answer, Asked, Channel, Memory, Model, Transcript
from bot.prompt import ask, compose
from bot.recovery import Opener, Recovery
from bot.reply import Reply
from bot.supervision import report

log = structlog.get_logger(__name__)
OPERATORS = ("web", "terminal")
"""Where the person is the operator, so that the trial model may answer."""
MOMENT = 0.5
"""Seconds between the end of an answer on the screen and in the memory, at most, for somebody who is quick."""
CLOSING = 0.3
"""The part of the time for stopping that is kept for closing what is still being written."""


class Engine:
    """Answers messages, one at a time in a place, places beside each other."""

    def __init__(
        self, model: Model, memory: Memory, settings: BotSettings, metrics: Metrics, alerts: Alerts | None = None
    ) -> None:
        self.alerts = alerts or Alerts()
        self.model = model
        self.memory = memory
        self.settings = settings
        self.metrics = metrics
        self._places = Places(self._run)
        self._recovery = Recovery(memory, self._places, self._obey, settings.resume)
        self._tasks: set[asyncio.Task[object]] = set()

    def serve(self, platform: str, opener: Opener) -> None:
        """Say that a platform can be written to: the turns that were broken off there are brought to their end.

        `opener` makes the channel for any message of it, old ones too.
        """
        self._recovery.connect(platform, opener)
        self._spawn(self._recovery.finish(platform))

    async def abandon(self) -> None:
        """Close what a crash left open where nobody can read it any more: on the page and in the terminal."""
        try:
            for platform in OPERATORS:
                await self._recovery.abandon(platform)
        except StorageError as error:  # they stay as they are until the next start
            log.error("the memory failed", error=str(error))

    async def take(self, incoming: Incoming, channel: Channel | Transcript) -> asyncio.Future[Answer] | None:
        """Journal a message and begin its turn; None if it was claimed before. Raises StorageError."""
        try:
            turn = await self.memory.claim(incoming)
        except StorageError:
            self.alerts.tell("storage", notes.ALERTS["storage"])
            raise
        if turn is None:
            return None
        waiting = Waiting(turn.id, incoming, channel, turn.first)
        if incoming.command:
            self._obey(waiting)
        elif self._places.count(incoming.place.key) >= self.settings.waiting:
            self._aside(waiting, self._refuse(waiting))
        else:
            self._places.add(waiting)
        return waiting.answer

    async def respond(self, incoming: Incoming, channel: Channel | Transcript) -> Answer | None:
        """Answer a message; None if it was claimed before.

        Never raises for what a model, a platform or the memory does: the answer says it, and so was the person told.
        """
        try:
            answer = await self.take(incoming, channel)
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return await apologise(channel, notes.STORAGE, "storage")
        return await asyncio.shield(answer) if answer else None

    async def command(self, name: str, place: Place, author: Author, admin: bool = False) -> str:
        """Run a command and return what the person is told."""
        log.info("command", command=name, place=place.key, author=author.id)
        if name == "reset":
            return notes.RESET if await self.reset(place) else notes.NOTHING_TO_RESET
        if name == "stop":
            stopped = await self.stop(place, "" if admin else author.id)
            return notes.STOPPING if stopped else notes.NOTHING_TO_STOP
        return notes.introduction(self.model.reader)

    async def press(self, control: Control, turn: int, author: Author, admin: bool = False) -> str:
        """Do what a button under an answer says; returns what only the person is told, empty for nothing."""
        log.info("pressed", control=control.value, turn=turn, author=author.id)
        try:
            asked = await self.memory.turn(turn)
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

    async def amend(self, incoming: Incoming) -> None:
        """A question was changed: the memory has its new text, and the last answer of a place is written anew."""
        asked = await self.memory.amend(incoming)
        if asked and asked.last:
            self._places.halt(State.STOPPED, lambda waiting: waiting.turn == asked.id)
            self._recovery.answer_anew(asked)

    async def retract(self, platform: str, channel_id: str, message_id: str) -> None:
        """A question, or a post of an answer, was deleted: the turn is stopped and leaves the memory."""
        asked = await self.memory.retract(platform, channel_id, message_id)
        if asked:
            self._places.halt(State.STOPPED, lambda waiting: waiting.turn == asked.id)

    async def stop(self, place: Place, author: str = "", message: str = "") -> bool:
        """Stop what is written or waits in a place, for all or for this asker or message; False if nothing was."""

        def meant(waiting: Waiting) -> bool:
            said = waiting.incoming
            return said.place.key == place.key and author in ("", said.author.id) and message in ("", said.message_id)

        return self._places.halt(State.STOPPED, meant) > 0

    async def reset(self, place: Place) -> bool:
        """Stop what is being written in a place and forget every text of it; False if there was nothing."""
        stopped = await self.stop(place)
        await self._places.settle(place.key)
        return await self.memory.forget(place.key) or stopped

    async def drain(self, grace: float) -> None:
        """Let running turns end within `grace` seconds; those that do not are closed with an honest note.

        What still waits is left to the next start.
        """
        self._places.leave(Answer(state=State.INTERRUPTED, note=notes.ENDINGS[State.INTERRUPTED]))
        late = await self._places.settle(seconds=grace * (1 - CLOSING))
        self._places.halt(State.INTERRUPTED, lambda _: True)
        if late:
            lost = await self._places.settle(seconds=grace * CLOSING)
            log.warning("live replies were interrupted", turns=late, unfinished=lost)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace * CLOSING)

    async def _run(self, group: Sequence[Waiting]) -> Answer:
        return await self._guard(group[-1], self._answer(group))

    async def _guard(self, waiting: Waiting, answering: Awaitable[Answer]) -> Answer:
        """Await an answer, and tell the person whatever goes wrong."""
        with structlog.contextvars.bound_contextvars(place=waiting.incoming.place.key, turn=waiting.turn):
            try:
                return await answering
            except StorageError as error:
                log.error("the memory failed", error=str(error))
                self.alerts.tell("storage", notes.ALERTS["storage"])
                return await apologise(waiting.channel, notes.STORAGE, "storage")
            except Exception:
                log.exception("a turn broke")
                # the channel may be what broke: the place must not stand still for that
                (said,) = await asyncio.gather(apologise(waiting.channel, notes.BROKEN, "bug"), return_exceptions=True)
                return said if isinstance(said, Answer) else Answer(state=State.FAILED, note=notes.BROKEN, fault="bug")

    def _aside(self, waiting: Waiting, answering: Awaitable[Answer]) -> None:
        """Answer beside what is being written in the place."""

        async def answer() -> None:
            waiting.answer.set_result(await self._guard(waiting, answering))

        self._spawn(answer())

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(report)

    async def _answer(self, group: Sequence[Waiting]) -> Answer:
        """Recall, compose, deliver, remember."""
        *others, main = group
        said, here = main.incoming, main.incoming.place
        asked = await self.memory.turn(main.turn) if main.anew else None
        if main.halt.state or (main.anew and not asked):
            return await self._close(main, Answer(state=main.halt.state or State.STOPPED))
        await self.memory.begin(main.turn, [waiting.turn for waiting in others])
        if here.direct and said.text and any(waiting.first for waiting in group):
            await introduce(main.channel, self.model.reader)
        question = ask(*(asked.questions if asked else (waiting.incoming for waiting in group)))
        if own := self._reply_ourselves(here, question.content):
            return await self._close(main, await tell(own, paper(main.channel)))
        history = await self.memory.recall(here.key, self.settings.history, before=main.turn)
        pieces = self.model.stream(compose(self.settings, here, history, question))
        screen = await self._screen(main, asked)
        answer = await deliver(pieces, screen, main.halt, self.settings.show_thinking)
        answer = replace(answer, model=self.model.name)
        self._record(here.platform, answer)
        try:
            return await self._close(main, answer, question if answer.text else None)
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            self.alerts.tell("storage", notes.ALERTS["storage"])
            await apologise(main.channel, notes.UNREMEMBERED, "storage")
            return replace(answer, fault="storage")

    async def _close(self, waiting: Waiting, answer: Answer, question: Message | None = None) -> Answer:
        await self.memory.finish(waiting.turn, answer, question)
        return answer

    async def _screen(self, waiting: Waiting, asked: Asked | None) -> Reply | Transcript:
        """What an answer is written on, over the posts that it has; the journal learns of every further one."""
        if isinstance(waiting.channel, Transcript):
            return waiting.channel
        attempt = asked.attempt if asked else 0
        if asked and asked.state is not State.GROWING:  # one that a crash broke off goes on: its posts may stand there
            attempt = await self.memory.reopen(waiting.turn)

        async def posted(posts: Sequence[str], text: str) -> None:
            try:
                await self.memory.progress(waiting.turn, posts, text)
            except StorageError as error:  # the answer goes on; that it cannot be remembered is said at its end
                log.error("the memory failed", error=str(error))

        return Reply(waiting.channel, waiting.turn, posted, asked.posts if asked else (), attempt)

    def _reply_ourselves(self, place: Place, question: str) -> str:
        """What is said without asking the model; empty where it is the model's to say."""
        if not question:
            return notes.introduction(self.model.reader)
        if self.model.trial and place.platform not in OPERATORS:
            return notes.FAULTS[ModelFault.UNSET]
        return ""

    def _obey(self, waiting: Waiting) -> None:
        """Run a command that was said as a message, and show what it says."""

        async def obey() -> Answer:
            said = waiting.incoming
            text = await self.command(said.command, said.place, said.author)
            return await self._close(waiting, await tell(text, paper(waiting.channel)))

        self._aside(waiting, obey())

    async def _refuse(self, waiting: Waiting) -> Answer:
        """Say that too much waits here already."""
        answer = await tell(notes.FULL, paper(waiting.channel))
        return await self._close(waiting, replace(answer, text="", state=State.FAILED, note=notes.FULL, fault="full"))

    def _record(self, platform: str, answer: Answer) -> None:
        self.metrics.turn(platform, answer.state.value, answer.usage, answer.first, answer.lag, answer.fault)
        self.metrics.limited(platform, answer.limited)
        if sentence := notes.ALERTS.get(answer.fault):
            self.alerts.tell(answer.fault, sentence.format(model=answer.model))
        log.info(
            "answered",
            state=answer.state.value,
            fault=answer.fault or None,
            posts=len(answer.posts),
            tokens=answer.usage.output,
            first=answer.first and round(answer.first, 3),
        )
