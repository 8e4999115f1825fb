"""How well a live reply reads: Parley's against the field's policies and the offline bound, in virtual time.

Run it with `python -m benchmarks.live_reply`. It runs the production `Pacer`, `deliver` and `Reply` against simulated
platforms that refuse calls over their limit; nothing waits for the wall clock.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, mean, quantiles

from benchmarks.bound import offline_bound
from benchmarks.platform import Server, SimulatedChannel
from benchmarks.policies import POLICIES
from bot.pacing import Pacer
from tests.clock import run

RATES = (30, 80, 150)
TRIPS = (0.08, 0.15, 0.3)
WORD = 5
"""Characters of a token, its space included."""


@dataclass(frozen=True)
class Scenario:
    """Answers of `tokens` tokens at `rate` a second, begun `gap` seconds apart, under the limits of a platform."""

    tokens: int = 400
    rate: float = 80
    trip: float = 0.15
    answers: int = 1
    gap: float = 0.0
    slack: bool = False
    sliding: bool = True
    storm: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Figures:
    """What the readers felt, over all answers: seconds, and counts."""

    first: float
    mean: float
    p95: float
    final: float
    worst: float
    calls: int
    refusals: int
    lost: float


def arrivals(scenario: Scenario, answer: int) -> list[float]:
    """When each token comes: gaps of a gamma distribution with a coefficient of variation of 0.5."""
    source = random.Random(f"{scenario.seed} {scenario.rate} {answer}")
    now, times = answer * scenario.gap + source.uniform(0.4, 1.0), []
    for _ in range(scenario.tokens):
        times.append(now)
        now += source.gammavariate(4, 1 / (4 * scenario.rate))
    return times


def measure(scenario: Scenario, name: str) -> Figures:
    """Run a scenario under one policy."""
    return run(_measure(scenario, name))


async def _measure(scenario: Scenario, name: str) -> Figures:
    policy = POLICIES[name]()
    edits = Server(50, 60, False) if scenario.slack else Server(5, 5, scenario.sliding)
    edit_pacer = Pacer(50, 60, reserve=8, share=4) if scenario.slack else Pacer(5, 5)
    channels = []
    for _ in range(scenario.answers):
        posts = Server(1, 1, True) if scenario.slack else edits
        post_pacer = Pacer(1, 1) if scenario.slack else edit_pacer
        channel = SimulatedChannel(post_pacer, edit_pacer, (posts, edits), scenario.trip)
        if scenario.storm:
            channel.storms = [(2.0, 4.0)]
        channels.append(channel)
    times = [arrivals(scenario, answer) for answer in range(scenario.answers)]
    await asyncio.gather(*(policy(_tokens(t), channel) for t, channel in zip(times, channels, strict=True)))
    servers = {id(server): server for channel in channels for server in channel._servers}.values()
    return _figures(times, channels, sum(s.calls for s in servers), sum(s.refusals for s in servers))


async def _tokens(times: Sequence[float]) -> AsyncGenerator[str, None]:
    loop = asyncio.get_running_loop()
    for number, time in enumerate(times):
        if time > loop.time():
            await asyncio.sleep(time - loop.time())
        yield f"{number:0{WORD - 1}} "


def _figures(
    times: Sequence[Sequence[float]], channels: Sequence[SimulatedChannel], calls: int, refusals: int
) -> Figures:
    lags, firsts, finals, lost = [], [], [], 0
    for arrived, channel in zip(times, channels, strict=True):
        shown, whole = 0, False
        for now, length in channel.screen.seen:
            visible = min(len(arrived), (length + 1) // WORD)
            lags += [now - arrived[token] for token in range(shown, visible)]
            if visible and not shown:
                firsts.append(now - arrived[0])
            shown = max(shown, visible)
            if shown == len(arrived) and not whole:
                whole = True
                finals.append(now - arrived[-1])
        lost += not whole
    p95 = quantiles(lags, n=20)[-1] if len(lags) > 1 else float("nan")
    return Figures(
        mean(firsts or [float("nan")]), mean(lags or [float("nan")]), p95, mean(finals or [float("nan")]),
        max(finals or [float("nan")]), calls, refusals, lost / len(times),
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    geo = []
    for rate in RATES:
        for trip in TRIPS:
            scenario = Scenario(rate=rate, trip=trip)
            bound = offline_bound(arrivals(scenario, 0), 5, 1.0, trip)
            for name in POLICIES:
                f = measure(scenario, name)
                print(f"{rate:4} {trip:.2f} {name:18} bound {bound:.3f} ratio {f.mean / bound:5.2f}  {f}")
                if name == "Parley":
                    geo.append(f.mean / bound)
    print("geometric mean", geometric_mean(geo))
