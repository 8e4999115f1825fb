"""An event loop whose sleeps take no time: for pacing, which is all about time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the clock to it."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits for another: a deadlock")
        self.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own, which starts at 0 and jumps from timer to timer."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


class ShiftedLoop(asyncio.SelectorEventLoop):
    """An event loop over real connections, whose clock can be put forward."""

    def __init__(self) -> None:
        self._shift = 0.0
        super().__init__()

    def time(self) -> float:
        return super().time() + self._shift

    def advance(self, seconds: float) -> None:
        """Let so much time have passed: what waited for it goes on."""
        self._shift += seconds


def advance(seconds: float) -> None:
    """Put the clock of the running `ShiftedLoop` forward."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, ShiftedLoop)
    loop.advance(seconds)


def run_shifted(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop whose clock it can put forward."""
    with asyncio.Runner(loop_factory=ShiftedLoop) as runner:
        return runner.run(main)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
