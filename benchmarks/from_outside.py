"""How well a live reply reads from outside: the program as a process on a loopback Discord, beside another policy.

Run it with `python -m benchmarks.from_outside`: about four minutes, nothing beyond loopback. Each answer is written by
a loopback model at a steady pace to Parley, and at the same time, in another channel, to a client that edits once a
second by discord.py. All times are of one clock: a token's when it was written to the connection, a character's when
Discord took the call that showed it. Figures are medians of the rounds. `--write` puts them into docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import mean, median, quantiles

import discord
from aiohttp import web
from tabulate import tabulate

from benchmarks.from_outside_client import edit_each_second
from benchmarks.texts import write
from tests.loopback.discord import BOT, GUILD, FakeDiscord
from tests.loopback.discord.client import pointed
from tests.loopback.discord.rest import Handler
from tests.loopback.discord.state import Channel, Message
from tests.loopback.openai import FakeOpenAI
from tests.support.program import Program, asking

TRIP = 0.06
"""Seconds of a round trip to Discord."""
ANSWERS = ((230, 46), (400, 80), (300, 30), (900, 80))
"""Tokens of an answer, and tokens a second; the longer ones go over several messages."""
KINDS = ("sliding", "fixed")
ROUNDS = 3
PATIENCE = 60.0
CURSOR = "▌"
HEADERS = ("window", "tokens @ rate", "mean s", "p95 s", "final s", "calls", "429s", "mean, ratio", "p95, ratio")
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
MARK = "<!-- benchmarks.from_outside -->\n"


class Distant(FakeDiscord):
    """A Discord that each call takes half a round trip to, and its answer another half."""

    async def _call(self, request: web.Request, name: str, handler: Handler) -> web.StreamResponse:
        await asyncio.sleep(TRIP / 2)
        answer = await super()._call(request, name, handler)
        await asyncio.sleep(TRIP / 2)
        return answer


@dataclass(frozen=True)
class Figures:
    """What the reader of one answer felt: seconds from a character's writing to its showing, calls and refused ones."""

    mean: float
    p95: float
    final: float
    calls: float
    refusals: float


class Stage:
    """The servers and the program, for all answers under one kind of limit; each answer has channels of its own."""

    def __init__(self, server: FakeDiscord, model: FakeOpenAI, client: discord.Client) -> None:
        self.server = server
        self.model = model
        self.client = client

    async def run(self, tokens: Sequence[str], rate: float, number: int) -> tuple[Figures, Figures]:
        """One answer by both: Parley's figures, and the other's."""
        ours, other = channel_id(2 * number), channel_id(2 * number + 1)
        script = self.model.script()
        self.server.say(ours, f"<@{BOT}> Tell me.")
        async with asyncio.timeout(PATIENCE):
            await script.asked()
        pieces: asyncio.Queue[str] = asyncio.Queue()
        editing = asyncio.create_task(edit_each_second(pieces, self.client.get_partial_messageable(int(other))))
        start, times = now(), []
        for index, token in enumerate(tokens):
            await asyncio.sleep(start + index / rate - now())
            times.append(now())
            pieces.put_nowait(token)
            await script.send(token)
        pieces.put_nowait("")
        await script.end()
        await editing
        await self.server.until(lambda: is_whole(self.server.answers(ours)), PATIENCE)
        return self._measure(ours, tokens, times), self._measure(other, tokens, times)

    def _measure(self, channel: str, tokens: Sequence[str], times: Sequence[float]) -> Figures:
        """Go through all that stood in the channel, in the order of the calls."""
        written = [time for token, time in zip(tokens, times, strict=True) for _ in letters(token)]
        calls = [call for call in self.server.calls if call.params.get("channel") == channel]
        calls = [call for call in calls if call.route in ("post", "edit")]
        lags: list[float] = []
        for at, text in states(self.server.answers(channel)):
            visible = letters(text)
            assert letters("".join(tokens)).startswith(visible), "what stands there is no beginning of the answer"
            lags += [at - time for time in written[len(lags) : len(visible)]]
        assert len(lags) == len(written), "the answer never stood there whole"
        refusals = sum(call.status == 429 for call in calls)
        return Figures(mean(lags), quantiles(lags, n=20)[-1], lags[-1], len(calls), refusals)


def states(messages: Sequence[Message]) -> list[tuple[float, str]]:
    """When what stood there changed, and all that stood there then, without cursors."""
    changes = sorted((version.at, index, version) for index, said in enumerate(messages) for version in said.versions)
    shown = [""] * len(messages)
    found = []
    for at, index, version in changes:
        shown[index] = version.content.replace(CURSOR, "")
        found.append((at, "".join(shown)))
    return found


def letters(text: str) -> str:
    """A text without white space, of which none is shown where messages meet."""
    return "".join(text.split())


def is_whole(answers: Sequence[Message]) -> bool:
    """Whether an answer of Parley's has ended: it can be tried again then."""
    return bool(answers) and any("again" in button for button in answers[-1].buttons)


def channel_id(number: int) -> str:
    """The id of a channel."""
    return str(310000000000000000 + number)


def now() -> float:
    """The clock of everything here."""
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def staged(kind: str, answers: int) -> AsyncIterator[Stage]:
    """Everything, started."""
    with tempfile.TemporaryDirectory() as folder:
        async with Distant() as server, FakeOpenAI() as model:
            server.limits.tighten(kind)
            for number in range(2 * answers):
                server.channels[channel_id(number)] = Channel(channel_id(number), guild=GUILD, name=f"room-{number}")
            environ = {"DISCORD_BOT_TOKEN": server.token, "PARLEY_DISCORD__API_BASE_URL": server.api_base_url}
            async with Program(Path(folder), **environ, **asking(model)) as parley:
                await parley.logged("discord is connected")
                with pointed(server):
                    client = discord.Client(intents=discord.Intents.none())
                    await client.login(server.token)
                    try:
                        yield Stage(server, model, client)
                    finally:
                        await client.close()


async def compare(kind: str, rounds: int) -> list[tuple[Figures, Figures]]:
    """The medians of both for each answer, under one kind of limit."""
    found: list[list[tuple[Figures, Figures]]] = [[] for _ in ANSWERS]
    async with staged(kind, rounds * len(ANSWERS)) as stage:
        for number in range(rounds * len(ANSWERS)):
            turn, index = divmod(number, len(ANSWERS))
            tokens, rate = ANSWERS[index]
            found[index].append(await stage.run(write(tokens, turn), rate, number))
    return [(middle([ours for ours, _ in pairs]), middle([other for _, other in pairs])) for pairs in found]


def middle(figures: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(*(median(column) for column in zip(*map(astuple, figures), strict=True)))


def main() -> None:
    """Print the figures of both and their ratios, or write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"answers of each sort, {ROUNDS} by default")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    rows = [row for kind in KINDS for row in lay(kind, asyncio.run(compare(kind, options.rounds)))]
    table = tabulate(rows, HEADERS, tablefmt="github", floatfmt=".2f")
    print(table)
    if options.write:
        before, _, after = PAGE.read_text(encoding="utf-8").split(MARK)
        PAGE.write_text(f"{before}{MARK}\n{table}\n\n{MARK}{after}", encoding="utf-8")


def lay(kind: str, found: Sequence[tuple[Figures, Figures]]) -> Iterator[Sequence[object]]:
    """A row for each answer: Parley's figure and the other's, and the ratios of the first two."""
    for (tokens, rate), (ours, other) in zip(ANSWERS, found, strict=True):
        lags = [f"{a:.2f} / {b:.2f}" for a, b in zip(astuple(ours)[:3], astuple(other)[:3], strict=True)]
        counts = [f"{a:g} / {b:g}" for a, b in zip(astuple(ours)[3:], astuple(other)[3:], strict=True)]
        yield kind, f"{tokens} @ {rate}", *lags, *counts, ours.mean / other.mean, ours.p95 / other.p95


if __name__ == "__main__":
    main()
