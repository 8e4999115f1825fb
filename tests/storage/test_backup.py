"""`parley backup` and `parley restore`: a whole copy while Parley runs, and the way back while it does not."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.domain.messages import State
from storage.backup import restore
from storage.migrate import APPLICATION
from tests.contracts.memory import claim, contents, converse
from tests.loopback.openai import FakeOpenAI
from tests.support.program import Program, asking, call
from tests.support.storage import opened
from tests.support.webserver import asked

FILE = Path("data", "parley.db")


@pytest.fixture
async def openai() -> AsyncIterator[FakeOpenAI]:
    """A provider that answers with what it was told."""
    async with FakeOpenAI() as provider:
        yield provider


async def say(program: Program, message: str, conversation: str | None = None) -> str:
    """Ask over HTTP; the conversation's id."""
    async with program.http.post("/chat", json=asked(message, conversation)) as response:
        assert response.status == 200, await response.text()
        return str((await response.json())["conversation_id"])


async def questions(program: Program, conversation: str) -> list[str]:
    """What a conversation remembers having been asked."""
    async with program.http.get(f"/conversations/{conversation}") as response:
        return [said["content"] for said in (await response.json())["messages"] if said["role"] == "user"]


async def fill(path: Path, *messages: str) -> None:
    """A memory of these turns."""
    async with opened(path) as memory:
        for message in messages:
            await converse(memory, message)


async def remembered(path: Path) -> list[str]:
    """The questions that a file remembers."""
    async with opened(path) as memory:
        return (await contents(memory))[::2]


def names(folder: Path) -> set[str]:
    """What is in a folder."""
    return {entry.name for entry in folder.iterdir()}


async def refused(folder: Path, *arguments: str) -> str:
    """The sentence with which a command is refused; nothing else is written."""
    ended = await call(folder, *arguments)
    assert (ended.code, ended.out) == (1, "")
    [sentence] = ended.sentences
    assert "Traceback" not in ended.err
    return sentence.removeprefix("parley: ")


async def test_a_backup_is_made_while_it_runs_and_brought_back_while_it_does_not(
    tmp_path: Path, openai: FakeOpenAI
) -> None:
    """One file with all that was said before, for its owner alone; a restore undoes what came later, and says so."""
    async with Program(tmp_path, **asking(openai)) as program:
        conversation = await say(program, "one")
        made = await call(tmp_path, "backup", "copy.db")
        assert (made.code, made.out, made.err) == (0, "data/parley.db is copied to copy.db.\n", "")
        await say(program, "two", conversation)
        assert await questions(program, conversation) == ["one", "two"]
        assert "in use by another Parley" in await refused(tmp_path, "restore", "copy.db")
        await program.kill()
        brought = await call(tmp_path, "restore", "copy.db")
        assert (brought.code, brought.err) == (0, "")
        [kept] = (tmp_path / "data").glob("parley.db.until-????????-??????")
        assert brought.out == f"data/parley.db is now what copy.db has. What was there is kept as {kept}.\n"
        await program.start()
        assert await questions(program, conversation) == ["one"]
        assert await program.stop() == 0
        assert (await call(tmp_path, "restore", str(kept))).code == 0
        await program.start()
        assert await questions(program, conversation) == ["one", "two"]
    assert names(tmp_path) == {"copy.db", "data"}
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600


async def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    await fill(tmp_path / FILE, "1")
    (tmp_path / "taken").write_text("mine")
    assert await refused(tmp_path, "backup", "taken") == "taken is there already: give a name that is free."
    assert (tmp_path / "taken").read_text() == "mine"


async def test_a_backup_needs_a_memory_and_a_place(tmp_path: Path) -> None:
    """Where there is none, nothing is made."""
    assert "There is no memory at data/parley.db to back up" in await refused(tmp_path, "backup", "copy.db")
    await fill(tmp_path / FILE, "1")
    assert "gone/copy.db cannot be made (No such file" in await refused(tmp_path, "backup", "gone/copy.db")
    assert names(tmp_path) == {"data"}


async def test_a_damaged_memory_is_not_backed_up(tmp_path: Path) -> None:
    """A backup that is there can be relied on: of a file with a broken page none is left."""
    await fill(tmp_path / FILE, *map(str, range(50)))
    spoil(tmp_path / FILE)
    assert "data/parley.db is damaged" in await refused(tmp_path, "backup", "copy.db")
    assert not (tmp_path / "copy.db").exists()


async def test_a_backup_of_a_locked_file_is_refused(tmp_path: Path) -> None:
    """It does not wait for ever for a process that lets nobody read."""
    await fill(tmp_path / FILE, "1")
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        assert "data/parley.db is locked by another process" in await refused(tmp_path, "backup", "copy.db")
    assert not (tmp_path / "copy.db").exists()


async def test_a_backup_does_not_hold_up_who_writes(tmp_path: Path) -> None:
    """The program's lock is not taken: turns go on while copies are made, and each copy has whole turns."""
    async with opened(tmp_path / FILE) as memory:
        for number in range(3):
            await converse(memory, str(number))
            assert (await call(tmp_path, "backup", f"{number}.db")).code == 0
    assert [await remembered(tmp_path / f"{number}.db") for number in range(3)] == [
        ["q0"],
        ["q0", "q1"],
        ["q0", "q1", "q2"],
    ]


def spoil(path: Path) -> None:
    """Write garbage over the pages with the messages of a file."""
    content = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as db:
        [(root,)] = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchall()
        [(size,)] = db.execute("PRAGMA page_size").fetchall()
    content[(root - 1) * size : root * size] = b"\xff" * size
    path.write_bytes(content)


def change(path: Path, statement: str) -> None:
    """Change a file."""
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement)
        db.commit()


UNFIT: dict[str, tuple[Callable[[Path], object], str]] = {
    "a text": (lambda path: path.write_text("hello" * 1000), "is damaged, or no backup of Parley"),
    "nothing": (lambda path: path.write_bytes(b""), "is no backup of Parley"),
    "of another program": (lambda path: change(path, "PRAGMA application_id = 7"), "is no backup of Parley"),
    "of a newer Parley": (lambda path: change(path, "PRAGMA user_version = 99"), "was written by a newer Parley (vers"),
    "damaged": (spoil, "is damaged"),
    "not there": (Path.unlink, "There is no file copy.db"),
}


@pytest.mark.parametrize(("make", "told"), UNFIT.values(), ids=UNFIT.keys())
async def test_what_is_no_good_backup_is_refused(tmp_path: Path, make: Callable[[Path], object], told: str) -> None:
    """It is named, and the memory stays as it is, with nothing left beside it."""
    await fill(tmp_path / FILE, "1")
    await fill(tmp_path / "copy.db", *map(str, range(50)))
    make(tmp_path / "copy.db")
    before = (tmp_path / FILE).read_bytes()
    sentence = await refused(tmp_path, "restore", "copy.db")
    assert told in sentence
    assert "copy.db" in sentence
    assert (tmp_path / FILE).read_bytes() == before
    assert names(tmp_path / "data") == {"parley.db", "parley.db.lock"}


async def test_a_restore_replaces_a_damaged_memory(tmp_path: Path) -> None:
    """Also one that SQLite cannot read any more; it is kept byte by byte."""
    await fill(tmp_path / "copy.db", "1")
    (tmp_path / "data").mkdir()
    (tmp_path / FILE).write_bytes(b"\xff" * 9000)
    kept = await restore(tmp_path / "copy.db", tmp_path / FILE)
    assert kept
    assert kept.read_bytes() == b"\xff" * 9000
    assert await remembered(tmp_path / FILE) == ["q1"]


async def test_a_restore_where_no_memory_was(tmp_path: Path) -> None:
    """As on a new machine: the folder is made, nothing is kept."""
    await fill(tmp_path / "copy.db", "1")
    ended = await call(tmp_path, "restore", "copy.db")
    assert (ended.code, ended.out) == (0, "data/parley.db is now what copy.db has.\n")
    assert await remembered(tmp_path / FILE) == ["q1"]


async def test_a_log_that_a_crash_left_is_kept_and_does_not_enter_the_restored_file(tmp_path: Path) -> None:
    """What is in it belongs to the file that was there."""
    await fill(tmp_path / "copy.db", "1")
    async with opened(tmp_path / "live.db") as memory:
        await converse(memory, "2")
        (tmp_path / "data").mkdir()
        for ending in ("", "-wal", "-shm"):
            shutil.copy(tmp_path / f"live.db{ending}", tmp_path / f"{FILE}{ending}")
    first = await restore(tmp_path / "copy.db", tmp_path / FILE)
    assert first
    assert not list((tmp_path / "data").glob("parley.db-*"))
    second = await restore(tmp_path / "copy.db", tmp_path / FILE)
    assert second
    assert [await remembered(file) for file in (tmp_path / FILE, first, second)] == [["q1"], ["q2"], ["q1"]]


async def test_an_answer_that_was_growing_in_a_backup_is_not_touched_after_it(tmp_path: Path) -> None:
    """It came to its end after the backup was made. What had not begun is still to be answered."""
    async with opened(tmp_path / "copy.db") as memory:
        begun, waiting = await claim(memory, "1"), await claim(memory, "2")
        await memory.progress(begun, ["p1"], "The first wor")
    await restore(tmp_path / "copy.db", tmp_path / FILE)
    async with opened(tmp_path / FILE) as memory:
        assert [asked.id for asked in await memory.unfinished("discord")] == [waiting]
        closed = await memory.turn(begun)
        assert closed
        assert (closed.state, closed.posts, closed.draft) == (State.INTERRUPTED, ("p1",), "")


async def test_both_commands_need_a_path(tmp_path: Path) -> None:
    """As argparse tells, with its exit code 2."""
    for command in ("backup", "restore"):
        ended = await call(tmp_path, command)
        assert ended.code == 2
        assert re.search("required: PATH", ended.err)


async def test_a_backup_says_whose_it_is(tmp_path: Path) -> None:
    """It is a file of ours in one piece: no write-ahead log belongs to it."""
    await fill(tmp_path / FILE, "1")
    assert (await call(tmp_path, "backup", "copy.db")).code == 0
    with closing(sqlite3.connect(tmp_path / "copy.db")) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
