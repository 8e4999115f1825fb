"""What the admins are told of, and how often."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.domain.errors import PlatformError, PlatformFault
from bot.runtime.alerts import DAY, Alerts
from storage.sqlite import SqliteMemory
from tests.support.clock import run


def told(*moments: tuple[float, str]) -> list[str]:
    """What reaches the admins of trouble of these kinds at these times."""
    heard: list[str] = []
    now = 0.0

    async def teller(sentence: str) -> None:
        heard.append(sentence)

    async def refusing(sentence: str) -> None:
        raise PlatformError(PlatformFault.FORBIDDEN, "closed")

    async def main() -> None:
        nonlocal now
        alerts = Alerts(lambda: now)
        alerts.connect("slack", refusing)
        alerts.connect("discord", teller)
        for now, kind in moments:
            alerts.tell(kind, f"{kind} at {now:g}")
            await asyncio.sleep(0.1)

    run(main())
    return heard


def test_the_admins_are_told_once_a_day_of_each_kind() -> None:
    """Whatever happens how often; who cannot be written to keeps nobody else from it."""
    moments = [(0.0, "key"), (1.0, "key"), (2.0, "quota"), (DAY - 1, "key"), (DAY + 1, "key")]
    assert told(*moments) == ["key at 0", "quota at 2", f"key at {DAY + 1:g}"]


async def test_what_happens_before_anybody_can_be_told_is_told_then() -> None:
    """Once, to the first platform that connects."""
    sentences: list[str] = []

    async def write(sentence: str) -> None:
        sentences.append(sentence)

    alerts = Alerts()
    alerts.tell("storage", "The disk is full.")
    alerts.tell("storage", "The disk is full.")
    for platform in ("discord", "slack"):
        alerts.connect(platform, write)
        await alerts.settle()
    assert sentences == ["The disk is full."]


async def test_a_restart_does_not_tell_the_admins_again(tmp_path: Path) -> None:
    """What was told is in the memory; another kind of trouble is news."""
    heard: list[str] = []

    async def teller(sentence: str) -> None:
        heard.append(sentence)

    for start in (1, 2):
        memory = await SqliteMemory.open(tmp_path / "parley.db")
        alerts = Alerts()
        await alerts.remember(memory)
        alerts.connect("discord", teller)
        alerts.tell("key", f"key at start {start}")
        alerts.tell(f"other {start}", f"other at start {start}")
        await alerts.settle()
        await memory.close()
    assert heard == ["key at start 1", "other at start 1", "other at start 2"]
