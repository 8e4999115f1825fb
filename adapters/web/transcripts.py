"""An answer on its way to one reader: pieces go in as the model writes them and come out once each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from enum import Enum

PULSE = 15.0
"""Seconds of silence after which a sign of life is due: proxies commonly hang up after 30 to 60."""


class Sign(Enum):
    """What comes between the pieces of an answer."""

    LIFE = "nothing came for a while"
    WITHDRAWN = "the pieces so far are no part of the answer"


class Wire:
    """A transcript that one reader takes the pieces from; the engine is never kept waiting by a slow one."""

    shown = True

    def __init__(self, pulse: float = PULSE) -> None:
        self._pieces: asyncio.Queue[str | Sign | None] = asyncio.Queue()
        self._pulse = pulse

    async def append(self, text: str) -> None:
        """Take a piece from the model."""
        self._pieces.put_nowait(text)

    async def withdraw(self) -> None:
        """Tell the reader that the pieces so far are void."""
        self._pieces.put_nowait(Sign.WITHDRAWN)

    def close(self) -> None:
        """Say that no further piece comes."""
        self._pieces.put_nowait(None)

    async def pieces(self) -> AsyncIterator[str | Sign]:
        """Every piece in its order, until the end, and the signs between them."""
        while True:
            try:
                async with asyncio.timeout(self._pulse):
                    piece = await self._pieces.get()
            except TimeoutError:
                yield Sign.LIFE
                continue
            if piece is None:
                return
            yield piece


class Silence:
    """A transcript that nobody reads: the answer is sent whole when it is done."""

    shown = False

    async def append(self, text: str) -> None:
        """Let a piece pass."""

    async def withdraw(self) -> None:
        """Nothing was sent yet."""
