"""The database's row in `parley check`: what is found without changing anything or being in anybody's way."""

from __future__ import annotations

import re
import sqlite3
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from contextlib import closing
from pathlib import Path

import pytest

from bot.domain.errors import StorageError
from storage.inspection import inspect
from storage.migrate import APPLICATION
from tests.contracts.memory import contents, converse
from tests.support.program import ROOT, call
from tests.support.storage import opened

WITHOUT_RIGHTS = """
import os, pathlib, sys, tempfile
from bot.domain.errors import StorageError
from storage.inspection import inspect

if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    print(inspect(folder / "parley.db"))
    folder.chmod(0o500)
    try:
        inspect(folder / "parley.db")
    except StorageError as error:
        print(error)
    folder.chmod(0o700)
"""


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, but for the index in shared memory that readers mark too."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith("-shm")}


async def row(folder: Path) -> str:
    """The database's row in the table, on one line."""
    ended = await call(folder, "check", PARLEY_STORAGE__PATH="parley.db")
    [found] = re.findall(r"^database .*(?:\n  .*)*", ended.out, re.MULTILINE)
    return " ".join(found.split())


async def test_a_sound_file_is_told_while_it_is_in_use(tmp_path: Path) -> None:
    """Not a byte of it changes, it is found sound beside a writer in the midst of a transaction, and that goes on."""
    async with opened(tmp_path / "parley.db") as memory:
        await converse(memory, "1")
        before = content(tmp_path)
        with closing(sqlite3.connect(tmp_path / "parley.db", isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            assert await row(tmp_path) == "database ok parley.db, sound"
            writer.execute("ROLLBACK")
        assert content(tmp_path) == before
        await converse(memory, "2")
        assert await contents(memory) == ["q1", "a1", "q2", "a2"]


async def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Whoever looks first, perhaps as another user, would own it. An empty file is like none."""
    assert await row(tmp_path) == "database ok parley.db, to be made at the first start"
    assert content(tmp_path) == {}
    (tmp_path / "parley.db").touch()
    assert inspect(tmp_path / "parley.db").endswith("to be made at the first start")


async def test_an_earlier_file_is_not_brought_up_to_date(tmp_path: Path) -> None:
    """That is for the start; a Parley of before may still run."""
    with closing(sqlite3.connect(tmp_path / "parley.db")) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION}")
    before = content(tmp_path)
    assert "parley.db" in inspect(tmp_path / "parley.db")
    assert content(tmp_path) == before


async def test_a_damaged_file_fails(tmp_path: Path) -> None:
    """Damage in a page that no start looks at is found."""
    path = tmp_path / "parley.db"
    async with opened(path) as memory:
        for number in range(50):
            await converse(memory, str(number), answer="a" * 1000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * 4096 + whole[len(whole) // 2 + 4096 :])
    async with opened(path):
        pass
    assert (await row(tmp_path)).startswith("database FAIL parley.db is damaged: stop Parley and bring a backup")


async def test_what_is_in_the_way_fails(tmp_path: Path) -> None:
    """A file in the place of the folder, and a file of something else."""
    (tmp_path / "text").write_text("hello" * 1000)
    with pytest.raises(StorageError, match="text is no folder"):
        inspect(tmp_path / "text" / "parley.db")
    with pytest.raises(StorageError, match="text is not a SQLite file"):
        inspect(tmp_path / "text")


@pytest.mark.skipif(sys.platform == "win32", reason="needs users and rights as Unix has them")
async def test_a_folder_that_may_not_be_written_fails() -> None:
    """Before the first start, too."""
    looking = await create_subprocess_exec(sys.executable, "-c", WITHOUT_RIGHTS, stdout=PIPE, cwd=ROOT)
    output, _ = await looking.communicate()
    well, ill = output.decode().splitlines()
    assert well.endswith("parley.db, to be made at the first start")
    assert "cannot be written: give Parley the right to write " in ill
