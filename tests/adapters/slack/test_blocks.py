"""What the blocks of Slack's messages say, as the model reads it."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.inbound import mrkdwn
from adapters.slack.inbound.block_text import read_blocks

NAMES = {"UANN": "Ann"}


def words(*blocks: Any) -> str:
    """The blocks as the model reads them."""
    return mrkdwn.read(read_blocks(list(blocks)), "", NAMES)


def rich(*elements: dict[str, Any], kind: str = "rich_text_section", **more: Any) -> dict[str, Any]:
    """A block of rich text with one part."""
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(elements), **more}]}


def text(value: str, **style: bool) -> dict[str, Any]:
    """A piece of rich text."""
    return {"type": "text", "text": value, "style": style} if style else {"type": "text", "text": value}


def plain(value: str) -> dict[str, Any]:
    """A plain text object."""
    return {"type": "plain_text", "text": value, "emoji": True}


def markup(value: str) -> dict[str, Any]:
    """A text object in Slack's markup."""
    return {"type": "mrkdwn", "text": value}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "header", "text": plain("a & b &amp; <@UANN> :x:")}, "a & b & <@UANN> :x:"),
        ({"type": "section", "text": markup("*a* <@UANN> &lt;b&gt; <https://a.example|c>")},
         "*a* @Ann <b> [c](https://a.example)"),
        ({"type": "section", "text": markup("if a < b & c")}, "if a < b & c"),
        ({"type": "section", "fields": [markup("*by*\nana"), plain("x")]}, "*by*\nana\nx"),
        ({"type": "context", "elements": [
            {"type": "image", "image_url": "https://a.example/i.png", "alt_text": "icon"}, markup("run"), plain("9")]},
         "(image: icon) run 9"),
        ({"type": "markdown", "text": "**a** [b](https://b.example) if x<y"}, "**a** [b](https://b.example) if x<y"),
        ({"type": "divider"}, ""),
        ({"type": "image", "title": plain("The load"), "alt_text": "a curve"}, "(image: The load, a curve)"),
        ({"type": "image", "image_url": "https://a.example/i.png", "alt_text": ""}, ""),
        ({"type": "video", "title": plain("Talk"), "title_url": "https://v.example/1", "description": plain("An hour"),
          "alt_text": "talk"}, "[Talk](https://v.example/1)\nAn hour"),
        ({"type": "alert", "text": markup("disk is full"), "level": "error"}, "disk is full"),
        ({"type": "input", "label": plain("Why?"), "element": {"type": "plain_text_input"}}, "Why?"),
        ({"type": "file", "external_id": "F1", "source": "remote"}, ""),
    ],
)  # fmt: skip
def test_a_block_is_plain_words(block: dict[str, Any], expected: str) -> None:
    """Each kind with its words alone; what is plain text is no markup."""
    assert words(block) == expected


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (text("a &lt; <@UANN> & b"), "a &lt; <@UANN> & b"),
        (text(" bold ", bold=True), "*bold*"),
        (text("all", bold=True, italic=True, strike=True, code=True), "*_~`all`~_*"),
        ({"type": "link", "url": "https://a.example/1?a=1&b=|"}, "https://a.example/1?a=1&b=%7C"),
        ({"type": "link", "url": "https://a.example/1", "text": "here"}, "[here](https://a.example/1)"),
        ({"type": "link", "url": "not an address", "text": "here"}, "here"),
        ({"type": "link", "url": "@UANN", "text": "boss"}, "boss"),
        ({"type": "user", "user_id": "UANN"}, "@Ann"),
        ({"type": "user", "user_id": "!channel"}, "!channel"),
        ({"type": "usergroup", "usergroup_id": "S1"}, "@S1"),
        ({"type": "channel", "channel_id": "C1"}, "#C1"),
        ({"type": "broadcast", "range": "here"}, "@here"),
        ({"type": "emoji", "name": "wave", "unicode": "1f44b"}, ":wave:"),
        ({"type": "date", "timestamp": 86400, "format": "{date}", "fallback": "Jan 2"}, "Jan 2"),
        ({"type": "date", "timestamp": 86400, "format": "{date}"}, "1970-01-02 00:00 UTC"),
        ({"type": "date", "timestamp": 10**15}, ""),
        ({"type": "color", "value": "#FF0000"}, "#FF0000"),
        ({"type": "hologram", "text": "a new kind"}, "a new kind"),
    ],
)
def test_a_piece_of_rich_text_reads_as_its_client_shows_it(element: dict[str, Any], expected: str) -> None:
    """Names, links, times and marks; nothing passes itself off for a mention."""
    assert words(rich(element)) == expected


def test_lists_quotes_and_code_keep_their_form() -> None:
    """As in markdown."""
    entries = [{"type": "rich_text_section", "elements": [text(word)]} for word in ("one", "two")]
    assert words(rich(*entries, kind="rich_text_list", style="bullet")) == "- one\n- two"
    assert words(rich(*entries, kind="rich_text_list", style="ordered", offset=2)) == "3. one\n4. two"
    nested = rich(*entries, kind="rich_text_list", style="bullet", indent=1)
    assert words(rich(text("so:\n")), nested) == "so:\n    - one\n    - two"
    assert words(rich(text("a\nb"), kind="rich_text_quote")) == "> a\n> b"
    assert words(rich(text("if a < b:\n    x"), kind="rich_text_preformatted")) == "```\nif a < b:\n    x\n```"


def test_a_table_is_a_table() -> None:
    """Plain cells, numbers and rich text."""
    rows = [
        [{"type": "raw_text", "text": "host"}, {"type": "raw_text", "text": "errors"}],
        [rich(text("web-3", bold=True)), {"type": "raw_number", "value": 17, "text": "17"}],
    ]
    assert words({"type": "table", "rows": rows}) == "| host | errors |\n| --- | --- |\n| *web-3* | 17 |"


def test_a_button_that_leads_somewhere_is_a_link() -> None:
    """Others, and what can be chosen, say nothing yet."""
    buttons = [
        {"type": "button", "text": plain("Open"), "url": "https://a.example/1", "action_id": "a"},
        {"type": "button", "text": plain("Try again"), "action_id": "b"},
        {"type": "static_select", "placeholder": plain("Pick"), "options": [{"text": plain("one"), "value": "1"}]},
    ]
    assert words({"type": "actions", "elements": buttons}) == "[Open](https://a.example/1)"
    section = {"type": "section", "text": markup("Failed"), "accessory": buttons[0]}
    assert words(section) == "Failed\n[Open](https://a.example/1)"


def test_blocks_within_blocks_are_read() -> None:
    """Cards, containers, plans; and kinds that are not known, where they have a text."""
    card = {"type": "card", "title": markup("One"), "subtitle": plain("two"), "body": markup("three")}
    assert words({"type": "carousel", "elements": [card, card]}) == "One\ntwo\nthree\nOne\ntwo\nthree"
    assert words({"type": "container", "title": plain("T"), "child_blocks": [card]}) == "T\nOne\ntwo\nthree"
    source = {"type": "url", "url": "https://a.example", "text": "docs"}
    task = {"type": "task_card", "title": "Look", "details": rich(text("found it")), "sources": [source]}
    assert (
        words({"type": "plan", "title": "Plan", "tasks": [task]}) == "Plan\nLook\nfound it\n[docs](https://a.example)"
    )
    assert words({"type": "hologram", "body": {"type": "beam", "text": plain("seen")}}) == "seen"
    assert words({"type": "hologram", "fallback": "a picture"}) == "a picture"


def test_what_is_nested_too_deep_is_left_out() -> None:
    """However deep it is."""
    block: dict[str, Any] = {"type": "section", "text": markup("deep")}
    for _ in range(500):
        block = {"type": "container", "title": plain("t"), "child_blocks": [block]}
    assert 1 <= words(block).count("t") < 20
    assert "deep" not in words(block)
