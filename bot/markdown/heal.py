"""Closing what is still open in a half-written text, and holding back what does not mean anything yet."""

from __future__ import annotations

import re

from bot.markdown.blocks import Kind, Line, count_cells, scan
from bot.markdown.inline import Run, parse
from bot.markdown.open_blocks import Fence

MARKER = re.compile(
    r"[ \t>]*(?:\d{1,3}|(?:(?:[-+*]|\d{1,3}[.)])[ \t]+)*(?:\d{1,3}[.)]|[-+=*_`~|]+|#{1,6}|\[[ xX]?\]?)?[ \t]*)"
)
"""A line of nothing but markers, or of a number that may become one."""
ROUNDS = 8
"""How often something may be held back that stands before something held back; beyond that, all is shown as it is."""
PARTIAL_DELIMITER = re.compile(r"[-:| \t]*")
PROSE = (Kind.TEXT, Kind.MORE)


def heal(text: str) -> str:
    """A half-written markdown text as it may be shown now: nothing in it is open, no half syntax is seen.

    The result is a beginning of `text`, without white space at its end, and the markers that close it; a finished
    text is returned as it is. What is held back: a bare marker, a link until its address is whole, a table until its
    delimiter row is there and a row of it until it is whole, a fence until it has a line of code.
    """
    whole = text
    for _ in range(ROUNDS):
        lines = scan(text)
        if not lines:
            return text
        fence = lines[-1].context.fence
        keep, closing = _heal_code(text, lines, fence) if fence else _heal_prose(text, lines)
        if closing is not None:
            return text[:keep] + closing
        text = text[:keep]
    return close(whole)


def close(text: str) -> str:
    """A whole text with its last fence closed, in case its author forgot to."""
    if "```" not in text and "~~~" not in text:
        return text
    lines = scan(text)
    return text + lines[-1].context.close() if lines else text


def _heal_code(text: str, lines: list[Line], fence: Fence) -> tuple[int, str | None]:
    """What to keep of a text that ends in an open fence, and how to close it; None where it must be read again."""
    for line in reversed(lines):
        content = text[line.content : line.end].strip()
        half = line is lines[-1] and text[-1] != "\n" and fence.marker.startswith(content)
        if line.kind is not Kind.CODE:
            return line.start, None
        if content and not half:
            return line.end, lines[-1].context.close()
    return 0, None


def _heal_prose(text: str, lines: list[Line]) -> tuple[int, str | None]:
    """The same for a text that ends outside of fences."""
    held = _hold_line(text, lines)
    if held is not None:
        return held, None
    run = _find_run(text, lines)
    if run is None:
        return len(text), ""
    inline = parse(run.text, growing=True)
    half = [span.start for span in inline.open if not span.marker]
    if inline.dangling >= 0:
        half.append(inline.dangling)
    if half:
        return run.offset(min(half)), None
    if not inline.open:
        return len(text), ""
    closing = "".join(span.marker for span in reversed(inline.open))
    return len(text.rstrip()), closing


def _hold_line(text: str, lines: list[Line]) -> int | None:
    """Where the lines begin, at the end of a text, that may become something else; None where there are none."""
    last = lines[-1]
    before = lines[-2] if len(lines) > 1 else None
    content = text[last.content : last.end].rstrip()
    whole = text[-1] == "\n"
    if last.kind in (Kind.ROW, Kind.DELIMITER):
        start = last.start if last.kind is Kind.ROW else lines[-2].start
        return None if whole or _is_row(content, last) else start
    if last.kind is Kind.BLANK and not whole and before and before.context.fence:
        return last.start
    if last.kind in PROSE and before and before.kind in PROSE and not whole:
        header = text[before.content : before.end]
        if "|" in header and last.kind is Kind.MORE and PARTIAL_DELIMITER.fullmatch(content):
            return before.start
    if last.kind in PROSE and content.startswith("|") and not content.startswith("||"):
        piped = last.kind is Kind.MORE and before and text.startswith("|", before.content)
        return None if piped else last.start
    done = whole or last.kind is Kind.CLOSE or (last.kind is Kind.RULE and content[0] != "*")
    bare = not done and MARKER.fullmatch(text, last.start, last.end)
    return last.start if bare and text[last.start :].strip() else None


def _is_row(content: str, line: Line) -> bool:
    """Whether the last row of a table is whole though no newline follows."""
    table = line.context.table
    return bool(table) and content.endswith("|") and count_cells(content) >= count_cells(table[0] if table else "")


def _find_run(text: str, lines: list[Line]) -> Run | None:
    """The paragraph that the text ends in, where it may go on."""
    last = lines[-1]
    if last.kind is Kind.HEADING and text[-1] != "\n":
        return Run(text, [last])
    first = len(lines)
    while first and lines[first - 1].kind in PROSE:
        first -= 1
        if lines[first].kind is Kind.TEXT:
            break
    return Run(text, lines[first:]) if first < len(lines) else None
