"""The memory in one SQLite file, written by one thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import aiosqlite
import structlog

from bot.domain.errors import StorageError
from bot.domain.messages import Incoming, Message
from bot.domain.records import Answer, Asked, Material, Record, Spent, Summary, Turn
from bot.domain.spending import Spending, UsageRow
from storage import edits, messages, privacy, summaries, turns, usage
from storage.errors import explained
from storage.migrate import migrate

P = ParamSpec("P")
T = TypeVar("T")

CURSOR_CHUNK = 64
"""aiosqlite's own default; no cursor of its is used here."""

log = structlog.get_logger(__name__)


class SqliteMemory:
    """A `Memory` in one file; made by `open`.

    Each call is one trip to the file's thread, and each that writes is one transaction there, on the disk when it
    returns. Calls from many tasks take their turns in that thread; one whose task is cancelled happens whole or not
    at all.
    """

    def __init__(self, path: Path, file: _File) -> None:
        self._path = path
        self._file = file
        self._closed = False
        self._stale = False  # whether the write-ahead log has what was deleted

    @classmethod
    async def open(cls, path: Path, patience: float = 5.0) -> SqliteMemory:
        """Open the file, or make it and its folder, and bring it up to date.

        `patience` is how many seconds to wait for another process that has locked it, now and at each call. Raises
        StorageError if the file cannot be used; it is then as it was.
        """
        file = _File(partial(_connect, path, patience), CURSOR_CHUNK)
        with explained(path):
            await file.start()
        return cls(path, file)

    async def claim(self, incoming: Incoming) -> Turn | None:
        return await self._write(turns.claim, incoming)

    async def heard(self, incoming: Incoming) -> bool:
        return await self._run(turns.heard, incoming)

    async def decline(self, incoming: Incoming) -> None:
        await self._write(turns.decline, incoming)

    async def begin(self, turn: int, others: Sequence[int] = ()) -> None:
        await self._write(turns.begin, turn, others)

    async def supply(self, turn: int, material: Material) -> None:
        await self._write(turns.supply, turn, material)

    async def progress(self, turn: int, posts: Sequence[str], draft: str) -> None:
        await self._write(turns.progress, turn, posts, draft)

    async def reopen(self, turn: int) -> int:
        return await self._write(turns.reopen, turn)

    async def turn(self, id: int) -> Asked | None:
        return await self._run(edits.find, id)

    async def unfinished(self, platform: str) -> list[Asked]:
        return await self._run(edits.unfinished, platform)

    async def amend(self, incoming: Incoming) -> Asked | None:
        asked = await self._write(edits.amend, incoming)
        if asked:
            await self._purge()
        return asked

    async def retract(self, platform: str, channel_id: str, message_id: str) -> Asked | None:
        asked = await self._write(edits.retract, platform, channel_id, message_id)
        if asked:
            await self._purge()
        return asked

    async def finish(self, turn: int, answer: Answer, question: Message | None = None) -> None:
        await self._write(edits.close, turn, answer, question)

    async def recall(self, place: str, limit: int, before: int = 0) -> list[Message]:
        return await self._run(messages.recall, place, limit, before)

    async def review(self, place: str, limit: int, before: int = 0) -> Record:
        return await self._run(summaries.review, place, limit, before)

    async def trim(self, place: str, start: int) -> None:
        await self._write(summaries.trim, place, start)

    async def condense(self, place: str, summary: Summary) -> bool:
        return await self._write(summaries.condense, place, summary)

    async def charge(self, turn: int, spent: Spent) -> None:
        if spent.usage.input or spent.usage.output:
            await self._write(turns.spend, turn, spent.model, "summary", spent.usage)

    async def spent(self, author: str, since: float, place: str = "") -> UsageRow:
        return await self._run(usage.spent, author, since, place)

    async def toll(self, since: float, author: str = "", place: str = "") -> Spending:
        return await self._run(usage.toll, since, author, place)

    async def visits(self, platform: str, author: str, since: float) -> list[tuple[str, float]]:
        return await self._run(usage.visits, platform, author, since)

    async def forget(self, place: str) -> bool:
        forgotten = await self._write(messages.forget, place)
        await self._purge()
        return forgotten

    async def known(self, place: str) -> bool:
        return await self._run(messages.known, place)

    async def asked(self, place: str) -> bool:
        return await self._run(messages.asked, place)

    async def metadata(self, place: str) -> dict[str, Any]:
        return await self._run(messages.metadata, place)

    async def annotate(self, place: str, key: str, value: Any) -> None:
        await self._write(messages.annotate, place, key, value)

    async def places(self, prefix: str, limit: int) -> list[tuple[str, str]]:
        return await self._run(messages.places, prefix, limit)

    async def expire(self, before: float) -> int:
        return await self._walk(lambda db, after: privacy.expire(db, after, before))

    async def forget_person(self, platform: str, author: str) -> int:
        return await self._walk(lambda db, after: privacy.forget_person(db, after, platform, author))

    async def export(self, platform: str, author: str, place: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            more, after = await self._run(privacy.export, after, platform, author, place)
            found += more
        return found

    async def close(self) -> None:
        """Finish what was asked before and let go of the file; a second time does nothing."""
        if not self._closed:
            self._closed = True
            with explained(self._path):
                await self._file.close()

    async def _write(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        def transact(db: sqlite3.Connection) -> T:
            with db:
                db.execute("BEGIN IMMEDIATE")
                return work(db, *args, **kwargs)

        done = await self._run(transact)
        if self._stale:
            await self._purge()
        return done

    async def _walk(self, part: Callable[[sqlite3.Connection, int], privacy.Part]) -> int:
        """Delete part by part, a transaction each, then empty the write-ahead log; returns how many questions."""
        count, after = 0, 0
        while True:
            done = await self._write(part, after)
            count += done.questions
            if done.after is None:
                break
            after = done.after
        await self._purge()
        return count

    async def _purge(self) -> None:
        """Empty the write-ahead log, which still has what was deleted; where that cannot be, with a later write."""
        before, self._stale = self._stale, True
        try:
            self._stale = await self._run(_erase)
        except StorageError as error:
            log.error("the write-ahead log cannot be emptied", error=str(error))
        if self._stale and not before:
            log.info("what was deleted stays in the write-ahead log until it can be emptied")

    async def _run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._closed:
            raise StorageError(f"{self._path} is closed: Parley is stopping.")
        with explained(self._path):
            return await self._file.run(lambda db: work(db, *args, **kwargs))


class _File(aiosqlite.Connection):
    """aiosqlite's thread, with two things more: a whole transaction in one trip, and an end to wait for."""

    _ended: asyncio.Future[Any] | None = None

    async def start(self) -> None:
        """Open the file; where that fails, the thread has ended before the error is raised."""
        try:
            await self
        finally:
            if self._ended:
                await self._ended

    def stop(self) -> asyncio.Future[Any] | None:
        self._ended = super().stop()
        return self._ended

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the thread.

        aiosqlite has no public name for this; a trip for each statement costs two to four times as much. `work` must
        not carry its values in its repr, which aiosqlite writes to the debug log.
        """
        result: T = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        return result


def _connect(path: Path, patience: float) -> sqlite3.Connection:
    file = path.expanduser()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        db = sqlite3.connect(file, timeout=patience, isolation_level=None)
        stack.callback(db.close)
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
        migrate(db, path)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        stack.pop_all()
    return db


def _erase(db: sqlite3.Connection) -> bool:
    """Empty the write-ahead log; True, at once, where somebody who reads it keeps that from being done."""
    (patience,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute("PRAGMA busy_timeout = 0")
    try:
        return bool(db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
    finally:
        db.execute(f"PRAGMA busy_timeout = {patience}")
