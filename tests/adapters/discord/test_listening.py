"""Channels of Discord where everything is answered, and conversations of one person each, as the adapter has them."""

from __future__ import annotations

import time

from bot.access.listening import LISTENING_PLACE
from bot.config.settings import AccessSettings, PlaceSettings
from bot.domain.messages import Place
from tests.adapters.discord.test_missed import caught_up, met
from tests.loopback.discord import ANN, BEN, BOT, GENERAL, GUILD, OWNER, RANDOM, TALK, FakeDiscord
from tests.loopback.discord.world import HELPERS
from tests.support.discord_app import App, answered, connected

MENTION = f"<@{BOT}>"
KEY = f"discord:{GENERAL}"
LISTENING = {KEY: PlaceSettings(answer="all")}
OWN = {KEY: PlaceSettings(memory="person")}


async def settled(discord: FakeDiscord, app: App) -> set[str]:
    """What reached the engine, with one more mention after everything else."""
    discord.say(TALK, f"{MENTION} the last one")
    await discord.until(lambda: any(question.text == "the last one" for question in app.engine.answered))
    return {question.text for question in app.engine.received} - {"the last one"}


async def test_a_thread_has_what_its_channel_has_unless_it_has_its_own() -> None:
    """What is said there to nobody is answered, though nobody asked the bot there before."""
    for own, texts in (({}, {"one"}), ({f"discord:{TALK}": PlaceSettings(answer="mentions")}, set[str]())):
        async with FakeDiscord() as discord, connected(discord) as app:
            app.engine.have_places({**LISTENING, **own})
            discord.say(TALK, "one")
            assert await settled(discord, app) == texts
            assert all(one.follows for one in app.engine.received if one.text == "one")


async def test_without_the_intent_nothing_is_read_and_that_is_known() -> None:
    """With it there is nothing to say."""
    for granted in (True, False):
        async with FakeDiscord() as discord:
            if not granted:
                discord.world.app.granted.clear()
            async with connected(discord) as app:
                app_knows = app.engine.listening.hindrances
                assert ("Message Content Intent" in app_knows.get("discord", "")) is not granted


async def test_a_listening_channel_opens_threads_where_answers_are_in_threads() -> None:
    """One for each message; with a conversation of each person they are places of one person each."""
    async with FakeDiscord() as discord, connected(discord, reply_in="thread") as app:
        app.engine.have_places({KEY: PlaceSettings(answer="all", memory="person")})
        said = discord.say(GENERAL, "a question of mine")
        await answered(discord, app, 1)
        place = app.engine.answered[0].place
        assert place == Place(f"discord:{said.id}:{ANN}", shared=True, home=KEY, person=ANN)
        thread = discord.channels[said.id]
        assert (thread.name, [one.content for one in discord.answers(said.id)]) == (
            "a question of mine",
            ["echo: a question of mine"],
        )


async def test_a_command_means_a_person_s_own_conversation() -> None:
    """Whose reset is nobody else's business; where all share one, all see it."""
    for places, key, private in ((OWN, f"{KEY}:{BEN}", True), ({}, KEY, False)):
        async with FakeDiscord() as discord, connected(discord) as app:
            app.engine.have_places(places)
            reset = discord.slash("reset", user=BEN)
            await discord.until(lambda reset=reset: reset.shown)  # type: ignore[misc]
            ((_, place, _, _),) = app.engine.commands
            assert (place.key, reset.private) == (key, private)


async def test_a_follow_up_in_a_thread_needs_one_who_asked_there() -> None:
    """Whoever it was: the bot takes part, and each goes on in a conversation of their own."""
    async with FakeDiscord() as discord, connected(discord) as app:
        app.engine.have_places(OWN)
        discord.say(TALK, f"{MENTION} one")
        await answered(discord, app, 1)
        discord.say(TALK, "two", author=BEN)
        await answered(discord, app, 2)
        assert [one.place.key for one in app.engine.answered] == [f"discord:{TALK}:{ANN}", f"discord:{TALK}:{BEN}"]


async def test_what_was_said_before_it_was_switched_on_is_left() -> None:
    """Though it is found after a start; and only of those whom it answers it asks for their roles."""
    async with FakeDiscord() as discord:
        discord.world.guilds[GUILD].members[ANN].roles.append(HELPERS)
        engine = await met(discord, GENERAL)
        engine.access = AccessSettings(block=("1",))
        discord.say(GENERAL, "before", author=OWNER, ago=60)
        await engine.memory.annotate(LISTENING_PLACE, KEY, time.time() - 30)
        engine.have_places({})
        discord.say(GENERAL, "after")
        async with connected(discord, engine) as app:
            assert await caught_up(discord, app, 1) == {"after"}
            assert HELPERS in app.engine.answered[0].marks
            assert {call["user"] for call in discord.called("member")} == {ANN}


async def test_what_nobody_answered_in_a_listening_channel_is_found() -> None:
    """And in its threads; not what was for others. What was asked by one person alone is known as what it is."""
    async with FakeDiscord() as discord:
        engine = await met(discord, RANDOM)
        engine.have_places({f"discord:{GENERAL}": PlaceSettings(answer="all")})
        engine.memory.claims[RANDOM, "0"] = f"discord:{RANDOM}:{BEN}"
        ann = discord.say(GENERAL, "one")
        discord.say(TALK, "two", author=BEN)
        discord.say(GENERAL, f"<@{BEN}> among us")
        discord.say(GENERAL, "to Ann", author=BEN, reference=ann.id)
        async with connected(discord, engine) as app:
            assert await caught_up(discord, app, 2) == {"one", "two"}
            assert not discord.called("channel")
