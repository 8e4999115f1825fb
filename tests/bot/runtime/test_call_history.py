"""What rate limits were charged before a restart counts after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from math import inf, nan
from pathlib import Path

import pytest_asyncio

from bot.pacing.pacer import Pacer
from bot.runtime.call_history import LONGEST_AGE, NOTE, PLACE, SAVE_INTERVAL, CallHistory
from storage.sqlite import SqliteMemory

START = 1_700_000_000.0
EDITS, MINUTE = 50, 60.0


class Clock:
    """The time of day, set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest_asyncio.fixture
async def memory(tmp_path: Path) -> AsyncIterator[SqliteMemory]:
    """An empty memory."""
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    yield memory
    await memory.close()


def now() -> float:
    return asyncio.get_running_loop().time()


def charge(pacer: Pacer, *ages: float) -> Pacer:
    """A pacer that was charged a call so many seconds ago, each."""
    pacer.window.resume([now() - age for age in ages])
    return pacer


def free(pacer: Pacer) -> int:
    """How many calls it would let go now."""
    return round(pacer.window.level(now()))


async def restart(memory: SqliteMemory, clock: Clock) -> CallHistory:
    """The history of a new process."""
    history = CallHistory(clock)
    await history.load(memory)
    return history


async def test_calls_of_before_a_stop_count_until_their_period_is_over(memory: SqliteMemory) -> None:
    """45 edits, a restart of three seconds: five are left; a minute later all are."""
    clock = Clock()
    history = CallHistory(clock)
    pacer = charge(history.keep("edits", Pacer(EDITS, MINUTE)), *[10.0] * 45)
    await history.save(memory, stopped=True)
    assert free(pacer) == 5

    clock.now += 3.0
    assert free((await restart(memory, clock)).keep("edits", Pacer(EDITS, MINUTE))) == 5
    clock.now += MINUTE
    assert free((await restart(memory, clock)).keep("edits", Pacer(EDITS, MINUTE))) == EDITS


async def test_after_a_kill_calls_are_taken_to_have_gone_on(memory: SqliteMemory) -> None:
    """Nobody knows what was called after the last note: as many as the limit gave back, where any were just before."""
    for youngest, lost in ((0.5, 2), (3.0, 0)):
        clock = Clock()
        history = CallHistory(clock)
        pacer = charge(history.keep("edits", Pacer(120, MINUTE)), 20.0, 10.0, youngest)
        await history.save(memory)

        clock.now += SAVE_INTERVAL
        assert free(pacer) == 117
        assert free((await restart(memory, clock)).keep("edits", Pacer(120, MINUTE))) == 117 - lost


async def test_a_refusal_holds_over_a_restart(memory: SqliteMemory) -> None:
    """Where the platform said forty seconds, the next process waits what is left of them."""
    clock = Clock()
    history = CallHistory(clock)
    pacer = history.keep("edits", Pacer(EDITS, MINUTE))
    pacer.back_off(40.0)
    await history.save(memory, stopped=True)

    clock.now += 15.0
    blocked = (await restart(memory, clock)).keep("edits", Pacer(EDITS, MINUTE)).charges().blocked
    assert 24.0 < blocked <= 25.0


async def test_a_limit_that_nobody_asks_for_is_kept_for_the_start_after_the_next(memory: SqliteMemory) -> None:
    """A process that fell before it connected forgets nothing."""
    clock = Clock()
    history = CallHistory(clock)
    pacer = charge(history.keep("edits", Pacer(EDITS, MINUTE)), *[5.0] * 45)
    await history.save(memory, stopped=True)
    for _ in range(2):
        clock.now += 2.0
        between = await restart(memory, clock)
        await between.save(memory, stopped=True)
    assert free((await restart(memory, clock)).keep("edits", Pacer(EDITS, MINUTE))) == free(pacer)


async def test_what_is_too_old_or_no_such_note_counts_as_nothing(memory: SqliteMemory) -> None:
    """Nor does a note from the future, of before the clock was set back: all is free, as at the first start."""
    broken = {"at": START, "stopped": True, "limits": {"edits": {"calls": "many"}}}
    for note in (None, "nonsense", {"at": START}, broken):
        await memory.annotate(PLACE, NOTE, note)
        assert free((await restart(memory, Clock())).keep("edits", Pacer(EDITS, MINUTE))) == EDITS
    for moment in (START - LONGEST_AGE, START + 3600.0):
        limits = {"edits": {"calls": [START] * 45, "until": START + 40}}
        await memory.annotate(PLACE, NOTE, {"at": moment, "stopped": True, "limits": limits})
        assert free((await restart(memory, Clock())).keep("edits", Pacer(EDITS, MINUTE))) == EDITS


async def test_no_damaged_note_shuts_the_program_up(memory: SqliteMemory) -> None:
    """A refusal that would hold for years holds for minutes at most; what is no number counts as nothing."""
    for moment in (START + 9e9, inf, nan):
        limits = {"edits": {"calls": [nan, -inf, inf], "until": moment}}
        await memory.annotate(PLACE, NOTE, {"at": START, "stopped": True, "limits": limits})
        charges = (await restart(memory, Clock())).keep("edits", Pacer(EDITS, MINUTE)).charges()
        assert charges.blocked <= LONGEST_AGE


async def test_nothing_is_written_where_nothing_was_called(memory: SqliteMemory) -> None:
    """A quiet program leaves the disk alone."""
    history = CallHistory(Clock())
    history.keep("edits", Pacer(EDITS, MINUTE))
    await history.save(memory)
    assert NOTE not in await memory.metadata(PLACE)
