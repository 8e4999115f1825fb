"""The whole story on Discord: `parley` as a process, between a strict Discord and a model, as a person meets it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from bot import texts
from tests.loopback.discord import ANN_DM, BEN, BOT, GENERAL, RANDOM, FakeDiscord
from tests.loopback.discord.state import Message
from tests.loopback.openai import FakeOpenAI
from tests.support.program import ExecutedProgram, Program, asking

MENTION = f"<@{BOT}>"
PATIENCE = 60.0


@pytest_asyncio.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    """A Discord with limits as the real one's."""
    async with FakeDiscord() as server:
        server.limits.tighten("sliding")
        yield server


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    """A model that shows what it was told."""
    async with FakeOpenAI() as server:
        yield server


def environ(discord: FakeDiscord, model: FakeOpenAI) -> dict[str, str]:
    """What an operator sets."""
    return {"DISCORD_BOT_TOKEN": discord.token, "PARLEY_DISCORD__API_BASE_URL": discord.api_base_url, **asking(model)}


async def whole(discord: FakeDiscord, number: int, channel: str = GENERAL) -> Message:
    """The answer of this number, once it has ended: it can be tried again then."""

    def ended() -> Message | None:
        said = discord.answers(channel)[number - 1 : number]
        return next((one for one in said if any("again" in button for button in one.buttons)), None)

    found = await discord.until(ended, PATIENCE)
    assert found is not None
    return found


async def test_a_mention_grows_is_remembered_through_a_restart_and_forgotten(
    discord: FakeDiscord, model: FakeOpenAI, tmp_path: Path
) -> None:
    """Mention, live reply, memory in the next turn, restart, still remembered, `/reset`, forgotten."""
    script = model.script()
    async with ExecutedProgram(tmp_path, **environ(discord, model)) as parley:
        await discord.until(lambda: discord.connected, PATIENCE)
        await parley.logged("discord is connected")
        asked = discord.say(content=f"{MENTION} My cat is called Tom.")
        await script.send("What ")
        await discord.until(lambda: discord.answers(), PATIENCE)
        assert discord.channels[GENERAL].typed
        await script.send("a ", "good ", "name.")
        await script.end()
        answer = await whole(discord, 1)
        assert answer.content == "What a good name."
        assert answer.reference == asked.id
        assert answer.versions[0].content.startswith("What")
        discord.say(content=f"{MENTION} What is it called?", author=BEN)
        second = await whole(discord, 2)
        assert "My cat is called Tom." in second.content
        assert not [refusal for refusal in discord.refusals if refusal[1] == 429]
        assert await parley.stop() == 0
        assert not discord.connected

        await parley.start()
        await parley.logged("discord is connected")
        discord.say(content=f"{MENTION} And now?")
        third = await whole(discord, 3)
        assert "My cat is called Tom." in third.content
        reset = discord.slash("reset")
        await discord.until(lambda: reset.shown, PATIENCE)
        assert (reset.shown, reset.messages[0].viewer) == ([texts.RESET_BY.format(name="Ann")], "")
        discord.say(content=f"{MENTION} What do you know?")
        fourth = await whole(discord, 5)
        assert "Tom" not in fourth.content
        assert await parley.stop() == 0


async def test_places_do_not_know_each_other(discord: FakeDiscord, model: FakeOpenAI, tmp_path: Path) -> None:
    """What was said in one channel is not told in another, nor in a direct message, which needs no mention."""
    async with Program(tmp_path, **environ(discord, model)) as parley:
        await parley.logged("discord is connected")
        discord.say(content=f"{MENTION} secret of general")
        await whole(discord, 1)
        discord.say(RANDOM, f"{MENTION} hello")
        assert "secret" not in (await whole(discord, 1, RANDOM)).content
        discord.say(ANN_DM, "hello")
        await discord.until(lambda: len(discord.answers(ANN_DM)) == 2, PATIENCE)
        introduction, answer = discord.answers(ANN_DM)
        assert introduction.content == texts.introduction("127.0.0.1")
        assert "secret" not in answer.content


async def test_a_crash_in_the_middle_of_an_answer_loses_nothing(
    discord: FakeDiscord, model: FakeOpenAI, tmp_path: Path
) -> None:
    """After `kill -9` the same message shows the whole answer, and what waited is answered too; nothing twice."""
    script = model.script()
    async with Program(tmp_path, **environ(discord, model)) as parley:
        await parley.logged("discord is connected")
        discord.say(content=f"{MENTION} one")
        await script.send("Half ", "an ", "answer")
        await discord.until(lambda: discord.answers(), PATIENCE)
        discord.say(content=f"{MENTION} two", author=BEN)
        waiting = discord.channels[GENERAL].standing[-1]
        await discord.until(lambda: waiting.reactions, PATIENCE)
        await parley.kill()

        await parley.start()
        first, second = await whole(discord, 1), await whole(discord, 2)
        assert "one" in first.content
        assert "two" in second.content
        assert second.reference == waiting.id
        await discord.until(lambda: not any(waiting.reactions.values()), PATIENCE)
        assert len(discord.answers()) == 2
        assert await parley.stop() == 0


async def test_a_bad_token_leaves_the_page_running(discord: FakeDiscord, model: FakeOpenAI, tmp_path: Path) -> None:
    """It is explained once, with the key's name, and the rest goes on."""
    settings = environ(discord, model) | {"DISCORD_BOT_TOKEN": "wrong"}
    async with Program(tmp_path, **settings) as parley:
        told = await parley.logged("an adapter cannot start", adapter="discord")
        assert "DISCORD_BOT_TOKEN" in told["reason"] or "discord.token" in told["reason"]
        response = await parley.http.post("/chat", json={"message": "hello"})
        assert response.status == 200
        assert await parley.stop() == 0
