"""Slack as a channel: what a page looks like there, what its refusals mean, and that each call is made once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.slack.api.client import connect
from adapters.slack.api.identity import introduce
from adapters.slack.api.workspace import Workspace
from adapters.slack.inbound.messages import locate
from adapters.slack.outbound.channel import SlackChannel
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Author, Incoming, Page, State
from bot.pacing.pacer import Urgency
from tests.loopback.slack import ANN, CHANNEL, DM, TEAM, FakeSlack
from tests.loopback.slack.app import settings
from tests.loopback.slack.state import Message


@asynccontextmanager
async def talking(slack: FakeSlack, channel: str = CHANNEL) -> AsyncIterator[tuple[SlackChannel, Message]]:
    """A channel to answer a question in, and the question."""
    async with connect(settings(slack)) as client:
        me, _ = await introduce(client)
        said = await slack.say(channel, "a question")
        thread = "" if channel == DM else said.ts
        yield SlackChannel(Workspace(client, me), asked(channel, said.ts, thread)), said


def asked(channel: str, ts: str, thread: str) -> Incoming:
    """A question that is answered in a thread, or in none."""
    return Incoming(locate(TEAM, channel, thread, channel == DM), Author(ANN, "Ann"), "a question", channel, ts)


async def test_a_page_is_a_markdown_block_with_a_short_text_beside() -> None:
    """In the thread of the question, without previews of links."""
    async with FakeSlack() as slack, talking(slack) as (channel, said):
        ts = await channel.post(Page("**bold** & https://a.example"))
        (call,) = slack.called("chat.postMessage")
        assert call["blocks"] == [{"type": "markdown", "text": "**bold** & https://a.example"}]
        assert call["text"] == "**bold** &amp; https://a.example"
        assert (call["unfurl_links"], call["unfurl_media"]) == (False, False)
        assert slack.message(ts).thread == said.ts


async def test_in_a_dm_there_is_no_thread() -> None:
    """The answer stands beside the question."""
    async with FakeSlack() as slack, talking(slack, DM) as (channel, _):
        assert slack.message(await channel.post(Page("hi"))).thread == ""


async def test_an_edit_replaces_the_page() -> None:
    """The cursor stands only while it grows."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        ts = await channel.post(Page("one", State.GROWING))
        await channel.edit(ts, Page("one two"))
        assert [version.shown for version in slack.message(ts).versions] == ["one ▌", "one two"]


async def test_a_status_without_text_has_no_cursor() -> None:
    """The note says enough."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        ts = await channel.post(Page("", State.GROWING, "Thinking…", turn=7))
        assert slack.shown(ts) == "Thinking…"


async def test_only_the_last_page_has_the_cursor() -> None:
    """A page before it is whole already."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        ts = await channel.post(Page("one", State.GROWING, last=False))
        assert slack.shown(ts) == "one"


async def test_a_note_is_a_context_block_under_the_page() -> None:
    """Or stands alone, where the page has no text."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        ts = await channel.post(Page("half", State.FAILED, "It broke <here>. @here"))
        assert [block["type"] for block in slack.message(ts).versions[0].blocks] == ["markdown", "context"]
        assert slack.shown(ts) == "half\nIt broke <here>. @here"
        assert slack.message(ts).pings == ()
        alone = await channel.post(Page("", State.FAILED, "Nothing came."))
        assert slack.shown(alone) == "Nothing came."


@pytest.mark.parametrize("letter", ["x", "<", "&lt;", "界", "🙂"])
async def test_the_largest_page_is_taken(letter: str) -> None:
    """Whatever it is made of: posted and edited, with a cursor and with a note."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        size = len(letter)
        text = letter * (channel.page_size // size)
        while channel.measure(Page(text, State.GROWING)) > channel.page_size:
            text = text[: -size * 100]
        ts = await channel.post(Page(text, State.GROWING))
        await channel.edit(ts, Page(text, State.FAILED, "It broke. " * 20))
        assert text in slack.shown(ts).replace("<" if letter == "&lt;" else "\0", letter)
        assert channel.measure(Page(text + letter * 101, State.GROWING)) > channel.page_size


async def test_the_measure_counts_what_is_sent() -> None:
    """Escapes, the cursor and the note; not the button. What lies beyond the first plane counts twice."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        assert channel.measure(Page("ab", turn=7)) == len("ab")
        assert channel.measure(Page("a🙂")) == 3
        assert channel.measure(Page("a<b")) == len("a&lt;b")
        assert channel.measure(Page("ab", State.GROWING)) == len("ab ▌")
        assert channel.measure(Page("ab", State.FAILED, "why & how")) == len("abwhy &amp; how")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"status": 429, "retry_after": 7}, PlatformFault.RATE),
        ({"error": "ratelimited"}, PlatformFault.RATE),
        ({"error": "message_not_found"}, PlatformFault.GONE),
        ({"error": "channel_not_found"}, PlatformFault.GONE),
        ({"error": "thread_not_found"}, PlatformFault.GONE),
        ({"error": "not_in_channel"}, PlatformFault.FORBIDDEN),
        ({"error": "is_archived"}, PlatformFault.FORBIDDEN),
        ({"error": "restricted_action_read_only_channel"}, PlatformFault.FORBIDDEN),
        ({"error": "cant_update_message"}, PlatformFault.REJECTED),
        ({"error": "missing_scope"}, PlatformFault.FORBIDDEN),
        ({"error": "token_revoked"}, PlatformFault.FORBIDDEN),
        ({"error": "invalid_arguments"}, PlatformFault.REJECTED),
        ({"error": "something_new"}, PlatformFault.REJECTED),
        ({"error": "internal_error"}, PlatformFault.NETWORK),
        ({"status": 500}, PlatformFault.NETWORK),
        ({"status": 503}, PlatformFault.NETWORK),
        ({"lose": True}, PlatformFault.NETWORK),
    ],
)
@pytest.mark.parametrize("verb", ["post", "edit", "delete"])
async def test_refusals_say_what_to_do(verb: str, fault: dict[str, Any], expected: PlatformFault) -> None:
    """Each call is made once, whatever comes back."""
    method = {"post": "chat.postMessage", "edit": "chat.update", "delete": "chat.delete"}[verb]
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        ts = await channel.post(Page("one"))
        calls = len(slack.called(method))
        slack.fail(method, **fault)
        do = {"post": channel.post(Page("two")), "edit": channel.edit(ts, Page("two")), "delete": channel.delete(ts)}
        for other in do.keys() - {verb}:
            do[other].close()
        with pytest.raises(PlatformError) as caught:
            await do[verb]
        assert caught.value.fault is expected
        assert caught.value.retry_after == (fault.get("retry_after", 1) if expected is PlatformFault.RATE else None)
        assert len(slack.called(method)) == calls + 1
        assert slack.bot_token not in str(caught.value)


@pytest.mark.parametrize("verb", ["post", "edit"])
async def test_a_refusal_for_its_rate_holds_back_all_who_share_the_limit(verb: str) -> None:
    """The limit is told how long."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        ts = await channel.post(Page("one"))
        slack.fail("chat.postMessage" if verb == "post" else "chat.update", status=429, retry_after=30)
        with pytest.raises(PlatformError):
            await (channel.post(Page("two")) if verb == "post" else channel.edit(ts, Page("two")))
        seat = (channel.posts if verb == "post" else channel.edits).seat(lambda: 1.0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(seat.turn(Urgency.FIRST), 0.05)
        seat.leave()


async def test_limits_are_shared_as_slack_counts_them() -> None:
    """Edits in the whole workspace, posts in a channel."""
    async with FakeSlack() as slack, connect(settings(slack)) as client:
        me, _ = await introduce(client)
        workspace = Workspace(client, me)
        here, there = (SlackChannel(workspace, asked(name, "1.1", "1.1")) for name in (CHANNEL, DM))
        again = SlackChannel(workspace, asked(CHANNEL, "2.2", "2.2"))
        assert here.edits is there.edits
        assert here.posts is again.posts
        assert here.posts is not there.posts


@pytest.mark.parametrize("where", [CHANNEL, DM])
async def test_a_post_whose_answer_is_lost_stands_there_once(where: str) -> None:
    """The next try finds it and goes on with it."""
    async with FakeSlack() as slack, talking(slack, where) as (channel, _):
        slack.fail("chat.postMessage", lose=True)
        with pytest.raises(PlatformError):
            await channel.post(Page("one & https://a.example", State.GROWING))
        ts = await channel.post(Page("one and two", State.GROWING))
        assert [answer.ts for answer in slack.answers(where)] == [ts]
        assert slack.shown(ts) == "one and two ▌"
        assert await channel.post(Page("more", part=1)) != ts


async def test_a_post_whose_answer_names_no_message_stands_there_once() -> None:
    """Slack says `ok` and nothing else: the next try finds what was made."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        slack.fail("chat.postMessage", bare=True)
        with pytest.raises(PlatformError) as raised:
            await channel.post(Page("one", State.GROWING))
        assert raised.value.fault is PlatformFault.NETWORK
        ts = await channel.post(Page("one and two"))
        assert [(answer.ts, answer.shown) for answer in slack.answers()] == [(ts, "one and two")]


async def test_a_channel_that_took_posts_is_asked_about_again_once_it_refuses_one() -> None:
    """The hour for which it is known as open ends there."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        await channel.post(Page("one"))
        slack.workspace.conversations[CHANNEL].archived = True
        assert not await channel.find_obstacle()
        with pytest.raises(PlatformError):
            await channel.post(Page("two"))
        assert await channel.find_obstacle() == "the channel is archived"


@pytest.mark.parametrize("scopes", [set(), {"channels:history"}])
async def test_a_post_that_did_not_land_is_made_anew(scopes: set[str]) -> None:
    """Also where the bot may not look."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        slack.workspace.scopes -= scopes
        slack.fail("chat.postMessage", status=500)
        with pytest.raises(PlatformError):
            await channel.post(Page("one"))
        await channel.post(Page("one"))
        assert [answer.shown for answer in slack.answers()] == ["one"]


async def test_delete_takes_the_message_away() -> None:
    """It is gone for everybody."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        ts = await channel.post(Page("one"))
        await channel.delete(ts)
        assert slack.answers() == []
        with pytest.raises(PlatformError) as caught:
            await channel.edit(ts, Page("two"))
        assert caught.value.fault is PlatformFault.GONE
