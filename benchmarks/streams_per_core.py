"""What a streamed token costs the processor: Parley's models against the SDKs' typed streams, in one run.

Run it with `python -m benchmarks.streams_per_core`: about a minute, two cores, nothing beyond loopback. The provider is
a process of its own on another core; the figures are this process's own processor time, in interleaved rounds. A whole
reply is the production `deliver`, `Reply` and `Pacer` with a platform that is edited over HTTP.
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
from statistics import median, quantiles
from typing import Any

import aiohttp
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic import SecretStr
from tabulate import tabulate

from benchmarks.token_server import RATE
from bot.delivery import Halt, deliver
from bot.messages import Message, Page, Role
from bot.models.anthropic import AnthropicModel
from bot.models.openai import OpenAIModel
from bot.pacing import Pacer
from bot.ports import Piece, Prompt
from bot.reply import Reply

STREAMS, TOKENS, ROUNDS = 20, 120, 3
LEVELS = (30, 60, 90, 120, 160, 220)
SPREAD = 1.0
"""Seconds over which the answers begin."""
LATE = 0.1
"""Seconds after it is due at the provider within which 99 of 100 tokens have to be here, and …"""
OVER = 0.3
"""… seconds over its time that a round may take: a core that is overloaded also asks its questions late."""
GOAL, HELD = 0.45, 60
"""What a whole reply may cost of the typed default, and how many of them one core has to hold."""
QUESTION = "Tell me a story."
WHOLE = "openai, Parley, whole reply with its edits"

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


async def measure(subjects: list[Subject]) -> dict[str, float]:
    """Microseconds of processor time a token, medians over rounds in which each subject has its turn."""
    spent: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for subject in subjects:
        await receive(subject, 2, 10)
    for _ in range(ROUNDS):
        for subject in subjects:
            seconds, late = await receive(subject, STREAMS, TOKENS)
            spent[subject.name].append(seconds / len(late) * 1e6)
    return {name: median(rounds) for name, rounds in spent.items()}


async def fill(subject: Subject) -> tuple[int, str]:
    """The most answers side by side whose tokens are in time, of the levels tried, and their 99th percentile."""
    held, slowest = 0, 0.0
    for level in LEVELS:
        start = time.monotonic()
        _, late = await receive(subject, level, 2 * RATE, SPREAD)
        over = time.monotonic() - start - SPREAD - 2
        if (p99 := quantiles(late, n=100)[98]) > LATE or over > OVER:
            break
        held, slowest = level, p99
    return held, f"{slowest * 1000:.0f}"


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
    """The tables."""
    key = SecretStr("key")
    models = (
        OpenAIModel("openai/m", "m", key, f"{url}/v1", 60.0, "OpenAI"),
        AnthropicModel("anthropic/m", "m", key, url, 60.0, "Anthropic"),
    )
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        typed = Subject("openai, typed default", typed_openai(url), hear)
        whole = Subject(WHOLE, ours(models[0]), shower(http, url))
        subjects = [
            typed,
            Subject("openai, Parley", ours(models[0]), hear),
            whole,
            Subject("anthropic, typed default", typed_anthropic(url), hear),
            Subject("anthropic, Parley", ours(models[1]), hear),
        ]
        costs = await measure(subjects)
        held = {subject.name: await fill(subject) for subject in (typed, whole)}
    for model in models:
        await model.close()
    return report(costs, held)


def report(costs: dict[str, float], held: dict[str, tuple[int, str]]) -> str:
    """What was found, and whether the goals are met."""
    base = next(iter(costs.values()))
    rows = [(name, f"{cost:.0f}", f"{cost / base:.2f}", *held.get(name, ("", ""))) for name, cost in costs.items()]
    headers = ("", "µs a token", "of typed openai", f"answers of {RATE}/s a core", "their p99, ms")
    lines = [tabulate(rows, headers=headers, disable_numparse=True, colalign=("left", *["right"] * 4)), ""]
    whole, most = costs[WHOLE] / base, held[WHOLE][0]
    lines.append(f"A whole reply costs {whole:.2f} of the typed default: {verdict(whole <= GOAL)} {GOAL}.")
    lines.append(f"One core holds {most} whole replies or more: {verdict(most >= HELD)} {HELD}.")
    return "\n".join(lines)


def verdict(met: bool) -> str:
    """How a figure stands to its goal."""
    return "within the goal of" if met else "short of the goal of"


def _uvloop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a streamed token costs.")
    parser.add_argument("--uvloop", action="store_true", help="measure with uvloop")
    uvloop = parser.parse_args().uvloop
    cores = sorted(os.sched_getaffinity(0))
    with provider(cores[-1]) as url:
        os.sched_setaffinity(0, {cores[0]})
        with asyncio.Runner(loop_factory=_uvloop if uvloop else None) as runner:
            print(runner.run(compare(url)))


if __name__ == "__main__":
    main()
