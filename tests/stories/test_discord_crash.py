"""Discord's side of a turn that survives, from outside: `parley` as a process that is killed and comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.loopback.discord import ANN_DM, BEN, BOT, GENERAL, FakeDiscord
from tests.loopback.openai import FakeOpenAI
from tests.stories.test_discord import MENTION, PATIENCE, discord, environ, model, whole
from tests.support.program import Program

__all__ = ["discord", "model"]


async def test_a_post_that_is_on_no_record_is_not_made_twice(
    discord: FakeDiscord, model: FakeOpenAI, tmp_path: Path
) -> None:
    """Killed when Discord has the message and nobody else knows: the next start writes over that same message."""
    late = asyncio.Event()
    discord.fail("post", late=late)
    async with Program(tmp_path, **environ(discord, model)) as parley:
        await parley.logged("discord is connected")
        asked = discord.say(content=f"{MENTION} one")
        await discord.until(lambda: discord.answers(), PATIENCE)
        await parley.kill()
        late.set()

        await parley.start()
        answer = await whole(discord, 1)
        assert (answer.content, answer.reference) == ("You said: Ann: one", asked.id)
        assert len(discord.answers()) == 1
        first, second = discord.called("post")
        assert first.body["nonce"] == second.body["nonce"]
        assert await parley.stop() == 0


async def test_a_post_in_the_place_of_a_frozen_message_is_not_made_twice(
    discord: FakeDiscord, model: FakeOpenAI, tmp_path: Path
) -> None:
    """Killed when Discord has the new message and nobody knows: the next start finds it and takes the draft away."""
    frozen = {"code": 30046, "message": "Maximum number of edits to messages older than 1 hour reached"}
    async with Program(tmp_path, **environ(discord, model)) as parley:
        await parley.logged("discord is connected")
        script = model.script()
        discord.say(content=f"{MENTION} one")
        await script.send("You ")
        await discord.until(lambda: discord.answers(), PATIENCE)
        discord.fail("edit", 20, status=429, body=frozen)
        late = asyncio.Event()
        discord.fail("post", late=late)
        await script.send("said: Ann: one")
        await script.end()
        await discord.until(lambda: len(discord.answers()) == 2, PATIENCE)
        await parley.kill()
        late.set()
        await parley.start()
        await parley.logged("answered", state="done")
        assert [said.content for said in discord.answers()] == ["You said: Ann: one"]
        assert await parley.stop() == 0


async def test_questions_of_the_meantime_are_answered_once(
    discord: FakeDiscord, model: FakeOpenAI, tmp_path: Path
) -> None:
    """In a channel and in a direct message; a further restart finds nothing left to do."""
    async with Program(tmp_path, **environ(discord, model)) as parley:
        await parley.logged("discord is connected")
        discord.say(content=f"{MENTION} one")
        await whole(discord, 1)
        discord.say(ANN_DM, "one")
        await whole(discord, 2, ANN_DM)
        assert await parley.stop() == 0
        discord.say(content=f"{MENTION} two", author=BEN)
        discord.say(ANN_DM, "two")
        for _ in range(2):
            discord.calls.clear()
            await parley.start()
            await whole(discord, 2)
            await whole(discord, 3, ANN_DM)
            await discord.until(lambda: {call["channel"] for call in discord.called("history")} == {GENERAL, ANN_DM})
            assert await parley.stop() == 0
        assert (len(discord.answers()), len(discord.answers(ANN_DM))) == (2, 3)
        assert not [refusal for refusal in discord.refusals if refusal[1] in (401, 403, 429)]


async def test_the_record_follows_what_people_edit_and_delete(
    discord: FakeDiscord, model: FakeOpenAI, tmp_path: Path
) -> None:
    """An edited question is answered anew in place; one that is deleted, or its answer, is not remembered."""
    async with Program(tmp_path, **environ(discord, model)) as parley:
        await parley.logged("discord is connected")
        asked = discord.say(content=f"{MENTION} My cat is called Tom.")
        await whole(discord, 1)
        discord.edit(asked.id, f"{MENTION} My cat is called Tim.")
        await discord.until(lambda: "Tim" in discord.answers()[0].content and discord.answers()[0].buttons, PATIENCE)
        second = discord.say(content=f"{MENTION} My dog is called Rex.")
        told = await whole(discord, 2)
        assert "Tim" in told.content
        assert "Tom" not in told.content
        discord.delete(second.id)
        discord.delete(discord.answers()[0].id)
        discord.say(content=f"{MENTION} What do you know?", author=BEN)
        last = await whole(discord, 2)
        assert f"<@{BOT}>" not in last.content
        assert not {"Tom", "Tim", "Rex"} & set(last.content.replace(".", " ").split())
        assert await parley.stop() == 0
