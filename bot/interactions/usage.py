"""What was asked and what it cost: as a table for the operator, and as sentences for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from tabulate import tabulate

BY = ("day", "place", "person", "model")
"""What the table can have a row for."""
NOTHING = "Nothing is written down of that time: nobody has asked anything."
DAYS = 30
"""Days that are counted where nobody says how many, today among them."""
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Row:
    """What belongs to `name`: questions, tokens as in `Usage`, US dollars.

    `unpriced` is how many requests to a model had no known price; `cost` is without them.
    """

    name: str = ""
    turns: int = 0
    input: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0
    cost: float = 0.0
    unpriced: int = 0
    requests: int = 0

    @property
    def money(self) -> str:
        """The cost in dollars and cents; with a question mark for what is not known of it."""
        if self.requests and self.unpriced == self.requests:
            return UNKNOWN
        return f"{self.cost:,.2f}" + (f" + {UNKNOWN}" if self.unpriced else "")


def since(days: int, now: float) -> float:
    """When the first of so many days began, the last of them today, in this machine's time zone; 1: last midnight."""
    today = datetime.fromtimestamp(now, UTC).astimezone().replace(tzinfo=None).date()
    first = datetime.combine(today - timedelta(days - 1), datetime.min.time())
    return first.timestamp()


def table(rows: Sequence[Row], by: str) -> str:
    """The rows as a table for a terminal, with their sum below."""
    if not rows:
        return NOTHING
    headers = (by, "questions", "tokens in", "cached", "written", "out", "US $")
    lines = [_cells(row) for row in (*rows, total(rows))]
    return tabulate(
        lines, headers=headers, tablefmt="simple", colalign=("left", *("right",) * 6), disable_numparse=True
    )


def total(rows: Iterable[Row]) -> Row:
    """The sum of the rows; a question that was answered by several models, or over midnight, counts in each."""
    listed = list(rows)
    sums = {field.name: sum(getattr(row, field.name) for row in listed) for field in fields(Row)[1:]}
    return Row("total", **sums)


def tell(today: Row, month: Row) -> str:
    """What a person used today and in the last 30 days, for them to read."""
    if not month.requests:
        return f"You have asked me nothing in the last {DAYS} days."
    first = f"Today: {_sentence(today)}" if today.requests else "Today you have asked me nothing."
    return f"{first}\nIn the last {DAYS} days: {_sentence(month)}"


def _cells(row: Row) -> tuple[str, ...]:
    counts = (row.turns, row.input, row.cached, row.written, row.output)
    return (row.name, *(f"{count:,}" for count in counts), row.money)


def _sentence(row: Row) -> str:
    questions = f"{row.turns:,} question{'' if row.turns == 1 else 's'}"
    tokens = f"{row.input + row.output:,} tokens, {row.cached:,} of them from the cache"
    return f"{questions}, {tokens}. {_price(row)}"


def _price(row: Row) -> str:
    if row.money == UNKNOWN:
        return "What that cost is not known."
    if row.unpriced:
        return f"That cost ${row.cost:,.2f} and something more, of which the price is not known."
    return "That cost less than a cent." if 0 < row.cost < 0.005 else f"That cost ${row.cost:,.2f}."
