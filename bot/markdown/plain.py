"""A markdown text as one plain line, for notifications."""

from __future__ import annotations

import regex

MARKS = (
    (regex.compile(r"^[ \t>]*(?:`{3,}|~{3,}).*$", regex.M), " "),
    (regex.compile(r"^[ \t>]*(?:[-*_][ \t]*){3,}$", regex.M), " "),
    (regex.compile(r"^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$", regex.M), " "),
    (regex.compile(r"^[ \t>]*(?:#{1,6}[ \t]+|(?:[-+*][ \t]+(?:\[[ xX]\][ \t]+)?)?)", regex.M), ""),
    (regex.compile(r"!?\[([^\[\]]*)\]\([^\s()]*(?:\([^\s()]*\)[^\s()]*)*(?:\s+\"[^\"]*\")?\)"), r"\1"),
    (regex.compile(r"<(https?:[^\s<>]*)>"), r"\1"),
    (regex.compile(r"(`+)(.+?)(?<!`)\1(?!`)"), r"\2"),
    (regex.compile(r"(?<![\w*\\])(\*{1,3})(?=\S)(.+?)(?<=[^\s*])\1(?!\*)"), r"\2"),
    (regex.compile(r"(?<![\w\\])(_{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)"), r"\2"),
    (regex.compile(r"(~~|\|\|)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (regex.compile(r"(?<!\|)(?:^[ \t]*\||[ \t]*(?<!\\)\|[ \t]*$|[ \t]+\|(?=[ \t]))(?!\|)", regex.M), " "),
    (regex.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)


def plain(text: str, length: int = 200) -> str:
    """The words of a markdown text on one line of at most `length` characters, an ellipsis where it is longer."""
    text = text[: length * 4]
    for mark, words in MARKS:
        text = mark.sub(words, text)
    words = " ".join(text.split())
    if len(words) <= length:
        return words
    short = words[: length - 1]
    graphemes = regex.findall(r"\X", words[: length + 32])
    while graphemes and len("".join(graphemes)) > length - 1:
        graphemes.pop()
    return ("".join(graphemes) or short).rstrip() + "…"
