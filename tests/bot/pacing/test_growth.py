"""What is expected of an answer while it grows, in messages of 1,000 characters."""

from __future__ import annotations

import asyncio
from math import inf

import pytest

from bot.pacing.growth import Growth
from tests.support.clock import run


async def grow(*pieces: int) -> Growth:
    """An answer that got these pieces, one each second, the last a second ago."""
    growth = Growth(1000)
    for piece in pieces:
        growth.add(piece)
        await asyncio.sleep(1)
    return growth


def test_the_moment_is_expected_at_which_a_message_is_full() -> None:
    """As fast as the text came on average; never for one that has not begun, over for one that is full."""

    async def main(*pieces: int) -> float:
        return (await grow(*pieces)).seconds_to_full()

    assert run(main()) == inf
    assert run(main(200, 200)) == pytest.approx(3)
    assert run(main(600, 600)) == pytest.approx(-1 / 3)


def test_a_piece_fills_a_message_once() -> None:
    """The first that does not fit; then the next message has to be begun."""

    async def main() -> list[bool]:
        growth = Growth(1000)
        filled = [growth.add(400) for _ in range(4)]
        growth.turn_page(990)
        return [*filled, growth.full, growth.add(400)]

    assert run(main()) == [False, False, True, False, False, True]


@pytest.mark.parametrize(
    ("pieces", "seconds", "count"),
    [((200, 200), 2, 0), ((200, 200), 4, 1), ((200, 200), 9, 2), ((600, 600), 0, 0), ((600, 600), 2, 1)],
)
def test_messages_are_counted_beyond_the_next_call(pieces: tuple[int, ...], seconds: float, count: int) -> None:
    """Those that the text will have begun by then; the one that a full message leads to is the next call's."""

    async def main() -> int:
        return (await grow(*pieces)).count_messages(seconds)

    assert run(main()) == count


def test_an_answer_that_begins_afresh_is_measured_afresh() -> None:
    """Nothing of the length and the rate before is left."""

    async def main() -> float:
        growth = await grow(600, 600)
        growth.restart()
        return growth.seconds_to_full()

    assert run(main()) == inf
