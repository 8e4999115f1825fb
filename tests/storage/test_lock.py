"""One process to a file."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from bot.domain.errors import StorageError
from storage.lock import hold

HOLDER = """
import asyncio, pathlib, sys
from storage.lock import hold

async def main():
    async with hold(pathlib.Path(sys.argv[1])):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
"""


async def another(path: Path) -> Process:
    """Another process that holds the file until it is written a line, or killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, str(path), stdin=PIPE, stdout=PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    return process


async def test_a_second_process_is_told_who_is_in_the_way(tmp_path: Path) -> None:
    """One sentence that names the file and what to do."""
    path = tmp_path / "parley.db"
    other = await another(path)
    with pytest.raises(StorageError, match=r"parley\.db is in use by another Parley: stop that one, or set"):
        async with hold(path, patience=0.0):
            pass
    other.kill()
    await other.wait()


async def test_a_process_waits_for_the_one_before(tmp_path: Path) -> None:
    """One that is about to end; a killed one holds nothing."""
    path = tmp_path / "parley.db"
    other = await another(path)

    async def take() -> None:
        async with hold(path):
            pass

    taking = asyncio.create_task(take())
    await asyncio.sleep(0)
    assert not taking.done()
    other.kill()
    await other.wait()
    await taking
