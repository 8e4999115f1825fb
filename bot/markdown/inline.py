"""Reading the inside of a paragraph: code, links, emphasis and spoilers, closed and still open."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import category

import regex

from bot.markdown.blocks import Line

OPEN = 1 << 60
"""The end of a span that is not closed yet."""
REACH = 100
"""How many characters the text of a link may have before an unclosed bracket is taken for one of its own."""
FAR = 2000
"""The same for a whole link with its address."""
DEPTH = 24
"""How many markers, and how many brackets, may be open at once; of more, the first are taken for characters."""
LONGEST = 16
"""How many characters a marker has at most; a longer one is taken for characters."""
TICKS = regex.compile(r"`+")
SIGN = regex.compile(r"\\(?:[!-/:-@\[-`{-~]|$)|`+|!?\[|\]|\*+|_+|~+|\|+|<https?:[^\s<>]*+>?|https?://[^\s<>*`|\\\])]++")
TAIL = regex.compile(
    r"\(\s*+(?:<[^<>\n]*>|[^\s()<]*(?:\([^\s()]*\)[^\s()]*)*)(?:\s++(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)"
)


class Span(NamedTuple):
    """A stretch of a paragraph between two markers (none for a link); a solid one is better not cut.

    `tail` is the offset of the `](…)` of a link that has a text of its own.
    """

    start: int
    end: int
    marker: str
    solid: bool = False
    tail: int = 0


class Inline(NamedTuple):
    """What a paragraph holds: spans in the order of their ends, those still open in the order of their starts.

    From `dangling` on (-1 for nowhere) its end is a marker, or a part of one, that means nothing yet.
    """

    closed: list[Span]
    open: list[Span]
    dangling: int


class Run:
    """The text of a paragraph without the containers of its lines; knows where each of its characters came from."""

    def __init__(self, text: str, lines: Sequence[Line], markers: Sequence[str] = ()) -> None:
        parts = [text[line.content : line.end] for line in lines]
        head = "".join(markers)
        self.text = head + "\n".join(parts)
        self._starts = [line.content for line in lines]
        self._places: list[int] = []
        place = len(head)
        for part in parts:
            self._places.append(place)
            place += len(part) + 1

    def place(self, offset: int) -> int:
        """Where an offset of the source is in this text."""
        index = max(bisect_right(self._starts, offset) - 1, 0)
        return self._places[index] + offset - self._starts[index]

    def offset(self, place: int) -> int:
        """Where a place of this text is in the source."""
        index = max(bisect_right(self._places, place) - 1, 0)
        return max(self._starts[index], self._starts[index] + place - self._places[index])


def parse(text: str, growing: bool) -> Inline:
    """Read a paragraph; in a growing one, what is not closed is open, else it is nothing but its characters."""
    return _Parser(text, growing).parse()


class _Run:
    """A delimiter run that may open emphasis: where it starts and how many of its characters are left."""

    __slots__ = ("char", "count", "start")

    def __init__(self, start: int, char: str, count: int) -> None:
        self.start, self.char, self.count = start, char, count


class _Parser:
    def __init__(self, text: str, growing: bool) -> None:
        self.text = text
        self.growing = growing
        self.closed: list[Span] = []
        self.stack: list[_Run] = []
        self.brackets: list[tuple[int, int]] = []
        self.pending: Span | None = None  # open code or an open link, which reaches to the end
        self.dangling = -1
        self.ticks: dict[int, list[int]] | None = None  # the ends of the runs of backticks by their lengths

    def parse(self) -> Inline:
        pos = 0
        while self.pending is None and (sign := SIGN.search(self.text, pos)):
            pos = self._take(sign[0], sign.start(), sign.end())
        if not self.growing:
            return Inline(self.closed, [], -1)
        near = (Span(start, OPEN, "", True) for start, _ in self.brackets if self._near(start))
        self.pending = next(near, self.pending)
        found = [Span(run.start, OPEN, run.char * run.count) for run in self.stack]
        if self.pending:
            found = sorted([*found, self.pending])
        return Inline(self.closed, found, self.dangling)

    def _take(self, sign: str, start: int, end: int) -> int:
        """Take in a sign and say where the next may begin."""
        first = sign[0]
        if first == "`":
            return self._code(sign, start, end)
        if first in "*_~|":
            self._delimit(first, start, end)
        elif first in "![":
            self.brackets.append((start, len(self.stack)))
            del self.brackets[:-DEPTH]
        elif first == "]":
            return self._link(end)
        elif first == "<" and sign[-1] != ">":
            if end == len(self.text):
                self.pending = Span(start, OPEN, "", True)
        elif first in "<h":
            self.closed.append(Span(start, end, "", True))
        elif sign == "\\":
            self.dangling = start
        return end

    def _code(self, marker: str, start: int, end: int) -> int:
        text, width = self.text, len(marker)
        if width > LONGEST:
            return end
        if closer := self._find_code(width, end):
            self.closed.append(Span(start, closer, marker, True))
            return closer
        if self.growing:
            self.pending = Span(start, OPEN, marker, True)
            content = text[end:].rstrip()
            if not content:
                self.dangling = start
            elif content != content.rstrip("`"):
                self.dangling = end + len(content.rstrip("`"))
        return end

    def _find_code(self, width: int, start: int) -> int:
        """The end of the next run of so many backticks, 0 where there is none."""
        if self.ticks is None:
            self.ticks = {}
            for run in TICKS.finditer(self.text):
                self.ticks.setdefault(run.end() - run.start(), []).append(run.end())
        ends = self.ticks.get(width, [])
        place = bisect_left(ends, start + width)
        return ends[place] if place < len(ends) else 0

    def _link(self, end: int) -> int:
        if not self.brackets:
            return end
        start, height = self.brackets.pop()
        tail = TAIL.match(self.text, end, partial=self.growing)
        if tail and tail.partial:
            if len(self.text) - start <= FAR:
                self.pending = Span(start, OPEN, "", True)
            return end
        if not tail:
            return end
        del self.stack[height:]
        self.closed.append(Span(start, tail.end(), "", True, end - 1))
        return tail.end()

    def _near(self, start: int) -> bool:
        return len(self.text) - start <= REACH and "\n" not in self.text[start:]

    def _delimit(self, char: str, start: int, end: int) -> None:
        """Let a delimiter run close what it can, and open what is left of it.

        Stricter than CommonMark where a run stands inside a word, and laxer where it follows punctuation, as models
        and the platforms are.
        """
        text, count, last = self.text, end - start, end == len(self.text)
        if count > LONGEST:
            return
        before = text[start - 1] if start else " "
        after = " " if last else text[end]
        if char not in "~|" or count == 2:
            if not before.isspace() and category(before) not in ("Ps", "Pi") and (char != "_" or not after.isalnum()):
                count = self._close(char, count, end)
            if count and not after.isspace() and not before.isalnum():
                self._open(_Run(start, char, count))
                return
        if count and last and count <= 3 and not (char == "_" and before.isalnum()):
            self.dangling = end - count

    def _open(self, run: _Run) -> None:
        self.stack.append(run)
        if len(self.stack) > DEPTH:
            del self.stack[0]
            self.brackets = [(start, max(height - 1, 0)) for start, height in self.brackets]

    def _close(self, char: str, count: int, end: int) -> int:
        """Close what is open with this character; how many characters of the closing run are left."""
        while count and (found := [i for i, run in enumerate(self.stack) if run.char == char]):
            run = self.stack[found[-1]]
            del self.stack[found[-1] + 1 :]
            used = 2 if min(count, run.count) > 1 else 1
            count -= used
            run.count -= used
            self.closed.append(Span(run.start + run.count, end - count, char * used))
            if not run.count:
                self.stack.pop()
        return count
