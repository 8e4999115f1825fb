"""Who writes how fast on which platform, and what its readers felt."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from statistics import mean, quantiles

from benchmarks.online import MEDIAN, SPREAD
from benchmarks.platform import Server, SimulatedChannel
from benchmarks.policies import Policy
from benchmarks.texts import write
from bot.pacing.pacer import Pacer
from tests.support.clock import run

PAGE = 2000
"""Characters of a message, where an answer goes over several."""
NEVER = float("nan")


@dataclass(frozen=True)
class Scenario:
    """Answers of `tokens` tokens at `rate` a second, begun `gap` seconds apart, under the limits of a platform.

    Discord: posts and edits of one channel, 5 in 5 s. Slack: 50 edits a minute for the workspace, a post a second for
    each channel. In a `storm` every call between 2 s and 4 s is refused. With `pages`, tokens are words in sentences
    and paragraphs instead of five characters each, and a message holds 2,000 characters.
    """

    tokens: int = 400
    rate: float = 80
    trip: float = 0.15
    answers: int = 1
    gap: float = 0.0
    slack: bool = False
    sliding: bool = True
    storm: bool = False
    pages: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Figures:
    """What the readers felt, over all answers: seconds, counts, and the part of answers not shown whole."""

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


def realistic(rate: float, trip: float, number: int) -> Scenario:
    """One answer of a length as they are."""
    source = random.Random(number)
    tokens = round(MEDIAN * 2.718281828 ** source.gauss(0, SPREAD))
    return Scenario(tokens=max(10, tokens), rate=rate, trip=trip, seed=number)


def measure(scenario: Scenario, policy: Policy) -> Figures:
    """Run a scenario under one policy."""
    return run(_measure(scenario, policy))


async def _measure(scenario: Scenario, policy: Policy) -> Figures:
    edits = Server(50, 60, False) if scenario.slack else Server(5, 5, scenario.sliding)
    edit_pacer = Pacer(50, 60, reserve=8, share=4) if scenario.slack else Pacer(5, 5)
    channels = []
    for _ in range(scenario.answers):
        posts = Server(1, 1, True) if scenario.slack else edits
        post_pacer = Pacer(1, 1) if scenario.slack else edit_pacer
        size = PAGE if scenario.pages else 1_000_000
        channel = SimulatedChannel(post_pacer, edit_pacer, (posts, edits), scenario.trip, size)
        if scenario.storm:
            channel.storms = [(2.0, 4.0)]
        channels.append(channel)
    times = [arrivals(scenario, answer) for answer in range(scenario.answers)]
    await asyncio.gather(
        *(policy(_tokens(t, _texts(scenario)), channel) for t, channel in zip(times, channels, strict=True))
    )
    servers = {id(server): server for channel in channels for server in channel.servers}.values()
    return _figures(times, channels, sum(s.calls for s in servers), sum(s.refusals for s in servers))


async def _tokens(times: Sequence[float], texts: Sequence[str]) -> AsyncGenerator[str, None]:
    loop = asyncio.get_running_loop()
    for time, text in zip(times, texts, strict=True):
        if time > loop.time():
            await asyncio.sleep(time - loop.time())
        yield text


def _texts(scenario: Scenario) -> list[str]:
    """The tokens of an answer."""
    if scenario.pages:
        return write(scenario.tokens, scenario.seed)
    return [f"{number:04} " for number in range(scenario.tokens)]


def _figures(
    times: Sequence[Sequence[float]], channels: Sequence[SimulatedChannel], calls: int, refusals: int
) -> Figures:
    lags, firsts, finals, lost = [], [], [], 0
    for arrived, channel in zip(times, channels, strict=True):
        shown, whole = 0, False
        for now, visible in channel.screen.seen:
            lags += [now - arrived[token] for token in range(shown, visible)]
            if visible and not shown:
                firsts.append(now - arrived[0])
            shown = max(shown, visible)
            if shown == len(arrived) and not whole:
                whole = True
                finals.append(now - arrived[-1])
        lost += not whole
    return Figures(
        first=mean(firsts or [NEVER]),
        mean=mean(lags or [NEVER]),
        p95=quantiles(lags, n=20)[-1] if len(lags) > 1 else NEVER,
        final=mean(finals or [NEVER]),
        worst=max(finals or [NEVER]),
        calls=calls,
        refusals=refusals,
        lost=lost / len(times),
    )
