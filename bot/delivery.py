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
from bot.ports import Answer, Channel, Piece, Transcript
from bot.reply import Posted, Reply

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


async def say(text: str) -> AsyncGenerator[Piece, None]:
    """Something that Parley says itself, as a model would say it."""
    yield Piece(text)
    yield Piece(end=State.DONE)


async def deliver(
    pieces: AsyncGenerator[Piece, None], channel: Channel | Transcript, halt: Halt, turn: int, posted: Posted
) -> Answer:
    """Show an answer while it is written, until the whole of it stands there with an honest ending.

    Never raises for what a model or a platform does: the answer says it.
    """
    start = asyncio.get_running_loop().time()
    if isinstance(channel, Transcript):
        return await _read(pieces, channel.append, halt)
    reply = Reply(channel, turn, posted)
    writing = asyncio.create_task(reply.write())
    writing.add_done_callback(lambda task: halt(State.STOPPED) if not task.cancelled() and task.exception() else None)
    try:
        answer = await _read(pieces, reply.grow, halt)
        over = asyncio.get_running_loop().time()
        reply.end(answer.state, answer.note)
        await writing
    except PlatformError as error:
        quiet = error.fault is PlatformFault.GONE
        (log.info if quiet else log.error)("an answer could not be shown", fault=error.fault.value, error=str(error))
        return replace(answer, posts=tuple(reply.posts), fault=error.fault.value)
    finally:
        writing.cancel()
    shown = asyncio.get_running_loop().time()
    first = reply.begun - start if reply.begun else None
    return replace(answer, posts=tuple(reply.posts), first=first, lag=shown - over)


async def _read(pieces: AsyncGenerator[Piece, None], grow: Callable[[str], Awaitable[None]], halt: Halt) -> Answer:
    """Read the model to its end, or until the halt."""
    written: list[str] = []
    ending: list[Piece] = []

    async def read() -> None:
        async with aclosing(pieces):
            async for piece in pieces:
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
