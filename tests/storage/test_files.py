"""Files that cannot be the memory: each is refused with one sentence, and left as it was."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.domain.errors import StorageError
from storage.migrate import APPLICATION
from tests.contracts.memory import contents, converse
from tests.support.storage import opened

DAMAGED = "is damaged: stop Parley and bring a backup back with `parley restore`."
ROOT = Path(__file__).parents[2]
LOCKER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""
FILLER = """
import asyncio, itertools, pathlib, resource, sys
from bot.domain.errors import StorageError
from storage.sqlite import SqliteMemory
from tests.contracts.memory import contents, converse

async def main():
    memory = await SqliteMemory.open(pathlib.Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    whole = []
    try:
        for number in map(str, itertools.count()):
            await converse(memory, number, answer="a" * 5000)
            whole.append("q" + number)
    except StorageError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await converse(memory, "after")
    assert (await contents(memory, limit=1000))[::2] == [*whole, "qafter"]
    await memory.close()
    print("went on")

asyncio.run(main())
"""


def database(path: Path, *statements: str) -> None:
    """Write a SQLite file."""
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


async def refusal(path: Path) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(StorageError) as caught:
        async with opened(path):
            pass
    return str(caught.value)


FOREIGN: dict[str, Callable[[Path], object]] = {
    "a database of another program": lambda path: database(path, "CREATE TABLE users (name)"),
    "an empty one that another program has marked": lambda path: database(path, "PRAGMA application_id = 7"),
    "one with another program's version": lambda path: database(path, "PRAGMA user_version = 1"),
}


@pytest.mark.parametrize("write", FOREIGN.values(), ids=FOREIGN.keys())
async def test_another_programs_database_is_refused(tmp_path: Path, write: Callable[[Path], object]) -> None:
    """A SQLite file that Parley did not make is named, and not a byte of it changed."""
    path = tmp_path / "other.db"
    write(path)
    before = path.read_bytes()
    assert await refusal(path) == f"{path} is another program's database: set storage.path to another file."
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["other.db"]  # noqa: PTH208


async def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """A file of a later Parley is named with both versions, and not a byte of it changed."""
    path = tmp_path / "newer.db"
    database(path, f"PRAGMA application_id = {APPLICATION}", "PRAGMA user_version = 99", "CREATE TABLE later (x)")
    before = path.read_bytes()
    sentence = await refusal(path)
    assert sentence.startswith(f"{path} was written by a newer Parley (version 99, this one knows ")
    assert "upgrade" in sentence
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["hello", "a letter, not a database\n" * 100])
async def test_a_text_file_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is no SQLite file is named, and not a byte of it changed."""
    path = tmp_path / "notes.txt"
    path.write_text(text)
    sentence = f"{path} is not a SQLite file: move it away, or set storage.path to another file."
    assert await refusal(path) == sentence
    assert path.read_text() == text


async def test_an_empty_file_is_a_new_memory(tmp_path: Path) -> None:
    """What `touch` made is used."""
    path = tmp_path / "empty.db"
    path.touch()
    async with opened(path) as memory:
        await converse(memory, "1")
        assert await contents(memory) == ["q1", "a1"]


async def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """A path that is a folder is named."""
    assert (
        await refusal(tmp_path) == f"{tmp_path} cannot be opened: it must be a file, in a folder that Parley may write."
    )


async def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A path under a file is named, with what is in the way."""
    (tmp_path / "data").touch()
    sentence = await refusal(tmp_path / "data" / "parley.db")
    assert sentence.startswith(f"{tmp_path}/data/parley.db cannot be made or used ({tmp_path}/data: File exists)")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux's /proc, where nobody can write")
async def test_a_folder_that_cannot_be_written_is_refused() -> None:
    """Where no file can be made, the path is named, and so is a folder that cannot be made."""
    assert "/proc/parley.db cannot be opened" in await refusal(Path("/proc/parley.db"))
    assert "/proc/new/parley.db cannot be made or used (/proc/new: " in await refusal(Path("/proc/new/parley.db"))


async def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """A file of ours with garbage in its pages is named, with what to do."""
    path = tmp_path / "parley.db"
    async with opened(path):
        pass
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    assert await refusal(path) == f"{path} {DAMAGED}"


async def test_a_file_that_another_process_has_locked_is_refused(tmp_path: Path) -> None:
    """The lock of another process is waited for as long as `patience` says, then told; without it the file opens."""
    path = tmp_path / "parley.db"
    command = (sys.executable, "-c", LOCKER, str(path))
    locker = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert locker.stdout is not None
    assert await locker.stdout.readline() == b"locked\n"
    sentence = f"{path} is locked by another process: stop that one, or set storage.path to another file."
    assert await refusal(path) == sentence
    await locker.communicate(b"")
    async with opened(path):
        pass


async def test_a_call_while_the_file_is_locked_is_told(tmp_path: Path) -> None:
    """A write that another process holds up for too long is a StorageError; the next one that gets through is fine."""
    path = tmp_path / "parley.db"
    async with opened(path) as memory:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError, match="locked by another process") as caught:
                await converse(memory, "1")
        assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
        assert await contents(memory) == []
        await converse(memory, "1")
        assert await contents(memory) == ["q1", "a1"]


async def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    """When the system takes no more bytes, the turn is lost and the rest is not; with room again, it goes on."""
    command = (sys.executable, "-c", FILLER, str(tmp_path / "parley.db"))
    filler = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, cwd=ROOT)
    output, _ = await filler.communicate()
    sentence, end = output.decode().splitlines()
    assert str(tmp_path / "parley.db") in sentence
    assert "disk" in sentence
    assert end == "went on"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full, a disk that is always full")
async def test_a_full_disk_is_told() -> None:
    """A disk that is full from the start is named."""
    assert await refusal(Path("/dev/full")) == "The disk of /dev/full is full: free some space there."
