"""A watch over the event loop: while something blocks it, nobody is answered, and the log says what it is."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

LIMIT = 1.0
"""Seconds for which the loop may not turn before it is told."""
BEAT = LIMIT / 4

log = structlog.get_logger(__name__)


@contextmanager
def watch(limit: float = LIMIT) -> Iterator[None]:
    """Log the stack of the running event loop's thread each time that it stands still for longer than `limit`."""
    loop = asyncio.get_running_loop()
    thread, over = threading.get_ident(), threading.Event()
    beat = [time.monotonic()]

    def turn() -> None:
        beat[0] = time.monotonic()
        if not over.is_set():
            loop.call_later(BEAT, turn)

    def look() -> None:
        told = 0.0
        while not over.wait(limit / 4):
            if beat[0] != told and time.monotonic() - beat[0] > limit:
                told = beat[0]
                frame = sys._current_frames().get(thread)
                stack = "".join(traceback.format_stack(frame, limit=12)) if frame else ""
                log.warning("the event loop is blocked", seconds=round(time.monotonic() - told, 1), stack=stack)

    turn()
    threading.Thread(target=look, daemon=True, name="watchdog").start()
    try:
        yield
    finally:
        over.set()
