"""When one may ask again: by the minute, the day, the clock, and when something was asked."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.access.admission import Admission
from bot.access.limits import NO_LIMITS, describe_wait, end_of_day, find_limit
from bot.config.settings import LimitsSettings
from bot.domain.messages import Caller, Control, Incoming, Message, Role, Usage
from bot.domain.records import Answer
from bot.domain.spending import Limit, Spending, start_of_days
from storage.sqlite import SqliteMemory
from tests.bot.turns.test_engine import ANN, HERE, engine, provider, say
from tests.support.doors import Strict, admit, screen, strict
from tests.support.screen import Screen

__all__ = ["engine", "provider", "screen", "strict"]


async def test_what_is_found_late_was_not_asked_in_this_minute(strict: Strict, screen: Screen) -> None:
    """But in this day, in whatever order it comes; what is asked then has its own minute."""
    parley = strict(turns_per_minute=2, turns_per_day=6)
    late = [replace(say("x", f"l{number}"), late=True, sent=time.time() - 30 * number) for number in range(4)]
    answers = [await parley.respond(one, screen) for one in late]
    assert [answer.fault for answer in answers if answer] == [""] * 4
    answers = [await parley.respond(say("x", f"n{number}"), screen) for number in range(3)]
    assert [answer.fault for answer in answers if answer] == ["", "", "limit"]
    assert [answer.note[:22] for answer in answers if answer][2] == "You have asked me all "
    last = await parley.respond(replace(say("x", "last"), late=True), screen)
    assert last
    assert last.fault == "limit"


async def test_a_platform_whose_clock_goes_wrong_changes_no_limit(strict: Strict, screen: Screen) -> None:
    """What counts is when a question arrives."""
    for skew in (-400.0, 400.0):
        parley = strict(turns_per_minute=2)
        said = [
            replace(say("x", f"{skew} {number}", replace(ANN, id=str(skew))), sent=time.time() + skew)
            for number in range(3)
        ]
        answers = [await parley.respond(one, screen) for one in said]
        assert [answer.fault for answer in answers if answer] == ["", "", "limit"]


async def test_answering_an_old_question_again_counts_for_now(strict: Strict, screen: Screen) -> None:
    """However long ago it was asked."""
    parley = strict(turns_per_minute=2)
    parley.register_platform("discord", lambda _: screen)
    await parley.respond(replace(say("one", "1"), late=True), screen)
    await parley.respond(replace(say("two", "2"), late=True), screen)
    for _ in range(2):
        assert await parley.press_button(Control.AGAIN, 2, Caller(ANN)) == ""
        await parley._turns.wait_idle()
    assert (await parley.press_button(Control.AGAIN, 2, Caller(ANN))).startswith("That was a lot")


async def test_a_clock_that_was_set_back_locks_nobody_out(strict: Strict) -> None:
    """What seems to have been asked in days to come does not count."""
    parley, now = strict(), [time.time() + 5 * 86_400]
    limits = LimitsSettings(**{**NO_LIMITS.model_dump(), "turns_per_minute": 1, "turns_per_day": 1})
    door = Admission(parley.memory, parley.alerts, None, limits, clock=lambda: now[0])
    assert await admit(door, say("x", "1")) is None
    assert await admit(door, say("x", "2"))
    now[0] -= 5 * 86_400
    assert await admit(door, say("x", "3")) is None


async def test_a_minute_and_a_day_pass(strict: Strict) -> None:
    """Then a person may ask again."""
    parley, now = strict(), [start_of_days(1, time.time()) + 3600.0]
    limits = LimitsSettings(**{**NO_LIMITS.model_dump(), "turns_per_minute": 1, "turns_per_day": 3})
    door = Admission(parley.memory, parley.alerts, None, limits, clock=lambda: now[0])
    outcomes = []
    for number, seconds in enumerate((0, 59, 61, 122, 183, 86_400)):
        now[0] = start_of_days(1, time.time()) + 3600.0 + seconds
        outcomes.append(await admit(door, say("x", str(number))) is None)
    assert outcomes == [True, False, True, True, False, True]


async def test_what_was_answered_again_counts_after_a_restart(tmp_path: Path) -> None:
    """Each attempt is one."""
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    try:
        turn = await memory.claim(Incoming(HERE, ANN, "x", "7", "1"))
        assert turn
        await memory.reopen(turn.id)
        await memory.reopen(turn.id)
        assert [name for name, _ in await memory.visits("discord", ANN.id, 0)] == ["7:1", "7:1#1", "7:1#2"]
        assert await memory.visits("discord", ANN.id, time.time() + 1) == []
        assert await memory.visits("slack", ANN.id, 0) == []
        assert await memory.toll(0) == Spending()
    finally:
        await memory.close()


async def test_answering_again_counts_after_a_restart(strict: Strict, screen: Screen) -> None:
    """By the time when it was answered again, however old the question."""
    parley = strict()
    parley.register_platform("discord", lambda _: screen)
    await parley.respond(say("one", "1"), screen)
    started = time.time()
    await parley.memory.reopen(1)
    await parley.memory.finish(1, Answer("anew", usage=Usage(1, 1), model="openai/x"), Message(Role.USER, "one"))
    assert len(await parley.memory.visits("discord", ANN.id, started)) == 1
    assert len(await parley.memory.visits("discord", ANN.id, 0)) == 2


def test_the_wait_is_the_time_until_the_oldest_of_the_minute_is_over() -> None:
    """The day comes first: its end is later."""
    limits = LimitsSettings(turns_per_minute=2, turns_per_day=4)
    midnight = start_of_days(1, time.time())
    at = [midnight + offset for offset in (100, 110, 120)]
    assert find_limit(at[:1], at[0], midnight, limits) is None
    assert find_limit(at[:2], at[1] + 1, midnight, limits) == (Limit.MINUTE, at[0] + 60)
    assert find_limit([*at, at[2]], at[2], midnight, limits) == (Limit.DAY, end_of_day(midnight))
    assert find_limit([midnight - 1, *at], at[2] + 60, midnight, limits) is None


@given(st.floats(0.01, 200_000))
def test_a_wait_is_told_in_one_unit(seconds: float) -> None:
    """Never "0", never "1 hours", and not far off."""
    words = describe_wait(seconds).split()
    count, unit = int(words[-2]), words[-1].rstrip("s")
    size = {"second": 1, "minute": 60, "hour": 3600}[unit]
    assert count * size == pytest.approx(seconds, rel=0.34, abs=1)
    assert (count == 1) == (words[-1] == "second")
