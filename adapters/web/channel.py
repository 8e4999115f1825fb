"""An answer on its way to one reader: pieces go in as the model writes them and come out once each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

PULSE = 15.0
"""Seconds of silence after which a sign of life is due: proxies commonly hang up after 30 to 60."""


class Wire:
    """A transcript that one reader takes the pieces from; the engine is never kept waiting by a slow one."""

    def __init__(self, pulse: float = PULSE) -> None:
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._pulse = pulse

    async def append(self, text: str) -> None:
        """Take a piece from the model."""
        self._pieces.put_nowait(text)

    def close(self) -> None:
        """Say that no further piece comes."""
        self._pieces.put_nowait(None)

    async def pieces(self) -> AsyncIterator[str]:
        """Every piece in its order, until the end; an empty text where nothing came for a while."""
        while True:
            try:
                async with asyncio.timeout(self._pulse):
                    piece = await self._pieces.get()
            except TimeoutError:
                yield ""
                continue
            if piece is None:
                return
            yield piece


class Silence:
    """A transcript that nobody reads: the answer is sent whole when it is done."""

    async def append(self, text: str) -> None:
        """Let a piece pass."""
