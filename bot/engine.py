"""The one path from a message to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from bot import notes
from bot.config import BotSettings
from bot.delivery import Halt, deliver, tell
from bot.errors import ModelFault, StorageError
from bot.live import LiveTurns
from bot.messages import Author, Control, Incoming, Message, Place, State
from bot.metrics import Metrics
from bot.ports import Answer, Asked, Channel, Memory, Model, Transcript
from bot.prompt import ask, compose
from bot.reply import Posted, Reply, unrecorded

Opener = Callable[[Incoming], Channel]
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
        self._live = LiveTurns()
        self._openers: dict[str, Opener] = {}

    def serve(self, platform: str, opener: Opener) -> None:
        """Say that a platform can be written to; `opener` makes the channel for any message of it, old ones too."""
        self._openers[platform] = opener

    async def take(self, incoming: Incoming, channel: Channel | Transcript) -> asyncio.Task[Answer] | None:
        """Journal a message and begin its turn; None if it was claimed before. Raises StorageError."""
        turn = await self.memory.claim(incoming)
        return self._begin(turn.id, incoming, channel, first=turn.first) if turn else None

    async def respond(self, incoming: Incoming, channel: Channel | Transcript) -> Answer | None:
        """Answer a message; None if it was claimed before.

        Never raises for what a model, a platform or the memory does: the answer says it, and so was the person told.
        """
        try:
            task = await self.take(incoming, channel)
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return await self._apologise(channel, notes.STORAGE, "storage")
        return await task if task else None

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
        if not admin and author.id != asked.incoming.author.id:
            return notes.NOT_YOURS
        if control is Control.STOP:
            return "" if self._live.halt(State.STOPPED, lambda number, _: number == turn) else notes.NOTHING_TO_STOP
        if turn in self._live:
            return notes.STILL_WRITING
        opener = self._openers.get(asked.incoming.place.platform)
        if not asked.last or opener is None:
            return notes.OLDER if opener else notes.CLOSED
        self._begin(turn, asked.incoming, opener(asked.incoming), asked=asked)
        return ""

    async def stop(self, place: Place, author: str = "", message: str = "") -> bool:
        """Stop what is written or waits in a place, for all or for this asker or message; False if nothing was."""

        def meant(_: int, said: Incoming) -> bool:
            chosen = author in ("", said.author.id) and message in ("", said.message_id)
            return said.place == place and not said.command and chosen

        return self._live.halt(State.STOPPED, meant) > 0

    async def reset(self, place: Place) -> bool:
        """Stop a place's running turn and forget every text of the place; False if there was nothing."""
        stopped = await self.stop(place)
        async with self._live.floor(place):
            return await self.memory.forget(place.key) or stopped

    async def drain(self, grace: float) -> None:
        """Let running turns end within `grace` seconds; those that do not are closed with an honest note."""
        late = await self._live.wait(grace * (1 - CLOSING))
        self._live.halt(State.INTERRUPTED)
        if late:
            lost = await self._live.wait(grace * CLOSING)
            log.warning("live replies were interrupted", turns=late, unfinished=lost)

    def _begin(
        self,
        id: int,
        incoming: Incoming,
        channel: Channel | Transcript,
        first: bool = False,
        asked: Asked | None = None,
    ) -> asyncio.Task[Answer]:
        async def run(halt: Halt) -> Answer:
            with structlog.contextvars.bound_contextvars(place=incoming.place.key, turn=id):
                try:
                    if incoming.command:
                        return await self._obey(id, incoming, channel)
                    async with self._live.floor(incoming.place):
                        await self._greet(first, incoming, channel)
                        answer = await self._answer(id, incoming, channel, halt, asked)
                    self._record(incoming, answer)
                    return answer
                except StorageError as error:
                    log.error("the memory failed", error=str(error))
                    return await self._apologise(channel, notes.STORAGE, "storage")
                except Exception:
                    log.exception("a turn broke")
                    return await self._apologise(channel, notes.BROKEN, "bug")

        return self._live.begin(id, incoming, run)

    async def _answer(
        self, turn: int, incoming: Incoming, channel: Channel | Transcript, halt: Halt, asked: Asked | None
    ) -> Answer:
        """Recall, compose, deliver, remember; what was `asked` before is answered anew over the same posts."""
        question = ask(incoming)
        if own := self._reply_ourselves(incoming, question):
            answer = await tell(own, _screen(channel))
            await self.memory.finish(turn, answer)
            return answer
        attempt = await self.memory.reopen(turn) if asked else 0
        history = await self.memory.recall(incoming.place.key, self.settings.history, before=turn)
        pieces = self.model.stream(compose(self.settings, incoming.place, history, question))

        async def posted(posts: Sequence[str]) -> None:
            try:
                await self.memory.progress(turn, posts)
            except StorageError as error:  # the answer goes on; that it cannot be remembered is said at its end
                log.error("the memory failed", error=str(error))

        screen = _screen(channel, turn, posted, asked.posts if asked else (), attempt)
        answer = await deliver(pieces, screen, halt, self.settings.show_thinking)
        answer = replace(answer, model=self.model.name)
        await self.memory.finish(turn, answer, question if answer.text else None)
        return answer

    def _reply_ourselves(self, incoming: Incoming, question: Message) -> str:
        """What is said without asking the model; empty where it is the model's to say."""
        if not question.content:
            return notes.introduction(self.model.reader)
        if self.model.trial and incoming.place.platform not in OPERATORS:
            return notes.FAULTS[ModelFault.UNSET]
        return ""

    async def _greet(self, first: bool, incoming: Incoming, channel: Channel | Transcript) -> None:
        """Introduce the bot in a person's first DM, before the answer."""
        if first and incoming.place.direct and incoming.text and not isinstance(channel, Transcript):
            await tell(notes.introduction(self.model.reader), Reply(channel))

    async def _obey(self, turn: int, incoming: Incoming, channel: Channel | Transcript) -> Answer:
        """Run a command that was said as a message, and show what it says."""
        text = await self.command(incoming.command, incoming.place, incoming.author)
        answer = await tell(text, _screen(channel))
        await self.memory.finish(turn, answer)
        return answer

    async def _apologise(self, channel: Channel | Transcript, note: str, fault: str) -> Answer:
        if not isinstance(channel, Transcript):
            await tell(note, Reply(channel))
        return Answer(state=State.FAILED, note=note, fault=fault)

    def _record(self, incoming: Incoming, answer: Answer) -> None:
        platform = incoming.place.platform
        self.metrics.turn(platform, answer.state.value, answer.usage, answer.first, answer.lag, answer.fault)
        self.metrics.limited(platform, answer.limited)
        log.info(
            "answered",
            state=answer.state.value,
            fault=answer.fault or None,
            posts=len(answer.posts),
            tokens=answer.usage.output,
            first=answer.first and round(answer.first, 3),
        )


def _screen(
    channel: Channel | Transcript,
    turn: int = 0,
    posted: Posted = unrecorded,
    posts: Sequence[str] = (),
    attempt: int = 0,
) -> Reply | Transcript:
    """What an answer is written on."""
    return channel if isinstance(channel, Transcript) else Reply(channel, turn, posted, posts, attempt)
