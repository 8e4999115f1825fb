"""The line in front of a model on this machine, which has the strength for a few answers at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

from bot.domain.model_info import Facts
from bot.domain.ports import Model, Piece, Prompt


class Parallel:
    """A model that writes at most `most` answers at a time; the others wait in line, as long as it takes.

    Replies go before what is asked in the background, and each kind in the order in which it was asked. The model is
    only asked when it is an answer's turn: no time-out and no deadline runs before. Who stops waiting leaves the line.
    """

    def __init__(self, model: Model, most: int) -> None:
        self.name = model.name
        self.reader = model.reader
        self.trial = model.trial
        self._model = model
        self._free = most
        self._replies: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @property
    def facts(self) -> Facts:
        """What is known of the model."""
        return self._model.facts

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Answer the prompt when it is its turn."""
        clock = asyncio.get_running_loop().time
        before = clock()
        await self._enter(self._others if prompt.background else self._replies)
        if prompt.deadline:
            prompt.deadline.postpone(clock() - before)
        try:
            async with aclosing(self._model.stream(prompt)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self._leave()

    async def close(self) -> None:
        """Close the model."""
        await self._model.close()

    async def _enter(self, line: deque[asyncio.Future[None]]) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had just been given the place
                self._leave()
            raise

    def _leave(self) -> None:
        """Give the place to the next in line that still waits, or keep it free."""
        for line in (self._replies, self._others):
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1
