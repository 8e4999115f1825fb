"""The turns that are being answered or wait for it: one at a time in a place, places beside each other."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.messages import Incoming, State
from bot.domain.ports import Channel, Queue, Transcript
from bot.domain.records import Answer, Asked
from bot.prompts.usage_tally import Tally
from bot.replies.reply import Reply
from bot.replies.streaming import Halt
from bot.runtime.tasks import report


@dataclass(eq=False, slots=True)
class PendingTurn:
    """A turn on its way: what was asked, where it is answered, and the answer to come.

    `anew` is the turn as it was written down where it is answered anew, over the posts that it has. `reply` is what it
    is written on and `tally` what it cost, once it is asked.
    """

    turn: int
    incoming: Incoming
    channel: Channel | Transcript
    first: bool = False
    redo: Asked | None = None
    halt: Halt = field(default_factory=Halt)
    answer: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    queued_indicator: asyncio.Task[None] | None = None
    reply: Reply | None = None
    tally: Tally | None = None

    def merges_with(self, other: PendingTurn) -> bool:
        """Whether both are one question: said by the same person, and answered on a reply that can be edited."""
        alone = any(
            waiting.redo or waiting.halt.state or isinstance(waiting.channel, Transcript) for waiting in (self, other)
        )
        return self is other or (not alone and self.incoming.author.id == other.incoming.author.id)


RunTurns = Callable[[Sequence[PendingTurn]], Awaitable[Answer]]
"""Answers turns that are one question; the last of them is the one that is replied to. Never raises."""


class TurnQueue:
    """Where turns wait. Askers go in the order of their first message; what one of them said meanwhile goes along."""

    def __init__(self, run: RunTurns) -> None:
        self._run = run
        self._waiting: defaultdict[str, list[PendingTurn]] = defaultdict(list)
        self._running: dict[int, PendingTurn] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, turn: int) -> bool:
        return any(waiting.turn == turn for waiting in self.list_turns())

    def list_turns(self, place: str = "") -> list[PendingTurn]:
        """Every turn that runs or waits, in one place or in all."""
        found = [*self._running.values(), *(waiting for queue in self._waiting.values() for waiting in queue)]
        return [waiting for waiting in found if place in ("", waiting.incoming.place.key)]

    def count_waiting(self, place: str) -> int:
        """How many turns wait in a place."""
        return len(self._waiting.get(place, ()))

    def enqueue(self, waiting: PendingTurn, signed: bool = False) -> None:
        """Answer a turn as soon as its place is free; until then it carries a sign that it waits.

        `signed` says that it may carry one already, from before a crash: that is taken away.
        """
        place = waiting.incoming.place.key
        self._waiting[place].append(waiting)
        if isinstance(waiting.channel, Queue) and (signed or place in self._workers):
            waiting.queued_indicator = asyncio.create_task(waiting.channel.waiting(), name="the sign of waiting")
            waiting.queued_indicator.add_done_callback(report)
        if place not in self._workers:
            self._workers[place] = asyncio.create_task(self._drain_place(place), name=f"the turns of {place}")
            self._workers[place].add_done_callback(report)

    def update_waiting(self, said: Incoming) -> None:
        """A question that only waits was changed: it is asked as it reads now."""
        for waiting in (one for queue in self._waiting.values() for one in queue):
            old = waiting.incoming
            if (old.place.platform, old.channel_id, old.message_id) == (
                said.place.platform, said.channel_id, said.message_id
            ):  # fmt: skip
                waiting.incoming = replace(said, place=old.place)

    def stop_turns(self, state: State, chosen: Callable[[PendingTurn], bool]) -> int:
        """End the chosen turns in this state; returns how many they were."""
        found = [waiting for waiting in self.list_turns() if chosen(waiting)]
        for waiting in found:
            waiting.halt(state)
        return len(found)

    def release_waiting(self, answer: Answer) -> None:
        """Leave every turn that only waits as it is, for the next start; whoever waits here gets this answer."""
        for queue in self._waiting.values():
            for waiting in queue:
                _unsign(waiting)
                waiting.answer.set_result(answer)
            queue.clear()

    async def wait_idle(self, place: str = "", turn: int = 0, seconds: float | None = None) -> int:
        """Wait until no such turn is left, so long at most; returns how many are."""
        answers = [waiting.answer for waiting in self.list_turns(place) if turn in (0, waiting.turn)]
        return len((await asyncio.wait(answers, timeout=seconds))[1]) if answers else 0

    async def _drain_place(self, place: str) -> None:
        """Answer what waits in a place, until nothing does."""
        while queue := self._waiting[place]:
            group = sorted((one for one in queue if one.merges_with(queue[0])), key=lambda one: one.turn)
            for waiting in group:
                queue.remove(waiting)
                self._running[waiting.turn] = waiting
                waiting.halt = group[-1].halt
                _unsign(waiting)
            answer = await self._run(group)
            for waiting in group:
                del self._running[waiting.turn]
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)
        del self._waiting[place], self._workers[place]


def _unsign(waiting: PendingTurn) -> None:
    if waiting.queued_indicator:
        waiting.queued_indicator.cancel()
