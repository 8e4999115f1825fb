"""The best that a policy can do which knows how long answers are in general, but not how long this one will be."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import suppress
from functools import cache
from statistics import NormalDist

from benchmarks.platform import SimulatedChannel
from bot.domain.messages import Page

MEDIAN, SPREAD = 250, 0.8
"""Tokens of an answer: a log-normal distribution with this median and σ."""
LIMIT, INTERVAL = 5, 1.0
STEP = 0.1
"""Seconds of the lattice, and calls of the level's."""
UNIT = round(INTERVAL / STEP)
FULL = LIMIT * UNIT
LONGEST = 40
"""Steps between two calls, at most."""


def alive(elapsed: float, rate: float) -> float:
    """The part of answers that last longer."""
    tokens = elapsed * rate
    return 1.0 if tokens < 1 else 1 - NormalDist().cdf((math.log(tokens) - math.log(MEDIAN)) / SPREAD)


@cache
def gaps(rate: float, trip: float) -> list[list[int]]:
    """The best gap, in steps, by the elapsed time (steps) of a call and the level (steps of a call) that it left.

    A dynamic programme, backwards from where one answer in a thousand is left. A final text waits for a call to come
    back where none is there.
    """
    reach = max(1, round(trip / STEP))
    end = next(step for step in range(10_000) if alive(step * STEP, rate) < 0.001)
    survival = [alive(step * STEP, rate) for step in range(end + LONGEST + 1)]
    costs = [[0.0] * (FULL + 1) for _ in range(end + LONGEST + 1)]
    best: list[list[int]] = []
    for elapsed in range(end, -1, -1):
        chosen = [min(_options(elapsed, level, reach, survival, costs)) for level in range(FULL + 1)]
        costs[elapsed] = [cost for cost, _ in chosen]
        best.append([gap for _, gap in chosen])
    return best[::-1]


def _options(
    elapsed: int, level: int, reach: int, survival: list[float], costs: list[list[float]]
) -> Iterator[tuple[float, int]]:
    """(expected lag from here on, gap) of each gap that the limit allows, weighted by who is still writing."""
    ended = 0.0  # the lag of answers that end within the gap
    for gap in range(1, LONGEST + 1):
        dying = survival[elapsed + gap - 1] - survival[elapsed + gap]
        wait = max(0, reach - gap, UNIT - level - gap)
        ended += dying * (gap * gap / 2 + gap * wait)
        left = min(FULL, level + gap) - UNIT
        if gap >= reach and left >= 0:
            yield ended + survival[elapsed + gap] * gap * gap / 2 + costs[elapsed + gap][left], gap


def online(rate: float, trip: float) -> Callable[[AsyncGenerator[str, None], SimulatedChannel], Awaitable[None]]:
    """The policy: it counts the bucket itself, exactly, and goes by the table."""

    async def policy(tokens: AsyncGenerator[str, None], channel: SimulatedChannel) -> None:
        loop, table = asyncio.get_running_loop(), gaps(rate, trip)
        text, over, begun = "", asyncio.Event(), asyncio.Event()
        spent = 0.0

        async def write() -> None:
            nonlocal spent
            await begun.wait()
            start = called = loop.time()
            spent = 1.0
            await channel.post(Page(text))
            shown = text
            while not (over.is_set() and shown == text):
                gap = table[min(round((called - start) / STEP), len(table) - 1)][round((LIMIT - spent) * UNIT)]
                await _wait(over, called + gap * STEP - loop.time())
                await asyncio.sleep(max(0.0, called + (spent + 1 - LIMIT) * INTERVAL - loop.time()))
                now = loop.time()
                spent, called, shown = max(0.0, spent - (now - called) / INTERVAL) + 1, now, text
                await channel.edit("0", Page(shown))

        writing = asyncio.create_task(write())
        async for token in tokens:
            text += token
            begun.set()
        over.set()
        await writing

    return policy


async def _wait(over: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), max(0.0, seconds))
