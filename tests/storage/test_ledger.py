"""What was asked and what it cost is counted from the file itself, by day, place, person and model."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.domain.errors import StorageError
from bot.domain.spending import UsageRow
from storage.migrate import FOLDER, migrate
from storage.usage import consult, report, spent
from tests.support.storage import opened

NOON = 1_790_000_000 // 86_400 * 86_400 + 43_200
"""A noon in UTC."""
DAY = 86_400


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in UTC, until a test moves it."""
    move(monkeypatch, "UTC")
    yield
    monkeypatch.undo()
    time.tzset()


def move(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TZ", name)
    time.tzset()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty file of this program."""
    with closing(sqlite3.connect(tmp_path / "parley.db", isolation_level=None)) as file:
        migrate(file, tmp_path / "parley.db")
        yield file


def ask(
    db: sqlite3.Connection,
    *,
    turn: int = 1,
    place: str = "discord:1",
    author: str = "discord:7",
    model: str = "openai/a",
    cost: float | None = 0.5,
    tokens: tuple[int, int, int, int] = (100, 10, 40, 20),
    at: float = NOON,
) -> None:
    """A request to a model; `tokens` are read, written by it, from the cache and to the cache."""
    db.execute("INSERT OR IGNORE INTO places (key, created) VALUES (?, 0)", (place,))
    (row,) = db.execute("SELECT id FROM places WHERE key = ?", (place,)).fetchone()
    db.execute(
        "INSERT OR IGNORE INTO turns (id, place, platform, channel, message, author, state, created) "
        "VALUES (?, ?, 'discord', '1', ?, '7', 'done', 0)",
        (turn, row, turn),
    )
    db.execute(
        "INSERT INTO usage (turn, place, author, model, purpose, input, output, cached, written, cost, created) "
        "VALUES (?, ?, ?, ?, 'answer', ?, ?, ?, ?, ?, ?)",
        (turn, row, author, model, *tokens, cost, at),
    )


def test_requests_of_one_kind_are_one_row(db: sqlite3.Connection) -> None:
    """Tokens and money are added up; two requests of one turn are one question; no price is counted, not taken as 0."""
    ask(db)
    ask(db, tokens=(1, 2, 3, 4), cost=None)
    ask(db, turn=2, cost=0.25)
    assert report(db, "model", 1, NOON) == [UsageRow("openai/a", 2, 201, 83, 44, 22, 0.75, 1, 3)]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("place", ["web:x", "discord:1", "slack:T:C"]),
        ("person", ["web:9", "discord:7", "slack:8"]),
        ("model", ["anthropic/b", "openai/a", "local/c"]),
    ],
)
def test_the_dearest_comes_first(db: sqlite3.Connection, by: str, names: list[str]) -> None:
    """What has no price comes after all that has one."""
    ask(db, turn=1, cost=0.5)
    ask(db, turn=2, place="slack:T:C", author="slack:8", model="local/c", cost=None, tokens=(10**9, 0, 0, 0))
    ask(db, turn=3, place="web:x", author="web:9", model="anthropic/b", cost=2)
    assert [row.name for row in report(db, by, 1, NOON)] == names


def test_days_are_in_order_and_those_without_a_question_are_left_out(db: sqlite3.Connection) -> None:
    """A day has the date of this machine."""
    for back, cost in ((0, 0.1), (2, 5), (3, 0.2), (0, 0.1)):
        ask(db, at=NOON - back * DAY, cost=cost)
    days = [(row.name, row.cost) for row in report(db, "day", 30, NOON)]
    assert days == [("2026-09-18", 0.2), ("2026-09-19", 5.0), ("2026-09-21", 0.2)]


@pytest.mark.parametrize(("days", "requests"), [(1, 1), (2, 3), (3, 4), (30, 4)])
def test_so_many_days_are_whole_days_with_today(db: sqlite3.Connection, days: int, requests: int) -> None:
    """The first one counts from its midnight."""
    midnight = NOON - DAY / 2
    for at in (midnight, midnight - 1, midnight - DAY, midnight - DAY - 1):
        ask(db, at=at)
    assert sum(row.requests for row in report(db, "model", days, NOON)) == requests


def test_midnight_is_this_machines(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """At noon in London it is already tomorrow on Kiritimati, and what was asked ten hours before was yesterday."""
    ask(db, at=NOON)
    ask(db, at=NOON - 3 * 3600)
    move(monkeypatch, "Pacific/Kiritimati")
    assert [row.name for row in report(db, "day", 2, NOON)] == ["2026-09-21", "2026-09-22"]
    assert [row.name for row in report(db, "day", 1, NOON)] == ["2026-09-22"]


def test_a_person_is_counted_alone(db: sqlite3.Connection) -> None:
    """From a moment on, in all places, by all models; somebody of whom nothing is known has asked nothing."""
    ask(db, turn=1)
    ask(db, turn=2, place="discord:2", model="openai/b")
    ask(db, turn=3, at=NOON - 1)
    ask(db, turn=4, author="slack:7")
    assert spent(db, "discord:7", NOON) == UsageRow("discord:7", 2, 200, 80, 40, 20, 1.0, 0, 2)
    assert spent(db, "discord:8", 0) == UsageRow("discord:8")


async def test_the_file_of_a_running_parley_is_read(tmp_path: Path) -> None:
    """What was asked a moment ago is there, and the file is as it was."""
    path = tmp_path / "parley.db"
    assert consult(path, "day", 1) == []
    assert not path.exists()
    async with opened(path):
        assert consult(path, "day", 1) == []
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            ask(writer, at=time.time())
        assert [row.turns for row in consult(path, "day", 1)] == [1]


def test_the_file_of_an_older_parley_has_nothing_to_report_yet(tmp_path: Path) -> None:
    """It is brought up to date at the next start, not by being looked at."""
    older = tmp_path / "older"
    older.mkdir()
    for file in sorted(FOLDER.glob("*.sql"))[:2]:
        (older / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "parley.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        migrate(db, path, older)
        assert consult(path, "model", 30) == []
        assert db.execute("PRAGMA user_version").fetchone() == (2,)


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    """The sentence names the file."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE usage (x)")
    with pytest.raises(StorageError, match="another program's database"):
        consult(path, "day", 1)
