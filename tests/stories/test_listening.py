"""A channel of its own on Discord: `parley` as a process that answers there without being mentioned, and remembers
each person apart where that is set.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from bot import texts
from tests.loopback.discord import ANN, ANN_DM, BEN, BEN_DM, BOT, GENERAL, OWNER, RANDOM, ROBOT, TALK, FakeDiscord
from tests.loopback.discord.interactions import Interaction
from tests.loopback.openai import FakeOpenAI
from tests.stories.test_discord import PATIENCE, environ, whole
from tests.support.program import Program, call

MENTION = f"<@{BOT}>"


@pytest_asyncio.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    """A Discord."""
    async with FakeDiscord() as server:
        yield server


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    """A model that shows what it was told."""
    async with FakeOpenAI() as server:
        yield server


def set_up(folder: Path, text: str) -> None:
    """Write the settings file."""
    (folder / "config.toml").write_text(text, encoding="utf-8")


def heard(model: FakeOpenAI) -> str:
    """All that the model was asked."""
    return json.dumps([request["messages"][1:] for request in model.requests])


async def told(discord: FakeDiscord, one: Interaction) -> str:
    """What a command was answered with."""
    await discord.until(lambda: one.shown, PATIENCE)
    return "\n".join(one.shown)


def talk_among_people(discord: FakeDiscord, of_ann: str) -> None:
    """Say what is for others, or nobody's words; one replies to a message of Ann's."""
    discord.say(GENERAL, f"<@{BEN}> for-another")
    discord.say(GENERAL, "@everyone for-all")
    discord.say(GENERAL, "for-a-person", author=BEN, reference=of_ann, ping=False)
    discord.say(GENERAL, "from-a-bot", author=ROBOT)
    discord.say(GENERAL, "a-notice", kind=7)
    discord.say(GENERAL)


async def pause_for_a_while(discord: FakeDiscord) -> None:
    """Only who speaks to the bot hears that it pauses."""
    await told(discord, discord.slash("pause", user=OWNER))
    discord.say(GENERAL, "while-it-pauses")
    discord.say(GENERAL, f"{MENTION} while-it-pauses", author=BEN)
    await discord.until(lambda: discord.answers(BEN_DM), PATIENCE)
    assert not discord.answers(ANN_DM)
    await told(discord, discord.slash("resume", user=OWNER))


async def test_a_channel_where_everything_is_answered(discord: FakeDiscord, model: FakeOpenAI, tmp_path: Path) -> None:
    """Without a mention, in its threads too; not what is for others, nor while it pauses, of which nothing is said.

    `/listen` overrides it and survives a restart.

    Elsewhere a message that begins with a name is a mention.
    """
    set_up(tmp_path, f'[bot]\nnames = ["parley"]\naround = 0\n[places."discord:{GENERAL}"]\nanswer = "all"\n')
    async with Program(tmp_path, **environ(discord, model)) as parley:
        await parley.logged("discord is connected")
        ann = discord.say(GENERAL, "My cat is called Tom.")
        first = await whole(discord, 1)
        assert (first.reference, "My cat is called Tom." in first.content) == (ann.id, True)
        talk_among_people(discord, ann.id)
        discord.say(RANDOM, "elsewhere parley")
        discord.say(TALK, "in a thread of it", author=BEN)
        await whole(discord, 1, TALK)
        discord.say(GENERAL, f"<@{BEN}> and {MENTION}, what is it called?", author=BEN)
        assert "My cat is called Tom." in (await whole(discord, 2)).content
        discord.say(RANDOM, "Parley, named-there")
        assert "Parley" not in json.dumps(model.requests[-1]["messages"][1:])
        await whole(discord, 1, RANDOM)
        assert model.requests[-1]["messages"][-1]["content"].endswith("Ann: named-there")

        await pause_for_a_while(discord)
        refused = discord.slash("listen", options={"state": "off"}, user=ANN)
        assert (await told(discord, refused), refused.private) == (texts.ADMINS_ONLY, True)
        off = discord.slash("listen", options={"state": "off"}, user=OWNER)
        assert (await told(discord, off), off.private) == (texts.LISTEN[False], False)
        discord.say(GENERAL, "while-it-is-off")
        assert await parley.stop() == 0

        await parley.start()
        await parley.logged("discord is connected")
        asked = discord.slash("listen", user=ANN)
        assert (await told(discord, asked), asked.private) == (texts.LISTENS[False], True)
        discord.say(GENERAL, "still-off")
        discord.say(GENERAL, f"{MENTION} listen on", author=OWNER)
        await discord.until(lambda: discord.answers()[-1].content == texts.LISTEN[True], PATIENCE)
        helped = discord.slash("help", user=ANN)
        assert texts.LISTENS[True] in await told(discord, helped)
        discord.say(GENERAL, "on-again")
        await whole(discord, 5)
        assert await parley.stop() == 0
    everything = heard(model)
    for text in ("on-again", "in a thread of it"):
        assert text in everything
    for text in ("for-a", "from-a-bot", "a-notice", "elsewhere", "while-it", "still-off", "Parley"):
        assert text not in everything


async def test_each_person_has_a_conversation_of_their_own(
    discord: FakeDiscord, model: FakeOpenAI, tmp_path: Path
) -> None:
    """Nobody's words are told in another's, not even those around; nobody waits for another; `/reset` is one's own."""
    set_up(tmp_path, f'[places."discord:{GENERAL}"]\nmemory = "person"\nanswer = "all"\n')
    async with Program(tmp_path, **environ(discord, model)) as parley:
        await parley.logged("discord is connected")
        held = model.script()
        discord.say(GENERAL, "ann-one", author=ANN)
        await held.send("ann-an", "swer")
        await discord.until(lambda: discord.answers(), PATIENCE)
        discord.say(GENERAL, "ben-one", author=BEN)
        await whole(discord, 2)
        discord.say(TALK, "ben-there", author=BEN)
        await whole(discord, 1, TALK)
        await held.end()
        await whole(discord, 1)
        assert await parley.stop() == 0

        await parley.start()
        await parley.logged("discord is connected")
        discord.say(GENERAL, "ann-two", author=ANN)
        assert "ann-one" in (await whole(discord, 3)).content
        discord.say(GENERAL, "ben-two", author=BEN)
        assert "ben-one" in (await whole(discord, 4)).content
        reset = discord.slash("reset", user=ANN)
        assert (await told(discord, reset), reset.private) == (texts.RESET_OWN, True)
        discord.say(GENERAL, "ann-three", author=ANN)
        await whole(discord, 5)
        assert "ann-one" not in json.dumps(model.requests[-1])
        discord.say(GENERAL, "ben-three", author=BEN)
        await whole(discord, 6)
        assert "ben-one" in json.dumps(model.requests[-1])
        assert await parley.stop() == 0
    for request in model.requests:
        text = json.dumps(request["messages"])
        assert ("ann-" in text) != ("ben-" in text)


async def test_where_discord_keeps_back_what_is_not_said_to_the_bot(
    discord: FakeDiscord, model: FakeOpenAI, tmp_path: Path
) -> None:
    """`/listen on`, `parley check` and the log say so, and name the settings that do nothing."""
    discord.world.app.granted.clear()
    set_up(tmp_path, f'[bot]\nnames = ["parley"]\n[places."discord:{GENERAL}"]\nanswer = "all"\n')
    async with Program(tmp_path, **environ(discord, model)) as parley:
        logged = await parley.logged("what does not mention the bot cannot be read")
        assert (logged["channels"], logged["names"]) == ([f"discord:{GENERAL}"], ["parley"])
        on = discord.slash("listen", RANDOM, options={"state": "on"}, user=OWNER)
        assert "Message Content Intent is off" in await told(discord, on)
        discord.say(GENERAL, "kept back")
        discord.say(GENERAL, f"{MENTION} hello")
        await whole(discord, 1)
        assert len(model.requests) == 1
        assert await parley.stop() == 0
    checked = await call(tmp_path, "check", **environ(discord, model))
    assert checked.code == 1
    words = " ".join(checked.out.split())
    for part in ("not granted", "bot.names", f'[places."discord:{GENERAL}"]', "Switch Message Content Intent on"):
        assert part in words, checked.out
