"""Anything where apps put their words: it is read as some text, bounded, and never a failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.inbound.embed_text import read_components, read_embed, read_poll
from adapters.slack.api.identity import Identity
from adapters.slack.inbound.block_text import PARTS, READERS
from adapters.slack.inbound.edits import changed
from adapters.slack.inbound.message_text import LONGEST, read_message
from adapters.slack.inbound.messages import incoming, spoken
from adapters.slack.inbound.rich_text import INLINE
from tests.fuzz.mutation import ODD, mutated
from tests.support.tries import tries

ME = Identity("T1", "UBOT", "B1", "parley", "acme")
ALERTS = list(json.loads((Path(__file__).parents[1] / "samples" / "alerts-slack.json").read_text("utf-8")).values())
KINDS = (*READERS, *INLINE, "rich_text", "rich_text_section", "rich_text_list", "rich_text_quote", "section", "header")
KEYS = (
    *PARTS, "type", "style", "indent", "offset", "url", "value", "user_id", "range", "name", "timestamp", "alt_text",
    "pretext", "title_link", "fallback", "attachments", "message_blocks", "message", "is_share", "footer", "color",
    "author", "provider", "components", "content", "items", "media", "label",
)  # fmt: skip
SHORT = [odd for odd in ODD if not isinstance(odd, str) or len(odd) < 100]  # Hypothesis prints them all
leaves = st.one_of(
    st.sampled_from(SHORT), st.sampled_from(KINDS), st.text(max_size=20), st.integers(0, 20), st.floats()
)
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
        st.fixed_dictionaries({"type": st.sampled_from(KINDS), "elements": st.lists(inner, max_size=3)}),
    ),
    max_leaves=25,
)
objects = st.dictionaries(st.sampled_from(KEYS), anything, max_size=8)


def read(event: dict[str, Any]) -> None:
    """Read a message in every way in which Slack brings it."""
    text = read_message(event)
    assert isinstance(text, str)
    assert len(text) <= len(str(event.get("text"))) + 3 * LONGEST
    body = {"team_id": "T1", "event": {"type": "message", "channel": "D1", "ts": "1.1", **event, "user": "U1"}}
    said = spoken(body, ME)
    if said:
        question = incoming(said, ME, {}, unasked=True)
        assert question is None or isinstance(question.text + question.quote, str)
    edit = {"type": "message", "subtype": "message_changed", "channel": "D1", "message": event}
    changed({"team_id": "T1", "event": {**edit, "previous_message": {"blocks": event.get("attachments")}}}, ME)


@tries(200)
@given(anything, anything)
def test_slack_s_blocks_and_attachments_may_be_anything(blocks: Any, attachments: Any) -> None:
    """Any JSON, in the event and in the history."""
    read({"blocks": blocks, "attachments": attachments, "text": "hello"})
    read({"blocks": [blocks], "attachments": [attachments], "bot_id": "B9"})


@tries(200)
@given(mutated(ALERTS))
def test_slack_s_reports_may_be_changed(event: dict[str, Any]) -> None:
    """In some places."""
    read(event)


@tries(200)
@given(objects, anything)
def test_discord_s_embeds_and_components_may_be_anything(embed: dict[str, Any], components: Any) -> None:
    """Any JSON."""
    assert isinstance(read_embed(embed), str)
    parts = components if isinstance(components, list) else [components]
    assert isinstance(read_components(parts), str)
    assert isinstance(read_poll(components, parts), str)
