"""How long what people say is kept: at the start and once a day, what is older is deleted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog

from bot.domain.errors import StorageError
from bot.domain.ports import Memory
from bot.runtime.tasks import report

DAY = 86_400.0
AGAIN = 3600.0
"""Seconds after which a sweep that failed is tried again."""
Sleep = Callable[[float], Awaitable[object]]

log = structlog.get_logger(__name__)


@contextmanager
def sweeping(memory: Memory, days: float) -> Iterator[None]:
    """Within it, what is older than so many days is deleted; 0 keeps it."""
    task = asyncio.create_task(sweep(memory, days), name="retention")
    task.add_done_callback(report)
    try:
        yield
    finally:
        task.cancel()


async def sweep(
    memory: Memory, days: float, clock: Callable[[], float] = time.time, sleep: Sleep = asyncio.sleep
) -> None:
    """Delete what is too old, now and every day, for good; what fails is logged and tried again an hour later.

    It never ends. Also with 0 days the memory has its daily chance to take the ids off forgotten people's turns.
    """
    while True:
        try:
            count = await memory.expire(clock() - days * DAY if days else 0.0)
        except StorageError as error:
            log.error("old messages could not be deleted", error=str(error))
            await sleep(AGAIN)
            continue
        if count:
            log.info("old messages are deleted", questions=count, days=days)
        await sleep(DAY)
