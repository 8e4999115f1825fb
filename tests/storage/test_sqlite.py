"""The memory in one SQLite file: the contract, and what is written to the disk."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bot.domain.errors import StorageError
from bot.domain.messages import Author, Incoming, Message, Place, Role, State, Usage
from bot.domain.ports import Memory
from bot.domain.records import Answer
from storage.sqlite import SqliteMemory
from tests.contracts.journal import JournalContract
from tests.contracts.memory import MemoryContract, Opener, claim, contents, converse, incoming
from tests.contracts.privacy import PrivacyContract
from tests.contracts.window import HERE, WindowContract, short, talk
from tests.support.storage import opened

ROOT = Path(__file__).parents[2]
WRITER = """
import asyncio, pathlib, sys
from storage.sqlite import SqliteMemory
from tests.contracts.journal import JournalContract
from tests.contracts.memory import converse

async def main():
    memory = await SqliteMemory.open(pathlib.Path(sys.argv[1]))
    number = 0
    while True:
        await converse(memory, str(number))
        print(number, flush=True)
        number += 1

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that does not exist yet, nor does its folder."""
    return tmp_path / "data" / "parley.db"


@pytest.fixture
async def opener(path: Path) -> AsyncIterator[Opener]:
    """Opens the memory in this file."""
    memories: list[SqliteMemory] = []

    async def open_file() -> Memory:
        memories.append(await SqliteMemory.open(path))
        return memories[-1]

    yield open_file
    for memory in memories:
        await memory.close()


class TestSqliteMemory(MemoryContract, JournalContract, PrivacyContract, WindowContract):
    """SqliteMemory keeps the contract."""


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    """What another process would read in the file."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def _pragma(db: sqlite3.Connection, name: str) -> object:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def written(path: Path) -> bytes:
    """Every byte on the disk: the file and its write-ahead log."""
    return b"".join(file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm"))


async def test_a_commit_survives_a_power_cut(path: Path) -> None:
    """The file is in WAL mode, and the connection syncs at each commit, checks keys and wipes what it deletes."""
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
    async with opened(path) as memory:
        reads = [partial(_pragma, name=name) for name in pragmas]
        found = [await memory._run(read) for read in reads]
    assert found == ["wal", 2, 1, 1]


async def test_messages_of_a_place_are_neighbours(opener: Opener, path: Path) -> None:
    """Messages are stored in the order of their key, place and number, without a second index."""
    await opener()
    [(sql,)] = query(path, "SELECT sql FROM sqlite_master WHERE name = 'messages'")
    assert "PRIMARY KEY (place, number)\n) WITHOUT ROWID" in str(sql)
    assert query(path, "SELECT name FROM sqlite_master WHERE tbl_name = 'messages' AND type = 'index'") in (
        [],
        [("sqlite_autoindex_messages_1",)],
    )


async def test_a_turn_records_what_came_of_it(opener: Opener, path: Path) -> None:
    """State, posts, model and fault are in the turn's row, and when it began and ended."""
    memory = await opener()
    turn = await claim(memory, "1")
    await memory.progress(turn, ["p1"], "")
    assert query(path, "SELECT state, posts, finished FROM turns") == [("growing", '["p1"]', None)]
    answer = Answer("x", State.CUT, usage=Usage(9, 3, 1, 2, 0.5), posts=("p1", "p2"), model="openai/x", fault="cut")
    await memory.finish(turn, answer, Message(Role.USER, "q"))
    columns = "state, posts, model, fault, author, created <= finished"
    assert query(path, f"SELECT {columns} FROM turns") == [("cut", '["p1", "p2"]', "openai/x", "cut", "u1", 1)]


async def test_what_a_model_was_asked_for_is_on_record(opener: Opener, path: Path) -> None:
    """Each answer and each summary: who for, where, the tokens and what they cost; also a summary that was void."""
    memory = await opener()
    await talk(memory, 2)
    turn = await claim(memory, "3", HERE)
    await memory.finish(turn, Answer("x", usage=Usage(9, 3, 1, 2, 0.5), model="openai/x"), Message(Role.USER, "q"))
    await memory.reopen(turn)
    await memory.finish(turn, Answer("y", usage=Usage(1, 1), model="local/y"), Message(Role.USER, "q"))
    assert await memory.condense(HERE, short(5, 4, revision=1))
    assert not await memory.condense(HERE, short(7, 6, revision=99))
    columns = "turn, place, author, model, purpose, input, output, cached, written, cost"
    summary = (1, "discord:u1", "openai/x", "summary", 9, 3, 1, 2, 0.5)
    assert query(path, f"SELECT {columns} FROM usage") == [
        (3, 1, "discord:u1", "openai/x", "answer", 9, 3, 1, 2, 0.5),
        (3, 1, "discord:u1", "local/y", "answer", 1, 1, 0, 0, None),
        (2, *summary),
        (3, *summary),
    ]


async def test_a_question_stays_with_its_turn_until_it_is_forgotten(opener: Opener, path: Path) -> None:
    """A turn has the whole incoming message, answered or not, until its place is forgotten."""
    memory = await opener()
    asked = Incoming(Place("discord:7", shared=True), Author("u1", "Ann"), "Why?", "7", "1", quote="Look")
    turn = await memory.claim(asked)
    assert turn is not None
    [(question,)] = query(path, "SELECT question FROM turns")
    assert json.loads(str(question)) == {
        "place": {"key": "discord:7", "shared": True, "direct": False, "home": "", "person": ""},
        "author": {"id": "u1", "name": "Ann"},
        "text": "Why?",
        "channel_id": "7",
        "message_id": "1",
        "quote": "Look",
        "command": "",
        "attachments": [],
        "sent": 0.0,
        "people": [],
        "marks": [],
        "admin": False,
        "external": False,
        "bot": False,
        "manages": False,
        "follows": False,
        "late": False,
    }
    await memory.finish(turn.id, Answer(state=State.FAILED, fault="network"), Message(Role.USER, "Why?"))
    await converse(memory, "2")
    await memory.finish(await claim(memory, "3"), Answer("Help!"))
    assert query(path, "SELECT question IS NULL FROM turns ORDER BY id") == [(0,), (0,), (0,)]
    await memory.forget("discord:7")
    assert query(path, "SELECT question IS NULL FROM turns ORDER BY id") == [(1,), (1,), (1,)]


async def test_no_text_reaches_the_debug_log(opener: Opener, caplog: pytest.LogCaptureFixture) -> None:
    """What aiosqlite logs of its work has nothing that people wrote."""
    caplog.set_level(logging.DEBUG)
    memory = await opener()
    turn = await memory.claim(incoming(text="my secret"))
    assert turn is not None
    await memory.finish(turn.id, Answer("your secret"), Message(Role.USER, "my secret"))
    await memory.recall("discord:7", 5)
    assert "executing" in caplog.text
    assert "secret" not in caplog.text


async def test_a_turn_that_cannot_be_closed_leaves_no_half_of_it(path: Path) -> None:
    """When the last statement of a turn fails, the first ones are taken back, and the turn can be closed again."""
    async with opened(path) as memory:
        turn = await claim(memory, "1")
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TRIGGER broken BEFORE UPDATE ON turns BEGIN SELECT RAISE(ABORT, 'broken'); END")
            with pytest.raises(StorageError, match="broken"):
                await memory.finish(turn, Answer("a1"), Message(Role.USER, "q1"))
            assert await contents(memory) == []
            other.execute("DROP TRIGGER broken")
        await memory.finish(turn, Answer("a1"), Message(Role.USER, "q1"))
        assert await contents(memory) == ["q1", "a1"]


async def test_two_processes_claim_a_message_once(path: Path) -> None:
    """Where two have the same file open, one of them gets the turn."""
    async with opened(path) as one, opened(path) as two:
        assert await one.claim(incoming("1")) is not None
        assert await two.claim(incoming("1")) is None
        assert await two.claim(incoming("2")) is not None
        assert await one.claim(incoming("2")) is None


async def test_a_killed_process_loses_nothing_that_was_finished(opener: Opener, path: Path) -> None:
    """After kill -9 in the middle of writing, every finished turn is whole in the file, and no half one is."""
    command = (sys.executable, "-c", WRITER, str(path))
    writer = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, cwd=ROOT)
    assert writer.stdout is not None
    finished = [await writer.stdout.readline() for _ in range(50)]
    writer.kill()
    finished += [line async for line in writer.stdout if line.endswith(b"\n")]
    await writer.wait()
    assert [int(line) for line in finished] == list(range(len(finished)))
    texts = await contents(await opener(), limit=100_000)
    assert len(texts) in (2 * len(finished), 2 * len(finished) + 2)
    assert texts == [f"{role}{number}" for number in range(len(texts) // 2) for role in "qa"]
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
