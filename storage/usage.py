"""What was asked of models and what it cost, counted up."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from bot.domain.spending import Spending, UsageRow, start_of_days
from storage.errors import explained
from storage.migrate import identify
from storage.snapshot import reading

SUMS = (
    "count(DISTINCT turn), total(input), total(cached), total(written), total(output), total(cost), "
    "count(*) FILTER (WHERE cost IS NULL), count(*)"
)
KEYS = {
    "day": "date(usage.created, 'unixepoch', 'localtime')",
    "place": "places.key",
    "person": "usage.author",
    "model": "usage.model",
}
FIRST = 3
"""The version of the file that has usage in a table of its own."""


def report(db: sqlite3.Connection, by: str, days: int, now: float | None = None) -> list[UsageRow]:
    """A row for each day, place, person or model of the last days, today among them: days in order, else the dearest
    first.
    """
    order = "1" if by == "day" else "total(cost) DESC, total(input) + total(output) DESC, 1"
    rows = db.execute(
        f"SELECT {KEYS[by]}, {SUMS} FROM usage JOIN places ON places.id = usage.place "  # noqa: S608
        f"WHERE usage.created >= ? GROUP BY 1 ORDER BY {order}",
        (start_of_days(days, time.time() if now is None else now),),
    )
    return [_row(*row) for row in rows]


def spent(db: sqlite3.Connection, author: str, since: float, place: str = "") -> UsageRow:
    """What a person, `<platform>:<id>`, has asked, anywhere or in one place, and what it cost since a moment."""
    there = "AND place = (SELECT id FROM places WHERE key = ?3)" if place else "AND ?3 = ''"
    query = f"SELECT ?1, {SUMS} FROM usage WHERE author = ?1 AND created >= ?2 {there}"  # noqa: S608
    return _row(*db.execute(query, (author, since, place)).fetchone())


def toll(db: sqlite3.Connection, since: float, author: str = "", place: str = "") -> Spending:
    """What was spent since a moment: in all, by a person or in a place."""
    only = "AND author = :author" if author else ""
    only += " AND place = (SELECT id FROM places WHERE key = :place)" if place else ""
    row = db.execute(
        "SELECT total(input + output), total(cost), total(input + output) FILTER (WHERE cost IS NULL) "  # noqa: S608
        f"FROM usage WHERE created >= :since {only}",
        {"since": since, "author": author, "place": place},
    ).fetchone()
    return Spending(int(row[0]), row[1], int(row[2]))


def visits(db: sqlite3.Connection, platform: str, author: str, since: float) -> list[tuple[str, float]]:
    """When a person asked, the oldest first, by message; what was answered several times counts as often."""
    values = {"platform": platform, "author": author, "since": since}
    return db.execute(
        "SELECT channel || ':' || message, created AS at FROM turns "
        "WHERE platform = :platform AND author = :author AND at >= :since UNION ALL "
        "SELECT channel || ':' || message || '#' || retries.rowid, retries.created "
        "FROM retries JOIN turns ON turns.id = turn "
        "WHERE retries.created >= :since AND platform = :platform AND author = :author ORDER BY 2",
        values,
    ).fetchall()


def consult(path: Path, by: str, days: int) -> list[UsageRow]:
    """The report on a file, which is only read, also while Parley writes to it. Raises StorageError.

    Empty where there is no file yet, or one of an older Parley that has not been brought up to date.
    """
    file = path.expanduser().absolute()
    if not file.exists():
        return []
    with explained(path), reading(file) as db:
        return report(db, by, days) if identify(db, path) >= FIRST else []


def _row(name: str, turns: int, *sums: float) -> UsageRow:
    read, cached, written, output, cost, unpriced, requests = sums
    return UsageRow(name, turns, int(read), int(cached), int(written), int(output), cost, int(unpriced), int(requests))
