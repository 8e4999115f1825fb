"""The words of a markdown text without its markup, for notifications and for places that show none."""

from __future__ import annotations

import regex

from bot.markdown.blocks import PIPE, Kind, scan
from bot.markdown.inline import parse

ESCAPE = regex.compile(r"\\([!-/:-@\[-`{-~])")
TASK = regex.compile(r"\[[ xX]\](?=\s)")
SILENT = (Kind.FENCE, Kind.CLOSE, Kind.DELIMITER, Kind.RULE, Kind.UNDERLINE)
VERBATIM = (Kind.CODE, Kind.INDENTED)
CELLS = (Kind.HEADER, Kind.ROW)


def plain(text: str, length: int = 200) -> str:
    """The words of a markdown text on one line of at most `length` characters, an ellipsis where it is longer."""
    text = text[: length * 4]
    parts: list[str] = []
    prose: list[str] = []
    for line in scan(text):
        content = text[line.content : line.end]
        if prose and line.kind is not Kind.MORE:
            parts.append(strip("\n".join(prose)))
            prose = []
        if line.kind in VERBATIM:
            parts.append(content)
        elif line.kind in CELLS:
            parts += [strip(cell) for cell in PIPE.split(content)]
        elif line.kind is Kind.HEADING:
            parts.append(strip(content.strip("# \t")))
        elif line.kind not in SILENT:
            prose.append(TASK.sub("", content, count=1) if line.kind is Kind.TEXT else content)
    return shorten(" ".join(" ".join([*parts, strip("\n".join(prose))]).split()), length)


def strip(text: str) -> str:
    """The words of a paragraph: emphasis and code without their markers, a link as its text, escapes taken."""
    edits: list[tuple[int, int]] = []
    codes: list[tuple[int, int]] = []
    for start, end, marker, _, tail in parse(text, growing=False).closed:
        if tail:
            edits += [(start, start + 1 + (text[start] == "!")), (tail, end)]
        elif text[start] == "<":
            edits += [(start, start + 1), (end - 1, end)]
        elif marker:
            edits += [(start, start + len(marker)), (end - len(marker), end)]
        if marker.startswith("`"):
            codes.append((start, end))
    return _cut_out(text, sorted(edits), dict(codes))


def shorten(words: str, length: int) -> str:
    """At most so many characters of some words, cut between two characters as people see them."""
    if len(words) <= length:
        return words
    kept = ""
    for cluster in regex.finditer(r"\X", words[: length + 32]):
        if cluster.end() > length - 1:
            break
        kept = words[: cluster.end()]
    return (kept or words[: length - 1]).rstrip() + "…"


def _cut_out(text: str, edits: list[tuple[int, int]], codes: dict[int, int]) -> str:
    parts: list[str] = []
    done = code = 0
    for start, end in edits:
        if start < done:
            continue
        kept = text[done:start]
        parts.append(kept if done <= code and start < code else ESCAPE.sub(r"\1", kept))
        code = max(code, codes.get(start, 0))
        done = end
    return "".join([*parts, ESCAPE.sub(r"\1", text[done:])])
