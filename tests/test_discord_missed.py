"""What was said while the bot was away is found when it comes back, and answered once."""

from __future__ import annotations

import asyncio

import pytest

from tests.discord_app import App, Echo, answered, connected
from tests.loopback.discord import ANN_DM, BEN, BEN_DM, BOT, BOT_ROLE, GENERAL, RANDOM, TALK, FakeDiscord

MENTION = f"<@{BOT}>"


async def met(discord: FakeDiscord, *places: str) -> Echo:
    """An engine that was asked something in these places, with the bot away since."""
    async with connected(discord) as app:
        for number, place in enumerate(places or (GENERAL,), 1):
            discord.say(place, f"{MENTION} before")
            await answered(discord, app, number)
    await discord.until(lambda: not discord.connected)
    app.engine.received.clear()
    app.engine.answered.clear()
    discord.calls.clear()
    return app.engine


async def caught_up(discord: FakeDiscord, app: App, count: int) -> set[str]:
    """What was answered, once so many questions were, and one more that was asked after them."""
    await answered(discord, app, count)
    discord.say(RANDOM, f"{MENTION} live")
    await answered(discord, app, count + 1)
    assert len(app.engine.answered) == count + 1
    return {question.text for question in app.engine.answered} - {"live"}


async def read(discord: FakeDiscord, *channels: str) -> None:
    """Wait until the history of these channels was read; none other was."""
    wanted = set(channels)
    await discord.until(lambda: {call["channel"] for call in discord.called("history")} >= wanted)
    assert {call["channel"] for call in discord.called("history")} == wanted


async def test_questions_of_the_meantime_are_answered_after_a_start() -> None:
    """In channels, in threads with a mention and without, in direct messages; not what was for others."""
    async with FakeDiscord() as discord:
        engine = await met(discord, GENERAL, TALK, ANN_DM)
        discord.say(GENERAL, "talk among people")
        discord.say(GENERAL, f"{MENTION} in a channel")
        discord.say(TALK, "in a thread")
        discord.say(ANN_DM, "in a direct message")
        async with connected(discord, engine) as app:
            assert await caught_up(discord, app, 3) == {"in a channel", "in a thread", "in a direct message"}
            assert len(discord.answers(GENERAL)) == 2
            question = next(question for question in app.engine.answered if question.text == "in a direct message")
            assert (question.place.direct, question.place.key) == (True, f"discord:{ANN_DM}")


async def test_they_are_taken_in_their_order_over_many_pages() -> None:
    """The oldest first, though Discord lists the newest first, a hundred at a time."""
    async with FakeDiscord() as discord:
        engine = await met(discord)
        for number in range(230):
            discord.say(GENERAL, f"{MENTION} {number}" if number % 50 == 0 else "talk")
        async with connected(discord, engine) as app:
            await answered(discord, app, 5)
            taken = [question.text for question in app.engine.received if question.text != "before"]
            assert taken == ["0", "50", "100", "150", "200"]
            assert len(discord.called("history")) == 3


async def test_an_empty_memory_recovers_nothing() -> None:
    """The bot is new here: nobody waits for it."""
    async with FakeDiscord() as discord:
        discord.say(GENERAL, f"{MENTION} before its time")
        async with connected(discord) as app:
            await discord.gateway.invalidate()
            await discord.until(lambda: len(discord.gateway.identifies) == 2, 30)
            discord.say(RANDOM, f"{MENTION} live")
            await answered(discord, app, 1)
            discord.say(ANN_DM, "live too")
            await answered(discord, app, 2)
        assert not discord.called("history")


async def test_what_is_older_than_the_setting_is_left() -> None:
    """Nobody waits for it any more; a channel where all is older is not asked."""
    async with FakeDiscord() as discord:
        engine = await met(discord)
        discord.say(TALK, f"{MENTION} too old", ago=100)
        discord.say(RANDOM, f"{MENTION} too old as well", ago=61)
        discord.say(RANDOM, f"{MENTION} young", ago=30)
        async with connected(discord, engine, catch_up=60) as app:
            await answered(discord, app, 1)
            await read(discord, GENERAL, RANDOM)
            assert [question.text for question in app.engine.answered] == ["young"]


async def test_it_can_be_switched_off() -> None:
    """Then nothing is read."""
    async with FakeDiscord() as discord:
        engine = await met(discord, GENERAL, ANN_DM)
        discord.say(GENERAL, f"{MENTION} missed")
        async with connected(discord, engine, catch_up=0) as app:
            await discord.gateway.invalidate()
            await discord.until(lambda: len(discord.gateway.identifies) == 3, 30)
            assert await caught_up(discord, app, 0) == set()
        assert not discord.called("history")


async def test_only_what_it_may_read_is_asked_for() -> None:
    """Calls that are refused count against a bot. A direct message that it does not remember it cannot know."""
    async with FakeDiscord() as discord:
        engine = await met(discord, TALK)
        for where in (TALK, ANN_DM, RANDOM, GENERAL):
            discord.say(where, f"{MENTION} missed in {where}")
        discord.people.deny(RANDOM, "history")
        quiet = discord.world.channel(discord.people.open_thread(discord.say(GENERAL, "a topic").id).id)
        discord.say(quiet.id, f"{MENTION} missed in {quiet.id}")
        discord.people.deny(quiet.id, "view")
        async with connected(discord, engine) as app:
            await answered(discord, app, 2)
            await read(discord, TALK, GENERAL)
        assert not [refusal for refusal in discord.refusals if refusal[1] in (401, 403)]


async def test_a_session_that_was_lost_misses_nothing_and_asks_only_where_something_was_said() -> None:
    """A channel whose last message was heard is not read again; what was said with nobody there is answered once."""
    async with FakeDiscord() as discord:
        engine = await met(discord, GENERAL, RANDOM)
        async with connected(discord, engine) as app:
            await read(discord, GENERAL, RANDOM)
            discord.say(GENERAL, f"{MENTION} one")
            discord.say(RANDOM, f"{MENTION} two")
            await answered(discord, app, 2)
            discord.calls.clear()
            await discord.gateway.invalidate()
            await discord.until(lambda: not discord.connected)
            discord.say(RANDOM, f"{MENTION} missed")
            await answered(discord, app, 3)
            await read(discord, RANDOM)
            assert app.engine.answered[-1].text == "missed"


async def test_a_resumed_session_needs_no_history() -> None:
    """Discord itself brings what was said meanwhile."""
    async with FakeDiscord() as discord:
        engine = await met(discord)
        async with connected(discord, engine) as app:
            await read(discord, GENERAL)
            discord.calls.clear()
            discord.gateway.kill()
            discord.say(GENERAL, f"{MENTION} missed")
            await answered(discord, app, 1)
            await discord.until(lambda: discord.gateway.resumes)
            assert not discord.called("history")


@pytest.mark.parametrize("fault", [{"status": 429, "retry_after": 0.1}, {"status": 503}, {"cut": True}])
async def test_a_reading_that_failed_is_tried_again(fault: dict[str, object]) -> None:
    """After a pause, or as long as Discord says."""
    async with FakeDiscord() as discord:
        engine = await met(discord)
        discord.say(GENERAL, f"{MENTION} missed")
        discord.fail("history", **fault)
        async with connected(discord, engine) as app:
            assert await caught_up(discord, app, 1) == {"missed"}


async def test_a_refusal_keeps_nothing_else_from_being_found() -> None:
    """A channel and a direct message that are gone are left out."""
    async with FakeDiscord() as discord:
        engine = await met(discord, ANN_DM, BEN_DM)
        for where in (GENERAL, RANDOM):
            discord.say(where, f"{MENTION} missed in {discord.channels[where].name}")
        discord.say(ANN_DM, "missed in a direct message")
        discord.channels[BEN_DM].deleted = True
        discord.fail("history", status=403, body={"code": 50001, "message": "Missing Access"})
        async with connected(discord, engine) as app:
            assert await caught_up(discord, app, 2) == {"missed in random", "missed in a direct message"}


async def test_what_was_deleted_meanwhile_is_not_answered() -> None:
    """Not even where the reading had brought it already."""
    async with FakeDiscord() as discord:
        engine = await met(discord)
        gone, late = discord.say(GENERAL, f"{MENTION} regretted"), asyncio.Event()
        discord.say(GENERAL, f"{MENTION} missed")
        discord.fail("history", late=late)
        async with connected(discord, engine) as app:
            await discord.until(lambda: any(call.status for call in discord.called("history")))
            discord.delete(gone.id)
            await discord.until(lambda: engine.retracted)
            late.set()
            assert await caught_up(discord, app, 1) == {"missed"}


async def test_without_the_intent_it_finds_what_is_said_to_it() -> None:
    """The texts of everything else are kept back in the history too; a call of its role is told how to reach it."""
    async with FakeDiscord() as discord:
        engine = await met(discord, TALK)
        discord.world.app.granted.clear()
        discord.say(TALK, "not readable")
        discord.say(TALK, f"<@&{BOT_ROLE}> by its role", author=BEN)
        discord.say(TALK, f"{MENTION} by name", author=BEN)
        async with connected(discord, engine) as app:
            assert await caught_up(discord, app, 1) == {"by name"}
            assert [MENTION in said.shown for said in discord.answers(TALK)] == [False, True, False]


async def test_a_memory_that_fails_is_asked_again_the_next_time() -> None:
    """Nothing counts as heard that was not written down."""
    async with FakeDiscord() as discord:
        engine = await met(discord)
        discord.say(GENERAL, f"{MENTION} missed")
        gate = discord.hold("history")
        async with connected(discord, engine) as app:
            await discord.until(lambda: discord.called("history"))
            engine.memory.broken = True
            gate.set()
            await discord.until(lambda: engine.received)
            engine.memory.broken = False
            await discord.gateway.invalidate()
            await answered(discord, app, 1)
            assert app.engine.answered[0].text == "missed"
