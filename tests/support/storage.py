"""A memory in a file for the length of a block, closed even where a test fails: its thread would outlive it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from storage.sqlite import SqliteMemory


@asynccontextmanager
async def opened(path: Path, patience: float = 0.05) -> AsyncIterator[SqliteMemory]:
    """Open the file, and close it in the end."""
    memory = await SqliteMemory.open(path, patience)
    try:
        yield memory
    finally:
        await memory.close()
