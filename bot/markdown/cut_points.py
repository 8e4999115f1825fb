"""Where a text may be cut, and how good a place each is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

import regex

from bot.markdown.blocks import BULLET, Kind, Line
from bot.markdown.inline import Run, Span, parse
from bot.markdown.open_blocks import Context


class Rank(IntEnum):
    """The places to cut at, the best first. GLUED parts what belongs together, INSIDE breaks syntax or a cell."""

    PARAGRAPH = 0
    LINE = 1
    SENTENCE = 2
    WORD = 3
    MARKED = 4
    GLUED = 5
    GRAPHEME = 6
    INSIDE = 7


class Point(NamedTuple):
    """A place to cut at: the page's text goes to `end`, the next page's begins at `start`.

    `before` is what is open at `end`, with `inherited` containers from the page's start; `after` at `start`. `line`
    is the index of the line that the next page begins in.
    """

    end: int
    start: int
    rank: Rank
    before: Context
    inherited: int
    after: Context
    line: int


LEAD = regex.compile(r"(?:[:：][*_]*|\*\*[^*]+\*\*|__[^_]+__)[ \t]*\r?$")
"""A line that leads to what follows it, or stands for a heading."""
BLOCK = regex.compile(rf"(?:{BULLET.pattern})|#{{1,6}}(?:\s|$)|[>|=]|`{{3}}|~{{3}}|([-_*])(?:[ \t]*\3){{2}}")
"""What must not come to stand at the beginning of a page, for it would become a block there."""
WORDS = regex.compile(
    r"(?P<sentence>(?<=[.!?…][\"'”’»)\]*_~|`]{0,9})\s+(?=[^\p{Ll}\s])|(?<=[。！？｡][」』”’）】*_]{0,9})(?![。！？｡」』”’）】*_\s]))"
    r"|\s+|(?<=[\p{Han}\p{Hiragana}\p{Katakana}、，；：])(?=[\p{Han}\p{Hiragana}\p{Katakana}「『（【])(?![々ーっゃゅょッャュョ])"
)
SPACES = regex.compile(r"(?<=[ \t])(?=[^ \t])")
GRAPHEMES = regex.compile(r"\X")
CODES = (Kind.FENCE, Kind.CODE)
OPAQUE = (Kind.HEADER, Kind.DELIMITER, Kind.ROW, Kind.CLOSE, Kind.FENCE, Kind.RULE, Kind.UNDERLINE)
PROSE = (Kind.TEXT, Kind.MORE)

_Spans = tuple[Run, list[int], list[tuple[Span, ...]]]


class Points:
    """The places to cut at in some lines; `context` is what is open at their beginning."""

    def __init__(self, text: str, lines: list[Line], context: Context, growing: bool) -> None:
        self.text = text
        self.lines = lines
        self.context = context
        self.growing = growing
        self._firsts: list[int] = []
        for i, line in enumerate(lines):
            self._firsts.append(self._firsts[-1] if i and line.kind is Kind.MORE else i)
        self._spans: dict[int, _Spans] = {}

    def between(self) -> list[Point]:
        """Between the lines, in their order."""
        full = [i for i, line in enumerate(self.lines) if line.kind is not Kind.BLANK]
        return [self._between(above, below) for above, below in pairwise(full)]

    def words(self, index: int) -> Iterator[Point]:
        """Between the words of a line."""
        line = self.lines[index]
        if line.kind in CODES:
            for gap in SPACES.finditer(self.text, line.content, line.end):
                yield self._within(index, gap.start(), gap.start(), Rank.GLUED)
            return
        for gap in WORDS.finditer(self.text, line.content, line.end):
            if line.content < gap.start() and gap.end() < line.end:
                rank = Rank.SENTENCE if gap["sentence"] is not None else Rank.WORD
                yield self._within(index, gap.start(), gap.end(), rank)

    def graphemes(self, index: int, start: int, end: int) -> Iterator[Point]:
        """Between the characters, as people see them, of a part of a line."""
        for cluster in GRAPHEMES.finditer(self.text, start, end):
            if cluster.end() < end:
                yield self._within(index, cluster.end(), cluster.end(), Rank.GRAPHEME)

    def characters(self, index: int, start: int, end: int) -> Iterator[Point]:
        """Between the code points of a part of a line."""
        for offset in range(start + 1, end):
            yield self._within(index, offset, offset, Rank.INSIDE)

    def _between(self, above: int, below: int) -> Point:
        upper, lower = self.lines[above], self.lines[below]
        last = self.lines[below - 1]
        open_ = last.context
        if lower.kind is Kind.MORE:
            return self._fold(above, below)
        after = Context(open_.containers)
        start = lower.start
        if (open_.fence and lower.kind in (Kind.CODE, Kind.CLOSE)) or (open_.table and lower.kind is Kind.ROW):
            after = open_
        rank = self._rank(upper, lower, below - above > 1)
        return Point(upper.end, start, rank, open_, last.inherited, after, below)

    def _rank(self, upper: Line, lower: Line, apart: bool) -> Rank:
        if lower.kind is Kind.CLOSE or upper.kind is Kind.FENCE:
            return Rank.INSIDE
        if upper.kind is Kind.CODE and lower.kind is Kind.CODE:
            return Rank.LINE
        if upper.kind in (Kind.HEADING, Kind.UNDERLINE, Kind.HEADER, Kind.DELIMITER):
            return Rank.GLUED
        if lower.kind is Kind.UNDERLINE or (upper.kind in PROSE and LEAD.search(self.text, upper.content, upper.end)):
            return Rank.GLUED
        if apart or upper.kind in (Kind.CLOSE, Kind.RULE) or lower.kind in (Kind.HEADING, Kind.FENCE, Kind.RULE):
            return Rank.PARAGRAPH
        return Rank.LINE

    def _fold(self, above: int, below: int) -> Point:
        """Between two lines of a paragraph."""
        upper, lower = self.lines[above], self.lines[below]
        point = self._within(below, upper.end, lower.content, Rank.LINE)
        return point._replace(inherited=self.lines[below - 1].inherited)

    def _within(self, index: int, end: int, start: int, rank: Rank) -> Point:
        line = self.lines[index]
        fence = line.context.fence if line.kind in CODES else None
        if fence and line.kind is Kind.FENCE and end < line.content + len(fence.marker):
            fence = None
        table = line.context.table if line.kind is Kind.ROW else None
        open_ = Context(line.context.containers, fence, table)
        markers: tuple[str, ...] = ()
        if line.kind in CODES:
            rank = max(rank, Rank.INSIDE) if line.kind is Kind.FENCE else rank
        elif line.kind in OPAQUE or BLOCK.match(self.text, start):
            rank = Rank.INSIDE
        if line.kind in (*PROSE, Kind.HEADING):
            markers, worst = self._markers(index, end)
            rank = max(rank, worst)
        after = open_._replace(partial=True, inline=markers)
        return Point(end, start, rank, after, line.inherited, after, index)

    def _markers(self, index: int, offset: int) -> tuple[tuple[str, ...], Rank]:
        """The markers of the spans that are open at an offset, from the outermost, and how bad it is to cut there."""
        run, places, actives = self._read(index)
        place = run.place(offset)
        markers: list[str] = []
        worst = Rank.PARAGRAPH
        for span in actives[bisect_right(places, place) - 1]:
            worst = max(worst, Rank.INSIDE if span.solid else Rank.MARKED)
            if span.start + len(span.marker) < place < span.end - len(span.marker) + (not span.marker):
                markers.append(span.marker)
        return tuple(filter(None, markers)), worst

    def _read(self, index: int) -> _Spans:
        """The paragraph that a line belongs to, and which of its spans are open from where on."""
        first = self._firsts[index]
        if first not in self._spans:
            last = bisect_right(self._firsts, first)
            run = Run(self.text, self.lines[first:last], self.context.inline if first == 0 else ())
            inline = parse(run.text, last == len(self.lines) and self.growing)
            self._spans[first] = (run, *_sweep([*inline.closed, *inline.open]))
        return self._spans[first]


def _sweep(spans: list[Span]) -> tuple[list[int], list[tuple[Span, ...]]]:
    """Places, and the spans that are open from each of them on, the outermost first."""
    begins: dict[int, list[Span]] = {}
    for span in spans:
        begins.setdefault(span.start + 1, []).append(span)
        begins.setdefault(span.end, [])
    active: tuple[Span, ...] = ()
    places, actives = [-1], [active]
    for place in sorted(begins):
        active = tuple(sorted([*(span for span in active if span.end > place), *begins[place]]))
        places.append(place)
        actives.append(active)
    return places, actives
