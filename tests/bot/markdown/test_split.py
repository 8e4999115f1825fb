"""Cutting answers into pages: properties over any text, and the places that a reader would choose."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.markdown import Cut, split
from tests.support.markdown_texts import (
    Measure,
    anything,
    codes,
    documents,
    leaf,
    measures,
    sizes,
    unclosed,
    utf16,
)
from tests.support.tries import tries

steady = tries(20)
texts = st.one_of(documents, documents, anything)
flat = st.lists(leaf, min_size=1, max_size=8).map("\n\n".join)
"""Texts without lists and quotes: nothing in them is moved to a margin."""


def squeeze(text: str) -> str:
    """A text without what may stand between pages: white space, and the signs of quotes."""
    return re.sub(r"[\s>]", "", text)


def bodies(pages: Sequence[str], cuts: Sequence[Cut]) -> list[str]:
    """The part of each page that is the text's own."""
    openers = ["", *(cut.opener for cut in cuts)]
    closers = [*(cut.closer for cut in cuts), ""]
    found = []
    for page, opener, closer in zip(pages, openers, closers, strict=False):
        assert page.startswith(opener)
        assert page.endswith(closer)
        found.append(page[len(opener) : len(page) - len(closer)])
    return found


def grow(
    text: str, steps: Sequence[int], measure: Measure, size: int, shows: bool = True
) -> tuple[list[str], tuple[Cut, ...]]:
    """The pages of a text that arrived piece by piece; no cut and no page before one may change on the way.

    Where it `shows`, readers saw each draft.
    """
    cuts: tuple[Cut, ...] = ()
    shown: list[str] = []
    end = 0
    for step in steps:
        kept, end = end if shows else 0, min(len(text), end + step)
        shown, later = split(text[:end], measure, size, cuts, growing=True, kept=kept)
        assert later[: len(cuts)] == cuts
        assert [cut.page for cut in later] == shown[: len(later)]
        assert len(shown) <= len(later) + 1
        assert all(measure(page) <= size for page in shown)
        assert all(page.strip() for page in shown)
        cuts = later
    return split(text, measure, size, cuts)


@steady
@given(texts, measures, sizes)
def test_no_page_is_over_the_size(text: str, measure: Measure, size: int) -> None:
    """Each page fits as measured, by any measure, and none is empty."""
    pages, cuts = split(text, measure, size)
    assert [page for page in pages if measure(page) > size or not page.strip()] == []
    assert [cut.page for cut in cuts] == pages[: len(cuts)]


@steady
@given(texts, measures, sizes)
def test_the_pages_are_the_text(text: str, measure: Measure, size: int) -> None:
    """What the pages show, put together, is the text; between two pages there is only what nobody sees."""
    pages, cuts = split(text, measure, size)
    assert squeeze("".join(bodies(pages, cuts))).startswith(squeeze(text))
    assert [text[cut.end : cut.start] for cut in cuts if squeeze(text[cut.end : cut.start])] == []


@steady
@given(flat, measures, sizes)
def test_flat_text_is_cut_to_the_letter(text: str, measure: Measure, size: int) -> None:
    """Outside of lists and quotes a page holds the text between its cuts exactly, with indentation and blank lines."""
    pages, cuts = split(text, measure, size)
    starts = [0, *(cut.start for cut in cuts)]
    ends = [*(cut.end for cut in cuts), len(text.rstrip())]
    assert bodies(pages, cuts) == [text[start:end] for start, end in zip(starts, ends, strict=True)]


@steady
@given(documents, measures, sizes)
def test_code_stays_code_and_prose_stays_prose(text: str, measure: Measure, size: int) -> None:
    """Every page closes its fences, and the code blocks of all pages hold together what those of the text hold."""
    pages, _ = split(text, measure, size)
    assert [unclosed(page) for page in pages if unclosed(page)] == []
    shown = "".join(content for page in pages for _, content in codes(page))
    assert squeeze(shown) == squeeze("".join(content for _, content in codes(text)))


@steady
@given(documents, sizes)
def test_a_reopened_fence_keeps_its_language(text: str, size: int) -> None:
    """Each piece of a code block names the language of the block, where the page is large enough for that."""
    pages, _ = split(text, len, max(size, 100))
    assert {info for page in pages for info, _ in codes(page)} == {info for info, _ in codes(text)}


@steady
@given(texts, st.lists(st.integers(1, 60), min_size=200, max_size=200), measures, sizes, st.booleans())
def test_a_cut_never_moves(text: str, steps: list[int], measure: Measure, size: int, shows: bool) -> None:
    """However the text arrives, what was cut stays cut, each draft fits, and in the end the pages are the text."""
    pages, cuts = grow(text, steps, measure, size, shows)
    assert squeeze("".join(bodies(pages, cuts))).startswith(squeeze(text))
    assert all(measure(page) <= size for page in pages)


@steady
@given(documents, st.lists(st.integers(1, 60), min_size=200, max_size=200), sizes)
def test_code_stays_code_in_a_text_that_grew(text: str, steps: list[int], size: int) -> None:
    """Cuts made while the text was half there part code and prose as rightly as those made afterwards."""
    pages, _ = grow(text, steps, len, size)
    assert [unclosed(page) for page in pages if unclosed(page)] == []
    shown = "".join(content for page in pages for _, content in codes(page))
    assert squeeze(shown) == squeeze("".join(content for _, content in codes(text)))


@steady
@given(documents)
def test_a_text_that_fits_is_one_page(text: str) -> None:
    """What fits is not cut; only white space around it goes."""
    pages, cuts = split(text, utf16, utf16(text))
    assert (pages, cuts) == ([text.rstrip()], ())


PLAN = """## Plan

1. First item that has a good deal of text in it, so that it is long. It goes on.
2. Second item:

   ```python
   def f(x):
       return x

   def g(x):
       return x
   ```

   - nested one with words and more words
   - nested two with **bold words that go on and on until the end** of all

> A quote with two
> lines, and it goes on

| A | B |
|---|---|
| 1 | two |
| 3 | four |
| 5 | six |
"""


@pytest.mark.parametrize(
    ("text", "size", "pages"),
    [
        ("One two three.\n\nFour five six.", 24, ["One two three.", "Four five six."]),
        ("One two three.\nFour five.", 20, ["One two three.", "Four five."]),
        ("One two three. Four five.", 20, ["One two three.", "Four five."]),
        ("One two three four five", 15, ["One two three", "four five"]),
        ("今日は天気がいい。明日も晴れる。", 12, ["今日は天気がいい。", "明日も晴れる。"]),
        ("abcdefghijklmnop", 10, ["abcdefghij", "klmnop"]),
        ("aaaaa👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 14, ["aaaaa👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"]),
        ("A long start [the link](https://a.bc) x", 30, ["A long start", "[the link](https://a.bc) x"]),
        ("A long start and `the code span` x", 24, ["A long start and", "`the code span` x"]),
        ("Now **one two three four five** six", 24, ["Now **one two three**", "**four five** six"]),
        ("```py\na = 1\nb = 2\nc = 3\n```", 23, ["```py\na = 1\nb = 2\n```", "```py\nc = 3\n```"]),
        ("~~~~\n```\n\n  b = 2\nc = 3\n~~~~", 24, ["~~~~\n```\n\n  b = 2\n~~~~", "~~~~\nc = 3\n~~~~"]),
        (
            "> ```\n> first = 1\n> second = 2\n> third = 3\n> ```",
            40,
            ["> ```\n> first = 1\n> second = 2\n> ```", "> ```\n> third = 3\n> ```"],
        ),
        ("> one two three\n> four five six", 20, ["> one two three", "> four five six"]),
        ("> one two three four five", 20, ["> one two three four", "> five"]),
        (
            "|a|b|\n|-|-|\n|11111|2222|\n|33333|4444|",
            30,
            ["|a|b|\n|-|-|\n|11111|2222|", "|a|b|\n|-|-|\n|33333|4444|"],
        ),
        ("Some text.\n\n## Title\n\nMore of it.", 24, ["Some text.", "## Title\n\nMore of it."]),
        ("    \n\n  text\n\n\n", 10, ["  text"]),
        ("", 10, []),
        (" \n ", 10, []),
    ],
)
def test_the_best_place_is_taken(text: str, size: int, pages: list[str]) -> None:
    """Paragraph, line, sentence, word, character; whole links and code; fences, quotes, tables go on in their form."""
    assert split(text, len, size)[0] == pages


def test_lists_stay_readable_across_cuts() -> None:
    """A page that begins inside an item begins at its margin, numbers stay, and a code block keeps its indentation."""
    pages, _ = split(PLAN, len, 100)
    assert pages[1].startswith("2. Second item:\n\n   ```python\n   def f(x):\n       return x\n")
    assert pages[2].startswith("- nested one with words and more words\n- nested two")


def test_a_growing_table_is_shown_row_by_row() -> None:
    """Half a row is never seen, and the rows after a cut stand under their header again."""
    table = "|a|b|\n|-|-|\n" + "".join(f"|{n}|{n}|\n" for n in range(9))
    cuts: tuple[Cut, ...] = ()
    for end in range(len(table)):
        pages, cuts = split(table[:end], len, 40, cuts, growing=True)
        assert all(page.startswith("|a|b|\n|-|-|") for page in pages)
        assert all(line.count("|") == 3 for page in pages for line in page.split("\n"))


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "`",
            "*",
            "_",
            "[",
            "]",
            "(",
            "|",
            "> ",
            ">",
            "- ",
            "1. ",
            "\\",
            "~",
            "#",
            "$",
            "\n",
            " ",
            "\t",
            "a",
            "字",
            "👩‍",
        ),
        *(
            "**a",
            "*a ",
            "_a ",
            "[](",
            "[a](",
            "![",
            "<https:",
            "` `` ",
            "|a",
            "a\n",
            "> a\n",
            "- a\n  ",
            "```\n",
            "a.'",
        ),
        *("|a|\n|-|\n", "||a ", "[a](b '", "\u0301", "\u200d", "`a\n\n", "~~~\n\n> "),
    ],
)
def test_no_text_is_too_strange(unit: str) -> None:
    """Ten thousand of anything are cut in few steps, finished or growing."""
    text = (unit * 10_000)[:10_000]
    calls: list[int] = []

    def measure(page: str) -> int:
        calls.append(len(page))
        return len(page)

    for growing in (False, True):
        pages, _ = split(text, measure, 2000, growing=growing)
        assert all(len(page) <= 2000 for page in pages)
    assert len(calls) < 1000


def test_a_book_is_cut_in_few_steps() -> None:
    """The work for 200,000 characters grows with the pages, not with the text for each page; a draft measures once."""
    text = (PLAN * 500)[:200_000]
    calls: list[int] = []

    def measure(page: str) -> int:
        calls.append(len(page))
        return len(page)

    pages, cuts = split(text, measure, 2000)
    assert len(calls) < 30 * len(pages)
    assert max(calls) <= 4100
    calls.clear()
    split(text, measure, 2000, cuts, growing=True)
    assert len(calls) == 1


FIRST = "One two three four five six."
SEEN = f"{FIRST}\n\nSeven eight nine. Ten eleven twelve. Thirteen."
CODE = f"{FIRST}\n\n```py\na = 1\nb = 2\nc = 3\nd = 4\n```"


@pytest.mark.parametrize(
    ("text", "size", "kept", "page"),
    [
        (SEEN, 52, 0, FIRST),
        (SEEN, 52, 14, f"{FIRST}\n\nSeven eight nine."),
        (SEEN, 56, 40, f"{FIRST}\n\nSeven eight nine."),
        (SEEN, 52, 50, f"{FIRST}\n\nSeven eight nine. Ten"),
        (SEEN, 52, 52, FIRST),
        (CODE, 52, 40, FIRST),
    ],
)
def test_what_is_seen_stays_where_it_is(text: str, size: int, kept: int, page: str) -> None:
    """A page that readers see is cut behind that, late, at a sentence's end if there is one; but code is not."""
    pages, _ = split(text, len, size, growing=True, kept=kept)
    assert pages[0] == page
