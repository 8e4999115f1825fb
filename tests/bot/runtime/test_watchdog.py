"""The watch over the event loop."""

from __future__ import annotations

import asyncio
import threading

import structlog
from structlog.testing import capture_logs

from bot.runtime.loop_watchdog import watch


async def test_what_blocks_the_loop_is_logged_with_its_stack() -> None:
    """Once for each time that it stands still, while it does."""
    told = threading.Event()

    def hear(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        told.set()
        return event

    with capture_logs(processors=[hear]) as logs, watch(limit=0.05):
        await asyncio.sleep(0)
        assert told.wait(30)
    (event,) = logs
    assert event["event"] == "the event loop is blocked"
    assert "assert told.wait(30)" in event["stack"]


async def test_a_loop_that_turns_is_left_alone() -> None:
    """However much it does, bit by bit."""
    with capture_logs() as logs, watch(limit=5.0):
        for _ in range(1000):
            await asyncio.sleep(0)
    assert logs == []
