"""Cutting a long answer into pages that each stand alone."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.markdown.blocks import Line, scan
from bot.markdown.cut_points import Point, Points, Rank
from bot.markdown.heal import close, heal
from bot.markdown.open_blocks import Context

Measure = Callable[[str], int]
SPACE = re.compile(r"\s*")
FILL = 0.9
"""Part of a page's size to which a page that is already seen is filled, where a sentence ends behind that."""
SHRINK = 2
"""No dialect makes a text shorter than one part in this many: of more than so many pages, one is surely full."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The end of a page, and all that the next needs to know of the text before it.

    `page` is the page that ends here, for good: the `opener` of the cut before it, the text from that cut's `start`
    to this one's `end`, and `closer`. Between `end` and `start` there is only what is not shown: white space, and the
    `>` of a quote's lines.
    """

    page: str
    end: int
    start: int
    closer: str
    opener: str
    context: Context


def split(
    text: str, measure: Measure, size: int, cuts: Sequence[Cut] = (), growing: bool = False, kept: int = 0
) -> tuple[list[str], tuple[Cut, ...]]:
    """Cut a text into pages for each of which `measure(page) <= size`, and say where.

    `cuts` are those made before, when the text was shorter: they stay, with the pages before them. A cut is made only
    when the text after the last one no longer fits; the last page of a `growing` text is healed. The size must leave
    room for a few markers: some 150 characters. No page is empty:
    blank lines before the text and white space at its end are not shown. A page that begins inside list items begins
    at their margin: each line of it has lost the indentation that it had for those items.

    Readers see the text up to the offset `kept` on the last page: it is cut behind that where a word ends, outside of
    code and tables, so that nothing moves before their eyes.
    """
    cuts = tuple(cuts)
    while True:
        rest = _Rest(text, measure, size, cuts[-1] if cuts else None, growing, kept)
        last = rest.whole()
        if last is None and (cut := rest.cut()):
            cuts, kept = (*cuts, cut), 0
            continue
        last = rest.show() if last is None else last
        return [cut.page for cut in cuts] + [last] * bool(last), cuts


class _Rest:
    """The text after the last cut."""

    def __init__(self, text: str, measure: Measure, size: int, cut: Cut | None, growing: bool, kept: int) -> None:
        self.text = text
        self.measure = measure
        self.size = size
        self.growing = growing
        self.kept = kept
        self.context = cut.context if cut else Context()
        self.opener = cut.opener if cut else ""
        self.start = self._find_start(cut.start if cut else 0)
        self.end = len(text.rstrip())
        self.first = _skip_space(text, self.start)
        self._sizes: dict[int, int] = {}

    def _find_start(self, start: int) -> int:
        """Where the first line begins that is not blank; in a fence, blank lines count."""
        if self.context.fence or self.context.partial:
            return start
        return max(start, self.text.rfind("\n", start, _skip_space(self.text, start)) + 1)

    def whole(self) -> str | None:
        """All of it as one page, None where it does not fit."""
        if self.end - self.start > SHRINK * self.size:
            return None
        page = self.show()
        return page if not page or self.measure(page) <= self.size else None

    def show(self) -> str:
        """All of it as a page: as it may be shown now, or as it stays."""
        if self.start >= self.end:
            return ""
        end = len(self.text) if self.growing else self.end
        lines = scan(self.text, self.start, end, self.context) if any(self.context.containers) else []
        page = self.opener + _edit(self.text, self.start, end, lines)
        return heal(page).rstrip() if self.growing else close(page)

    def cut(self) -> Cut | None:
        """The best place to end the first page of it; None where it is a single character."""
        point = self._choose()
        if point is None:
            return None
        closer = point.before.close(point.inherited)
        after = self._shorten(point.after)
        return Cut(self._page(point), point.end, point.start, closer, after.reopen(), after)

    def _shorten(self, context: Context) -> Context:
        """What is opened again must leave room for text: half of a page, or a few characters in the last resort."""
        for shorter, room in ((context, self.size // 2), (context.without_extras(), 10)):
            if self.measure(f"{shorter.reopen()}{shorter.close()}") <= self.size - room:
                return shorter
        return Context()

    def _page(self, point: Point) -> str:
        body = _edit(self.text, self.start, point.end, self.lines)
        return self.opener + body + point.before.close(point.inherited)

    def _size(self, point: Point) -> int:
        if point.end not in self._sizes:
            self._sizes[point.end] = self.measure(self._page(point))
        return self._sizes[point.end]

    def _choose(self) -> Point | None:
        """Go from lines to words to characters, each only in what is left after the furthest before that fits."""
        stop = min(self.end, _skip_space(self.text, self.start + SHRINK * self.size) + 1)
        self.lines = scan(self.text, self.start, stop, self.context)
        points = Points(self.text, self.lines, self.context, self.growing or stop < self.end)
        near = self._fitting(points.between())
        if self.kept > self.first and (best := self._behind(near, points)):
            return best
        if best := self._best(near, 2, Rank.MARKED):
            return best
        index = near[-1].line if near else 0
        words = self._fitting(list(points.words(index)))
        near += words
        if best := self._best(near, 2, Rank.MARKED) or self._best(near, 8, Rank.GLUED):
            return best
        line = self.lines[index]
        start = words[-1].start if words else max(self.start, line.content)
        near += self._fitting(list(points.graphemes(index, start, line.end)))
        if best := self._best(near, 8, Rank.GRAPHEME) or self._best(near, self.size + 1, Rank.GLUED):
            return best
        if best := self._best(near, 8, Rank.INSIDE):
            return best
        characters = list(points.characters(index, start, line.end))
        near += self._fitting(characters)
        return self._best(near, self.size + 1, Rank.INSIDE) or (characters[0] if characters else None)

    def _behind(self, near: list[Point], points: Points) -> Point | None:
        """The best point behind what readers see, and not in code or a table: near the page's end, if there is one."""
        near = near + self._fitting(list(points.words(near[-1].line if near else 0)))
        parted = [point for point in near if not point.after.fence and not point.after.table]
        behind = [point for point in parted if point.end >= self.kept]
        late = [point for point in behind if self._size(point) >= FILL * self.size]
        return self._best(late, 2, Rank.SENTENCE) or self._best(behind, 2, Rank.WORD)

    def _fitting(self, points: list[Point]) -> list[Point]:
        """The points up to the furthest that fits, found by halving: sizes are taken to grow, nearly."""
        points = [point for point in points if point.end > self.first]
        return points[: bisect_right(points, 0, key=lambda point: self._size(point) > self.size)]

    def _best(self, points: Sequence[Point], part: int, worst: Rank) -> Point | None:
        """The furthest of the best points whose page is full to at least one part in so many."""
        for rank in Rank:
            for point in reversed(points):
                if rank <= worst and point.rank is rank:
                    if self._size(point) < self.size // part:
                        break
                    if self._size(point) <= self.size:
                        return point
        return None


def _skip_space(text: str, start: int) -> int:
    """The offset of the first character from there on that is no white space."""
    space = SPACE.match(text, start)
    return space.end() if space else start


def _edit(text: str, start: int, end: int, lines: Sequence[Line]) -> str:
    """The text between two offsets with the edits of its lines made."""
    parts = []
    for line in lines:
        for first, last, new in line.edits:
            if start <= first and last <= end and line.start < end:
                parts += [text[start:first], new]
                start = last
    return "".join([*parts, text[start:end]])
