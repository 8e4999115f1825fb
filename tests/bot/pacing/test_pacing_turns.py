"""The turns that a pacer gives: when after a refusal, in which order, and for whom."""

from __future__ import annotations

import asyncio

import pytest

from bot.pacing.pacer import Pacer, Urgency
from tests.support.clock import run

FIRST, FINAL, GROWING = Urgency.FIRST, Urgency.FINAL, Urgency.GROWING


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("urgency", Urgency)
def test_a_refusal_is_obeyed(urgency: Urgency) -> None:
    """Nothing goes before the longest Retry-After is over, however urgent; then it goes at once."""

    async def main() -> float:
        pacer = Pacer(5, 5)
        pacer.back_off(7)
        pacer.back_off(2)
        await pacer.seat(lambda: 1.0).turn(urgency)
        return now()

    assert run(main()) == pytest.approx(7)


def test_a_refusal_reaches_those_who_wait_already() -> None:
    """A turn that was due earlier moves behind it."""

    async def main() -> float:
        pacer = Pacer(1, 5)
        seat = pacer.seat(lambda: 1.0)
        await seat.turn(FIRST)
        waiting = asyncio.create_task(seat.turn(FIRST))
        await asyncio.sleep(1)
        pacer.back_off(30)
        await waiting
        return now()

    assert run(main()) == pytest.approx(31)


async def queue(*wanted: tuple[str, Urgency, float]) -> list[str]:
    """The order in which turns are given that are asked for, a tenth of a second apart, while nothing may go."""
    pacer = Pacer(5, 5)
    pacer.back_off(10)
    order: list[str] = []

    async def ask(name: str, urgency: Urgency, backlog: float) -> None:
        await pacer.seat(lambda: backlog).turn(urgency)
        order.append(name)

    async with asyncio.TaskGroup() as group:
        for wish in wanted:
            group.create_task(ask(*wish))
            await asyncio.sleep(0.1)
    return order


def test_first_texts_go_before_final_ones_and_those_before_growing_ones() -> None:
    """However late they were asked for; among equals, who asked first."""
    wanted = ("growing", GROWING, 9.0), ("final", FINAL, 1.0), ("first", FIRST, 1.0), ("late first", FIRST, 9.0)
    assert run(queue(*wanted)) == ["first", "late first", "final", "growing"]


def test_of_growing_texts_the_one_that_is_waited_for_most_goes_first() -> None:
    """What counts is how much text its reader has not seen, times how long they have waited."""
    wanted = ("little", GROWING, 10.0), ("much", GROWING, 500.0), ("some", GROWING, 100.0), ("none", GROWING, 0.0)
    assert run(queue(*wanted)) == ["much", "some", "little", "none"]


def test_a_growing_text_that_has_become_whole_hurries() -> None:
    """The turn that it waits for becomes a final one and is given at once."""

    async def main() -> tuple[float, float]:
        pacer = Pacer(5, 5)
        seat = pacer.seat(lambda: 1.0)
        await seat.turn(FIRST)
        await seat.turn(GROWING)
        waiting = asyncio.create_task(seat.turn(GROWING))
        await asyncio.sleep(0.1)
        early = now()
        assert not waiting.done()
        seat.hurry()
        await waiting
        return early, now()

    early, given = run(main())
    assert given == pytest.approx(early)


def test_a_seat_that_leaves_frees_its_part() -> None:
    """A growing text waits for what is kept for others; once they leave, for its own reserve alone."""

    async def main(leave: bool) -> float:
        pacer = Pacer(5, 5)
        seats = [pacer.seat(lambda: 1.0) for _ in range(4)]
        for number, seat in enumerate(seats):
            await seat.turn(FIRST)
            pacer.observe(5, 4 - number, number + 1)
        waiting = asyncio.create_task(seats[0].turn(GROWING))
        await asyncio.sleep(0.5)
        for seat in seats[1:]:
            if leave:
                seat.leave()
        await waiting
        return now()

    assert run(main(leave=False)) == pytest.approx(4)
    assert run(main(leave=True)) == pytest.approx(1)


def test_a_turn_that_is_given_up_costs_nothing() -> None:
    """Who is cancelled while waiting takes no call away from the next."""

    async def main() -> float:
        pacer = Pacer(1, 5)
        await pacer.seat(lambda: 1.0).turn(FIRST)
        given_up, waiting = (asyncio.create_task(pacer.seat(lambda: 1.0).turn(FIRST)) for _ in range(2))
        await asyncio.sleep(1)
        given_up.cancel()
        await waiting
        return now()

    assert run(main()) == pytest.approx(5)


@pytest.mark.parametrize(
    ("limit", "remaining", "reset"),
    [(0, 0, 1.0), (-5, 4, 1.0), (5, -1, 1.0), (5, 4, -1.0), (5, 4, float("inf")), (5, 4, float("nan"))],
)
def test_headers_without_sense_change_nothing(limit: int, remaining: int, reset: float) -> None:
    """Calls go as if they had not come."""

    async def main(nonsense: bool) -> list[float]:
        pacer = Pacer(5, 5)
        seat = pacer.seat(lambda: 1.0)
        moments = []
        for _ in range(12):
            await seat.turn(FIRST)
            moments.append(now())
            if nonsense:
                pacer.observe(limit, remaining, reset)
        return moments

    assert run(main(nonsense=True)) == run(main(nonsense=False))
