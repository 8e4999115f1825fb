"""One process to a file: the next one waits a while, then says who is in the way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.domain.errors import StorageError
from storage.errors import explained

try:
    import fcntl
except ImportError:  # Windows has no advisory locks; SQLite's own keep the file whole there
    fcntl = None  # type: ignore[assignment]

PATIENCE = 30.0
"""Seconds to wait for another process to end: an old one that still closes its live replies."""
PAUSE = 0.1


@asynccontextmanager
async def hold(path: Path, patience: float = PATIENCE) -> AsyncIterator[None]:
    """Hold the file beside `path` that ends in `.lock`, as long as this process lives at most.

    Raises StorageError when another process still has it after `patience` seconds.
    """
    file = _open(path)
    try:
        await _take(file, path, patience)
        yield
    finally:
        os.close(file)


def _open(path: Path) -> int:
    lock = path.expanduser().with_name(f"{path.name}.lock")
    with explained(path):
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)


async def _take(file: int, path: Path, patience: float) -> None:
    if fcntl is None:
        return
    end = asyncio.get_running_loop().time() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if asyncio.get_running_loop().time() >= end:
                raise StorageError(
                    f"{path} is in use by another Parley: stop that one, or set storage.path to another file."
                ) from None
            await asyncio.sleep(PAUSE)
        else:
            return
