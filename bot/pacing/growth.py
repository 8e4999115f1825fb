"""How an answer grows: when its newest message is full, and what its end will take."""

from __future__ import annotations

import asyncio
from math import inf

SHORTEST = 0.5
"""Seconds over which a rate is taken at least: the first pieces come in a burst."""


class Growth:
    """The length of an answer over time, in messages of `page_size` characters each.

    What is expected is that it goes on as fast as it did on average. Times are seconds of the event loop's clock.
    """

    def __init__(self, page_size: int) -> None:
        self._size = page_size
        self._length = 0
        self._start = 0  # where the text of the newest message begins
        self._begun: float | None = None

    @property
    def full(self) -> bool:
        """Whether the newest message cannot hold the text that belongs to it."""
        return self._length - self._start >= self._size

    def add(self, length: int) -> bool:
        """Count a piece; whether the newest message has become full by it."""
        self._begun = asyncio.get_running_loop().time() if self._begun is None else self._begun
        before = self.full
        self._length += length
        return self.full and not before

    def turn_page(self, start: int) -> None:
        """The text from this offset on belongs to the newest message."""
        self._start = start

    def restart(self) -> None:
        """The answer begins afresh."""
        self._length, self._start, self._begun = 0, 0, None

    def seconds_to_full(self) -> float:
        """Seconds until the newest message is expected to be full; negative where it is."""
        return (self._start + self._size - self._length) / self._rate if self._rate else inf

    def count_messages(self, seconds: float) -> int:
        """How many more messages the text will have begun so many seconds from now, after the next call."""
        begun = int((self._length - self._start + self._rate * seconds) / self._size)
        return max(0, begun - self.full)

    @property
    def _rate(self) -> float:
        if self._begun is None:
            return 0.0
        return self._length / max(SHORTEST, asyncio.get_running_loop().time() - self._begun)
