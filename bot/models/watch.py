"""Watching that an answer goes on: what a timeout around each read would do, with one timer for the whole answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast


class Watch:
    """Reads `body`, but not beyond `deadline`, a moment of the loop's clock that may be moved at any time."""

    def __init__(self, body: AsyncIterator[bytes], deadline: float) -> None:
        self.body = body
        self._loop = asyncio.get_running_loop()
        self._deadline = deadline
        self._reader: asyncio.Task[object] | None = None
        self._late = False
        self._timer = self._loop.call_at(deadline, self._look)

    @property
    def deadline(self) -> float:
        """When reading fails."""
        return self._deadline

    @deadline.setter
    def deadline(self, moment: float) -> None:
        self._deadline = moment
        if moment < self._timer.when():  # a later one is only looked at when the timer rings
            self._arm(moment)

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
