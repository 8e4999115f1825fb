"""What a whole message of Slack's says: text, blocks and attachments, each thing once, no more than is bounded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.inbound import mrkdwn
from adapters.slack.inbound.message_text import LONGEST, read_carried, read_message, read_words

ALERTS = json.loads((Path(__file__).parents[2] / "samples" / "alerts-slack.json").read_text(encoding="utf-8"))
HEAD = {"type": "header", "text": {"type": "plain_text", "text": "Deploy failed"}}
APP = {"bot_id": "B1"}
TITLE = "[High error rate on checkout](https://monitor.example/a/1)"


def words(**message: Any) -> str:
    """All that a message says, as the model reads it."""
    return mrkdwn.read(read_message(message), "", {})


def section(text: str) -> dict[str, Any]:
    """A block with a text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def said(text: str) -> dict[str, Any]:
    """A block as a person's client writes it."""
    inner = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [inner]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("monitor", f"{TITLE}\n5xx above 3 % for 10 minutes\nenv: prod\nrule 17"),
        ("deploy", "Deploy failed\n*main* on `web-3`\n*by*\nana\nrun [#9](https://ci.example/9)"),
        ("question", "@UBOT what is this?"),
    ],
)
def test_what_stands_outside_of_the_text_is_read(name: str, expected: str) -> None:
    """Reports in attachments and in blocks, and a person's words in rich text."""
    assert words(**ALERTS[name]) == expected


@pytest.mark.parametrize(
    ("text", "blocks", "expected"),
    [
        ("Deploy failed", [HEAD], "Deploy failed"),
        ("Deploy *failed*!", [HEAD, section("on web-3")], "Deploy failed\non web-3"),
        ("Deploy failed on web-3", [HEAD], "Deploy failed on web-3"),
        ("Triggered", [HEAD], "Triggered\nDeploy failed"),
        ("Triggered\nDeploy failed", [HEAD, section("by ana")], "Triggered\nDeploy failed\nby ana"),
        ("This content can't be displayed.", [HEAD], "Deploy failed"),
        ("run #9", [section("run <https://ci.example/9|#9>")], "run [#9](https://ci.example/9)"),
        ("Deploy failed", [{"type": "divider"}], "Deploy failed"),
    ],
)
def test_what_text_and_blocks_both_say_is_read_once(text: str, blocks: list[Any], expected: str) -> None:
    """The richer of both; where each says something of its own, both."""
    assert words(**APP, text=text, blocks=blocks) == expected


def test_a_person_s_text_is_read_as_it_stands() -> None:
    """Its blocks say the same in another form: they are read where it is empty, or where they call somebody."""
    assert read_words({"text": "hello", "blocks": [said("hello, all")]}) == "hello"
    assert read_words({"text": " ", "blocks": [said("hello")]}) == "hello"
    assert read_words({"text": "what?", "blocks": ALERTS["question"]["blocks"]}) == "<@UBOT> what is this?"
    assert read_words({"text": "This content can't be displayed."}) == ""


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"fallback": "[Triggered] checkout"}, "[Triggered] checkout"),
        ({"fallback": "[no preview available]", "blocks": [HEAD]}, "Deploy failed"),
        ({"fallback": "Deploy failed", "text": "Deploy failed", "blocks": [HEAD, section("by ana")]},
         "Deploy failed\nby ana"),
        ({"pretext": "Look:", "author_name": "ci", "title": "A & B", "text": "<@U1> did", "footer": "x"},
         "Look:\nci\nA & B\n@U1 did\nx"),
        ({"title": "17", "title_link": "https://a.example/a/17"}, "[17](https://a.example/a/17)"),
        ({"title": "T", "title_link": "javascript alert"}, "T"),
        ({"fields": [{"title": "env:", "value": "prod"}, {"value": 3}, {"title": "only"}, "odd"]},
         "env: prod\n3\nonly"),
        ({"service_name": "Docs", "title": "A page", "from_url": "https://d.example", "text": "Of pages"},
         "Docs\n[A page](https://d.example)\nOf pages"),
        ({"from_url": "https://d.example", "text": "A title"}, "https://d.example\nA title"),
        ({"text": "t", "actions": [{"type": "button", "text": "Open", "url": "https://a.example"},
                                   {"type": "button", "text": "Mute", "name": "mute"}]},
         "t\n[Open](https://a.example)"),
        ({"image_url": "https://a.example/i.png", "fallback": "400x300px image"}, "400x300px image"),
        ({}, ""),
    ],
)  # fmt: skip
def test_an_attachment_is_plain_words(part: dict[str, Any], expected: str) -> None:
    """All that a reader sees of it, and its fallback where that is nothing."""
    assert words(**APP, attachments=[part]) == expected


def test_what_is_forwarded_is_read_with_all_that_it_carries() -> None:
    """Its text or its blocks, once, and its own attachments; not the frame that Slack puts around it."""
    share = {
        "is_share": True,
        "author_name": "Monitor",
        "from_url": "https://acme.slack.example/archives/C1/p1",
        "footer": "Posted in #alerts",
        "fallback": "[today] Monitor: …",
        "text": "Deploy failed",
        "message_blocks": [{"message": {"blocks": [HEAD], "attachments": ALERTS["monitor"]["attachments"]}}],
    }
    told = words(text="look", attachments=[share])
    assert told.startswith(f"look\n\nDeploy failed\n{TITLE}\n")
    assert told.endswith("rule 17")


def test_what_is_carried_is_bounded() -> None:
    """In length, over all attachments, and in depth; nothing is cut within a link."""
    many = [{"title": f"t{number}", "text": "<https://a.example/x|a link> " * 200} for number in range(100)]
    told = words(**APP, attachments=many)
    assert LONGEST // 2 < len(told) < 2 * LONGEST
    assert "<" not in told
    assert len(words(**APP, blocks=[section("x" * 3000)] * 50)) == LONGEST
    part: dict[str, Any] = {"text": "deep"}
    for _ in range(500):
        part = {"text": "t", "attachments": [part]}
    assert "deep" not in words(**APP, attachments=[part])


def test_what_a_message_carries_is_not_what_it_says() -> None:
    """Or a report would ask questions and give commands."""
    message = {**APP, "text": "hello", "attachments": [{"text": "<@UBOT> reset"}]}
    assert read_words(message) == "hello"
    assert read_carried(message) == ("<@UBOT> reset",)
