"""Migrations: each earlier file becomes the present one, whole or not at all."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.domain.errors import StorageError
from storage.migrate import APPLICATION, FOLDER, migrate
from tests.contracts.memory import contents, converse
from tests.support.storage import opened

SHIPPED = sorted(FOLDER.glob("*.sql"))
STEPS = {
    "0001_notes.sql": "CREATE TABLE notes (text TEXT);\n-- a; b\nINSERT INTO notes VALUES ('a;b');\n",
    "0002_more.sql": "ALTER TABLE notes ADD COLUMN size INTEGER;\nUPDATE notes SET size = length(text);\n",
    "0003_trigger.sql": "CREATE TRIGGER grow AFTER INSERT ON notes BEGIN\n  UPDATE notes SET size = 0;\nEND;",
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A new file."""
    with closing(sqlite3.connect(tmp_path / "parley.db", isolation_level=None)) as db:
        yield db


def folder(tmp_path: Path, *names: str) -> Path:
    """A folder with some of the steps, written in an order that is not theirs."""
    made = tmp_path / f"migrations-{len(names)}"
    made.mkdir()
    for name in reversed(names):
        (made / name).write_text(STEPS[name])
    return made


def state(db: sqlite3.Connection) -> list[tuple[object, ...]]:
    """Everything that a migration can change."""
    rows = [db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")]
    return [*rows, *db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()]


def test_migrations_apply_in_order(db: sqlite3.Connection, tmp_path: Path) -> None:
    """A new file gets all of them, the lowest number first, and says whose and which it is."""
    migrate(db, tmp_path, folder(tmp_path, *STEPS))
    assert db.execute("SELECT * FROM notes").fetchall() == [("a;b", 3)]
    assert state(db)[:2] == [(APPLICATION,), (3,)]


@pytest.mark.parametrize("version", [1, 2])
def test_an_earlier_file_gets_what_it_lacks(db: sqlite3.Connection, tmp_path: Path, version: int) -> None:
    """From each earlier version on, only the rest is applied, and the result is that of a new file."""
    migrate(db, tmp_path, folder(tmp_path, *list(STEPS)[:version]))
    everything = folder(tmp_path, *STEPS)
    migrate(db, tmp_path, everything)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        migrate(new, tmp_path, everything)
        assert list(db.iterdump()) == list(new.iterdump())
        assert state(db) == state(new)


def test_a_present_file_is_left_alone(db: sqlite3.Connection, tmp_path: Path) -> None:
    """Nothing is applied twice."""
    migrations = folder(tmp_path, *STEPS)
    migrate(db, tmp_path, migrations)
    before = db.total_changes
    migrate(db, tmp_path, migrations)
    assert db.total_changes == before


@pytest.mark.parametrize("version", [0, 1])
def test_a_failed_migration_leaves_the_file_as_it_was(db: sqlite3.Connection, tmp_path: Path, version: int) -> None:
    """When a later one fails, those before it are taken back too."""
    migrate(db, tmp_path, folder(tmp_path, *list(STEPS)[:version]))
    before = state(db), (tmp_path / "parley.db").read_bytes()
    broken = folder(tmp_path, *list(STEPS)[:2])
    (broken / "0003_broken.sql").write_text("CREATE TABLE fine (x);\nINSERT INTO missing VALUES (1);\n")
    with pytest.raises(sqlite3.OperationalError, match="missing"):
        migrate(db, tmp_path, broken)
    assert (state(db), (tmp_path / "parley.db").read_bytes()) == before


def test_a_file_is_copied_before_it_is_changed(db: sqlite3.Connection, tmp_path: Path) -> None:
    """The copy beside it is the file as it was, its log included, and the program's log names both."""
    migrate(db, tmp_path, folder(tmp_path, *list(STEPS)[:1]))
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("INSERT INTO notes VALUES ('the newest')")
    before = state(db), db.execute("SELECT * FROM notes").fetchall()
    with capture_logs() as events:
        migrate(db, tmp_path / "parley.db", folder(tmp_path, *STEPS))
    copy = tmp_path / "parley.db.before-0002"
    [event] = events
    assert (event["path"], event["copy"]) == (str(tmp_path / "parley.db"), str(copy))
    assert (state(db)[1], copy.stat().st_mode & 0o777) == ((3,), 0o600)
    with closing(sqlite3.connect(copy)) as kept:
        assert (state(kept), kept.execute("SELECT * FROM notes").fetchall()) == before


def test_a_new_file_and_a_present_one_are_not_copied(db: sqlite3.Connection, tmp_path: Path) -> None:
    """There is nothing to lose in the one, and the other is not changed."""
    everything = folder(tmp_path, *STEPS)
    migrate(db, tmp_path, everything)
    migrate(db, tmp_path, everything)
    assert list(tmp_path.glob("*.before-*")) == []


def test_a_migration_that_fails_again_and_again_leaves_one_copy(db: sqlite3.Connection, tmp_path: Path) -> None:
    """A program that is started over and over does not fill the disk; a copy that was broken off is no hindrance."""
    migrate(db, tmp_path, folder(tmp_path, *list(STEPS)[:1]))
    broken = folder(tmp_path, *list(STEPS)[:2])
    (broken / "0003_broken.sql").write_text("INSERT INTO missing VALUES (1);\n")
    (tmp_path / "parley.db.before-0002.part").write_text("half")
    for _ in range(3):
        with pytest.raises(sqlite3.OperationalError, match="missing"):
            migrate(db, tmp_path, broken)
    assert [file.name for file in tmp_path.glob("parley.db.*")] == ["parley.db.before-0002"]


def test_without_a_copy_nothing_is_changed(db: sqlite3.Connection, tmp_path: Path) -> None:
    """Where the copy cannot be made, the file stays at its version."""
    migrate(db, tmp_path, folder(tmp_path, *list(STEPS)[:1]))
    before = state(db)
    (tmp_path / "parley.db.before-0002").mkdir()
    with pytest.raises(OSError, match="before-0002"):
        migrate(db, tmp_path, folder(tmp_path, *STEPS))
    assert state(db) == before


def test_shipped_migrations_are_numbered_without_gaps() -> None:
    """The number of a migration's file is the version that it leads to."""
    assert SHIPPED
    assert [int(file.name[:4]) for file in SHIPPED] == list(range(1, len(SHIPPED) + 1))


@pytest.mark.parametrize("version", range(len(SHIPPED)))
async def test_every_shipped_version_can_be_upgraded(tmp_path: Path, version: int) -> None:
    """A file as each earlier Parley left it opens as a memory that works."""
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    for file in SHIPPED[:version]:
        shutil.copy(file, earlier)
    with closing(sqlite3.connect(tmp_path / "parley.db", isolation_level=None)) as db:
        migrate(db, tmp_path, earlier)
    async with opened(tmp_path / "parley.db") as memory:
        await converse(memory, "1")
        assert await contents(memory) == ["q1", "a1"]


async def test_a_failing_migration_names_the_file(tmp_path: Path) -> None:
    """What goes wrong while a file is brought up to date is a StorageError that names it."""
    path = tmp_path / "parley.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute("CREATE TABLE places (taken)")
    with pytest.raises(StorageError, match=f"{path} failed: table places already exists"):
        async with opened(path):
            pass


async def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its turns, texts and token counts are there; of the open turns those that may show a post are begun."""
    path, first = tmp_path / "parley.db", tmp_path / "first"
    first.mkdir()
    shutil.copy(SHIPPED[0], first)
    question = {
        "place": {"key": "discord:7", "shared": True, "direct": False},
        "author": {"id": "u1", "name": "Ann"},
        "text": "Why?",
        "channel_id": "7",
        "message_id": "1",
        "quote": "",
        "command": "",
        "attachments": [],
    }
    columns = "place, platform, channel, message, author, question, state, model, input, output, cached, created"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        migrate(db, path, first)
        db.execute("INSERT INTO places (id, key, created) VALUES (1, 'discord:7', 0)")
        for number, finished in ((1, 5.0), (2, None), (3, None)):
            model = "openai/x" if finished else ""
            values = (json.dumps(question), "done" if finished else "growing", model, 9, 3, 1, 1.0)
            row = (1, "discord", "7", str(number), "u1", *values, finished)
            db.execute(f"INSERT INTO turns ({columns}, finished) VALUES ({', '.join('?' * 13)})", row)
        db.executemany(
            "INSERT INTO messages (place, number, role, content, created) VALUES (1, ?, ?, ?, 0)",
            [(2, "user", "Why?"), (3, "assistant", "So.")],
        )
    async with opened(path) as memory:
        assert await contents(memory) == ["Why?", "So."]
        assert [(asked.id, asked.begun, asked.incoming.text) for asked in await memory.unfinished("discord")] == [
            (2, True, "Why?"),
            (3, False, "Why?"),
        ]
        spent = await memory.spent("discord:u1", 0)
        assert (spent.turns, spent.input, spent.output, spent.cached, spent.unpriced) == (1, 9, 3, 1, 1)
