"""The inside of a paragraph as Discord reads it: emphasis, links, spoilers, formulas, HTML. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from bot.markdown.inline import Span, parse

Edit = tuple[int, int, str]
TARGET = re.compile(r"\]\(\s*(<[^<>\n]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)")
FORMULA = re.compile(
    r"\\\(([^`]{1,500}?)\\\)|\\\[([^`]{1,500}?)\\\]|\$\$([^`$]{1,500})\$\$"
    r"|(?<![\w$\\])\$([^\s$`](?:[^$`\n]{0,200}[^\s$`\\])?)\$(?![\w$])"
)
TAG = r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>`\n]{0,200})?/?>"
TAGS = re.compile(rf"(?<!`)(?:{TAG})+(?!`)")
ALGEBRA = re.compile(r"[\\^_{}=]")
BARS = re.compile(r"(?<!\\)\|\|")
SMALL = re.compile(r"^-(?=# )", re.MULTILINE)
BREAK = re.compile(r"(?<!\\)((?:\\\\)*)\\$", re.MULTILINE)


@lru_cache(maxsize=512)
def convert(text: str, bold: bool = True) -> str:
    """A paragraph in Discord's form; without `bold`, for a line that is bold as a whole."""
    edits = _edit_formulas(text) + _edit_tags(text)
    for span in parse(text, growing=False).closed:
        edits += _edit_link(text, span) if span.tail else _edit_marks(text, span, bold)
    parts: list[str] = []
    done = 0
    for start, end, new in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
        if start >= done:
            parts += [_shield(text[done:start]), new]
            done = end
    return SMALL.sub(r"\\-", "".join([*parts, _shield(text[done:])]))


def _shield(words: str) -> str:
    """Words without accidental spoilers, and without the backslash of a line break, which every line has."""
    words = BARS.sub(r"\\|\\|", words) if "||" in words else words
    return BREAK.sub(r"\1", words) if "\\\n" in words else words


def _edit_formulas(text: str) -> list[Edit]:
    if "$" not in text and "\\(" not in text and "\\[" not in text:
        return []
    found = ((formula, next(filter(None, formula.groups()), "")) for formula in FORMULA.finditer(text))
    return [
        (formula.start(), formula.end(), f"`{body.strip()}`")
        for formula, body in found
        if formula[4] is None or ALGEBRA.search(body)
    ]


def _edit_tags(text: str) -> list[Edit]:
    """HTML tags, which mean nothing to Discord, as code; not beside other code, which they would run into."""
    return [(tags.start(), tags.end(), f"`{tags[0]}`") for tags in TAGS.finditer(text)] if "<" in text else []


def _edit_marks(text: str, span: Span, bold: bool) -> list[Edit]:
    start, end, marker, *_ = span
    if not marker:
        return [(start, end, text[start:end])]
    width = len(marker)
    if marker[0] == "`":
        code = text[start + width : end - width]
        shorter = "`" if "`" not in code else "``" if "``" not in code else marker
        return [(start, end, f"{shorter}{code}{shorter}" if width > 2 else text[start:end])]
    if width == 2 and marker[0] in "*_":
        marker = "**" if bold else ""
    return [(start, start + width, marker), (end - width, end, marker)]


def _edit_link(text: str, span: Span) -> list[Edit]:
    """A link that Discord takes for one: it shows those as written whose text is an address.

    One within a page that is not there is its text; one to anything but the web is left as it is written.
    """
    begin = span.start + 1 + (text[span.start] == "!")
    label = text[begin : span.tail]
    match = TARGET.match(text, span.tail, span.end)
    target = match[1].strip("<>") if match else ""
    remote = target.startswith(("https://", "http://"))
    if remote and (not label.strip() or label.strip() == target):
        return [(span.start, span.end, f"<{target}>")]
    if remote and "://" not in label:
        return [(span.start, begin, "["), (span.tail, span.end, f"]({match[1] if match else target})")]
    if remote:
        return [(span.start, begin, ""), (span.tail, span.end, f" (<{target}>)")]
    return [(span.start, begin, ""), (span.tail, span.end, "")] if target.startswith("#") else []
