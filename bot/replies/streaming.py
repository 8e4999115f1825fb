"""From the model's pieces to the reader: the pieces are never kept waiting by the platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from dataclasses import replace

import structlog

from bot.domain.errors import ModelError, PlatformError, PlatformFault, StorageError
from bot.domain.journal import Journal
from bot.domain.messages import State, Usage
from bot.domain.plain_text import Plain
from bot.domain.ports import Channel, Library, Piece, Revocable, Transcript
from bot.domain.records import Answer, Asked
from bot.pacing.pacer import Urgency
from bot.replies.lost_posts import find_all_posts
from bot.replies.reply import FINAL_PATIENCE, Reply
from bot.texts import ENDINGS, FILE, THOUGHT_ONLY, failure

log = structlog.get_logger(__name__)


class Halt:
    """A way to end an answer early, from anywhere: called with the state that it shall end in."""

    def __init__(self) -> None:
        self.state: State | None = None
        self.reading: asyncio.Task[None] | None = None

    def __call__(self, state: State) -> None:
        """Stop reading the model; the first call counts."""
        self.state = self.state or state
        if self.reading:
            self.reading.cancel()


async def prepare(
    channel: Channel | Transcript,
    turn: int,
    asked: Asked | None,
    journal: Journal,
    patience: float = FINAL_PATIENCE,
) -> Reply | Transcript:
    """What an answer is written on, over the posts that it has; the journal learns of every further one.

    `asked` is the turn where it is answered anew; `patience` is for how many seconds a final text waits for an edit.
    Raises StorageError.
    """
    if isinstance(channel, Transcript):
        return channel
    attempt, posts = (asked.attempt, asked.posts) if asked else (0, ())
    if asked and asked.state is State.GROWING:  # a crash broke it off: it goes on, and posts of it may stand there
        posts = await find_all_posts(channel, asked)
    elif asked:
        attempt = await journal.reopen(turn)

    async def posted(posts: Sequence[str], text: str) -> None:
        try:
            await journal.progress(turn, posts, text)
        except StorageError as error:  # the answer goes on; that it cannot be remembered is said at its end
            log.error("the memory failed", error=str(error))

    return Reply(channel, turn, posted, posts, attempt, patience)


async def tell(text: str, screen: Reply | Transcript, state: State = State.DONE, note: str = "") -> Answer:
    """Show something that is whole already, in one piece. Never raises for what a platform does."""
    answer = Answer(text, state, note)
    if isinstance(screen, Transcript):
        await screen.append(text)
        return answer
    await screen.grow(text)
    screen.end(state, note)
    return _account(answer, screen, await _finish(screen.write()))


async def deliver(
    pieces: AsyncGenerator[Piece, None], screen: Reply | Transcript, halt: Halt, thinking: bool = False
) -> Answer:
    """Show an answer while it is written, until the whole of it stands there with an honest ending.

    With `thinking`, that a model reasons before its first words is shown as a status. Never raises for what a model or
    a platform does: the answer says it.
    """
    if isinstance(screen, Transcript):
        return await _read(pieces, screen, halt)
    clock = asyncio.get_running_loop().time
    start = clock()
    writing = asyncio.create_task(screen.write())
    writing.add_done_callback(lambda task: _leave(task, screen, halt))
    try:
        answer = await _read(pieces, screen, halt, thinking)
        over = clock()
        screen.end(answer.state, answer.note)
        fault = await _finish(writing)
    finally:
        writing.cancel()
        await asyncio.wait((writing,))  # a call that is on its way ends, and is known, before anybody writes on
    first = screen.begun - start if screen.begun else None
    return replace(_account(answer, screen, fault), first=first, lag=None if fault else clock() - over)


async def enclose(channel: Channel | Transcript, answer: Answer, after: int) -> None:
    """Post an answer of more than `after` messages as a file too, where the channel can; 0: never. It may fail."""
    if isinstance(channel, Transcript) or not (0 < after < len(answer.posts) and isinstance(channel, Library)):
        return
    seat = channel.posts.seat(lambda: 0.0)
    try:
        await seat.turn(Urgency.FINAL)
        await channel.attach(FILE, answer.text)
    except PlatformError as error:
        log.warning("an answer could not be posted as a file", fault=error.fault.value, error=str(error))
    finally:
        seat.leave()


async def _finish(writing: Awaitable[None]) -> str:
    """Wait until everything stands there; returns the platform's fault where it cannot."""
    try:
        await writing
    except PlatformError as error:
        quiet = error.fault is PlatformFault.GONE
        (log.info if quiet else log.error)("an answer could not be shown", fault=error.fault.value, error=str(error))
        return error.fault.value
    return ""


def _leave(writing: asyncio.Task[None], screen: Reply, halt: Halt) -> None:
    """Stop reading the model where nothing more of it can be shown."""
    if not writing.cancelled() and (writing.exception() or screen.closed):
        halt(State.STOPPED)


def _account(answer: Answer, screen: Reply, fault: str) -> Answer:
    """The answer as it stands there: of what a platform did not take only what is shown, and never as done."""
    answer = replace(answer, posts=tuple(screen.posts), limited=screen.limited)
    if screen.closed:
        fault = fault or screen.closed.fault.value
        note = screen.note if screen.whole else ""
        return replace(answer, text=screen.shown, state=State.FAILED, note=note, fault=fault)
    if not fault:
        return answer
    state = State.STOPPED if fault == PlatformFault.GONE else State.FAILED
    if screen.whole:
        return replace(answer, state=state, fault=fault)
    return replace(answer, text=screen.shown, state=state, note="", fault=fault)


async def _read(
    pieces: AsyncGenerator[Piece, None], screen: Reply | Transcript, halt: Halt, thinking: bool = False
) -> Answer:
    """Read the model to its end, or until the halt."""
    reading = _Reading(screen, thinking)
    start = asyncio.get_running_loop().time()
    fault, note = "", ""
    halt.reading = asyncio.create_task(reading.read(pieces))
    if halt.state:
        halt.reading.cancel()
    try:
        await halt.reading
        state = reading.end.end or State.DONE
        note = THOUGHT_ONLY if state is State.CUT and not reading.text.strip() else ""
    except asyncio.CancelledError:
        if halt.state is None:
            raise
        await reading.salvage()
        state = halt.state
    except ModelError as error:
        log.warning("the model failed", fault=error.fault.value, error=str(error))
        await reading.salvage()
        state, fault, note = State.FAILED, error.fault.value, failure(error.fault, begun=bool(reading.text.strip()))
    note = " ".join(filter(None, (note or ENDINGS[state], reading.end.aside)))
    first = reading.begun - start if reading.begun else None
    return Answer(reading.text, state, note, reading.end.usage or Usage(), fault=fault, first=first, lag=0.0)


class _Reading:
    """What has been read of an answer, and shown."""

    def __init__(self, screen: Reply | Transcript, thinking: bool) -> None:
        self.end = Piece()
        self.begun: float | None = None  # when the first text came, by the loop's clock
        self._screen = screen
        self._thinking = thinking
        self._written: list[str] = []
        self._void = ""  # what was said before the answer began afresh
        self._plain = Plain()

    @property
    def text(self) -> str:
        return "".join(self._written)

    async def read(self, pieces: AsyncGenerator[Piece, None]) -> None:
        """Read to the end."""
        async with aclosing(pieces):
            async for piece in pieces:
                if piece.anew:
                    await self._restart(piece.anew)
                if piece.withdrawn:
                    await self._withdraw()
                if piece.reasoning and self._thinking and isinstance(self._screen, Reply):
                    self._screen.think()
                if piece.text:
                    await self._show(piece.text)
                if piece.end:
                    self.end = piece
        await self._show("", self._plain.close())

    async def salvage(self) -> None:
        """The fresh start came to nothing, too: show what there was before it, if that was more."""
        if len(self._void) > len(self.text) and isinstance(self._screen, Reply):
            self._screen.restart()
            self._written.clear()
            await self._show(self._void)

    async def _show(self, text: str, held: str = "") -> None:
        if not (text := self._plain.feed(text) + held):
            return
        self.begun = self.begun or asyncio.get_running_loop().time()
        self._written.append(text)
        await (self._screen.grow(text) if isinstance(self._screen, Reply) else self._screen.append(text))

    async def _withdraw(self) -> None:
        """Take back what was shown; a transcript that cannot has said it, and the memory has what was said."""
        if isinstance(self._screen, Reply):
            self._screen.restart()
        elif isinstance(self._screen, Revocable):
            if self._written:
                await self._screen.withdraw()
        else:
            return
        self._written.clear()
        self._plain = Plain()

    async def _restart(self, failure: ModelError) -> None:
        """Begin afresh on a reply; what somebody has read in a transcript stays: there it ends with the failure."""
        if not isinstance(self._screen, Reply) and (not isinstance(self._screen, Revocable) or self._screen.shown):
            raise failure
        self._void = self.text
        await self._withdraw()
