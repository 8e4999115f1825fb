"""How much of the record is shown: cut seldom and all at once, never more than there is room for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.messages import File, Message, Role
from bot.domain.model_info import Cache, Facts
from bot.prompts.history_window import (
    DOCUMENT,
    FIRST_RATIO,
    GRACE,
    PICTURE,
    Ratios,
    Span,
    cut,
    due,
    span,
    weigh,
    widest,
)


def talk(count: int, size: int = 100) -> list[Message]:
    """So many messages, questions and answers in turn, numbered."""
    roles = (Role.USER, Role.ASSISTANT)
    return [Message(roles[number % 2], "x" * size, number=number) for number in range(count)]


@pytest.mark.parametrize(
    ("read", "write", "most"), [(0.05, 1.25, 44), (0.1, 1.25, 30), (0.1, 1.0, 28), (0.5, 1.0, 28), (0.0, 1.25, 100)]
)
def test_the_longest_window_is_where_reading_it_costs_as_much_as_cutting_it(
    read: float, write: float, most: int
) -> None:
    """2·√((write − read)·low / read), at least eight more than the shortest."""
    assert widest(20, Cache(read, write)) == most
    assert widest(0, Cache(read, write)) == 0


def test_the_room_is_what_the_answer_leaves() -> None:
    """In bytes, with a margin; an odd low mark is made even, so that questions and answers stay together."""
    assert span(19, Facts(context=5000), 1000, 4.0) == Span(20, 30, 14_400)


def test_a_window_is_cut_seldom_and_to_the_low_mark() -> None:
    """Between two cuts each window begins with the same message; it never has less than the low mark."""
    shown: list[Message] = []
    cuts = 0
    for number in range(0, 400, 2):
        shown += [Message(Role.USER, "q", number=number), Message(Role.ASSISTANT, "a", number=number + 1)]
        kept = cut(shown, Span(20, 44, 10**6), 0, 3.0, waits=False)
        cuts += kept[0] is not shown[0]
        assert len(kept) in (len(shown), 20)
        assert len(kept) >= min(20, number)
        shown = kept
    assert cuts == 1 + (400 - 46) // 26


def test_a_window_that_is_cold_is_cut_to_the_low_mark() -> None:
    """It is paid in full, so it is short; one whose summary is not made yet loses nothing for that."""
    here = Span(20, 44, 10**6)
    assert len(cut(talk(30), here, 0, 3.0, waits=False, cold=True)) == 20
    assert len(cut(talk(18), here, 0, 3.0, waits=False, cold=True)) == 18
    assert len(cut(talk(30), here, 0, 3.0, waits=True, cold=True)) == 30


def test_a_window_waits_for_its_summary() -> None:
    """A few messages longer than the high mark, so that nothing is missing meanwhile."""
    here = Span(20, 44, 10**6)
    assert len(cut(talk(44 + GRACE), here, 0, 3.0, waits=True)) == 44 + GRACE
    assert len(cut(talk(46 + GRACE), here, 0, 3.0, waits=True)) == 20


@given(st.lists(st.integers(0, 5000), max_size=60), st.integers(0, 50_000), st.integers(0, 60_000))
def test_a_window_never_has_more_than_its_room(sizes: list[int], room: int, used: int) -> None:
    """Whatever the messages are; it begins with a question."""
    said = [message for size in sizes for message in talk(2, size)]
    kept = cut(said, Span(20, 44, room), used, 3.0, waits=True)
    assert sum(weigh(message, 3.0) for message in kept) <= max(0, room - used)
    assert not kept or kept[0].role is Role.USER
    assert kept == said[len(said) - len(kept) :]


def test_a_window_without_room_is_cut_to_half_of_it() -> None:
    """So that the next questions do not cut it again."""
    kept = cut(talk(40, 1000 - 16), Span(20, 44, 10_000), 0, 3.0, waits=True)
    assert len(kept) == 4


def test_pictures_and_documents_take_room() -> None:
    """As many tokens as providers count."""
    assert weigh(Message(Role.USER, "", files=(File("a", "image/png", b""),)), 3.0) == 16 + 3 * PICTURE
    assert weigh(Message(Role.USER, "", files=(File("a", "application/pdf", b""),)), 3.0) == 16 + 3 * DOCUMENT


def test_a_summary_is_due_when_the_window_is_full() -> None:
    """It leaves the low mark; before that none is due."""
    here = Span(20, 44, 10**6)
    assert due(talk(42), here, 3.0, idle=False) == 0
    assert due(talk(44), here, 3.0, idle=False) == 24
    assert due(talk(30, 1000), Span(20, 44, 40_000), 3.0, idle=False) == 12


def test_a_summary_is_due_before_a_long_window_is_cold() -> None:
    """It leaves fewer, for the next question is paid in full; a short window is left as it is."""
    here = Span(20, 44, 10**6)
    assert due(talk(20), here, 3.0, idle=True) == 0
    start = due(talk(30), here, 3.0, idle=True)
    assert 30 - start == here.idle < here.low
    assert start % 2 == 0


def test_the_length_of_tokens_is_learned() -> None:
    """A little of each measurement, for each model by itself; what cannot be is not believed."""
    ratios = Ratios()
    assert ratios["a"] == FIRST_RATIO
    for _ in range(50):
        ratios.learn("a", 4000, 1000)
    assert ratios["a"] == pytest.approx(4.0, abs=0.01)
    assert ratios["b"] == FIRST_RATIO
    ratios.learn("b", 10**9, 1)
    ratios.learn("b", 0, 5)
    assert ratios["b"] <= 4.0
    seen = [ratios["a"]]
    ratios.learn("a", 2000, 1000)
    assert all(later <= earlier for earlier, later in pairwise([*seen, ratios["a"]]))
