"""Tables for Discord, which has none: aligned columns of one width for every letter, or a list. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wcwidth import wcswidth

from bot.markdown.blocks import PIPE
from bot.markdown.plain import strip

GAP = "  "
BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)

Row = list[str]


def read_rows(rows: Sequence[str]) -> list[Row]:
    """The cells of a header row, a delimiter row and any others, all as many as the header has."""
    cells = [[BREAK.sub(" ", cell).strip() for cell in _cells(row)] for row in rows]
    width = len(cells[0])
    return [(row + [""] * width)[:width] for row in cells]


def draw_columns(rows: Sequence[Row], width: int) -> list[str] | None:
    """The table as lines of a code block, None where they would be wider than so many columns."""
    header, delimiter, *body = rows
    words = [[strip(cell).replace("\\|", "|") for cell in row] for row in (header, *body)]
    widths = [max(measure_width(cell) for cell in column) for column in zip(*words, strict=True)]
    if sum(widths) + len(GAP) * (len(widths) - 1) > width:
        return None
    lines = [GAP.join(map(_pad, row, widths, delimiter)).rstrip() for row in words]
    return [lines[0], GAP.join("─" * max(size, 1) for size in widths), *lines[1:]]


def draw_list(rows: Sequence[Row]) -> list[str]:
    """The table as a list, a row an item: its cells one under another, each after the name of its column."""
    header, _, *body = rows
    names = [strip(name) for name in header]
    lines: list[str] = []
    for row in body or [[""] * len(header)]:
        cells = [f"**{name}**: {cell}" if name else cell for name, cell in zip(names, row, strict=True) if cell]
        lines += [("  " if place else "- ") + cell for place, cell in enumerate(cells)]
    return lines or ["- " + ", ".join(f"**{name}**" for name in names if name)]


def measure_width(text: str) -> int:
    """How many columns a text takes where every letter has one width; what cannot be seen takes none."""
    width: int = wcswidth(text)
    return width if width >= 0 else sum(max(wcswidth(char), 0) for char in text)


def _cells(row: str) -> Row:
    row = row.strip()
    row = row[1:] if row.startswith("|") else row
    row = row[:-1] if row.endswith("|") and not row.endswith("\\|") else row
    return PIPE.split(row)


def _pad(cell: str, width: int, delimiter: str) -> str:
    space = width - measure_width(cell)
    if not delimiter.endswith(":"):
        return cell + " " * space
    before = space // 2 if delimiter.startswith(":") else space
    return " " * before + cell + " " * (space - before)
