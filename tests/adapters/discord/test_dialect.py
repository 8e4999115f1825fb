"""Markdown in Discord's form."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from adapters.discord.outbound.dialect import cursor, render, subtext
from bot.markdown import split
from tests.support.markdown_texts import anything, codes, documents, table

steady = settings(derandomize=True, deadline=None, max_examples=20)
FAMILY = "👩‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# A\n## B\n### C", "# A\n## B\n### C"),
        ("#### Deep `x` ##", "**Deep `x`**"),
        ("##### **Deep** and *more*", "**Deep and *more***"),
        ("Title\n=====\nSub\n---", "# Title\n## Sub"),
        ("a\n\n***\n\nb", "a\n\n────────────\n\nb"),
        ("- [ ] to do\n- [x] done\n* [X] too", "- ☐ to do\n- ☑ done\n* ☑ too"),
        ("+ one\n+ two", "- one\n- two"),
        ("a [ ] box", "a [ ] box"),
        ("1. one\n   - two", "1. one\n   - two"),
        ("__bold__ **bold** _em_ ~~gone~~ ||secret||", "**bold** **bold** _em_ ~~gone~~ ||secret||"),
        ("if a || b || c", r"if a \|\| b \|\| c"),
        (r"\*plain\* \|\|", r"\*plain\* \|\|"),
        ("one\\\ntwo", "one\ntwo"),
    ],
)
def test_marks_become_those_that_discord_reads(text: str, shown: str) -> None:
    """What Discord has under another form takes that form; bars that enclose nothing hide nothing."""
    assert render(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[docs](https://a.b/c)", "[docs](https://a.b/c)"),
        ('[docs](https://a.b/c_(d) "Title")', "[docs](https://a.b/c_(d))"),
        ("![A cat](https://a.b/c.png)", "[A cat](https://a.b/c.png)"),
        ("![](https://a.b/c.png)", "<https://a.b/c.png>"),
        ("[https://a.b](https://a.b)", "<https://a.b>"),
        ("[https://good.one](https://bad.one)", "https://good.one (<https://bad.one>)"),
        ("[**bold** text](https://a.b)", "[**bold** text](https://a.b)"),
        ("[part](#below) and [file](src/a.py)", "part and [file](src/a.py)"),
        ("https://a.b/c__d__e <https://f.g>", "https://a.b/c__d__e <https://f.g>"),
        ("see [1] and a[0](x)", "see [1] and a[0](x)"),
    ],
)
def test_links_can_be_followed(text: str, shown: str) -> None:
    """Discord hides an address behind words but not behind another address, and knows only those of the web."""
    assert render(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (">tight\n> > deep\n>>> deeper", "> tight\n> deep\n> deeper"),
        ("> ```\n> a\n>\n> b\n> ```", "> ```\n> a\n> \n> b\n> ```"),
        ("-# not small", "\\-# not small"),
        ("> -# not small", "> \\-# not small"),
        (
            "at <t:1700000000:R> <@1> <#2> <@&3> @everyone <:x:4>",
            "at <t:1700000000:R> <@1> <#2> <@&3> @everyone <:x:4>",
        ),
        ("<details><summary>x</summary></details>", "`<details><summary>`x`</summary></details>`"),
        ("a <br> b, `<br>` and 1 < 2 > 0", "a `<br>` b, `<br>` and 1 < 2 > 0"),
        ("``<b>``", "``<b>``"),
        ("It is $x_1^2$ for \\(y_1\\), $5 or $6", "It is `x_1^2` for `y_1`, $5 or $6"),
        ("$$\na_1 = b_1\n$$", "```latex\na_1 = b_1\n```"),
        ("\\[ a_1 \\]", "```latex\na_1\n```"),
    ],
)
def test_accidents_are_prevented(text: str, shown: str) -> None:
    """Only one depth of quote, no small print by chance, formulas whole; names, times and HTML stay."""
    assert render(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("```py\nx = __a__ || b\n\n# c\n```", "```py\nx = __a__ || b\n\n# c\n```"),
        ("~~~c++ title=x\nint x;\n~~~", "```c++\nint x;\n```"),
        ("````md\n```\nx\n```\n````", "```md\n``\u200b`\nx\n``\u200b`\n```"),
        ("- a\n  ```\n  x\n  ```", "- a\n  ```\n  x\n  ```"),
        ("  ```\n    x\n  ```", "  ```\n  x\n  ```"),
        ("```\n```", "```\n \n```"),
        ("```py\nx", "```py\nx\n```"),
        ("a\n\n    code\n\n      more\n\nb", "a\n\n```\ncode\n\n  more\n```\n\nb"),
        ("`a__b__` ``c`d`` ```e```", "`a__b__` ``c`d`` `e`"),
    ],
)
def test_code_is_left_alone(text: str, shown: str) -> None:
    """Code blocks of any fence become Discord's one kind, their content and all inline code as it was."""
    assert render(text) == shown


def test_a_table_becomes_aligned_columns() -> None:
    """Columns are aligned as the table says, by the width at which letters are shown, without marks in them."""
    shown = render(f"|Name|Qty|\n|:--|--:|\n|**日本語**|1|\n|[a](https://b.c)|22|\n|{FAMILY} `x\\|y`|333|\n\nend")
    assert shown == (f"```\nName    Qty\n──────  ───\n日本語    1\na        22\n{FAMILY} x|y  333\n```\n\nend")


def test_a_wide_table_becomes_a_list() -> None:
    """A table that a phone cannot show is a list, a row an item, with the names of the columns and its marks."""
    text = "| A | B |\n|---|---|\n| one | `two` three |\n| 1 | |"
    shown = render(text, table_width=10)
    assert shown == "- **A**: one\n  **B**: `two` three\n- **A**: 1"
    assert render(text, table_width=14).startswith("```\nA    B\n")


def test_a_table_stays_in_its_quote_or_item() -> None:
    """Each line of the columns has the markers of what the table stands in."""
    assert render("> |a|b|\n> |-|-|\n> |1|2|") == "> ```\n> a  b\n> ─  ─\n> 1  2\n> ```"
    assert render("- x\n\n  |a|b|\n  |-|-|\n  |1|2|") == "- x\n\n  ```\n  a  b\n  ─  ─\n  1  2\n  ```"


@steady
@given(table, st.integers(10, 60))
def test_no_column_line_is_wider_than_allowed(text: str, width: int) -> None:
    """A code block that was a table is never wider than the setting."""
    shown = render(text, width)
    if shown.startswith("```"):
        assert max(wcswidth(line) for line in shown.split("\n")) <= max(width, 3)


@steady
@given(documents)
def test_code_blocks_keep_their_content(text: str) -> None:
    """Every code block is there, in its order, with its content."""
    shown = [content for _, content in codes(render(text))]
    wanted = [re.sub(r"\s", "", content) for _, content in codes(text)]
    found = iter(re.sub(r"\s", "", content) for content in shown)
    assert all(content in found for content in wanted)


@steady
@given(documents, st.integers(1, 60))
def test_no_word_is_lost(text: str, width: int) -> None:
    """The letters of the text are all in what is shown, but for what follows the language of a code block."""
    shown = render(text, width)
    assert set(re.findall(r"[^\W\d_]+", text)) - set(re.findall(r"[^\W\d_]+", shown)) <= {"title", "a", "b"}


@steady
@given(anything, st.integers(1, 60))
def test_any_text_can_be_rendered(text: str, width: int) -> None:
    """What looks like markdown and is none is shown."""
    shown = render(text, width)
    assert bool(shown.strip()) or not re.search(r"\w", re.sub(r"(?m)^.*(```|~~~).*$", "", text))


@steady
@given(documents, st.integers(300, 2000))
def test_pages_fit_as_rendered(text: str, size: int) -> None:
    """Pages cut by their rendered size are within it, though a table that turns into a list grows at once."""
    pages, _ = split(text, lambda page: len(render(page)), size)
    assert [len(render(page)) for page in pages if len(render(page)) > size] == []


@pytest.mark.parametrize("text", ["words", "# Title", "- item", "> quote", "```\ncode\n```", "- x\n  ```\n  y\n  ```"])
def test_the_cursor_breaks_nothing(text: str) -> None:
    """The cursor stands on the last line, or under a code block; taken away, the text is as it was."""
    shown = render(text)
    assert codes(shown + cursor(shown)) == codes(shown)
    assert cursor(shown).strip() == "▌"
    assert cursor("") == "▌"


def test_a_note_is_small_print() -> None:
    """Each line of a note is small and plain; addresses in it stay whole."""
    assert subtext("Stopped. *Not* all_of_it\n\n`x` https://a.b/c_d") == (
        "-# Stopped. \\*Not\\* all\\_of\\_it\n-# \\`x\\` https://a.b/c_d"
    )
    assert subtext("") == ""
