"""From the model's pieces to the reader: the pieces are never kept waiting by the platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

import structlog

from bot.errors import ModelError, PlatformError, PlatformFault
from bot.messages import State, Usage
from bot.notes import ENDINGS, failure
from bot.ports import Answer, Piece, Transcript
from bot.reply import Reply

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


async def tell(text: str, screen: Reply | Transcript) -> Answer:
    """Show something that Parley says itself, in one piece. Never raises for what a platform does."""
    await (screen.append(text) if isinstance(screen, Transcript) else screen.grow(text))
    if isinstance(screen, Transcript):
        return Answer(text)
    screen.end(State.DONE, "")
    return _account(Answer(text), screen, await _finish(screen.write()))


async def deliver(
    pieces: AsyncGenerator[Piece, None], screen: Reply | Transcript, halt: Halt, thinking: bool = False
) -> Answer:
    """Show an answer while it is written, until the whole of it stands there with an honest ending.

    With `thinking`, that a model reasons before its first words is shown as a status. Never raises for what a model or
    a platform does: the answer says it.
    """
    if isinstance(screen, Transcript):
        return await _read(pieces, screen.append, halt)
    clock = asyncio.get_running_loop().time
    start = clock()
    writing = asyncio.create_task(screen.write())
    writing.add_done_callback(lambda task: halt(State.STOPPED) if not task.cancelled() and task.exception() else None)
    try:
        answer = await _read(pieces, screen.grow, halt, screen.think if thinking else None)
        over = clock()
        screen.end(answer.state, answer.note)
        fault = await _finish(writing)
    finally:
        writing.cancel()
    first = screen.begun - start if screen.begun else None
    return replace(_account(answer, screen, fault), first=first, lag=None if fault else clock() - over)


async def _finish(writing: Awaitable[None]) -> str:
    """Wait until everything stands there; returns the platform's fault where it cannot."""
    try:
        await writing
    except PlatformError as error:
        quiet = error.fault is PlatformFault.GONE
        (log.info if quiet else log.error)("an answer could not be shown", fault=error.fault.value, error=str(error))
        return error.fault.value
    return ""


def _account(answer: Answer, screen: Reply, fault: str) -> Answer:
    return replace(answer, posts=tuple(screen.posts), limited=screen.limited, fault=fault or answer.fault)


async def _read(
    pieces: AsyncGenerator[Piece, None],
    grow: Callable[[str], Awaitable[None]],
    halt: Halt,
    think: Callable[[], None] | None = None,
) -> Answer:
    """Read the model to its end, or until the halt."""
    written: list[str] = []
    ending: list[Piece] = []

    async def read() -> None:
        async with aclosing(pieces):
            async for piece in pieces:
                if piece.reasoning and think:
                    think()
                if piece.text:
                    written.append(piece.text)
                    await grow(piece.text)
                if piece.end:
                    ending.append(piece)

    fault, state, note = "", State.DONE, ""
    halt.reading = asyncio.create_task(read())
    if halt.state:
        halt.reading.cancel()
    try:
        await halt.reading
        state = ending[-1].end if ending and ending[-1].end else State.DONE
    except asyncio.CancelledError:
        if halt.state is None:
            raise
        state = halt.state
    except ModelError as error:
        log.warning("the model failed", fault=error.fault.value, error=str(error))
        state, fault, note = State.FAILED, error.fault.value, failure(error.fault, begun=bool("".join(written).strip()))
    usage = next((piece.usage for piece in reversed(ending) if piece.usage), Usage())
    return Answer("".join(written), state, note or ENDINGS[state], usage, fault=fault)
