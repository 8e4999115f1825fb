"""What a model writes calls nobody in Slack, and what a person wrote there is read as plain words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.inbound.mrkdwn import calls_others, mentions, read
from adapters.slack.outbound.dialect import LONGEST_TEXT, cursor, escape, plain, render
from tests.loopback.slack.state import Version, unescape

CALLS = (
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<!channel|channel>",
    "<!here|@here>",
    "<!subteam^S012ABC>",
    "<!subteam^S012ABC|@team>",
    "<@U012ABC>",
    "<@U012ABC|ann>",
    "<@W012ABC>",
    "@channel",
    "@here",
    "@everyone",
    "@Channel",
)
FRAMES = ("{}", "hi {}!", "`{}`", "```\n{}\n```", "> {}", "- {}", "| {} |", "**{}**", "[{}](https://a.example)", "`{}")
PIECES = st.sampled_from(
    ["<", ">", "!", "@", "channel", "here", "|", "&lt;", "&#60;", "`", "```", "\n", "U0ABC", " ", "x"]
)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("call", CALLS)
def test_no_call_of_a_model_notifies_anybody(call: str, frame: str) -> None:
    """Special mentions, groups and people are plain words, in prose, quotes, tables, links and code."""
    text = frame.format(call)
    version = Version(plain(text), ({"type": "markdown", "text": render(text)},))
    assert version.pings == ()


@given(st.lists(PIECES, max_size=30).map("".join))
def test_no_text_at_all_notifies_anybody(text: str) -> None:
    """However tokens are split, escaped or nested."""
    version = Version(plain(text), ({"type": "markdown", "text": render(text)},))
    assert version.pings == ()


def test_mentions_stay_readable() -> None:
    """The reader sees who was meant."""
    text = render("ask <@U1|ann>, <!here>, <!subteam^S1|@team> or <#C1|general>")
    assert unescape(text) == "ask @ann, @here, @team or #general"


@pytest.mark.parametrize(
    "text", ["a < b && c > d", "`if (a < b)`", "```c\n#include <stdio.h>\n```", "AT&T &lt;b&gt; &#60;", "<b>bold</b>"]
)
def test_what_was_written_is_what_is_seen(text: str) -> None:
    """Escapes are undone by Slack once, and then the text is the one that was written."""
    assert unescape(render(text)).replace("&#60;", "<") == text.replace("&#60;", "<")
    assert "<" not in render(text)


@pytest.mark.parametrize("text", ["> one\n> two", ">> deep", "  > indented", "> ```\n> a\n> ```"])
def test_quotes_stay_quotes(text: str) -> None:
    """The sign of a quote is not escaped at the start of a line."""
    assert render(text) == text


def test_a_sign_in_code_is_no_quote() -> None:
    """A prompt in a code block is escaped like everything in it."""
    assert render("```\n> ls\n```\n> quote") == "```\n&gt; ls\n```\n> quote"


def test_links_stay_whole() -> None:
    """Addresses keep their ampersands, and one in angle brackets loses these."""
    assert render("[a](https://x.example/?a=1&b=2)") == "[a](https://x.example/?a=1&b=2)"
    assert render("see <https://x.example/?a=1&b=2>.") == "see https://x.example/?a=1&b=2."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("word", " ▌"),
        ("```\ncode\n```", "\n▌"),
        ("| a |", "\n\n▌"),
        ("> ~~~\n> x\n> ~~~", "\n▌"),
        ("a\n---", "\n\n▌"),
    ],
)
def test_the_cursor_spoils_no_markdown(text: str, expected: str) -> None:
    """A fence, a table or a rule keeps its line to itself."""
    assert cursor(text) == expected


def table(rows: int, columns: int = 2) -> str:
    """A markdown table; its header counts as a row."""
    lines = ["| " + " | ".join(["x"] * columns) + " |" for _ in range(rows)]
    return "\n".join([lines[0], "|" + "---|" * columns, *lines[1:]])


@pytest.mark.parametrize("text", [table(100), table(2, 20), "\n\n".join([table(2)] * 20), "a || b\n" * 50])
def test_tables_stay_tables(text: str) -> None:
    """Slack shows them itself, several of them too."""
    assert render(text) == text


@pytest.mark.parametrize("text", [table(101), table(2, 21)])
def test_a_table_that_slack_would_not_take_is_shown_as_code(text: str) -> None:
    """One with too many rows or columns; what stands around it stays as it is."""
    assert render(f"**Before**\n\n{text}\n\n{table(2)}") == f"**Before**\n\n```\n{text}\n```\n\n{table(2)}"


def test_one_table_too_many_is_shown_as_code() -> None:
    """A message may have fifty blocks, of which a table takes two."""
    assert render("\n\n".join([table(2)] * 21)) == "\n\n".join([table(2)] * 20 + [f"```\n{table(2)}\n```"])


def test_a_table_in_code_is_left_alone() -> None:
    """It is none."""
    text = f"```\n{table(101)}\n```"
    assert render(text) == text


@given(st.text(alphabet="a&<>@\n", max_size=LONGEST_TEXT + 500))
def test_the_text_beside_is_short_and_never_cuts_an_escape(text: str) -> None:
    """It stays under the limit of `chat.update`, and each of its escapes is whole."""
    beside = plain(text)
    assert len(beside) <= LONGEST_TEXT
    assert beside.count("&") == beside.count("&amp;") + beside.count("&lt;") + beside.count("&gt;")


def test_escaping_shows_text_as_it_is() -> None:
    """Signs are escaped once and calls are broken."""
    assert escape("a & <b> @here") == "a &amp; &lt;b&gt; @\u200bhere"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("<@UBOT> hi", "hi"),
        ("<@UBOT>: hi", "hi"),
        ("hi <@UBOT>", "hi"),
        ("what does <@UBOT|parley> think", "what does @parley think"),
        ("<@UBOT> <@UBOT|parley>, use <@UBOT> to call it", "use @UBOT to call it"),
        ("Is this true? <@UBOT>", "Is this true?"),
        ("who made <@UBOT>", "who made @UBOT"),
        ("<@UBOT>", ""),
        ("ask <@UANN> and <@UNONE> and <@UNONE|joe>", "ask @Ann and @UNONE and @joe"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("&lt;@UANN&gt;", "<@UANN>"),
        ("in <#C1|general> or <#C2>", "in #general or #C2"),
        ("<https://a.example/x>", "https://a.example/x"),
        ("<http://a.example|a.example>", "a.example"),
        ("<https://a.example/x|here>", "[here](https://a.example/x)"),
        ("<https://a.example/alerts/17|17>", "[17](https://a.example/alerts/17)"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<!here> <!subteam^S1|@team> <!subteam^S2>", "@here @team @S2"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
        ("```\n<@UBOT>  if a &lt; b:\n    x\n```", "```\n@UBOT  if a < b:\n    x\n```"),
    ],
)
def test_slack_text_is_read_as_plain_words(raw: str, expected: str) -> None:
    """The mention that addresses the bot is gone, others are names, links are links, escapes are undone once."""
    assert read(raw, "UBOT", {"UANN": "Ann"}) == expected


def test_a_text_says_whom_it_calls() -> None:
    """Others are called when somebody or a group is mentioned and the bot is not."""
    assert mentions("<@U1> <@U2|b> <@U1>") == ("U1", "U2")
    assert calls_others("<@U1> look", "UBOT")
    assert calls_others("<!subteam^S1> look", "UBOT")
    assert not calls_others("<@U1> <@UBOT> look", "UBOT")
    assert not calls_others("look", "UBOT")
