"""The one path from a message to its answer."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from weakref import WeakValueDictionary

import structlog

from bot import notes
from bot.config import BotSettings
from bot.delivery import Halt, deliver, say
from bot.errors import ModelFault, StorageError
from bot.messages import Author, Incoming, Message, Place, State
from bot.metrics import Metrics
from bot.ports import Answer, Channel, Memory, Model, Piece, Transcript, Turn
from bot.prompt import ask, compose

log = structlog.get_logger(__name__)
OPERATORS = ("web", "terminal")
"""Where the person is the operator, so that the trial model may answer."""
CLOSING = 0.3
"""The part of the time for stopping that is kept for closing what is still being written."""


class Engine:
    """Answers messages, one at a time in a place, places beside each other."""

    def __init__(self, model: Model, memory: Memory, settings: BotSettings, metrics: Metrics) -> None:
        self.model = model
        self.memory = memory
        self.settings = settings
        self.metrics = metrics
        self._floors: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._halts: defaultdict[str, list[Halt]] = defaultdict(list)
        self._turns: set[asyncio.Task[object]] = set()

    async def respond(self, incoming: Incoming, channel: Channel | Transcript) -> Answer | None:
        """Answer a message; None if it was claimed before.

        Never raises for what a model, a platform or the memory does: the answer says it, and so was the person told.
        """
        with structlog.contextvars.bound_contextvars(place=incoming.place.key, message=incoming.message_id):
            try:
                turn = await self.memory.claim(incoming)
                return await self._answer(turn, incoming, channel) if turn else None
            except StorageError as error:
                log.error("the memory failed", error=str(error))
                return await self._apologise(channel, notes.STORAGE, "storage")
            except Exception:
                log.exception("a turn broke")
                return await self._apologise(channel, notes.BROKEN, "bug")

    async def command(self, name: str, place: Place, author: Author) -> str:
        """Run a command and return what the person is told."""
        log.info("command", command=name, place=place.key, author=author.id)
        if name == "reset":
            return notes.RESET if await self.reset(place) else notes.NOTHING_TO_RESET
        if name == "stop":
            return notes.STOPPING if await self.stop(place) else notes.NOTHING_TO_STOP
        return notes.introduction(self.model.reader)

    async def stop(self, place: Place) -> bool:
        """Stop what is being written in a place, and what waits there; False if there was nothing."""
        halts = self._halts.get(place.key, [])
        for halt in halts:
            halt(State.STOPPED)
        return bool(halts)

    async def reset(self, place: Place) -> bool:
        """Stop a place's running turn and forget every text of the place; False if there was nothing."""
        stopped = await self.stop(place)
        async with self._floor(place):
            return await self.memory.forget(place.key) or stopped

    async def drain(self, grace: float) -> None:
        """Let running turns end within `grace` seconds; those that do not are closed with an honest note."""
        turns = set(self._turns)
        if not turns:
            return
        log.info("waiting for live replies", turns=len(turns), seconds=grace)
        _, late = await asyncio.wait(turns, timeout=grace * (1 - CLOSING))
        for halt in [halt for halts in self._halts.values() for halt in halts]:
            halt(State.INTERRUPTED)
        if late:
            _, lost = await asyncio.wait(late, timeout=grace * CLOSING)
            log.warning("live replies were interrupted", turns=len(late), unfinished=len(lost))

    async def _answer(self, turn: Turn, incoming: Incoming, channel: Channel | Transcript) -> Answer:
        with self._attend(incoming.place) as halt:
            if incoming.command:
                return await self._obey(turn, incoming, channel)
            async with self._floor(incoming.place):
                await self._greet(turn, incoming, channel)
                question = ask(incoming)
                pieces, remembered = await self._speak(incoming, question)

                async def posted(posts: Sequence[str]) -> None:
                    await self.memory.progress(turn.id, posts)

                answer = await deliver(pieces, channel, halt, turn.id, posted)
                answer = replace(answer, model=self.model.name if remembered else "")
                await self.memory.finish(turn.id, answer, question if remembered and answer.text else None)
        self._record(incoming, answer)
        return answer

    async def _speak(self, incoming: Incoming, question: Message) -> tuple[AsyncGenerator[Piece, None], bool]:
        """What is said to a question, and whether it is the model that says it."""
        if not question.content:
            return say(notes.introduction(self.model.reader)), False
        if self.model.trial and incoming.place.platform not in OPERATORS:
            return say(notes.FAULTS[ModelFault.UNSET]), False
        history = await self.memory.recall(incoming.place.key, self.settings.history)
        return self.model.stream(compose(self.settings, incoming.place, history, question)), True

    async def _greet(self, turn: Turn, incoming: Incoming, channel: Channel | Transcript) -> None:
        """Introduce the bot in a person's first DM, before the answer."""
        if turn.first and incoming.place.direct and incoming.text and not isinstance(channel, Transcript):
            await deliver(say(notes.introduction(self.model.reader)), channel, Halt(), 0, _unrecorded)

    async def _obey(self, turn: Turn, incoming: Incoming, channel: Channel | Transcript) -> Answer:
        """Run a command that was said as a message, and show what it says."""
        text = await self.command(incoming.command, incoming.place, incoming.author)
        answer = await deliver(say(text), channel, Halt(), turn.id, _unrecorded)
        await self.memory.finish(turn.id, answer)
        return answer

    async def _apologise(self, channel: Channel | Transcript, note: str, fault: str) -> Answer:
        if not isinstance(channel, Transcript):
            await deliver(say(note), channel, Halt(), 0, _unrecorded)
        return Answer(state=State.FAILED, note=note, fault=fault)

    @contextmanager
    def _attend(self, place: Place) -> Iterator[Halt]:
        """Keep a turn where `stop` and `drain` find it."""
        halt = Halt()
        task = asyncio.current_task()
        self._halts[place.key].append(halt)
        if task:
            self._turns.add(task)
        try:
            yield halt
        finally:
            self._turns.discard(task) if task else None
            self._halts[place.key].remove(halt)
            if not self._halts[place.key]:
                del self._halts[place.key]

    def _floor(self, place: Place) -> asyncio.Lock:
        return self._floors.setdefault(place.key, asyncio.Lock())

    def _record(self, incoming: Incoming, answer: Answer) -> None:
        self.metrics.turn(
            incoming.place.platform, answer.state.value, answer.usage, answer.first, answer.lag, answer.fault
        )
        log.info(
            "answered",
            state=answer.state.value,
            fault=answer.fault or None,
            posts=len(answer.posts),
            tokens=answer.usage.output,
            first=answer.first and round(answer.first, 3),
        )


async def _unrecorded(posts: Sequence[str]) -> None:
    """For what is said beside a turn: nobody needs to find it again."""
