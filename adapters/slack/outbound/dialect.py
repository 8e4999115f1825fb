"""Markdown as Slack's `markdown` block takes it, and as plain text beside it; nobody is notified by it. Pure."""

from __future__ import annotations

import re

from adapters.slack.outbound.tables import tame

FENCE = re.compile(r" {0,3}(?:>[ >]{0,9})?(?:(?:[-*+]|\d{1,9}[.)]) +)*(`{3,}|~{3,})")
CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
QUOTE = re.compile(r"^ {0,3}(?:&gt; ?)+", re.MULTILINE)
TOKEN = re.compile(r"<(?:!subteam\^|[!@#])([^<>|\s]*)(?:\|([^<>\n]*))?>")
AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^\s<>|]+)>")
CALL = re.compile(r"(?<![\w/])@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)
ENTITY = re.compile(r"&(?=(?:lt|gt|amp|#\d{1,7}|#x[0-9a-f]{1,6});)", re.IGNORECASE)
BLOCKED = "@\u200b"
"""An @ that calls nobody: Slack reads no name behind a zero-width space."""
LONGEST_TEXT = 3000
"""Characters of the plain text: `chat.update` refuses more than 4,000 of them (its method reference)."""


def render(markdown: str) -> str:
    """The text of a `markdown` block in which nothing notifies anybody.

    Slack reads its own <…> tokens inside the block, code included, and decodes `&lt; &gt; &amp;` without reading the
    result as a token (measured on a workspace, PostHog pull request 95054): every `<` is escaped, and `>` but for the
    signs of a quote; `&` only before what would be decoded, so that links stay whole. Mentions become plain names.
    Tables stay tables where Slack takes them.
    """
    lines: list[str] = []
    prose: list[str] = []
    fence = ""
    quoted = False
    for line in tame(markdown).split("\n"):
        mark = FENCE.match(line)
        if not fence and not (mark and _opens(mark, line)):
            prose.append(line)
            continue
        if not fence and mark:
            lines += _flush(prose)
            fence, quoted = mark[1], ">" in mark[0]
        elif mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
            fence = ""
        lines.append(_requote(_escape(line)) if quoted else _escape(line))
    return "\n".join(lines + _flush(prose))


def plain(markdown: str, limit: int = LONGEST_TEXT) -> str:
    """At most `limit` characters for notifications and old clients, escaped, in which nothing notifies anybody."""
    text = escape(TOKEN.sub(_name, markdown[:limit]))
    return text if len(text) <= limit else re.sub(r"&[a-z]*$", "", text[: limit - 1]) + "…"


def escape(text: str) -> str:
    """Text for a `mrkdwn` field: shown as it is, calling nobody."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return CALL.sub(BLOCKED, text)


def cursor(text: str) -> str:
    """What stands behind a text that is being written: a closed fence, a table or a rule keeps its last line whole."""
    last = text.rpartition("\n")[2]
    if FENCE.match(last):
        return "\n▌"
    if last.lstrip().startswith("|") or re.fullmatch(r" {0,3}([-*_=] *){3,}", last):
        return "\n\n▌"
    return " ▌"


def _opens(mark: re.Match[str], line: str) -> bool:
    """Whether these backticks or tildes open a block: backticks with more of them behind are a code span."""
    return mark[1].startswith("~") or "`" not in line[mark.end() :]


def _flush(prose: list[str]) -> list[str]:
    """The prose collected so far, rendered, as a list of at most one text; the collection is empty then."""
    text = "\n".join(prose)
    started = bool(prose)
    prose.clear()
    return [_render_prose(text)] if started else []


def _render_prose(text: str) -> str:
    parts: list[str] = []
    end = 0
    for code in CODE.finditer(text):
        parts += [_render_words(text[end : code.start()]), _escape(code[0])]
        end = code.end()
    parts.append(_render_words(text[end:]))
    return _requote("".join(parts))


def _render_words(text: str) -> str:
    return _escape(AUTOLINK.sub(r"\1", TOKEN.sub(_name, text)))


def _escape(text: str) -> str:
    text = ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
    return CALL.sub(BLOCKED, text)


def _requote(text: str) -> str:
    """Give the signs of quotes at the starts of lines back."""
    return QUOTE.sub(lambda signs: signs[0].replace("&gt;", ">"), text)


def _name(token: re.Match[str]) -> str:
    """A mention as plain words."""
    sign = "#" if token[0].startswith("<#") else "@"
    name = (token[2] or token[1]).lstrip("@#")
    return f"{sign}{name}"
