"""Reading markdown line by line, as CommonMark and GitHub's tables do: what each line is, and what is open after it."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from bot.markdown.open_blocks import QUOTE, Context, Fence

BULLET = re.compile(r"([-+*])(?=[ \t]|$|\r)|(\d{1,9})[.)](?=[ \t]|$|\r)")
HEADING = re.compile(r"#{1,6}(?=[ \t]|$|\r)")
RULE = re.compile(r"([-_*])(?:[ \t]*\1){2,}[ \t]*\r?$")
UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*\r?$")
OPENING = re.compile(r"(`{3,99})(?!`)([^`]*)$|(~{3,99})(?!~)(.*)$")
CLOSING = re.compile(r"(`{3,}|~{3,})[ \t]*\r?$")
DELIMITER = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*\r?$")
PIPE = re.compile(r"(?<!\\)\|")
SWALLOWED = re.compile(r"\d|([-*_])[ \t]*\1")
"""What begins a block after a list item, but goes on in a paragraph where there is no list item."""
SPECIAL = frozenset("`~#=-_*|:")
DEEPEST = 16
"""How many quotes and items may stand in each other; what follows is taken for text."""
BLANKS = " \t\r"


class Kind(Enum):
    """What a line is. MORE goes on in a paragraph; CODE is in a fence, INDENTED is code without one."""

    BLANK = auto()
    TEXT = auto()
    MORE = auto()
    HEADING = auto()
    UNDERLINE = auto()
    RULE = auto()
    FENCE = auto()
    CODE = auto()
    CLOSE = auto()
    HEADER = auto()
    DELIMITER = auto()
    ROW = auto()
    INDENTED = auto()


class Line(NamedTuple):
    """One line: its offsets without the newline, where its content begins inside its containers, what it is.

    `context` is what is open after it, `inherited` how many of the containers that were open at the start of the
    reading still are. `edits` (from, to, replacement) bring it to the margin of a page that begins there.
    """

    start: int
    end: int
    content: int
    kind: Kind
    context: Context
    inherited: int
    edits: tuple[tuple[int, int, str], ...]


def scan(text: str, start: int = 0, stop: int | None = None, context: Context | None = None) -> list[Line]:
    """Read the lines from `start`, where `context` is open, to `stop`."""
    stop = len(text) if stop is None else stop
    reader = _Reader(text, context or Context())
    lines: list[Line] = []
    while start < stop:
        end = text.find("\n", start, stop)
        end = stop if end < 0 else end
        line = reader.read(start, end)
        if line.kind is Kind.DELIMITER:
            lines[-1] = lines[-1]._replace(kind=Kind.HEADER)
        lines.append(line)
        start = end + 1
    return lines


def count_cells(row: str) -> int:
    """How many cells a row of a table has."""
    row = row.strip()
    return len(PIPE.findall(row)) + 1 - row.startswith("|") - (row.endswith("|") and len(row) > 1)


class _Reader:
    """The state between two lines. `pos` and `col` are the next character that is no space, `base` the column that
    the containers reach to, `mark` the offset of it.
    """

    def __init__(self, text: str, context: Context) -> None:
        self.text = text
        self.containers = context.containers
        self.inherited = len(context.containers)
        self.fence = context.fence
        self.table = context.table
        self.paragraph = context.paragraph
        self.partial = context.partial
        self.last: Line | None = None

    def read(self, start: int, end: int) -> Line:
        self.start, self.end = start, end
        self.edits: tuple[tuple[int, int, str], ...] = ()
        kind = self._go_on() if self.partial else self._begin()
        context = Context(self.containers, self.fence, self.table, self.paragraph)
        content = self.mark if self.fence and kind is Kind.CODE else self.pos
        self.last = Line(start, end, content, kind, context, self.inherited, self.edits)
        return self.last

    def _go_on(self) -> Kind:
        """The rest of a line whose beginning was read before."""
        self.partial = False
        self.pos = self.mark = self.start
        if self.fence:
            return Kind.CODE
        if self.table:
            return Kind.ROW
        self.paragraph = True
        return Kind.MORE

    def _begin(self) -> Kind:
        matched = self._match()
        if self.fence and matched == len(self.containers):
            return self._code(self.fence, self.col - self.base < 4)
        if self.fence and self._closes_loosely(self.fence, matched):
            self._leave(matched)
            return Kind.CLOSE
        if self.fence:
            self._leave(matched)
        if self.pos == self.end:
            self._leave(matched)
            return Kind.BLANK
        return self._leaf(self._open(matched))

    def _skip(self, pos: int, col: int) -> None:
        """Move to the next character that is no space."""
        text, end = self.text, self.end
        self.mark = pos
        while pos < end and text[pos] in BLANKS:
            col += 4 - col % 4 if text[pos] == "\t" else 1
            pos += 1
        self.pos, self.col = pos, col

    def _match(self) -> int:
        """Go through the containers that this line continues, and say how many they are."""
        self.base = 0
        self._skip(self.start, 0)
        for depth, width in enumerate(self.containers):
            if not (self._enter_quote() if width == QUOTE else self._enter_item(width, depth)):
                return depth
        return len(self.containers)

    def _enter_quote(self) -> bool:
        if self.pos == self.end or self.text[self.pos] != ">" or self.col - self.base > 3:
            return False
        space = self.text[self.pos + 1 : self.pos + 2]
        self.base = self.col + 1
        self._skip(self.pos + 1, self.base)
        if self.pos > self.mark and space != "\r":
            self.base += 1
            self.mark += space == " "
        return True

    def _enter_item(self, width: int, depth: int) -> bool:
        if self.pos < self.end and self.col - self.base < width:
            return False
        self.base += width
        mark = min(self.mark + width, self.pos)
        if depth < self.inherited and mark > self.mark:
            self.edits += ((self.mark, mark, ""),)
        self.mark = mark
        return True

    def _leave(self, matched: int) -> None:
        """Close the containers that this line does not continue, and the block in them."""
        swallowed = self.paragraph and matched < len(self.containers) == self.inherited
        if swallowed and QUOTE not in self.containers[matched:] and SWALLOWED.match(self.text, self.pos, self.end):
            quotes = "> " * self.containers[:matched].count(QUOTE)
            self.edits += ((self.start, self.start, f"{quotes}\n"),)
        self.containers = self.containers[:matched]
        self.inherited = min(self.inherited, matched)
        self.fence = self.table = None
        self.paragraph = False

    def _code(self, fence: Fence, flush: bool) -> Kind:
        """A line inside a fence, or the one that closes it."""
        if not flush or not self._closes(fence):
            return Kind.CODE
        self.fence = None
        return Kind.CLOSE

    def _closes(self, fence: Fence) -> bool:
        closing = CLOSING.match(self.text, self.pos, self.end)
        return closing is not None and closing[1].startswith(fence.marker)

    def _closes_loosely(self, fence: Fence, matched: int) -> bool:
        """Models close a fence of a list item at the margin, too; nobody opens another one there."""
        return QUOTE not in self.containers[matched:] and self._closes(fence)

    def _open(self, matched: int) -> int:
        """Open the containers that begin in this line, and say how many are open."""
        while self.pos < self.end and self.col - self.base < 4 and matched < DEEPEST:
            start, col, base = self.pos, self.col, self.base
            if not self._enter_quote():
                width = self._measure_item(matched)
                if not width:
                    return matched
                self.base = base + width
            else:
                width = QUOTE
            after = self.pos, self.col
            self.pos, self.col = start, col
            self._leave(matched)
            self.pos, self.col = after
            self.containers += (width,)
            matched += 1
        return matched

    def _measure_item(self, matched: int) -> int:
        """Go behind a list marker; how many columns it takes, 0 where there is none."""
        marker = BULLET.match(self.text, self.pos, self.end)
        if not marker or RULE.match(self.text, self.pos, self.end):
            return 0
        indent, after = self.col - self.base, self.col + marker.end() - self.pos
        inside = self.paragraph and matched == len(self.containers)
        if inside and (marker[2] or "1") != "1":
            return 0
        start, col = self.pos, self.col
        self._skip(marker.end(), after)
        empty = self.pos == self.end
        if inside and empty:
            self.pos, self.col = start, col
            return 0
        spaces = self.col - after
        width = indent + after - col + (1 if empty or spaces > 4 else spaces)
        self.mark = min(marker.end() + width - indent - (after - col), self.pos)
        return width

    def _leaf(self, matched: int) -> Kind:
        """What the content of the line is, after its containers."""
        whole = matched == len(self.containers)
        if self.pos == self.end:
            return Kind.TEXT
        if self.col - self.base >= 4:
            if self.paragraph:
                return Kind.MORE
            self._leave(matched)
            return Kind.INDENTED
        if self.text[self.pos] in SPECIAL and (kind := self._special(matched, whole)):
            return kind
        if self.table and whole:
            return Kind.ROW
        if self.paragraph:
            return Kind.MORE
        self._leave(matched)
        self.paragraph = True
        return Kind.TEXT

    def _special(self, matched: int, whole: bool) -> Kind | None:
        text, pos, end = self.text, self.pos, self.end
        if whole and self.paragraph:
            if self._delimits():
                return Kind.DELIMITER
            if UNDERLINE.match(text, pos, end):
                self.paragraph = False
                return Kind.UNDERLINE
        if opening := OPENING.match(text, pos, end):
            self._leave(matched)
            self.fence = Fence(opening[1] or opening[3], self.col - self.base, opening[opening.lastindex or 0].strip())
            return Kind.FENCE
        kind = Kind.HEADING if HEADING.match(text, pos, end) else Kind.RULE if RULE.match(text, pos, end) else None
        if kind:
            self._leave(matched)
        return kind

    def _delimits(self) -> bool:
        """Whether this line makes the line before it the header of a table."""
        last = self.last
        if not last or last.kind not in (Kind.TEXT, Kind.MORE) or not DELIMITER.match(self.text, self.pos, self.end):
            return False
        header, delimiter = self.text[last.content : last.end], self.text[self.pos : self.end]
        if "|" not in header or count_cells(header) != count_cells(delimiter):
            return False
        self.table = (header.rstrip(), delimiter.rstrip())
        self.paragraph = False
        return True
