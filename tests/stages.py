"""An adapter as the program runs it, under the supervisor with a real engine, on a loop whose clock can be put on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.config import BotSettings
from bot.engine import Engine
from bot.health import Host, Status
from bot.metrics import Metrics
from bot.section import Section
from bot.supervision import supervise
from storage.sqlite import SqliteMemory
from tests.clock import advance
from tests.webserver import Scripted

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
    """An adapter, supervised until the end of this."""
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
            await engine.drain(5)
            supervising.cancel()
            with suppress(asyncio.CancelledError):
                await supervising
            await engine.alerts.settle()
            await host.close()
            await memory.close()
