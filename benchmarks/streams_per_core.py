"""What a streamed token and a start cost the processor: Parley against the SDKs as their manuals use them, in one run.

Run it with `python -m benchmarks.streams_per_core`: about two minutes, two cores, nothing beyond loopback. The provider
is a process of its own on another core; the figures are this process's own processor time, medians of interleaved
rounds and of the ratios within each. A whole reply is the production `deliver`, `Reply` and `Pacer` with a platform
that is edited over HTTP. Times of delivery need a machine that has nothing else to do.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from math import inf
from statistics import median, quantiles
from typing import Any

import aiohttp
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic import SecretStr

from benchmarks import startup
from benchmarks.table import lay, verdict
from benchmarks.token_server import RATE
from bot.domain.messages import Message, Page, Role
from bot.domain.ports import Piece, Prompt
from bot.models.protocols.anthropic import AnthropicModel
from bot.models.protocols.openai import OpenAIModel
from bot.pacing.pacer import Pacer
from bot.replies.reply import Reply
from bot.replies.streaming import Halt, deliver

STREAMS, TOKENS, ROUNDS = 20, 120, 5
LEVELS = (30, 60, 90)
TRIES = 2
"""Rounds that a level has to be held in: neighbours on the machine make a single one fail."""
SPREAD = 1.0
"""Seconds over which the answers begin."""
LATE = 0.1
"""Seconds after it is due at the provider within which 99 of 100 tokens have to be here, and …"""
OVER = 0.3
"""… seconds over its time that a round may take: a core that is overloaded also asks its questions late."""
GOAL, HELD = 0.45, 60
"""What a token may cost of the SDK's typed stream, and how many whole replies one core has to hold."""
QUESTION = "Tell me a story."
TYPED, OURS, WHOLE = "typed default of the SDK", "Parley", "Parley, whole reply with its edits"

Answer = Callable[[int], AsyncIterator[str]]
"""Streams an answer of so many tokens."""
Listen = Callable[[Answer, int, list[float]], Coroutine[Any, Any, None]]
"""Receives one, and notes how late each token was."""


@dataclass(frozen=True)
class Subject:
    """One way to receive an answer."""

    name: str
    answer: Answer
    listen: Listen


class Screen:
    """A `Channel` whose posts and edits are HTTP requests."""

    page_size = 2000

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.posts = self.edits = Pacer(5, 5.0)
        self._http = http
        self._url = url

    async def post(self, page: Page) -> str:
        """Post a page."""
        await self.edit("1", page)
        return str(page.part)

    async def edit(self, id: str, page: Page) -> None:
        """Edit a page."""
        async with self._http.patch(f"{self._url}/messages/{id}", json={"content": page.text}) as response:
            await response.read()

    async def delete(self, id: str) -> None:
        """Do nothing."""

    async def typing(self) -> None:
        """Cost nothing."""

    def measure(self, page: Page) -> int:
        """Count characters."""
        return len(page.text)


def lateness(token: str) -> float:
    """Seconds since the token was due, which it says itself."""
    return time.monotonic() - int(token) / 1e6


async def hear(answer: Answer, tokens: int, late: list[float]) -> None:
    """Receive an answer and do nothing with it."""
    late.extend([lateness(text) async for text in answer(tokens)])


def shower(http: aiohttp.ClientSession, url: str) -> Listen:
    """Receives an answer and shows it while it grows."""

    async def show(answer: Answer, tokens: int, late: list[float]) -> None:
        async def pieces() -> AsyncGenerator[Piece, None]:
            async for text in answer(tokens):
                late.append(lateness(text))
                yield Piece(text)

        await deliver(pieces(), Reply(Screen(http, url)), Halt())

    return show


def typed_openai(url: str) -> Answer:
    """The SDK as its manual says."""
    client = AsyncOpenAI(api_key="key", base_url=f"{url}/v1")

    async def answer(tokens: int) -> AsyncIterator[str]:
        stream = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": QUESTION}], max_tokens=tokens, stream=True
        )
        async for chunk in stream:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text

    return answer


def typed_anthropic(url: str) -> Answer:
    """The SDK as its manual says."""
    client = AsyncAnthropic(api_key="key", base_url=url)

    async def answer(tokens: int) -> AsyncIterator[str]:
        stream = await client.messages.create(
            model="m", messages=[{"role": "user", "content": QUESTION}], max_tokens=tokens, stream=True
        )
        async for event in stream:
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                yield event.delta.text

    return answer


def ours(model: OpenAIModel | AnthropicModel) -> Answer:
    """A model of Parley's."""

    async def answer(tokens: int) -> AsyncIterator[str]:
        async with aclosing(model.stream(Prompt("", (Message(Role.USER, QUESTION),), tokens))) as pieces:
            async for piece in pieces:
                if piece.text:
                    yield piece.text

    return answer


async def receive(subject: Subject, streams: int, tokens: int, spread: float = 0.0) -> tuple[float, list[float]]:
    """Receive answers side by side: processor seconds, and how late each token was."""
    late: list[float] = []
    gc.collect()
    start = time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(streams):
            await asyncio.sleep(spread / streams)
            group.create_task(subject.listen(subject.answer, tokens, late))
    return time.process_time() - start, late


async def measure(subjects: list[Subject]) -> dict[str, list[float]]:
    """Microseconds of processor time a token, for each of the rounds in which every subject has its turn."""
    spent: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for subject in subjects:
        await receive(subject, 2, 10)
    for _ in range(ROUNDS):
        for subject in subjects:
            seconds, late = await receive(subject, STREAMS, TOKENS)
            spent[subject.name].append(seconds / len(late) * 1e6)
    return spent


async def fill(subject: Subject) -> tuple[int, float]:
    """The most answers side by side whose tokens are in time, of the levels tried, and their 99th percentile."""
    held, slowest = 0, 0.0
    for level in LEVELS:
        for _ in range(TRIES):
            if (p99 := await hold(subject, level)) <= LATE:
                break
        else:
            break
        held, slowest = level, p99
    return held, slowest


async def hold(subject: Subject, level: int) -> float:
    """How late 99 of 100 tokens are at most with so many answers side by side; endless where they fall behind."""
    start = time.monotonic()
    _, late = await receive(subject, level, 2 * RATE, SPREAD)
    over = time.monotonic() - start - SPREAD - 2
    return quantiles(late, n=100)[98] if over <= OVER else inf


@contextmanager
def provider(core: int) -> Iterator[str]:
    """The provider's process; gives its address."""
    run = [sys.executable, "-m", "benchmarks.token_server", str(core)]
    with subprocess.Popen(run, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


async def compare(url: str) -> str:
    """The table of tokens."""
    key = SecretStr("key")
    openai = OpenAIModel("openai/m", "m", key, f"{url}/v1", 60.0, "OpenAI")
    anthropic = AnthropicModel("anthropic/m", "m", key, url, 60.0, "Anthropic")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        show = shower(http, url)
        subjects = [
            Subject(f"{provider}: {way}", answer, listen)
            for provider, typed, own in (
                ("OpenAI", typed_openai(url), ours(openai)),
                ("Anthropic", typed_anthropic(url), ours(anthropic)),
            )
            for way, answer, listen in ((TYPED, typed, hear), (OURS, own, hear), (WHOLE, own, show))
        ]
        costs = await measure(subjects)
        held = {subject.name: await fill(subject) for subject in (subjects[0], subjects[2], subjects[5])}
    await openai.close()
    await anthropic.close()
    return report(costs, held)


def report(costs: dict[str, list[float]], held: dict[str, tuple[int, float]]) -> str:
    """What tokens cost, and whether the goals are met."""
    rows, lines = [], []
    for name, rounds in costs.items():
        provider, _, way = name.partition(": ")
        ratio = median(own / typed for own, typed in zip(rounds, costs[f"{provider}: {TYPED}"], strict=True))
        most, p99 = held.get(name, ("", inf))
        rows.append((name, f"{median(rounds):.0f}", f"{ratio:.2f}", most, "" if p99 == inf else f"{p99 * 1000:.0f}"))
        if way == WHOLE:
            lines.append(
                f"{provider}: a whole reply costs {ratio:.2f} of the typed default: {verdict(ratio <= GOAL)} {GOAL}."
            )
            lines.append(f"{provider}: one core holds {most} of them or more: {verdict(int(most) >= HELD)} {HELD}.")
    headers = ("", "µs a token", "of its typed", f"answers of {RATE}/s a core", "their p99, ms")
    return "\n".join([lay(headers, rows), "", *lines])


def _uvloop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a streamed token costs.")
    parser.add_argument("--uvloop", action="store_true", help="measure with uvloop")
    uvloop = parser.parse_args().uvloop
    print(startup.report(), end="\n\n", flush=True)
    cores = sorted(os.sched_getaffinity(0))
    with provider(cores[-1]) as url:
        os.sched_setaffinity(0, {cores[0]})
        with asyncio.Runner(loop_factory=_uvloop if uvloop else None) as runner:
            print(runner.run(compare(url)))


if __name__ == "__main__":
    main()
