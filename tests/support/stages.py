"""An adapter as the program runs it, under the supervisor with a real engine, on a loop whose clock can be put on."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs
from structlog.typing import EventDict

from adapters import discord as discord_adapter
from adapters import slack as slack_adapter
from bot.config.base import Section
from bot.config.settings import BotSettings
from bot.engine import Engine
from bot.runtime.health import Host, Status
from bot.runtime.metrics import Metrics
from bot.runtime.supervisor import supervise
from storage.sqlite import SqliteMemory
from tests.loopback.discord import BOT, FakeDiscord
from tests.loopback.discord.state import Message
from tests.loopback.slack import BOT as SLACK_BOT
from tests.loopback.slack import CHANNEL, FakeSlack
from tests.loopback.slack.app import settings as slack_settings
from tests.loopback.slack.limits import Faults
from tests.support.clock import advance
from tests.support.discord_app import settings as discord_settings
from tests.support.webserver import Scripted

MENTION = f"<@{BOT}>"
FATAL_CLOSE = 4012
"""A close after which discord.py gives the connection up (Discord's documentation, gateway close codes)."""
PATIENCE = 20.0
TICK = 0.02
"""Seconds between two looks at what a test waits for."""


@dataclass(frozen=True)
class Stage:
    """The engine with its scripted model, the adapter's status, and the log so far."""

    engine: Engine
    model: Scripted
    host: Host
    status: Status
    log: list[EventDict]

    async def until(self, predicate: Callable[[], object]) -> None:
        """Wait until something holds."""
        never = asyncio.Event()
        async with asyncio.timeout(PATIENCE):
            while not predicate():
                with suppress(TimeoutError):
                    await asyncio.wait_for(never.wait(), TICK)

    @property
    def falls(self) -> list[EventDict]:
        """The lines about falls: each names the reason and the seconds until the next start."""
        return [line for line in self.log if line["event"] == "an adapter is down; starting it again"]

    @property
    def bugs(self) -> list[str]:
        """What the log has as an error."""
        return [line["event"] for line in self.log if line["log_level"] == "error"]

    async def fallen(self, number: int) -> None:
        """Wait for the fall of this number, then let the pause after it have passed."""
        await self.until(lambda: len(self.falls) == number)
        advance(self.falls[-1]["seconds"])


@asynccontextmanager
async def performing(folder: Path, name: str, run: Any, settings: Section) -> AsyncIterator[Stage]:
    """An adapter, supervised until the end of this; no task of it ends with an exception that nobody sees."""
    unseen: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(str(context)))
    memory = await SqliteMemory.open(folder / "parley.db")
    model, host = Scripted(), Host()
    engine = Engine(model, memory, BotSettings(), Metrics())
    with capture_logs() as log:
        stage = Stage(engine, model, host, host.status(name), log)
        supervising = asyncio.create_task(supervise(stage.status, lambda: run(engine, settings, host), engine.alerts))
        try:
            yield stage
        finally:
            host.closing.set()
            await engine.drain_turns(5)
            supervising.cancel()
            with suppress(asyncio.CancelledError):
                await supervising
            await engine.alerts.settle()
            await host.close()
            await memory.close()
    gc.collect()
    assert not unseen


async def discord_stage(folder: Path, play: Callable[[FakeDiscord, Stage], Awaitable[None]], falls: int = 0) -> None:
    """Discord, whose first log-ins fail so often."""
    async with FakeDiscord() as discord:
        if falls:
            discord.fail("me", falls, status=503)
        async with performing(folder, "discord", discord_adapter.run, discord_settings(discord)) as stage:
            await play(discord, stage)


async def slack_stage(
    folder: Path, play: Callable[[FakeSlack, Stage], Awaitable[None]], falls: int = 0, **changes: Any
) -> None:
    """Slack, whose first log-ins fail so often."""
    async with FakeSlack() as slack:
        slack.limits.generous = True
        if falls:
            slack.fail("auth.test", falls, status=503)
        chosen = slack_settings(slack, **changes)
        async with performing(folder, "slack", slack_adapter.run, chosen) as stage:
            await play(slack, stage)


async def cut_off(slack: FakeSlack, stage: Stage) -> None:
    """Keep Slack out of reach until the adapter has given the connection up; then it can be reached again."""
    number = len(stage.falls) + 1
    slack.fail("apps.connections.open", 1000, status=500)
    await slack.courier.hang_up()
    await stage.until(lambda: not stage.status.ready)
    if len(stage.falls) < number:
        advance(61)
    await stage.until(lambda: len(stage.falls) == number)
    slack.faults = Faults()
    await stage.fallen(number)


async def ask_discord(discord: FakeDiscord, stage: Stage) -> Message:
    """Ask, and have the whole answer."""
    before = len(discord.answers())
    discord.say(content=f"{MENTION} hello")
    await stage.until(lambda: len(discord.answers()) > before and discord.answers()[-1].content == "Hello.")
    return discord.answers()[-1]


async def ask_slack(slack: FakeSlack, stage: Stage) -> None:
    """Ask, and have the whole answer."""
    before = len(slack.answers())
    await slack.say(CHANNEL, f"<@{SLACK_BOT}> hello")
    await stage.until(lambda: len(slack.answers()) > before and slack.answers()[-1].shown == "Hello.")
