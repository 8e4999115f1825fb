"""The record follows Discord: what people edit and delete reaches the engine, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Incoming
from tests.loopback.discord import ANN_DM, BOT, BOT_ROLE, GENERAL, TALK, FakeDiscord
from tests.loopback.discord.state import Message
from tests.support.discord_app import App, answered, connected

MENTION = f"<@{BOT}>"


async def ask(discord: FakeDiscord, app: App, where: str = GENERAL, text: str = f"{MENTION} one") -> Message:
    """Somebody asks, and is answered."""
    said = discord.say(where, text)
    await answered(discord, app, len(app.engine.answered) + 1)
    return said


async def test_an_edit_that_takes_the_mention_out_is_taken_in_too() -> None:
    """Somebody takes back what they said; what Discord keeps from a bot that nobody mentions is forgotten."""
    async with FakeDiscord() as discord, connected(discord) as app:
        said = discord.say(content=f"{MENTION} my password is hunter2")
        await answered(discord, app, 1)
        discord.edit(said.id, "never mind")
        [changed] = await amended(discord, app, 1)
        assert (changed.text, changed.message_id, changed.command) == ("never mind", said.id, "")
    async with FakeDiscord() as discord:
        discord.world.app.granted.discard("message_content")
        async with connected(discord) as app:
            said = discord.say(content=f"{MENTION} my password is hunter2")
            await answered(discord, app, 1)
            discord.edit(said.id, "never mind")
            await discord.until(lambda: app.engine.retracted)
            assert app.engine.retracted == [("discord", GENERAL, said.id)]
            assert not app.engine.amended


async def amended(discord: FakeDiscord, app: App, count: int) -> list[Incoming]:
    """What the engine heard of edits, once it heard of so many."""
    await discord.until(lambda: len(app.engine.amended) >= count)
    return app.engine.amended


async def retracted(discord: FakeDiscord, app: App, count: int) -> list[tuple[str, str, str]]:
    """What the engine heard of deletions, once it heard of so many."""
    await discord.until(lambda: len(app.engine.retracted) >= count)
    return app.engine.retracted


@pytest.mark.parametrize(("where", "text"), [(GENERAL, f"{MENTION} one"), (ANN_DM, "one"), (TALK, f"{MENTION} one")])
async def test_an_edited_question_is_the_same_question_with_its_new_text(where: str, text: str) -> None:
    """The same message, place and author."""
    async with FakeDiscord() as discord, connected(discord) as app:
        said = await ask(discord, app, where, text)
        discord.edit(said.id, text.replace("one", "two"))
        assert await amended(discord, app, 1) == [replace(app.engine.received[0], text="two")]


async def test_a_follow_up_in_a_thread_is_followed_too() -> None:
    """It needed no mention, and needs none now."""
    async with FakeDiscord() as discord, connected(discord) as app:
        await ask(discord, app, TALK)
        said = await ask(discord, app, TALK, "two")
        discord.edit(said.id, "three")
        assert [question.text for question in await amended(discord, app, 1)] == ["three"]


async def test_what_is_no_edit_of_a_question_is_nothing() -> None:
    """Talk, the bot's own edits, a preview under a message whether it was edited or not, what may not be read."""
    async with FakeDiscord() as discord:
        discord.world.app.granted.clear()
        async with connected(discord) as app:
            said = await ask(discord, app)
            discord.people.unfold(said.id)
            discord.edit(discord.say(GENERAL, "talk").id, "more talk")
            discord.edit(discord.say(GENERAL, f"<@&{BOT_ROLE}> one").id, f"<@&{BOT_ROLE}> two")
            discord.edit(said.id, f"{MENTION} two")
            discord.people.unfold(said.id)
            discord.edit(said.id, f"{MENTION} three")
            assert [question.text for question in await amended(discord, app, 2)] == ["two", "three"]
            assert not app.engine.settled


async def test_an_edit_while_the_program_stops_changes_the_record_alone() -> None:
    """No answer is begun any more."""
    async with FakeDiscord() as discord, connected(discord) as app:
        said = await ask(discord, app)
        app.host.closing.set()
        discord.edit(said.id, f"{MENTION} two")
        await discord.until(lambda: app.engine.amended)
        assert app.engine.settled == app.engine.amended == [replace(app.engine.received[0], text="two")]


async def test_deleted_messages_are_told_whoever_deleted_them() -> None:
    """A question, an answer, many at once; each once."""
    async with FakeDiscord() as discord, connected(discord) as app:
        first, second = await ask(discord, app), await ask(discord, app)
        (answer, _), talk = discord.answers(), discord.say(GENERAL, "talk")
        discord.delete(first.id)
        discord.gateway.repeat("MESSAGE_DELETE")
        discord.delete(answer.id)
        await retracted(discord, app, 2)
        discord.people.purge(second.id, talk.id)
        gone = [first.id, answer.id, second.id, talk.id]
        assert await retracted(discord, app, 4) == [("discord", GENERAL, one) for one in gone]


async def test_the_bot_s_own_deletions_are_not_told() -> None:
    """A page that an answer no longer needs takes no turn out of the memory, not even before the call has returned."""
    async with FakeDiscord() as discord, connected(discord) as app:
        said = await ask(discord, app)
        channel, (answer,) = app.engine.openers["discord"](app.engine.answered[0]), discord.answers()
        discord.fail("delete", lose=True)
        with pytest.raises(PlatformError):
            await channel.delete(answer.id)
        assert not discord.answers()
        discord.delete(said.id)
        assert await retracted(discord, app, 1) == [("discord", GENERAL, said.id)]


async def test_a_deletion_that_was_refused_is_not_the_bot_s() -> None:
    """A person who deletes the message after that is heard."""
    async with FakeDiscord() as discord, connected(discord) as app:
        await ask(discord, app)
        channel, (answer,) = app.engine.openers["discord"](app.engine.answered[0]), discord.answers()
        discord.fail("delete", status=403, body={"code": 50013, "message": "Missing Permissions"})
        with pytest.raises(PlatformError) as caught:
            await channel.delete(answer.id)
        assert caught.value.fault is PlatformFault.FORBIDDEN
        discord.delete(answer.id)
        assert await retracted(discord, app, 1) == [("discord", GENERAL, answer.id)]


async def test_a_memory_that_fails_is_survived() -> None:
    """Both are logged; the adapter goes on."""
    async with FakeDiscord() as discord, connected(discord) as app:
        said = await ask(discord, app)
        app.engine.memory.broken = True
        discord.edit(said.id, f"{MENTION} two")
        await amended(discord, app, 1)
        discord.delete(said.id)
        await retracted(discord, app, 1)
        app.engine.memory.broken = False
        await ask(discord, app)
        assert app.ready
