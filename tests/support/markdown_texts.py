"""Markdown for the tests: texts as models write them, any other text, and an independent reading of both."""

from __future__ import annotations

import re
from collections.abc import Callable

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

Measure = Callable[[str], int]
WORDS = [
    "word",
    "a",
    "snake_case",
    "Müller",
    "日本語",
    "テキスト。",
    "e\u0301\u0302",
    "👩‍👩‍👧‍👦",
    "🇩🇪",
    "שלום",
    "3.14",
    "x<y",
    "end.",
    "why?",
]
NASTY = [
    "```",
    "~~~~",
    "``",
    "`",
    "**",
    "*",
    "_",
    "~~",
    "||",
    "|",
    "[",
    "](",
    ")",
    "![",
    "\\",
    "> ",
    "- ",
    "1. ",
    "2) ",
    "# ",
    "    ",
]
NASTY += [
    "\n",
    "\n\n",
    "\n",
    " ",
    "\t",
    "|---|",
    "https://a.b/c_d",
    "<https://a>",
    ":",
    "e\u0301",
    "👩‍👩‍👧‍👦",
    "\u200d",
    "字",
    "。",
    "a",
    "bc",
]

word = st.sampled_from(WORDS)
words = st.lists(word, min_size=1, max_size=8).map(" ".join)
marked = st.builds("{0}{1}{0}".format, st.sampled_from(["**", "*", "_", "~~", "||", "***", "`", "``"]), words)
link = st.builds("[{}](https://example.org/{})".format, words, st.sampled_from(["", "a_b", "x(y)z", "q?a=1&b=2"]))
sentence = st.lists(st.one_of(words, words, words, marked, link), min_size=1, max_size=6).map(" ".join)
paragraph = st.lists(sentence, min_size=1, max_size=3).map("\n".join)
heading = st.builds("{} {}".format, st.sampled_from(["#", "##", "####"]), words)
code_line = st.sampled_from(
    [
        "",
        "def f(x):",
        "    return x  ",
        "\tif y:",
        "``",
        "~~",
        "| a | b |",
        "# no heading",
        "x = '" + "ab " * 20 + "'",
        "字" * 30,
        "- a",
    ]
)


def fence(lines: list[str], marker: str, info: str, indent: int) -> str:
    """A fenced code block."""
    return "\n".join(" " * indent + line for line in (f"{marker}{info}", *lines, marker))


fences = st.builds(
    fence,
    st.lists(code_line, min_size=1, max_size=12).filter(
        lambda lines: bool("".join(lines).strip()) and bool(lines[-1].strip())
    ),
    st.sampled_from(["```", "````", "~~~", "~~~~~", "`" * 8]),
    st.sampled_from(["", "py", "typescriptreact", 'c++ title="a b"']),
    st.sampled_from([0, 0, 0, 2]),
)
table = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(words, min_size=n, max_size=n), min_size=1, max_size=8).map(
        lambda rows: "\n".join(
            ["| " + " | ".join(["head"] * n) + " |", "|" + "---|" * n, *("| " + " | ".join(row) + " |" for row in rows)]
        )
    )
)
rule = st.sampled_from(["---", "***", "_ _ _"])
leaf = st.one_of(paragraph, paragraph, heading, fences, table, rule)


def quote(source: str) -> str:
    """The same as a block quote."""
    return "\n".join(f"> {line}".rstrip() if not line.strip() else f"> {line}" for line in source.split("\n"))


def item(marker: str, source: str) -> str:
    """The same as a list item."""
    indent = " " * len(marker)
    return marker + "\n".join(line and indent + line for line in source.split("\n"))[len(marker) :]


def items(numbered: bool, sources: list[str], loose: bool) -> str:
    """A list."""
    marks = [f"{number}. " if numbered else "- " for number in range(1, len(sources) + 1)]
    return ("\n\n" if loose else "\n").join(item(*pair) for pair in zip(marks, sources, strict=True))


def _nest(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    led = st.builds("{}\n\n{}".format, paragraph, inner)
    listed = st.builds(items, st.booleans(), st.lists(st.one_of(paragraph, led), min_size=1, max_size=4), st.booleans())
    return st.one_of(listed, inner.map(quote))


block = st.recursive(leaf, _nest, max_leaves=4)
documents = st.lists(block, min_size=1, max_size=6).map("\n\n".join)
"""Texts as models write them: well-formed, finished, nested."""
anything = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=5)), max_size=60).map("".join)
"""Any text whatever, with much that looks like markdown."""


def utf16(text: str) -> int:
    """The length in UTF-16 code units, as Discord counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def escaped(text: str) -> int:
    """The length after an escaping that makes some characters five."""
    return len(text) + 4 * sum(map(text.count, "&<>_*"))


def tabular(text: str) -> int:
    """The length after a dialect that makes each row of a table longer."""
    return len(text) + sum(20 for line in text.split("\n") if line.count("|") > 1)


measures: st.SearchStrategy[Measure] = st.sampled_from([len, utf16, escaped, tabular])
sizes = st.integers(150, 2000) | st.integers(150, 300)
_parser = MarkdownIt("commonmark").enable("table")


def parse(text: str) -> list[Token]:
    """The blocks of a text as another reader of markdown finds them."""
    return _parser.parse(text)


def codes(text: str) -> list[tuple[str, str]]:
    """The info string and the content of each fenced code block."""
    return [(token.info.strip(), token.content) for token in parse(text) if token.type == "fence"]


def unclosed(text: str) -> list[str]:
    """The fences that nothing closes."""
    lines = text.split("\n")
    found = []
    for token in parse(text):
        if token.type == "fence" and token.map:
            first, after = token.map
            closing = re.sub(r"^[\s>]*", "", lines[after - 1]).rstrip()
            if after - 1 == first or not closing.startswith(token.markup) or set(closing) != {token.markup[0]}:
                found.append(token.markup)
    return found
