"""`discord.reply_in = "thread"`: a mention is answered in a thread that is opened from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.discord.api.client import connect
from adapters.discord.inbound.messages import incoming
from adapters.discord.invite import invite
from adapters.discord.outbound.channel import DiscordChannel
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page, Place, State
from tests.loopback.discord import ANN_DM, BEN, BOT, BOT_ROLE, GENERAL, GUILD, TALK, FakeDiscord
from tests.loopback.discord.state import VOICE, Channel, Message
from tests.support.discord_app import App, Heard, answered, connected, settings

MENTION = f"<@{BOT}>"
THREAD = "thread"
REFUSED = {"code": 50013, "message": "Missing Permissions"}


async def ask(discord: FakeDiscord, app: App, text: str = "what is up?", channel: str = GENERAL) -> Message:
    """A mention, and its answer."""
    said = discord.say(channel, f"{MENTION} {text}")
    await answered(discord, app, len(app.engine.answered) + 1)
    return said


@asynccontextmanager
async def threaded(discord: FakeDiscord, said: Message) -> AsyncIterator[DiscordChannel]:
    """The channel that a question is answered in, as after a restart: known from the question alone."""
    async with connect(settings(discord)) as rest:
        yield DiscordChannel(rest, settings(discord), GENERAL, said.id, title="a name")


def shown(discord: FakeDiscord, channel: str) -> Sequence[str]:
    """What the bot shows in a channel."""
    return [said.shown for said in discord.answers(channel)]


async def test_a_mention_is_answered_in_a_thread_of_its_own() -> None:
    """It bears the question's words; the answer grows in there, and nothing is posted in the channel."""
    async with FakeDiscord() as discord, connected(discord, reply_in=THREAD) as app:
        said = await ask(discord, app, "How   do I\n**sort** a list, @everyone?")
        thread = discord.channels[said.id]
        assert (thread.name, thread.parent, thread.owner) == ("How do I sort a list, @everyone?", GENERAL, BOT)
        (call,) = discord.called("thread")
        assert call.body["auto_archive_duration"] == 1440
        (answer,) = discord.answers(said.id)
        assert answer.versions[0].shown.startswith("echo")
        assert len(answer.versions) == 2
        assert not discord.answers(GENERAL)
        assert "message_reference" not in discord.called("post")[-1].body
        assert not discord.refusals


async def test_its_place_is_the_thread_in_the_channel() -> None:
    """The message is still found under the channel that it was said in."""
    async with FakeDiscord() as discord, connected(discord, reply_in=THREAD) as app:
        said = await ask(discord, app)
        (question,) = app.engine.received
        assert question.place == Place(f"discord:{said.id}", shared=True, home=f"discord:{GENERAL}")
        assert (question.channel_id, question.message_id) == (GENERAL, said.id)


async def test_a_follow_up_in_that_thread_needs_no_mention() -> None:
    """It is the same conversation, and is replied to."""
    async with FakeDiscord() as discord, connected(discord, reply_in=THREAD) as app:
        said = await ask(discord, app)
        more = discord.say(said.id, "and then?", author=BEN)
        await answered(discord, app, 2)
        assert app.engine.received[0].place == app.engine.received[1].place
        assert discord.answers(said.id)[1].reference == more.id
        assert len(discord.called("thread")) == 1


async def test_without_the_setting_nothing_is_opened() -> None:
    """The answer is a reply in the channel."""
    async with FakeDiscord() as discord, connected(discord) as app:
        said = await ask(discord, app)
        assert discord.answers()[0].reference == said.id
        assert not discord.called("thread")


@pytest.mark.parametrize("where", [TALK, ANN_DM, "voice"])
async def test_elsewhere_than_in_a_text_channel_it_answers_there(where: str) -> None:
    """In a thread, in direct messages, and where Discord has no threads."""
    async with FakeDiscord() as discord:
        discord.channels["300000000000000009"] = Channel("300000000000000009", VOICE, GUILD, "voice")
        where = where if where.isdecimal() else "300000000000000009"
        async with connected(discord, reply_in=THREAD) as app:
            said = await ask(discord, app, channel=where)
            assert discord.answers(where)[0].reference == said.id
            assert app.engine.received[0].place.key == f"discord:{where}"
            assert not discord.called("thread")


@pytest.mark.parametrize("permission", ["thread", "send in threads"])
async def test_where_it_may_open_none_the_conversation_is_the_channel_s(permission: str) -> None:
    """Not one of its own for each mention, which would remember nothing."""
    async with FakeDiscord() as discord:
        discord.channels[GENERAL].denied = {permission}
        async with connected(discord, reply_in=THREAD) as app:
            said = await ask(discord, app)
            assert app.engine.received[0].place == Place(f"discord:{GENERAL}", shared=True)
            assert discord.answers()[0].reference == said.id
            assert not discord.refusals


@pytest.mark.parametrize("text", ["reset", "/stop", "help"])
async def test_a_command_means_the_channel(text: str) -> None:
    """Its answer is a reply there."""
    async with FakeDiscord() as discord, connected(discord, reply_in=THREAD) as app:
        said = await ask(discord, app, text)
        assert app.engine.received[0].place.key == f"discord:{GENERAL}"
        assert discord.answers()[0].reference == said.id


def test_a_role_whose_text_is_kept_back_opens_nothing() -> None:
    """What is said of it belongs beside it."""
    gateway = Heard()
    said = gateway.say(f"<@&{BOT_ROLE}> hello", readable=False)
    question = incoming(said, int(BOT), threads=True)
    assert question is not None
    assert question.place.key == f"discord:{GENERAL}"


async def test_a_thread_that_is_there_already_is_used() -> None:
    """Somebody was quicker, or an earlier attempt was."""
    async with FakeDiscord() as discord:
        said = discord.say(GENERAL, "a question")
        discord.people.open_thread(said.id, user=BEN)
        async with threaded(discord, said) as channel:
            await channel.post(Page("one"))
        assert discord.refusals == [("thread", 400, 160004)]
        assert shown(discord, said.id) == ["one"]


async def test_a_lost_answer_opens_and_posts_once() -> None:
    """Neither the thread nor the post is made twice."""
    async with FakeDiscord() as discord:
        said = discord.say(GENERAL, "a question")
        async with threaded(discord, said) as channel:
            for route in ("thread", "post"):
                discord.fail(route, lose=True)
                with pytest.raises(PlatformError) as caught:
                    await channel.post(Page("one"))
                assert caught.value.fault is PlatformFault.NETWORK
            await channel.post(Page("one"))
        assert shown(discord, said.id) == ["one"]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 403, "body": REFUSED},
        {"status": 400, "body": {"code": 160006, "message": "Maximum number of active threads reached"}},
        {"status": 429, "retry_after": 300.0},
    ],
)
async def test_where_none_can_be_opened_it_replies_in_the_channel(fault: dict[str, Any]) -> None:
    """All of the answer stands there, also after a restart, and nothing is tried twice."""
    async with FakeDiscord() as discord:
        said = discord.say(GENERAL, "a question")
        discord.fail("thread", **fault)
        async with threaded(discord, said) as channel:
            first = await channel.post(Page("one", State.GROWING))
            second = await channel.post(Page("two", part=1))
            await channel.edit(first, Page("one!"))
        assert discord.message(first).reference == said.id
        assert len(discord.called("thread")) == 1
        async with threaded(discord, said) as channel:
            await channel.edit(first, Page("one anew"))
            await channel.delete(second)
            await channel.post(Page("two anew", part=1, attempt=1))
        assert shown(discord, GENERAL) == ["one anew", "two anew"]
        assert len(discord.called("thread")) == 1


async def test_a_short_limit_is_waited_for() -> None:
    """The refusal is the caller's to repeat, when the pacer says so."""
    async with FakeDiscord() as discord:
        said = discord.say(GENERAL, "a question")
        discord.fail("thread", status=429, retry_after=0.0)
        async with threaded(discord, said) as channel:
            with pytest.raises(PlatformError) as caught:
                await channel.post(Page("one"))
            assert caught.value.fault is PlatformFault.RATE
            await channel.post(Page("one"))
        assert shown(discord, said.id) == ["one"]


async def test_after_a_restart_the_question_alone_leads_to_the_thread() -> None:
    """Posts, edits, deletions and files go there; so do signs, once it is known to be there."""
    async with FakeDiscord() as discord, connected(discord, reply_in=THREAD) as app:
        said = await ask(discord, app)
        (answer,) = discord.answers(said.id)
        channel = app.engine.openers["discord"](app.engine.received[0])
        assert isinstance(channel, DiscordChannel)
        await channel.edit(answer.id, Page("anew"))
        more = await channel.post(Page("more", part=1))
        assert shown(discord, said.id) == ["anew", "more"]
        await channel.delete(more)
        await channel.attach("answer.md", "all of it")
        assert [one["filename"] for one in discord.answers(said.id)[-1].attachments] == ["answer.md"]
        assert not discord.answers(GENERAL)


async def test_a_thread_that_was_deleted_is_gone() -> None:
    """Its answer is not posted in the channel instead."""
    async with FakeDiscord() as discord, connected(discord, reply_in=THREAD) as app:
        said = await ask(discord, app)
        (answer,) = discord.answers(said.id)
        discord.people.drop(said.id)
        with pytest.raises(PlatformError) as caught:
            await app.engine.openers["discord"](app.engine.received[0]).edit(answer.id, Page("anew"))
        assert caught.value.fault is PlatformFault.GONE
        assert not discord.answers(GENERAL)


async def test_a_thread_that_is_deleted_meanwhile_is_not_looked_for() -> None:
    """Where it was opened is known: the call is made once."""
    async with FakeDiscord() as discord:
        said = discord.say(GENERAL, "a question")
        async with threaded(discord, said) as channel:
            posted = await channel.post(Page("one"))
            discord.people.drop(said.id)
            with pytest.raises(PlatformError) as caught:
                await channel.edit(posted, Page("two"))
        assert caught.value.fault is PlatformFault.GONE
        assert [call["channel"] for call in discord.called("edit")] == [said.id]


async def test_posts_count_under_the_thread_s_limit() -> None:
    """It is shared with everything else that is said there, and not with the channel."""
    async with FakeDiscord() as discord, connect(settings(discord)) as rest:
        here = DiscordChannel(rest, settings(discord), GENERAL, "5", title="a name")
        there = DiscordChannel(rest, settings(discord), "5", "6")
        assert here.posts is here.edits is there.posts
        assert here.posts is not DiscordChannel(rest, settings(discord), GENERAL, "7").posts


async def test_signs_stand_where_the_question_does_until_the_thread_does() -> None:
    """Typing in the channel before the first post; the hourglass on the question."""
    async with FakeDiscord() as discord, connected(discord, reply_in=THREAD) as app:
        app.engine.gate.clear()
        said = discord.say(GENERAL, f"{MENTION} hello")
        await discord.until(lambda: discord.called("typing"))
        assert {call["channel"] for call in discord.called("typing")} == {GENERAL}
        app.engine.gate.set()
        await answered(discord, app, 1)
        assert shown(discord, said.id) == ["echo: hello"]


async def test_deletions_find_question_and_answer() -> None:
    """The answer's is told of the thread, under which its turn is not on record, and of the channel."""
    async with FakeDiscord() as discord, connected(discord, reply_in=THREAD) as app:
        said = await ask(discord, app)
        (answer,) = discord.answers(said.id)
        discord.delete(answer.id)
        discord.delete(said.id)
        await discord.until(lambda: len(app.engine.retracted) == 3)
        assert app.engine.retracted == [
            ("discord", said.id, answer.id),
            ("discord", GENERAL, answer.id),
            ("discord", GENERAL, said.id),
        ]


async def test_an_edit_keeps_the_place_and_the_opened_thread_is_none() -> None:
    """Discord tells of the thread as of a change of the message."""
    async with FakeDiscord() as discord, connected(discord, reply_in=THREAD) as app:
        discord.edit((await ask(discord, app, "one")).id, f"{MENTION} two")
        await discord.until(lambda: app.engine.amended)
        assert [question.text for question in app.engine.amended] == ["two"]
        said, changed = app.engine.received[0], app.engine.amended[0]
        assert (said.channel_id, said.message_id) == (changed.channel_id, changed.message_id)


async def test_the_invite_link_asks_for_threads_only_where_they_are_wanted() -> None:
    """To open them, beside what it always needs to write in them."""
    async with FakeDiscord() as discord:
        plain, wanted = await invite(settings(discord)), await invite(settings(discord, reply_in=THREAD))
        least, most = (int(link.partition("permissions=")[2].partition("&")[0]) for link in (plain, wanted))
        assert most == least | 1 << 35 != least
        assert least & 1 << 38
