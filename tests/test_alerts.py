"""What the admins are told of, and how often."""

from __future__ import annotations

import asyncio

from bot.alerts import DAY, Alerts
from bot.errors import PlatformError, PlatformFault
from tests.clock import run


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
