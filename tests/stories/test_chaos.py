"""A small storm in the test suite (`python -m benchmarks.chaos` is the large one), and whether it would see a fault."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.chaos import Chaos, show
from benchmarks.chaos_audit import Findings, Record, audit
from bot import texts
from tests.loopback.discord import BEN, FakeDiscord
from tests.loopback.discord.state import Version
from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import BOT, CHANNEL, FakeSlack
from tests.stories.test_discord import MENTION, environ
from tests.stories.test_slack import environ as slack_environ
from tests.support.program import Program

SEED = 8
PATIENCE = 60.0


def look(chaos: Chaos) -> Findings:
    """What an audit finds now."""
    audit(chaos.town, Record(chaos.file), found := Findings())
    return found


@pytest.mark.timeout(300)
async def test_nothing_is_lost_double_or_wrong_in_a_storm(tmp_path: Path) -> None:
    """Faults on both platforms and of the model, and kills: every question has one whole answer or an honest note."""
    chaos = Chaos(SEED, turns=40, size=1, every=3.0, pace=0.15)
    result = await chaos.run(tmp_path)
    assert result.findings.clean, show(result)
    assert result.kills
    assert result.faults
    assert result.findings.whole + result.findings.notes.total() == result.turns == 40
    _tamper(chaos)


def _tamper(chaos: Chaos) -> None:
    """Every kind of damage is seen: an answer taken away, shown twice, changed, growing; a question and a row lost."""
    discord = chaos.town.discord
    answers = [said for channel in discord.channels for said in discord.answers(channel) if "About" in said.content]
    first = answers[0]

    first.deleted = True
    assert look(chaos).lost
    first.deleted = False

    twin = replace(first, id=f"{first.id}9")
    discord.channels[first.channel].messages[twin.id] = twin
    assert look(chaos).double
    del discord.channels[first.channel].messages[twin.id]

    for content in (f"{first.content} ▌", first.content.replace("About", "Around")):
        first.versions.append(Version(content, first.now.components))
        assert look(chaos).wrong
        first.versions.pop()

    chaos.town.asked.append(replace(chaos.town.asked[0], message="1"))
    assert look(chaos).lost
    chaos.town.asked.pop()
    assert look(chaos).clean

    with closing(sqlite3.connect(chaos.file)) as db, db:
        db.execute("DELETE FROM messages WHERE (place, number) IN (SELECT place, number FROM messages LIMIT 1)")
    assert look(chaos).wrong


async def test_a_post_that_nobody_wrote_down_is_found_though_its_asker_asked_again(tmp_path: Path) -> None:
    """Killed between the first post and its record, with a second question waiting: two answers, no third message."""
    async with FakeDiscord() as discord, FakeOpenAI() as model:
        script, gate = model.script(), asyncio.Event()
        async with Program(tmp_path, **environ(discord, model)) as parley:
            await parley.logged("discord is connected")
            discord.fail("post", late=gate)
            first = discord.say(content=f"{MENTION} one")
            await script.send("Half ", "an ", "answer")
            await discord.until(discord.answers, PATIENCE)
            second = discord.say(content=f"{MENTION} two")
            await discord.until(lambda: second.reactions, PATIENCE)
            await parley.kill()
            gate.set()

            await parley.start()
            await discord.until(lambda: ended(discord) == 2, PATIENCE)
            assert [said.reference for said in discord.answers()] == [first.id, second.id]
            assert discord.answers()[0].content == "You said: Ann: one"


async def test_a_second_page_that_nobody_wrote_down_is_found(tmp_path: Path) -> None:
    """Killed between the second post of a long answer and its record: the answer has two messages, not three."""
    long = "word " * 500
    async with FakeDiscord() as discord, FakeOpenAI(lambda _: long) as model:
        script, gate = model.script(), asyncio.Event()
        async with Program(tmp_path, **environ(discord, model)) as parley:
            await parley.logged("discord is connected")
            discord.say(content=f"{MENTION} one")
            await script.send("word ")
            await discord.until(discord.answers, PATIENCE)
            discord.fail("post", late=gate)
            await script.send(long.removeprefix("word "))
            await discord.until(lambda: len(discord.answers()) == 2, PATIENCE)
            await parley.kill()
            gate.set()

            await parley.start()
            await discord.until(lambda: ended(discord) == 1, PATIENCE)
            assert " ".join(said.content for said in discord.answers()).split() == long.split()


async def test_an_hourglass_from_before_a_crash_is_taken_away(tmp_path: Path) -> None:
    """The question before it is closed as too old, so that the one that waited is answered at once."""
    async with FakeDiscord() as discord, FakeOpenAI() as model:
        script = model.script()
        async with Program(tmp_path, **environ(discord, model)) as parley:
            await parley.logged("discord is connected")
            discord.say(content=f"{MENTION} one")
            await script.send("Half ", "an ", "answer")
            await discord.until(discord.answers, PATIENCE)
            second = discord.say(content=f"{MENTION} two", author=BEN)
            await discord.until(lambda: any(second.reactions.values()), PATIENCE)
            await parley.kill()

            parley.environ["PARLEY_BOT__RESUME"] = "0"
            await parley.start()
            await discord.until(lambda: ended(discord) == 2, PATIENCE)
            await discord.until(lambda: not any(second.reactions.values()), PATIENCE)
            assert texts.BROKEN_OFF in discord.answers()[0].content


async def test_a_sign_goes_though_slack_refused_to_take_it_away_at_first(tmp_path: Path) -> None:
    """The eyes on a question go at the second try, also when the answer goes on meanwhile."""
    async with FakeSlack() as slack, FakeOpenAI() as model:
        settings, script = slack_environ(slack, model), model.script()
        async with Program(tmp_path, **settings) as parley:
            await parley.logged("slack is connected")
            asked = await slack.say(CHANNEL, f"<@{BOT}> one")
            await slack.until(lambda: asked.reactions["eyes"], PATIENCE)
            slack.fail("reactions.remove", status=503)
            await script.send("One ")
            await slack.until(lambda: slack.called("reactions.remove"), PATIENCE)
            await script.send("answer.")
            await script.end()
            await slack.until(lambda: [said.shown for said in slack.answers()] == ["One answer."], PATIENCE)
            await slack.until(lambda: not asked.reactions["eyes"], PATIENCE)


def ended(discord: FakeDiscord) -> int:
    """How many answers can be tried again."""
    return sum("again" in str(said.buttons) for said in discord.answers())
