"""How long what people say is kept."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from structlog.testing import capture_logs

from bot.runtime.retention import AGAIN, DAY, sweep
from storage.sqlite import SqliteMemory
from tests.contracts.memory import contents, converse
from tests.loopback.openai import FakeOpenAI
from tests.support.program import Program, asking
from tests.support.storage import opened
from tests.support.webserver import asked


class Calendar:
    """A clock that stands still until the next day is asked for; `slept` is what was slept before each."""

    def __init__(self, start: float) -> None:
        self.now = start
        self.slept: list[float] = []
        self._resting = asyncio.Event()
        self._next = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Sleep until somebody waits for what comes after."""
        self.slept.append(seconds)
        self._resting.set()
        await self._next.wait()
        self._next.clear()
        self.now += seconds

    async def rest(self) -> None:
        """Wait until it sleeps."""
        await self._resting.wait()
        self._resting.clear()

    async def pass_on(self) -> None:
        """Let the sleep be over, and wait for the next."""
        self._next.set()
        await self.rest()


def date(path: Path, message: str, moment: float) -> None:
    """Say that a message was asked at a moment."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE turns SET created = ? WHERE message = ?", (moment, message))


async def test_what_is_too_old_goes_at_the_start_and_then_day_by_day(tmp_path: Path) -> None:
    """With two days: what was asked 50 hours ago is gone at once, yesterday's question one day later; nothing else."""
    calendar, path = Calendar(100 * DAY), tmp_path / "parley.db"
    async with opened(path) as memory:
        for message, age in (("1", 50 / 24), ("2", 1.5), ("3", 0.0)):
            await converse(memory, message)
            date(path, message, calendar.now - age * DAY)
        with capture_logs() as logs:
            sweeping = asyncio.create_task(sweep(memory, 2, lambda: calendar.now, calendar.sleep))
            await calendar.rest()
            assert await contents(memory) == ["q2", "a2", "q3", "a3"]
            await calendar.pass_on()
            assert await contents(memory) == ["q3", "a3"]
            await calendar.pass_on()
            assert await contents(memory) == ["q3", "a3"]
            sweeping.cancel()
    assert calendar.slept == [DAY] * 3
    assert [event["questions"] for event in logs] == [1, 1]


async def test_without_a_limit_everything_is_kept(tmp_path: Path) -> None:
    """However old it is."""
    calendar, path = Calendar(100 * DAY), tmp_path / "parley.db"
    async with opened(path) as memory:
        await converse(memory, "1")
        date(path, "1", 1.0)
        sweeping = asyncio.create_task(sweep(memory, 0, lambda: calendar.now, calendar.sleep))
        await calendar.rest()
        assert await contents(memory) == ["q1", "a1"]
        sweeping.cancel()


async def test_a_sweep_that_fails_is_said_and_tried_again(tmp_path: Path) -> None:
    """The operator reads why; an hour later the file works again, and what is old goes."""
    calendar, path = Calendar(100 * DAY), tmp_path / "parley.db"
    async with opened(path) as memory:
        await converse(memory, "1")
        date(path, "1", 1.0)
        with closing(sqlite3.connect(path)) as other, capture_logs() as logs:
            other.execute("BEGIN IMMEDIATE")
            sweeping = asyncio.create_task(sweep(memory, 2, lambda: calendar.now, calendar.sleep))
            await calendar.rest()
            other.rollback()
            assert await contents(memory) == ["q1", "a1"]
            await calendar.pass_on()
            assert await contents(memory) == []
            sweeping.cancel()
    assert calendar.slept == [AGAIN, DAY]
    assert "locked by another process" in logs[0]["error"]


async def test_a_start_deletes_what_is_too_old(tmp_path: Path) -> None:
    """`privacy.retention_days` is what the program goes by, and nothing of it is left in its files."""
    async with (
        FakeOpenAI(key="sk-test-0123456789abcdef") as provider,
        Program(tmp_path, **asking(provider)) as program,
    ):
        async with program.http.post("/chat", json=asked("my cat is Mia", None)) as response:
            conversation = (await response.json())["conversation_id"]
        assert await program.stop() == 0
        with closing(sqlite3.connect(tmp_path / "data" / "parley.db")) as db, db:
            db.execute("UPDATE turns SET created = created - 8 * 86400")
        program.environ["PARLEY_PRIVACY__RETENTION_DAYS"] = "7"
        await program.start()
        assert (await program.logged("old messages are deleted"))["questions"] == 1
        async with program.http.get(f"/conversations/{conversation}") as response:
            assert response.status == 404
        assert await program.stop() == 0
    for file in (tmp_path / "data").iterdir():
        assert b"Mia" not in file.read_bytes(), file


async def test_what_is_asked_meanwhile_is_not_kept_waiting(tmp_path: Path) -> None:
    """Between the parts of a sweep questions are claimed and answered; it is not over by then."""
    path = tmp_path / "parley.db"
    async with opened(path) as memory:
        await fill(memory, path, 20_000)
        sweeping = asyncio.create_task(memory.expire(1e12))
        await asyncio.sleep(0)
        for number in range(10):
            await converse(memory, f"new {number}", "discord:new")
        assert not sweeping.done()
        assert await sweeping >= 20_000


async def fill(memory: SqliteMemory, path: Path, count: int) -> None:
    """Many questions of one place, as they would be if they had been asked."""
    await converse(memory, "first")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO turns (place, platform, channel, message, author, question, state, created, finished) "
            "SELECT place, platform, channel, 'x' || i, author, question, state, created, finished FROM turns, n",
            (count,),
        )
