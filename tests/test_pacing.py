"""Who may touch a platform when: never into its limit, the urgent first, the rest fairly."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.platform import Server
from bot.pacing import Pacer, Seat, Urgency
from tests.clock import run

FIRST, FINAL, GROWING = Urgency.FIRST, Urgency.FINAL, Urgency.GROWING


@dataclass
class Site:
    """A platform with one limit, and the pacer that keeps to it; `calls` are (seat, moment) as turns were given."""

    pacer: Pacer = field(default_factory=lambda: Pacer(5, 5))
    server: Server = field(default_factory=lambda: Server(5, 5, sliding=True))
    trip: float = 0.1
    calls: list[tuple[str, float]] = field(default_factory=list)

    async def call(self, name: str, seat: Seat, urgency: Urgency) -> None:
        """One call: the wait for its turn, the way there, the way back with the headers."""
        await seat.turn(urgency)
        self.calls.append((name, now()))
        await asyncio.sleep(self.trip / 2)
        allowed, remaining, reset, retry = self.server.take(now())
        await asyncio.sleep(self.trip / 2)
        if allowed:
            self.pacer.observe(self.server.limit, remaining, reset)
        else:
            self.pacer.back_off(retry)

    async def grow(self, name: str, until: float, weight: float = 1.0) -> None:
        """A live reply: a first text, growing texts as often as it may, a final one."""
        seat = self.pacer.seat(lambda: weight)
        await self.call(name, seat, FIRST)
        while now() < until:
            await self.call(name, seat, GROWING)
        await self.call(name, seat, FINAL)
        seat.leave()

    def moments(self, name: str) -> list[float]:
        """When the calls of one seat went."""
        return [moment for caller, moment in self.calls if caller == name]


def now() -> float:
    return asyncio.get_running_loop().time()


async def together(*work: Coroutine[None, None, None]) -> None:
    """Run all at once."""
    await asyncio.gather(*work)


Plan = list[tuple[float, Urgency]]
PLANS = st.lists(
    st.lists(st.tuples(st.floats(0, 4), st.sampled_from(Urgency)), min_size=1, max_size=12), min_size=1, max_size=6
)


@pytest.mark.parametrize("sliding", [True, False])
@settings(max_examples=300, deadline=None)
@given(plans=PLANS, trip=st.floats(0.002, 0.9), limit=st.integers(2, 10), period=st.sampled_from([1.0, 5.0, 60.0]))
def test_nothing_is_ever_refused(sliding: bool, plans: list[Plan], trip: float, limit: int, period: float) -> None:
    """From a cold start, whichever kind the limit is and however many ask for whatever: no call runs into it."""
    site = Site(Pacer(limit, period), Server(limit, period, sliding), trip * period)

    async def work(name: str, plan: Plan) -> None:
        seat = site.pacer.seat(lambda: 1.0)
        for pause, urgency in plan:
            await asyncio.sleep(pause * period / limit)
            await site.call(name, seat, urgency)
        seat.leave()

    run(together(*(work(str(number), plan) for number, plan in enumerate(plans))))
    assert site.server.calls == sum(map(len, plans))
    assert site.server.refusals == 0
