"""What a message of Discord's carries beside its content, as the model reads it."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.inbound.embed_text import LONGEST, read_carried, read_components, read_embed
from tests.loopback.discord import ANN_DM, BEN, BOT, ROBOT, payloads
from tests.support.discord_app import Heard

MENTION = f"<@{BOT}>"
ALERT = {
    "type": "rich",
    "author": {"name": "Monitor", "url": "https://monitor.example"},
    "title": "High error rate",
    "url": "https://monitor.example/a/1",
    "description": "5xx above 3 %",
    "fields": [{"name": "env", "value": "prod", "inline": True}, {"name": "\u200b", "value": "alone"}],
    "footer": {"text": "rule 17"},
    "provider": {"name": "Grafana"},
}
WORDS = "Monitor\n[High error rate](https://monitor.example/a/1)\n5xx above 3 %\nenv: prod\nalone\nrule 17, Grafana"
BUTTONS = {
    "type": 1,
    "components": [
        {"type": 2, "style": 5, "label": "Open", "url": "https://a.example"},
        {"type": 2, "style": 2, "label": "Mute", "custom_id": "mute"},
    ],
}
POLL = {
    "question": {"text": "Where?"},
    "answers": [
        {"answer_id": 1, "poll_media": {"text": "here"}},
        {"answer_id": 2, "poll_media": {"text": "there"}},
    ],
    "expiry": "2026-12-05T00:49:53+00:00",
    "allow_multiselect": False,
    "layout_type": 1,
}


@pytest.mark.parametrize(
    ("embed", "expected"),
    [
        (ALERT, WORDS),
        ({"description": "only this"}, "only this"),
        ({"title": "two\nlines"}, "two lines"),
        ({"type": "link", "url": "https://b.example"}, "https://b.example"),
        ({"type": "link", "url": "https://a.example"}, ""),
        ({"type": "article", "url": "https://a.example", "title": "A"}, "[A](https://a.example)"),
        ({"type": "image", "thumbnail": {"url": "https://a.example/i.png"}}, ""),
    ],
)
def test_an_embed_is_plain_words(embed: dict[str, Any], expected: str) -> None:
    """All its words and its address, which is read once where the content has it too."""
    assert read_embed(embed, "see https://a.example") == expected


def test_components_are_read() -> None:
    """Texts, sections, galleries; buttons where they lead somewhere."""
    section = {
        "type": 9,
        "components": [{"type": 10, "content": "**Deploy** failed"}],
        "accessory": {"type": 11, "media": {"url": "https://a.example/i.png"}, "description": "a curve"},
    }
    gallery = {"type": 12, "items": [{"media": {"url": "https://a.example/i.png"}, "description": "the load"}]}
    container = {"type": 17, "components": [section, {"type": 14}, gallery, BUTTONS]}
    expected = "**Deploy** failed\n(image: a curve)\n(image: the load)\n[Open](https://a.example)"
    assert read_components([container]) == expected
    assert read_carried(Heard().say("", components=[container])) == expected
    for _ in range(500):
        container = {"type": 17, "components": [container]}
    assert read_components([container]) == ""


def test_a_reply_s_quote_has_every_embed() -> None:
    """Beside the content, with the buttons that lead somewhere."""
    gateway = Heard()
    alert = gateway.say("Triggered", author=ROBOT)
    drawn = gateway.world.find(str(alert.id)).versions
    drawn[0] = type(drawn[0])("Triggered", (BUTTONS,), (ALERT, {"type": "rich", "description": f"tell <@{BEN}>"}))
    question = gateway.ask(f"{MENTION} what of this?", reference=str(alert.id), ping=False)
    assert question is not None
    assert question.quote == f"Triggered\n\n{WORDS}\n\ntell @{BEN}\n\n[Open](https://a.example)"


def test_what_is_forwarded_or_previewed_is_quoted() -> None:
    """Also where it is nothing but an embed."""
    inner = {"type": 0, "content": "", "embeds": [ALERT], "attachments": [], "flags": 0, "components": [BUTTONS]}
    snapshot = {"message": {**inner, "timestamp": "2026-01-05T00:49:53+00:00", "edited_timestamp": None}}
    reference = {"type": 1, "channel_id": "1", "message_id": "2"}
    question = Heard().ask("", channel=ANN_DM, message_snapshots=[snapshot], message_reference=reference)
    assert question is not None
    assert question.quote == f"{WORDS}\n\n[Open](https://a.example)"
    preview = {"type": "article", "url": "https://a.example", "title": "A page", "description": "reset"}
    question = Heard().ask(f"{MENTION} https://a.example", embeds=[preview])
    assert question is not None
    assert (question.text, question.quote) == ("https://a.example", "[A page](https://a.example)\nreset")
    assert question.command == ""


def test_polls_and_stickers_are_read() -> None:
    """What is asked with its answers, and the sticker's name."""
    sticker = {"id": "1", "name": "wave", "format_type": 1}
    said = Heard().say("", poll=POLL, sticker_items=[sticker])
    assert read_carried(said) == "(poll: Where?)\n- here\n- there\n\n(sticker: wave)"


def test_what_is_carried_is_bounded() -> None:
    """However much it is."""
    said = Heard().say("", embeds=[{"type": "rich", "description": "x" * 4096}] * 10)
    assert len(read_carried(said)) == LONGEST


def test_a_message_without_these_parts_carries_nothing() -> None:
    """Also where they are not even empty lists."""
    gateway = Heard()
    said = gateway.say("hello")
    data = payloads.event(gateway.world.find(str(said.id)), gateway.world)
    assert read_carried(gateway.read({key: data[key] for key in data if key not in ("embeds", "components")})) == ""
