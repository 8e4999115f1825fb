"""Markdown as Discord shows it: what Discord has no form for becomes something readable. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from adapters.discord.outbound.inline import convert
from adapters.discord.outbound.tables import draw_columns, draw_list, read_rows
from bot.markdown.blocks import Kind, Line, scan
from bot.markdown.inline import Run
from bot.markdown.open_blocks import QUOTE

TABLE_WIDTH = 44
"""Columns of a code block that a phone shows without breaking its lines."""
RULE = "─" * 12
LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]+")
"""What Discord takes for the language of a code block; any other word would be shown as its first line."""
TASK = re.compile(r"\[([ xX])\](?=\s)")
MARKER = re.compile(r"(?:[-+*]|\d+[.)])[ \t]+$")
QUOTES = re.compile(r"^[ \t]*>(?:[ \t]*>)*[ \t]?")
MATH = {"\\[": "\\]", "$$": "$$"}
SPECIAL = re.compile(r"https?://\S+|[\\*_~|`<>\[\]]|^[#>-]")
PROSE = (Kind.TEXT, Kind.MORE)
CODES = (Kind.CODE, Kind.CLOSE)
CELLS = (Kind.DELIMITER, Kind.ROW)


@lru_cache(maxsize=32)
def render(text: str, table_width: int = TABLE_WIDTH) -> str:
    """Markdown (CommonMark, GitHub's tables, tasks and strikethrough, `||spoilers||`) in Discord's own form.

    Tables become aligned columns in a code block, or a list where they are wider than `table_width` columns; deeper
    headings bold lines; rules a line; images links; tasks ☐ and ☑; tildes backticks; nested quotes one quote. Formulas
    become code; HTML stays as it is. What only Discord reads is escaped where it came by accident (`-# `, bars that
    enclose no spoiler, `>>> `). Mentions, channels and times (`<@1>`, `<#1>`, `<t:1>`) stay: they show a name or a
    date, and whom a message notifies is not decided by its text but by the allowed mentions that it is sent with.
    """
    lines = scan(text)
    parts: list[str] = []
    first = 0
    while first < len(lines):
        last = _find_end(lines, first)
        parts += _render_block(text, lines[first:last], table_width)
        first = last
    return "\n".join(parts) + "\n" * (text.endswith("\n") and bool(lines))


def cursor(text: str) -> str:
    """What stands behind a rendered text that is being written; it leaves a code block and a link whole."""
    if not text:
        return "▌"
    return "\n▌" if text.endswith("```") else " ▌"


def subtext(note: str) -> str:
    """A plain note in small print, none of its characters read as markup."""
    lines = (SPECIAL.sub(_escape, line.strip()) for line in note.splitlines())
    return "\n".join(f"-# {line}" for line in lines if line)


def _escape(special: re.Match[str]) -> str:
    return special[0] if special[0].startswith("http") else "\\" + special[0]


def _find_end(lines: Sequence[Line], first: int) -> int:
    """The end of the block that begins with this line."""
    kind, end = lines[first].kind, first + 1
    if kind is Kind.FENCE:
        while end < len(lines) and lines[end].kind in CODES and lines[end - 1].kind is not Kind.CLOSE:
            end += 1
        return end
    if kind is Kind.INDENTED:
        return _find_indented(lines, end)
    following = CELLS if kind is Kind.HEADER else (Kind.MORE,) if kind in PROSE else ()
    while end < len(lines) and lines[end].kind in following:
        end += 1
    return end + (kind in PROSE and end < len(lines) and lines[end].kind is Kind.UNDERLINE)


def _find_indented(lines: Sequence[Line], end: int) -> int:
    """The same for code without a fence, which may have blank lines in it."""
    last = end
    while end < len(lines) and lines[end].kind in (Kind.INDENTED, Kind.BLANK):
        end += 1
        last = end if lines[end - 1].kind is Kind.INDENTED else last
    return last


def _render_block(text: str, lines: Sequence[Line], table_width: int) -> list[str]:
    kind = lines[0].kind
    if kind is Kind.FENCE:
        return _render_fence(text, lines)
    if kind is Kind.HEADER:
        return _render_table(text, lines, table_width)
    if kind is Kind.INDENTED and not lines[0].context.containers:
        return ["```", *(_shield(text[line.start : line.end].expandtabs(4)[4:]) for line in lines), "```"]
    if kind in PROSE:
        return _render_paragraph(text, lines)
    return [_render_line(text, line) for line in lines]


def _render_line(text: str, line: Line) -> str:
    prefix, content = _prefix(text, line), text[line.content : line.end]
    if line.kind is Kind.RULE:
        return prefix + RULE
    if line.kind is Kind.HEADING:
        return prefix + _render_heading(content)
    return prefix + (content if line.kind is not Kind.INDENTED else convert(content))


def _render_heading(content: str) -> str:
    body = content.lstrip("#")
    level = len(content) - len(body)
    body = body.strip()
    bare = body.rstrip("#")
    if not bare or bare[-1] in " \t":
        body = bare.rstrip()
    if level > 3 and body:
        return f"**{convert(body, bold=False)}**"
    return f"{'#' * level} {convert(body)}" if body else ""


def _render_paragraph(text: str, lines: Sequence[Line]) -> list[str]:
    under = lines[-1] if lines[-1].kind is Kind.UNDERLINE else None
    lines = lines[:-1] if under else lines
    run = Run(text, lines).text
    prefixes = [_prefix(text, line) for line in lines]
    if run[:2] in MATH and run.rstrip().find(MATH[run[:2]], 2) in (-1, len(run.rstrip()) - 2):
        return _render_math(run, prefixes[0])
    contents = convert(run).split("\n")
    if MARKER.search(prefixes[0]):
        contents[0] = TASK.sub(lambda box: "☐" if box[1] == " " else "☑", contents[0], count=1)
    if under and len(lines) == 1:
        level = "#" if text[under.content] == "=" else "##"
        return [f"{prefixes[0]}{level} {contents[0]}"]
    prefixes += [prefixes[-1]] * (len(contents) - len(prefixes))
    rule = [_prefix(text, under) + RULE] if under else []
    return [prefix + content for prefix, content in zip(prefixes, contents, strict=False)] + rule


def _render_math(run: str, prefix: str) -> list[str]:
    """A formula that stands alone, as code."""
    body = run[2:].strip().removesuffix(MATH[run[:2]]).strip()
    lines = [_shield(line) for line in body.split("\n")] if body else [" "]
    return _enclose(lines, prefix, "latex")


def _render_fence(text: str, lines: Sequence[Line]) -> list[str]:
    fence = lines[0].context.fence
    if fence is None:
        return [text[line.start : line.end] for line in lines]
    word = fence.info.split()[0] if fence.info else ""
    body = [line for line in lines[1:] if line.kind is Kind.CODE]
    shown = [_prefix(text, line) + _shield(_dedent(text[line.content : line.end], fence.indent)) for line in body]
    prefix = _prefix(text, lines[0])
    if not "".join(shown).strip(" >"):
        shown = [_rest(prefix) + " "]
    return [f"{prefix}```{word if LANGUAGE.fullmatch(word) else ''}", *shown, _rest(prefix) + "```"]


def _render_table(text: str, lines: Sequence[Line], width: int) -> list[str]:
    prefix = _prefix(text, lines[0])
    drawn = _draw_table(tuple(text[line.content : line.end] for line in lines), width)
    return [(_rest(prefix) if place else prefix) + line for place, line in enumerate(drawn)]


@lru_cache(maxsize=64)
def _draw_table(lines: tuple[str, ...], width: int) -> list[str]:
    rows = read_rows(lines)
    if columns := draw_columns(rows, width):
        return _enclose([_shield(line) for line in columns], "")
    return [line[:2] + convert(line[2:]) for line in draw_list(rows)]


def _enclose(lines: Sequence[str], prefix: str, language: str = "") -> list[str]:
    rest = _rest(prefix)
    return [f"{prefix}```{language}", *(rest + line for line in lines), rest + "```"]


def _shield(code: str) -> str:
    """Code whose backticks do not end the block, for Discord ends every block at the first three of them."""
    return code.replace("```", "``\u200b`") if "```" in code else code


def _dedent(code: str, indent: int) -> str:
    spaces = min(indent, len(code) - len(code.lstrip(" ")))
    return code[spaces:]


def _prefix(text: str, line: Line) -> str:
    """The markers before the content of a line, with one quote at most: Discord has no deeper ones."""
    prefix = text[line.start : line.content]
    if not prefix:
        return ""
    if QUOTE in line.context.containers:
        prefix = QUOTES.sub("> ", prefix)
    marker = MARKER.search(prefix)
    return f"{prefix[: marker.start()]}- " if marker and marker[0][0] == "+" else prefix


def _rest(prefix: str) -> str:
    """What stands before the further lines of a block whose first line has this before it."""
    return re.sub(r"[^>\s]", " ", prefix)
