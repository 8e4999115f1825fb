"""The turns that are being answered at this moment: how to find one, stop it, wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from bot.delivery import Halt
from bot.messages import Incoming, Place, State
from bot.ports import Answer


@dataclass(frozen=True, slots=True)
class Live:
    """A turn that runs or waits for its place to be free."""

    incoming: Incoming
    halt: Halt
    task: asyncio.Task[Answer]


class LiveTurns:
    """Runs turns as tasks, at most one of each number; in one place they take the floor one after the other."""

    def __init__(self) -> None:
        self._turns: dict[int, Live] = {}
        self._floors: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __contains__(self, turn: int) -> bool:
        return turn in self._turns

    def begin(
        self, turn: int, incoming: Incoming, run: Callable[[Halt], Coroutine[Any, Any, Answer]]
    ) -> asyncio.Task[Answer]:
        """Run a turn; `run` is given the way to end it early."""
        halt = Halt()
        task = asyncio.create_task(run(halt))
        self._turns[turn] = Live(incoming, halt, task)
        task.add_done_callback(lambda _: self._turns.pop(turn))
        return task

    def floor(self, place: Place) -> asyncio.Lock:
        """Held by the one turn that speaks in a place."""
        return self._floors.setdefault(place.key, asyncio.Lock())

    def halt(self, state: State, chosen: Callable[[int, Incoming], bool] = lambda _, __: True) -> int:
        """End the chosen turns in this state, all by default; returns how many they were."""
        halts = [live.halt for turn, live in self._turns.items() if chosen(turn, live.incoming)]
        for halt in halts:
            halt(state)
        return len(halts)

    async def wait(self, seconds: float) -> int:
        """Wait until no turn is left, so long at most; returns how many are."""
        tasks = [live.task for live in self._turns.values()]
        return len((await asyncio.wait(tasks, timeout=seconds))[1]) if tasks else 0
