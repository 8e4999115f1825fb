"""Who may touch a platform when: never into its limit, the urgent first, the rest fairly."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.platform import Server
from bot.pacing.pacer import Pacer, Seat, Urgency
from bot.pacing.rate_window import Kind
from tests.support.clock import run

FIRST, FINAL, GROWING = Urgency.FIRST, Urgency.FINAL, Urgency.GROWING


@dataclass
class Site:
    """A platform with one limit, and the pacer that keeps to it; `calls` are (seat, moment) as turns were given.

    With `dice`, each way takes anything up to `trip`; without, half of it.
    """

    pacer: Pacer = field(default_factory=lambda: Pacer(5, 5))
    server: Server = field(default_factory=lambda: Server(5, 5, sliding=True))
    trip: float = 0.1
    dice: Random | None = None
    calls: list[tuple[str, float]] = field(default_factory=list)

    async def call(self, name: str, seat: Seat, urgency: Urgency) -> None:
        """One call: the wait for its turn, the way there, the way back with the headers."""
        await seat.turn(urgency)
        self.calls.append((name, now()))
        await self.travel()
        allowed, remaining, reset, retry = self.server.take(now())
        await self.travel()
        if allowed:
            self.pacer.observe(self.server.limit, remaining, reset)
        else:
            self.pacer.back_off(retry)

    async def travel(self) -> None:
        """One way of a call."""
        await asyncio.sleep(self.trip * (self.dice.random() if self.dice else 0.5))

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
@settings(max_examples=200, deadline=None)
@given(plans=PLANS, trip=st.floats(0.002, 0.9), limit=st.integers(1, 10), period=st.sampled_from([1.0, 5.0, 60.0]))
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


@pytest.mark.parametrize("seed", range(10))
def test_uneven_journeys_run_into_no_sliding_limit(seed: int) -> None:
    """Calls that overtake each other on the way cost no refusal, however busy the channel is."""
    dice = Random(seed)
    site = Site(trip=dice.choice([0.1, 0.4, 1.0]), dice=dice)
    run(together(*(site.grow(str(number), until=60) for number in range(4))))
    assert site.server.calls > 40
    assert site.server.refusals == 0


def test_what_others_spend_costs_one_refusal_at_most() -> None:
    """Another program uses up the limit: the refusal is obeyed to its end, and then calls go again."""
    site = Site()

    async def main() -> None:
        for _ in range(5):
            site.server.take(now())
        await site.grow("a", until=20)

    run(main())
    assert site.server.refusals == 1
    assert len(site.calls) > 15


@pytest.mark.parametrize("sliding", [True, False])
@pytest.mark.parametrize("replies", [1, 2, 3, 4])
def test_a_final_text_goes_at_once(sliding: bool, replies: int) -> None:
    """A call is kept for each live reply: all may end at the same moment, and no final text waits."""
    site = Site(server=Server(5, 5, sliding))
    waits: list[float] = []

    async def reply(name: str) -> None:
        seat = site.pacer.seat(lambda: 1.0)
        await site.call(name, seat, FIRST)
        while now() < 40:
            growing = asyncio.create_task(site.call(name, seat, GROWING))
            await asyncio.wait([growing], timeout=40 - now())
        if seat.waits:
            seat.hurry()
        else:
            await growing
            growing = asyncio.create_task(site.call(name, seat, FINAL))
            await asyncio.sleep(0)
        begun = now()
        await growing
        waits.append(site.moments(name)[-1] - begun)

    run(together(*(reply(str(number)) for number in range(replies))))
    assert site.server.refusals == 0
    assert waits == pytest.approx([0.0] * replies)


def rate(pacer: Pacer, replies: int) -> float:
    """How many calls a second so many live replies make, once what was there at the start is used."""
    site = Site(pacer, Server(pacer.window.limit, pacer.window.period, sliding=True))
    run(together(*(site.grow(str(number), until=1800) for number in range(replies))))
    return sum(1200 <= moment < 1800 for _, moment in site.calls) / 600


@pytest.mark.parametrize(("replies", "part"), [(1, 0.25), (2, 0.5), (3, 0.75), (4, 1.0), (8, 1.0)])
def test_one_reply_alone_gets_its_share(replies: int, part: float) -> None:
    """Of a limit that is shared by four, one reply takes a quarter, two a half, four and more all of it."""
    assert rate(Pacer(60, 60, share=4), replies) == pytest.approx(part, rel=0.1)


def test_without_shares_one_reply_uses_what_there_is() -> None:
    """A long answer grows once for each call that comes back."""
    assert rate(Pacer(5, 5), 1) == pytest.approx(1.0, rel=0.05)


def test_a_fixed_window_is_spread_to_its_end() -> None:
    """One call is kept; the others go one after the other at even distances, window after window."""
    site = Site(Pacer(5, 5), Server(5, 5, sliding=False))
    run(site.grow("a", until=19))
    pauses = [later - earlier for earlier, later in pairwise(site.moments("a")[:-1])]
    assert pauses == pytest.approx([1.25] * len(pauses), abs=site.trip)


@pytest.mark.parametrize("kind", [Kind.UNKNOWN, Kind.SLIDING, Kind.FIXED])
@pytest.mark.parametrize("sliding", [True, False])
def test_a_kind_that_is_wrong_costs_no_refusal(sliding: bool, kind: Kind) -> None:
    """What is known from elsewhere is a guess: the first calls correct it."""
    site = Site(Pacer(5, 5, kind=kind), Server(5, 5, sliding))
    run(together(*(site.grow(str(number), until=30) for number in range(2))))
    assert site.server.refusals == 0
    assert site.pacer.window.kind is (Kind.SLIDING if sliding else Kind.FIXED)


def test_a_text_that_follows_another_goes_without_a_pause() -> None:
    """A growing text that belongs to the call before it, also before those that wait longer."""
    site = Site()

    async def main() -> None:
        one, two = site.pacer.seat(lambda: 1.0), site.pacer.seat(lambda: 9.0)
        await site.call("two", two, FIRST)
        waiting = asyncio.create_task(site.call("two", two, GROWING))
        await site.call("one", one, FIRST)
        await site.call("one", one, Urgency.FOLLOWING)
        await waiting

    run(main())
    assert [name for name, _ in site.calls] == ["two", "one", "one", "two"]
    assert site.moments("one")[1] - site.moments("one")[0] == pytest.approx(site.trip)


def test_many_replies_grow_alike() -> None:
    """None of eight replies in one channel starves: they differ by a call or two."""
    site = Site()
    run(together(*(site.grow(str(number), until=200) for number in range(8))))
    counts = [len(site.moments(str(number))) for number in range(8)]
    assert max(counts) - min(counts) <= 2
    assert sum(counts) == pytest.approx(200, rel=0.1)


def test_the_calls_of_one_reply_are_spread() -> None:
    """No pause grows beyond what comes back on average: the calls are not used up in a burst."""
    site = Site()
    run(site.grow("a", until=30))
    pauses = [later - earlier for earlier, later in pairwise(site.moments("a")[:-1])]
    assert max(pauses) <= 1.0 + site.trip
    assert sorted(pauses[:8]) == pytest.approx(pauses[:8])
