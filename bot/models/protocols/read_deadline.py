"""Watching that an answer goes on: what a timeout around each read would do, with one timer for the whole answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

from bot.domain.deadline import Deadline

QUIET = 300.0
"""Seconds that an answer may show signs of life without a piece: models think for minutes, but some servers send
comments for ever."""


class Watch:
    """Reads `body`, the answer to a question with this `deadline`, but not beyond a moment that signs of life move.

    It was asked for at `start`, and has to show life by `until`; then it may be silent for `timeout` seconds.
    """

    def __init__(
        self, body: AsyncIterator[bytes], start: float, until: float, deadline: Deadline, timeout: float
    ) -> None:
        self.body = body
        self._loop = asyncio.get_running_loop()
        self._question = deadline
        self._timeout = timeout
        self._quiet = max(QUIET, timeout, until - start)
        self._piece = start
        self._deadline = until
        self._reader: asyncio.Task[object] | None = None
        self._late = False
        self._timer = self._loop.call_at(until, self._look)

    @property
    def deadline(self) -> float:
        """When reading fails, by the loop's clock; may be moved at any time."""
        return self._deadline

    @deadline.setter
    def deadline(self, moment: float) -> None:
        self._deadline = moment
        if moment < self._timer.when():  # a later one is only looked at when the timer rings
            self._arm(moment)

    @property
    def silence(self) -> float:
        """Seconds without a piece at the deadline."""
        return round(self._deadline - self._piece, 1)

    def live(self) -> None:
        """Take in a sign of life; the next may take as long again, but a piece has to come some time."""
        self._question.extend()
        until = max(self._deadline, self._question.limit(self._timeout))
        self.deadline = min(until, self._piece + self._quiet)

    def speak(self, words: bool) -> None:
        """Take in a piece. From its first words on the answer has all the time between two: it is this model's."""
        self._question.extend()
        self._piece = self._loop.time()
        self.deadline = self._piece + self._timeout if words else self._question.limit(self._timeout)

    async def read(self) -> bytes | None:
        """The next bytes, None at the end. Raises TimeoutError when there are none by the deadline."""
        task = self._reader = cast(asyncio.Task[object], asyncio.current_task())
        before = task.cancelling()
        try:
            return await anext(self.body, None)
        except asyncio.CancelledError:
            if self._late and task.uncancel() <= before:
                raise TimeoutError from None
            raise
        finally:
            self._reader = None

    def close(self) -> None:
        """Watch no more."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        if now < self._deadline:
            self._arm(self._deadline)
        elif self._reader is None:  # whoever listens takes their time; that is not the model's fault
            self._arm(now + 1)
        else:
            self._late = True
            self._reader.cancel()

    def _arm(self, moment: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_at(moment, self._look)
