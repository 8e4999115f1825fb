"""`parley usage`: what was asked and what it cost, as a table for the operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

from tabulate import tabulate

from bot.domain.spending import UsageRow

GROUPINGS = ("day", "place", "person", "model")
"""What the table can have a row for."""
EMPTY = "Nothing is written down of that time: nobody has asked anything."


def format_table(rows: Sequence[UsageRow], by: str) -> str:
    """Return the rows as a table for a terminal, with their sum below."""
    if not rows:
        return EMPTY
    headers = (by, "questions", "tokens in", "cached", "written", "out", "US $")
    lines = [_list_cells(row) for row in (*rows, add_up(rows))]
    return tabulate(
        lines, headers=headers, tablefmt="simple", colalign=("left", *("right",) * 6), disable_numparse=True
    )


def add_up(rows: Iterable[UsageRow]) -> UsageRow:
    """Return the sum; a question that was answered by several models, or over midnight, counts in each row."""
    listed = list(rows)
    sums = {field.name: sum(getattr(row, field.name) for row in listed) for field in fields(UsageRow)[1:]}
    return UsageRow("total", **sums)


def _list_cells(row: UsageRow) -> tuple[str, ...]:
    counts = (row.turns, row.input, row.cached, row.written, row.output)
    return (row.name, *(f"{count:,}" for count in counts), row.money)
