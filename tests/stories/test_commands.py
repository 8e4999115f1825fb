"""The commands that set something, as people give them: `parley` as a process, on Discord and in Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest_asyncio
from PIL import Image

from bot import texts
from tests.loopback.discord import ANN, BOT, GENERAL, OWNER, RANDOM, TALK, FakeDiscord
from tests.loopback.discord.interactions import Interaction
from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import BEN, CHANNEL, DM, FakeSlack
from tests.loopback.slack import BOT as SLACK_BOT
from tests.stories.test_discord import environ, whole
from tests.stories.test_slack import environ as environ_of_slack
from tests.stories.test_slack import whole as whole_in_slack
from tests.support.program import Program

MENTION = f"<@{BOT}>"
OTHER = "openai/other-model"
MODELS = {"PARLEY_BOT__MODELS": OTHER}
PATIENCE = 60.0


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    """A provider with two models."""
    async with FakeOpenAI(models=("test-model", "other-model")) as server:
        yield server


async def told(discord: FakeDiscord, one: Interaction) -> str:
    """What a command was answered with."""
    await discord.until(lambda: one.shown, PATIENCE)
    return "\n".join(one.shown)


async def test_a_model_is_chosen_for_a_channel_of_discord(model: FakeOpenAI, tmp_path: Path) -> None:
    """Suggested while it is typed, refused to who may not, told to all; it holds in the channel's threads only."""
    async with FakeDiscord() as discord:
        async with Program(tmp_path, **environ(discord, model), **MODELS) as parley:
            await parley.logged("discord is connected")
            typed = discord.complete("model", "name", "OTHER")
            await discord.until(lambda: typed.answered, PATIENCE)
            assert typed.choices == [{"name": OTHER, "value": OTHER}]
            refused = discord.slash("model", options={"name": OTHER}, user=ANN)
            assert (await told(discord, refused), refused.private) == (texts.ADMINS_ONLY, True)
            chosen = discord.slash("model", options={"name": OTHER}, user=OWNER)
            assert (await told(discord, chosen), chosen.private) == (texts.CHOSEN.format(model=OTHER), False)
            asked = discord.slash("model", TALK, user=ANN)
            assert texts.MODEL.format(model=OTHER) in await told(discord, asked)
        async with Program(tmp_path, **environ(discord, model), **MODELS) as parley:
            await parley.logged("discord is connected")
            for where, name in ((TALK, "other-model"), (RANDOM, "test-model"), (GENERAL, "other-model")):
                number = len(discord.answers(where)) + 1
                discord.say(where, f"{MENTION} hello")
                await whole(discord, number, where)
                assert model.requests[-1]["model"] == name
            used = discord.slash("usage", user=ANN)
            assert "3 questions" in await told(discord, used)
            assert used.private
        begun = ("get", 404, 10008)  # TALK is a thread that no message began
        assert not [refusal for refusal in discord.refusals if refusal[1] != 429 and refusal != begun]


async def test_a_persona_is_told_in_a_channel_of_slack(model: FakeOpenAI, tmp_path: Path) -> None:
    """By who runs the workspace, told to all; the threads of the channel have it, direct messages have not."""
    async with FakeSlack() as slack, Program(tmp_path, **environ_of_slack(slack, model)) as parley:
        await parley.logged("slack is connected")
        slack.slash("/parley", CHANNEL, "persona You are <Nora>.", user=BEN)
        refused = (await slack.until(lambda: slack.ephemerals, PATIENCE))[0]
        assert refused.shown == texts.ADMINS_ONLY
        slack.workspace.ranks[BEN] = {"is_owner": True}
        slack.slash("/parley", CHANNEL, "persona You are <Nora>.", user=BEN)
        shown = (await slack.until(lambda: slack.answers(CHANNEL), PATIENCE))[0]
        assert shown.shown == texts.TOLD.format(persona="You are <Nora>.")
        await slack.say(CHANNEL, f"<@{SLACK_BOT}> hello")
        await whole_in_slack(slack, 2)
        assert "You are <Nora>." in model.requests[-1]["messages"][0]["content"]
        await slack.say(DM, "hello")
        await slack.until(lambda: len(model.requests) == 2, PATIENCE)
        assert "Nora" not in model.requests[-1]["messages"][0]["content"]
        slack.slash("/parley", CHANNEL, "usage")
        await slack.until(lambda: "question" in slack.ephemerals[-1].shown, PATIENCE)


async def test_a_picture_is_shown_to_the_model_and_a_file_read(model: FakeOpenAI, tmp_path: Path) -> None:
    """From the platform to the provider; below the answer one line says what cannot be used.

    The next question is asked with the picture still there.
    """
    file = BytesIO()
    Image.new("RGB", (30, 20)).save(file, "PNG")
    (tmp_path / "config.toml").write_text(
        '[models."openai/test-model"]\nimages = true\ncontext = 100000\n', encoding="utf-8"
    )
    sent = [
        ("a.png", file.getvalue(), "image/png"),
        ("b.txt", b"forty-two", "text/plain"),
        ("c.zip", b"PK\x03\x04\0", "image/png"),
    ]
    async with FakeDiscord() as discord, Program(tmp_path, **environ(discord, model)) as parley:
        await parley.logged("discord is connected")
        discord.say(GENERAL, f"{MENTION} what is this?", files=sent)
        answer = await whole(discord, 1)
        assert "c.zip: I cannot read this kind of file." in answer.content
        *pictures, text = model.requests[-1]["messages"][-1]["content"]
        assert [part["type"] for part in pictures] == ["image_url"]
        assert "File b.txt:\n```txt\nforty-two\n```" in text["text"]
        discord.say(GENERAL, f"{MENTION} and now?")
        await whole(discord, 2)
        assert model.requests[-1]["messages"][1] == model.requests[0]["messages"][-1]
