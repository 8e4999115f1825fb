"""Parley from outside while everything goes wrong: nothing may be lost, shown twice or shown wrong.

`python -m benchmarks.chaos [--seed N] [--turns N]` runs one `parley` process between a loopback Discord, a loopback
Slack and a loopback model, asks hundreds of questions in many places, lets calls, sockets, events and the model fail,
and kills the process again and again. Then all is let be, and every question, message and row of the memory is looked
at. The exit code is 1 unless nothing was lost, double or wrong. The seed decides what is asked and what fails; how it
meets with the process's own timing differs from run to run.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.chaos_audit import Findings, Record, audit
from benchmarks.chaos_faults import DiscordStorm, Moody, Rattle, SlackStorm, Weather
from benchmarks.chaos_town import Spot, Town
from tests.loopback.discord import FakeDiscord
from tests.loopback.slack import FakeSlack
from tests.support.program import Program, asking

SIZE = 5
"""How many there are of each kind of place at the beginning."""
THREADS = 25
"""Threads that are begun in Slack, at most: the program looks at its thirty latest places for what it missed."""
QUIET = 300.0
"""Seconds after which what is not answered will not be answered any more."""
LOOK = 0.5
OLD = 0.2
"""Part of the starts that are told to close every broken-off answer with a note, as one that is too old."""


@dataclass
class Result:
    """What came of a run."""

    seed: int
    turns: int = 0
    kills: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    settling: float = 0.0
    signs: int = 0
    findings: Findings = field(default_factory=Findings)


class Chaos:
    """One run: `turns` questions, a kill after each `every` seconds on average.

    `town` and `file` keep what came of it.
    """

    def __init__(self, seed: int, turns: int, size: int = SIZE, every: float = 5.0, pace: float = 0.25) -> None:
        self._rng = Random(seed)
        self._weather = Weather(seed + 1)
        self._turns, self._size, self._every, self._pace = turns, size, every, pace
        self._number = 0
        self.result = Result(seed)
        self.town: Town
        self._parley: Program

    async def run(self, folder: Path) -> Result:
        """Run it in an empty folder."""
        began = time.monotonic()
        async with AsyncExitStack() as stack:
            discord = await stack.enter_async_context(FakeDiscord())
            slack = await stack.enter_async_context(FakeSlack())
            model = await stack.enter_async_context(Moody(self._weather))
            stack.push_async_callback(model.rest)
            discord.faults, slack.faults = DiscordStorm(self._weather), SlackStorm(self._weather)
            slack.limits.generous = True
            self.town = Town(discord, slack, self._size)
            self._parley = await stack.enter_async_context(Program(folder, **_environ(discord, slack, model)))
            await self._greet()
            await self._storm(Rattle(self._weather, discord, slack))
            await self._settle()
            code = await self._parley.stop()
            if code:
                self.result.findings.wrong.append(f"the program ended with {code}: {self._parley.others[-20:]}")
            audit(self.town, Record(self.file), self.result.findings)
        self.result.seconds, self.result.signs = time.monotonic() - began, self.town.signs()
        self.result.turns, self.result.faults = len(self.town.asked), dict(self._weather.faults)
        return self.result

    @property
    def file(self) -> Path:
        """The memory's file."""
        return self._parley.folder / "data" / "parley.db"

    async def _greet(self) -> None:
        """Ask once everywhere while all is well: a place is only looked through later if it is known."""
        for name in ("discord", "slack"):
            await self._parley.logged(f"{name} is connected")
        for spot in [*self.town.spots, *self.town.gates]:
            await self._ask(spot)
        await self._settle()

    async def _storm(self, rattle: Rattle) -> None:
        """Let everything go wrong until everything was asked, and the process runs after its last kill."""
        self._weather.rough = True
        rattling = asyncio.create_task(rattle.run())
        done = asyncio.Event()
        killing = asyncio.create_task(self._kill(done))
        while self._number < self._turns:
            await asyncio.sleep(self._rng.expovariate(1 / self._pace))
            await self._ask(self._choose())
        done.set()
        await killing
        rattling.cancel()
        with suppress(asyncio.CancelledError):
            await rattling
        self._weather.rough = False

    async def _kill(self, done: asyncio.Event) -> None:
        """Kill the process and start it again, until everything was asked."""
        rng = Random(self._rng.random())
        while not done.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), rng.uniform(0.3, 2) * self._every)
            if self._parley.process.returncode is not None:
                self.result.findings.wrong.append(f"the program ended by itself: {self._parley.others[-20:]}")
            await self._parley.kill()
            self.result.kills += 1
            self.town.slack.courier.deaf = rng.random() < 0.4  # what is said meanwhile comes by no event
            await asyncio.sleep(rng.uniform(0, 1.5))
            self._parley.environ["PARLEY_BOT__RESUME"] = "0" if rng.random() < OLD else "600"
            await self._parley.start()
            self.town.slack.courier.deaf = False

    def _choose(self) -> Spot:
        """Somewhere, half of the time among few, so that questions wait there; now and then in a new thread."""
        if self._rng.random() < 0.08 and len(self.town.spots) < 4 * self._size + THREADS:
            return self._rng.choice(self.town.gates)
        platform = "discord" if self._rng.random() < 0.65 else "slack"
        spots = [spot for spot in self.town.spots if spot.platform == platform]
        return self._rng.choice(spots[: self._size] if self._rng.random() < 0.5 else spots)

    async def _ask(self, spot: Spot) -> None:
        self._number += 1
        letters = "".join(self._rng.choices("abcdefghijklmnopqrstuvwxyz", k=3))
        await self.town.ask(spot, self._rng, f"Q{self._number:04}{letters}")

    async def _settle(self) -> None:
        """Wait until every question has an end, in the memory, so long at most as that makes sense."""
        began = time.monotonic()
        for _ in range(round(QUIET / LOOK)):
            if not Record(self.file).waiting(self.town.asked):
                break
            await asyncio.sleep(LOOK)
        self.result.settling = time.monotonic() - began


def _environ(discord: FakeDiscord, slack: FakeSlack, model: Moody) -> dict[str, str]:
    return {
        "DISCORD_BOT_TOKEN": discord.token,
        "PARLEY_DISCORD__API_BASE_URL": discord.api_base_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "PARLEY_SLACK__API_BASE_URL": slack.api_base_url,
        "PARLEY_OPENAI__TIMEOUT": "2",
        "PARLEY_BOT__WAITING": "1000",
        "PARLEY_LIMITS__TURNS_PER_MINUTE": "0",
        "PARLEY_LIMITS__TURNS_PER_DAY": "0",
        **asking(model),
    }


def show(result: Result) -> str:
    """The counts, and every finding."""
    found = result.findings
    lines = [
        f"seed {result.seed}: {result.turns} turns, {sum(result.faults.values())} faults, {result.kills} kills, "
        f"{result.seconds:.0f} s, of which {result.settling:.0f} s after the storm",
        *(f"  {count:4} × {kind}" for kind, count in sorted(result.faults.items())),
        f"answered whole: {found.whole} ({found.joined} joined with another), with a note: {found.notes.total()}",
        *(f"  {count:4} × {note}" for note, count in found.notes.most_common()),
        f"reactions left on questions: {result.signs}",
        f"lost {len(found.lost)}, double {len(found.double)}, wrong {len(found.wrong)}",
        *(f"  LOST   {one}" for one in found.lost),
        *(f"  DOUBLE {one}" for one in found.double),
        *(f"  WRONG  {one}" for one in found.wrong),
    ]
    return "\n".join(lines)


def main() -> int:
    """Run it and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--turns", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(Chaos(options.seed, options.turns).run(Path(folder)))
    print(show(result))
    return 0 if result.findings.clean else 1


if __name__ == "__main__":
    sys.exit(main())
