"""What was said while the bot was away is found when it comes back, and answered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import discord as library
import pytest

from adapters.discord.api.client import Rest, connect
from adapters.discord.backfill import Missed
from bot.domain.ports import Memory
from tests.loopback.discord import (
    ANN_DM,
    BEN,
    BOT,
    BOT_ROLE,
    GENERAL,
    RANDOM,
    TALK,
    FakeDiscord,
    payloads,
)
from tests.support.discord_app import App, Echo, Heard, Notebook, answered, connected, settings

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


class Desk:
    """The part that looks for what was missed, without a gateway: a test says what that tells of."""

    def __init__(self, discord: FakeDiscord, rest: Rest, seconds: float, known: tuple[str, ...]) -> None:
        self.memory = Notebook({(place, "0"): f"discord:{place}" for place in known})
        self.taken: list[str] = []
        self._discord = discord
        self._gateway = Heard(discord.world)
        self._missed = Missed(self._gateway.client, rest, cast(Memory, self.memory), seconds, self._take)

    async def session(self, breaks: bool = False) -> None:
        """A session begins, and the gateway tells of the servers as they are; then the memory may break."""
        await self._missed.begin()
        self.memory.broken = self.memory.broken or breaks
        self._gateway.state.clear()
        fresh = Heard(self._discord.world)
        self._gateway.state.user, self._gateway.state._guilds = fresh.state.user, fresh.state._guilds
        await self._missed.look(self._gateway.client.guilds, direct=True)

    def hear(self, where: str, text: str) -> None:
        """The gateway tells of a message."""
        said = self._discord.say(where, text)
        self._missed.hear(self._gateway.read(payloads.event(said, self._discord.world)))

    async def _take(self, message: library.Message) -> None:
        self.memory.check()
        self.taken.append(message.content)


@asynccontextmanager
async def looking(discord: FakeDiscord, seconds: float = 900, known: tuple[str, ...] = ()) -> AsyncIterator[Desk]:
    """A desk whose memory knows these places."""
    async with connect(settings(discord)) as rest:
        yield Desk(discord, rest, seconds, known)


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
    """The bot is new here, and nobody waits for it: not then, and not once it was asked something."""
    async with FakeDiscord() as discord, looking(discord) as desk:
        discord.say(GENERAL, f"{MENTION} before its time")
        discord.say(ANN_DM, "before its time")
        await desk.session()
        desk.memory.claims["1", "1"] = f"discord:{GENERAL}"
        await desk.session()
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
    """Then nothing is asked."""
    async with FakeDiscord() as discord, looking(discord, seconds=0, known=(GENERAL, ANN_DM)) as desk:
        discord.say(GENERAL, f"{MENTION} missed")
        await desk.session()
        assert not discord.calls


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


async def test_a_session_that_was_lost_misses_nothing() -> None:
    """What was said while nobody heard is answered; a channel whose last message was heard is not read again."""
    async with FakeDiscord() as discord:
        engine = await met(discord, GENERAL, RANDOM, ANN_DM)
        async with connected(discord, engine) as app:
            await read(discord, GENERAL, RANDOM, ANN_DM)
            discord.say(GENERAL, f"{MENTION} one")
            discord.say(RANDOM, f"{MENTION} two")
            await answered(discord, app, 2)
            discord.calls.clear()
            await discord.gateway.invalidate()
            await discord.until(lambda: not discord.connected)
            discord.say(RANDOM, f"{MENTION} missed")
            await answered(discord, app, 3)
            await discord.until(lambda: discord.called("channel"))
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
async def test_a_reading_that_failed_is_tried_again(fault: dict[str, Any]) -> None:
    """After a pause, or as long as Discord says."""
    async with FakeDiscord() as discord:
        engine = await met(discord)
        discord.say(GENERAL, f"{MENTION} missed")
        discord.fail("history", **fault)
        async with connected(discord, engine) as app:
            assert await caught_up(discord, app, 1) == {"missed"}


async def test_a_refusal_keeps_nothing_else_from_being_found() -> None:
    """A channel that it may not read after all, a thread that is gone."""
    async with FakeDiscord() as discord:
        engine = await met(discord, ANN_DM, TALK)
        for where in (GENERAL, RANDOM):
            discord.say(where, f"{MENTION} missed in {discord.channels[where].name}")
        discord.say(ANN_DM, "missed in a direct message")
        discord.people.drop(TALK)
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


@pytest.mark.parametrize("early", [True, False])
async def test_what_could_not_be_written_down_is_read_again(early: bool) -> None:
    """By the next session, and what comes live meanwhile does not hide it."""
    async with FakeDiscord() as discord, looking(discord, known=(GENERAL,)) as desk:
        discord.say(GENERAL, "missed")
        desk.memory.broken = early
        await desk.session(breaks=True)
        assert not desk.taken
        desk.memory.broken = False
        desk.hear(GENERAL, "live")
        await desk.session()
        assert desk.taken == ["missed", "live"]


async def test_a_room_whose_last_message_was_heard_is_not_asked() -> None:
    """Of others only what came after; a direct message is asked for its last message alone."""
    async with FakeDiscord() as discord, looking(discord, known=(GENERAL, ANN_DM)) as desk:
        for where in (GENERAL, RANDOM, ANN_DM):
            discord.say(where, "one")
        await desk.session()
        assert desk.taken == ["one"] * 3
        discord.calls.clear()
        for where in (GENERAL, RANDOM, ANN_DM):
            desk.hear(where, "two")
        discord.say(RANDOM, "three")
        await desk.session()
        assert desk.taken[3:] == ["three"]
        assert [call.route for call in discord.calls] == ["history", "channel"]


async def test_a_place_of_the_memory_that_is_no_direct_message_is_asked_about_once() -> None:
    """A thread that was put away is such a place."""
    async with FakeDiscord() as discord, looking(discord, known=(TALK,)) as desk:
        discord.people.archive(TALK)
        await desk.session()
        await desk.session()
        assert len(discord.called("channel")) == 1
