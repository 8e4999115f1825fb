"""Discord over the gateway: what is said to the bot is answered once, in its place; what goes wrong is told apart."""

from __future__ import annotations

import pytest

from bot.domain.messages import Page
from tests.loopback.discord import ANN, ANN_DM, BEN, BOT, BOT_ROLE, GENERAL, RANDOM, TALK, FakeDiscord
from tests.support.discord_app import answered, connected

MENTION = f"<@{BOT}>"
MESSAGE_CONTENT, MEMBERS, PRESENCES = 1 << 15, 1 << 1, 1 << 8


@pytest.mark.parametrize("where", [GENERAL, RANDOM, TALK])
async def test_a_mention_is_answered_where_it_was_said(where: str) -> None:
    """By a reply that grows."""
    async with FakeDiscord() as discord, connected(discord) as app:
        app.engine.gate.clear()
        said = discord.say(where, f"{MENTION} hello")
        await discord.until(lambda: discord.channels[where].typed)
        app.engine.gate.set()
        await answered(discord, app, 1)
        (answer,) = discord.answers(where)
        assert answer.reference == said.id
        assert [version.shown for version in answer.versions] == ["echo ▌", "echo: hello"]
        assert not discord.refusals


async def test_a_direct_message_is_answered() -> None:
    """No mention needed."""
    async with FakeDiscord() as discord, connected(discord) as app:
        discord.say(ANN_DM, "hello")
        await answered(discord, app, 1)
        assert app.engine.answered[0].place.direct
        assert [said.shown for said in discord.answers(ANN_DM)] == ["echo: hello"]


async def test_the_bot_s_own_messages_and_talk_are_not_answered() -> None:
    """Nor edits and reactions."""
    async with FakeDiscord() as discord, connected(discord) as app:
        talk = discord.say(GENERAL, "talk among people")
        discord.edit(talk.id, f"{MENTION} talk")
        discord.people.react(talk.id, "👍")
        discord.say(GENERAL, f"{MENTION} hello")
        await answered(discord, app, 1)
        assert len(app.engine.received) == 1


async def test_the_privileged_intent_is_asked_for_only_where_it_is_granted() -> None:
    """Members and presences never: asking for what is not granted is fatal."""
    async with FakeDiscord() as discord:
        for granted in ({"message_content"}, {"members", "presences"}, set[str]()):
            discord.world.app.granted = granted
            async with connected(discord):
                asked = discord.gateway.identifies[-1]["intents"]
                assert bool(asked & MESSAGE_CONTENT) is ("message_content" in granted)
                assert not asked & (MEMBERS | PRESENCES)


async def test_without_the_intent_mentions_dms_and_replies_are_answered() -> None:
    """Everything that is said to the bot; a thread needs a mention each time."""
    async with FakeDiscord() as discord:
        discord.world.app.granted.clear()
        async with connected(discord) as app:
            discord.say(TALK, f"{MENTION} one")
            await answered(discord, app, 1)
            discord.say(TALK, "not for it")
            discord.say(TALK, "two", reference=discord.answers(TALK)[0].id)
            await answered(discord, app, 2)
            discord.say(ANN_DM, "three")
            await answered(discord, app, 3)
            assert [question.text for question in app.engine.answered] == ["one", "two", "three"]


async def test_a_mention_of_its_role_is_answered() -> None:
    """With the intent its text is there."""
    async with FakeDiscord() as discord, connected(discord) as app:
        discord.say(GENERAL, f"<@&{BOT_ROLE}> hello")
        await answered(discord, app, 1)
        assert app.engine.answered[0].text == "hello"


async def test_a_mention_of_its_role_that_it_may_not_read_is_told() -> None:
    """Once: how to reach it; the model is not asked."""
    async with FakeDiscord() as discord:
        discord.world.app.granted.clear()
        async with connected(discord) as app:
            said = discord.say(GENERAL, f"<@&{BOT_ROLE}> hello")
            await discord.until(lambda: app.engine.memory.finished)
            discord.gateway.repeat("MESSAGE_CREATE")
            discord.say(GENERAL, f"{MENTION} hello")
            await answered(discord, app, 1)
            told = discord.answers()[0]
            assert (told.reference, MENTION in told.shown) == (said.id, True)
            assert len(discord.answers()) == 2
            assert len(app.engine.received) == 1


async def test_a_bare_mention_reaches_the_engine() -> None:
    """Which then introduces the bot; as a reply it brings what was replied to."""
    async with FakeDiscord() as discord, connected(discord) as app:
        theirs = discord.say(GENERAL, "a thought", author=BEN)
        discord.say(GENERAL, MENTION, reference=theirs.id)
        await answered(discord, app, 1)
        assert (app.engine.answered[0].text, app.engine.answered[0].quote) == ("", "a thought")


async def test_a_thread_that_it_was_asked_into_needs_no_mention() -> None:
    """Others do, and so does what is said to somebody else."""
    async with FakeDiscord() as discord, connected(discord) as app:
        discord.say(TALK, "not yet")
        discord.say(TALK, f"{MENTION} one")
        await answered(discord, app, 1)
        discord.say(TALK, f"<@{BEN}> you too")
        discord.say(GENERAL, "not here")
        discord.say(TALK, "two")
        await answered(discord, app, 2)
        assert [question.text for question in app.engine.answered] == ["one", "two"]


async def test_a_thread_that_it_opened_needs_no_mention() -> None:
    """Not even the first time."""
    async with FakeDiscord() as discord, connected(discord) as app:
        opened = discord.people.open_thread(discord.say(GENERAL, "a topic").id, user=BOT)
        discord.say(opened.id, "hello")
        await answered(discord, app, 1)
        assert app.engine.answered[0].place.key == f"discord:{opened.id}"


async def test_follow_ups_are_a_setting() -> None:
    """Without it a thread needs a mention each time."""
    async with FakeDiscord() as discord, connected(discord, thread_follow_ups=False) as app:
        discord.say(TALK, f"{MENTION} one")
        await answered(discord, app, 1)
        discord.say(TALK, "two")
        discord.say(TALK, f"{MENTION} three")
        await answered(discord, app, 2)
        assert [question.text for question in app.engine.answered] == ["one", "three"]


async def test_a_memory_that_fails_leaves_follow_ups_alone() -> None:
    """Nobody knows whom they are for; what is said to the bot is still taken."""
    async with FakeDiscord() as discord, connected(discord) as app:
        app.engine.memory.broken = True
        discord.say(TALK, "not for it")
        discord.say(TALK, f"<@&{BOT_ROLE}> one")
        await discord.until(lambda: app.engine.received)
        assert [question.text for question in app.engine.received] == ["one"]


async def test_what_the_gateway_repeats_is_answered_once() -> None:
    """Two deliveries carry the same id."""
    async with FakeDiscord() as discord, connected(discord) as app:
        discord.say(GENERAL, f"{MENTION} one")
        await answered(discord, app, 1)
        discord.gateway.repeat("MESSAGE_CREATE")
        discord.say(RANDOM, f"{MENTION} two")
        await answered(discord, app, 2)
        assert len(discord.answers()) == 1


async def test_the_opener_makes_the_channel_of_any_question() -> None:
    """One from before a restart too."""
    async with FakeDiscord() as discord, connected(discord) as app:
        discord.say(GENERAL, f"{MENTION} hello")
        await answered(discord, app, 1)
        channel = app.engine.openers["discord"](app.engine.answered[0])
        await channel.edit(discord.answers()[0].id, Page("written anew"))
        assert discord.answers()[0].shown == "written anew"


async def test_nothing_is_taken_while_the_program_stops() -> None:
    """It is left for the next start."""
    async with FakeDiscord() as discord, connected(discord) as app:
        app.host.closing.set()
        discord.say(GENERAL, f"{MENTION} hello")
        one = discord.slash("help")
        await discord.until(lambda: one.shown)
        assert not app.engine.received


async def test_where_it_may_not_write_it_stays_quiet() -> None:
    """And lives on."""
    async with FakeDiscord() as discord, connected(discord) as app:
        discord.people.deny(GENERAL, "send")
        discord.say(GENERAL, f"{MENTION} hello", author=ANN)
        discord.say(RANDOM, f"{MENTION} hello", author=ANN)
        await answered(discord, app, 1)
        assert not discord.answers(GENERAL)
        assert app.ready
