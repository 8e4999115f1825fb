"""Every way to a conversation leads to the same place, and a question says when it was asked."""

from __future__ import annotations

import time
from pathlib import Path

from adapters.terminal import incoming as typed
from adapters.web.messages import incoming as sent
from bot.domain.messages import Author, Incoming, Place
from tests.loopback import discord as discord_loopback
from tests.loopback import slack as slack_loopback
from tests.loopback.discord import BOT, GENERAL, TALK, FakeDiscord
from tests.loopback.slack import CHANNEL, TEAM, FakeSlack
from tests.loopback.slack.app import connected as slack_connected
from tests.support.discord_app import answered
from tests.support.discord_app import connected as discord_connected
from tests.support.storage import opened

CHANNEL_KEY = f"slack:{TEAM}:{CHANNEL}"


async def test_a_thread_of_discord_has_its_channel_as_its_home() -> None:
    """For a message and for a slash command alike."""
    async with FakeDiscord() as discord, discord_connected(discord) as app:
        discord.say(TALK, f"<@{BOT}> hello")
        await answered(discord, app, 1)
        discord.slash("help", TALK)
        discord.slash("help", GENERAL)
        discord.slash("help", discord_loopback.ANN_DM)
        await discord.until(lambda: len(app.engine.commands) == 3)
        thread = Place(f"discord:{TALK}", shared=True, home=f"discord:{GENERAL}")
        assert app.engine.received[0].place == thread
        places = {place for _, place, *_ in app.engine.commands}
        direct = Place(f"discord:{discord_loopback.ANN_DM}", direct=True)
        assert places == {thread, Place(f"discord:{GENERAL}", shared=True), direct}


async def test_a_thread_of_slack_has_its_channel_as_its_home() -> None:
    """For a message, a shortcut, a picked row; a slash command means the channel itself."""
    async with FakeSlack() as slack, slack_connected(slack) as app:
        said = await slack.say(CHANNEL, f"<@{slack_loopback.BOT}> hello")
        await slack.until(lambda: app.engine.answered)
        slack.shortcut(said)
        await slack.until(lambda: len(app.engine.commands) == 1)
        slack.slash("/reset")
        shown = await slack.until(lambda: [one for one in slack.ephemerals if "Which" in one.shown])
        slack.click(shown[-1], "reset:0")
        slack.slash("/parley", text="help")
        await slack.until(lambda: len(app.engine.commands) == 3)
        thread = Place(f"{CHANNEL_KEY}:{said.ts}", shared=True, home=CHANNEL_KEY)
        assert app.engine.received[0].place == thread
        places = {(name, place) for name, place, _ in app.engine.commands}
        assert places == {("reset", thread), ("help", Place(CHANNEL_KEY, shared=True))}


def test_where_nobody_else_says_when_it_is_when_it_came() -> None:
    """On the web page and in the terminal, by the wall clock."""
    before = time.time()
    for question in (sent("hello", "c"), typed("hello", "ann")):
        assert question is not None
        assert before <= question.sent <= time.time()


async def test_a_question_is_written_down_whole(tmp_path: Path) -> None:
    """With its place, its time and those whom it mentions."""
    place = Place("discord:2", shared=True, home="discord:1")
    question = Incoming(
        place, Author("5", "Ann"), "ask @Ben", "1", "2", sent=1_500_000_000.123, people=(Author("6", "Ben"),)
    )
    async with opened(tmp_path / "parley.db") as memory:
        turn = await memory.claim(question)
        assert turn is not None
        asked = await memory.turn(turn.id)
        assert asked is not None
        assert asked.questions == (question,)


async def test_a_deleted_post_of_a_thread_takes_its_turn_along(tmp_path: Path) -> None:
    """The turn is on record under the channel of its question; the deletion comes from the thread."""
    async with (
        opened(tmp_path / "parley.db") as memory,
        FakeDiscord() as discord,
        discord_connected(discord, reply_in="thread") as app,
    ):
        said = discord.say(GENERAL, f"<@{BOT}> hello")
        await answered(discord, app, 1)
        turn = await memory.claim(app.engine.received[0])
        assert turn is not None
        (answer,) = discord.answers(said.id)
        await memory.progress(turn.id, [answer.id], "echo")
        discord.delete(answer.id)
        await discord.until(lambda: len(app.engine.retracted) == 2)
        found = [await memory.retract(*told) for told in app.engine.retracted]
        assert [asked.id for asked in found if asked] == [turn.id]
