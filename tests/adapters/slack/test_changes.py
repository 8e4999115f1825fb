"""The record follows Slack: questions that are edited, questions and answers that are deleted."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.api.identity import Identity
from adapters.slack.inbound.edits import changed
from adapters.slack.inbound.messages import Spoken
from bot.domain.messages import Page
from tests.loopback.slack import BEN, BOT, CHANNEL, DM, FakeSlack
from tests.loopback.slack.app import App, connected
from tests.loopback.slack.state import Message

MENTION = f"<@{BOT}>"


async def begin(slack: FakeSlack, app: App, channel: str = CHANNEL) -> Message:
    """A question that was answered."""
    said = await slack.say(channel, f"{MENTION} hello")
    await slack.until(lambda: len(app.engine.answered) == 1)
    return said


async def settle(slack: FakeSlack) -> None:
    """Wait until the app has dealt with everything that was sent."""
    await slack.until(lambda: all(sent.acked.is_set() for sent in slack.courier.deliveries))


@pytest.mark.parametrize("channel", [CHANNEL, DM])
async def test_an_edited_question_is_amended(channel: str) -> None:
    """It is the same message with other words, read as the first ones were; the mention may be gone from it."""
    async with FakeSlack() as slack, connected(slack) as app:
        said = await begin(slack, app, channel)
        slack.edit(said, f"hello <@{BEN}> &amp; all")
        await slack.until(lambda: app.engine.amended)
        (amended,) = app.engine.amended
        (first,) = app.engine.answered
        assert amended.text == "hello @Ben & all"
        assert (amended.place, amended.author) == (first.place, first.author)
        assert (amended.channel_id, amended.message_id) == (first.channel_id, first.message_id)


def test_an_edit_of_words_in_blocks_is_one() -> None:
    """A preview beside the same words is none."""
    me = Identity("T1", "UBOT", "B1", "parley", "Loopback")

    def edit(**now: Any) -> Spoken | None:
        said = {"type": "message", "user": "UANN", "ts": "1.1", "text": "", "blocks": rich("old")}
        event = {"type": "message", "subtype": "message_changed", "channel": "D1", "message": {**said, **now}}
        return changed({"team_id": "T1", "event": {**event, "previous_message": said}}, me)

    assert edit() is None
    assert edit(attachments=[{"title": "A page", "from_url": "https://a.example"}]) is None
    found = edit(blocks=rich("new"))
    assert found
    assert found.text == "new"


def rich(text: str) -> list[dict[str, Any]]:
    """Blocks as a person's client writes them."""
    inner = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return [{"type": "rich_text", "elements": [inner]}]


async def test_an_edit_is_never_a_command() -> None:
    """Or a question that was edited would be obeyed after a restart."""
    async with FakeSlack() as slack, connected(slack) as app:
        said = await begin(slack, app)
        slack.edit(said, f"{MENTION} reset")
        await slack.until(lambda: app.engine.amended)
        assert (app.engine.amended[0].text, app.engine.amended[0].command) == ("reset", "")


async def test_what_is_no_edit_of_a_question_changes_nothing() -> None:
    """Previews of links, the bot's own edits, and messages of a thread without the bot."""
    async with FakeSlack() as slack, connected(slack) as app:
        said = await begin(slack, app)
        slack.unfurl(said)
        other = await slack.say(CHANNEL, "among us", user=BEN)
        slack.edit(other, "among us, really")
        await settle(slack)
        assert len(slack.answers()[0].versions) == 2
        assert app.engine.amended == []
        assert BEN not in [call["user"] for call in slack.called("users.info")]


async def test_a_deleted_question_is_retracted() -> None:
    """Slack tells of it by a deletion, or by a tombstone where a thread hangs under it."""
    async with FakeSlack() as slack, connected(slack) as app:
        root = await begin(slack, app)
        inner = await slack.say(CHANNEL, "and now?", thread=root.ts)
        await slack.until(lambda: len(app.engine.answered) == 2)
        slack.erase(inner)
        await slack.until(lambda: len(app.engine.retracted) == 1)
        slack.erase(root)
        await slack.until(lambda: len(app.engine.retracted) == 2)
        assert app.engine.retracted == [("slack", CHANNEL, inner.ts), ("slack", CHANNEL, root.ts)]
        assert app.engine.amended == []


async def test_a_deleted_answer_is_retracted() -> None:
    """By a person; what the bot itself takes away is no retraction."""
    async with FakeSlack() as slack, connected(slack) as app:
        await begin(slack, app)
        channel = app.engine.openers["slack"](app.engine.answered[0])
        await channel.delete(await channel.post(Page("a page too many")))
        await settle(slack)
        assert app.engine.retracted == []
        (answer,) = slack.answers()
        slack.erase(answer)
        await slack.until(lambda: app.engine.retracted)
        assert app.engine.retracted == [("slack", CHANNEL, answer.ts)]


@pytest.mark.parametrize("verb", ["edit", "erase"])
async def test_a_change_that_cannot_be_written_down_is_left_for_later(verb: str) -> None:
    """It is not acknowledged, so that Slack delivers it again."""
    async with FakeSlack() as slack, connected(slack) as app:
        said = await begin(slack, app)
        await settle(slack)
        slack.courier.patience = 0.2
        app.engine.memory.broken = True
        slack.edit(said, f"{MENTION} hello again") if verb == "edit" else slack.erase(said)
        await slack.until(lambda: slack.courier.deliveries[-1].attempts > 1)
        app.engine.memory.broken = False
        await slack.until(lambda: app.engine.amended or app.engine.retracted)
