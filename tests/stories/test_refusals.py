"""`parley` as a process where a platform does not let it speak: no half answer stays, and nobody is left unaware."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.domain.errors import PlatformFault
from bot.texts import RESET_BY, withheld
from tests.loopback.discord import ANN, BOT, GENERAL, OWNER, RANDOM, FakeDiscord
from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import BOT as SLACK_BOT
from tests.loopback.slack import CHANNEL, DM, FakeSlack
from tests.stories.test_discord import environ as discord_environ
from tests.stories.test_discord import whole as discord_whole
from tests.stories.test_slack import PATIENCE, whole
from tests.stories.test_slack import environ as slack_environ
from tests.support.program import Program

REST_WITHHELD = withheld(PlatformFault.MODERATED, begun=True)


async def test_discords_moderation_leaves_what_it_accepted_with_a_sentence(tmp_path: Path) -> None:
    """The log has the code, the metrics a failed turn, the next question what stands there."""
    async with FakeDiscord() as discord, FakeOpenAI() as model:
        discord.world.moderated["swearword"] = 200000
        async with Program(tmp_path, **discord_environ(discord, model)) as parley:
            await parley.logged("discord is connected")
            script = model.script()
            discord.say(content=f"<@{BOT}> Tell me")
            await script.send("we ")
            await discord.until(lambda: discord.answers(), PATIENCE)
            await script.send("all know that swearword")
            await script.end()
            answer = await discord_whole(discord, 1)
            assert answer.shown == f"we\n-# {REST_WITHHELD}"
            refusal = await parley.logged("the platform refused an answer", fault="moderated")
            assert "200000" in refusal["error"]
            assert (await parley.logged("answered"))["state"] == "failed"
            metrics = await (await parley.http.get("/metrics")).text()
            assert 'outcome="done"' not in metrics
            discord.say(content=f"<@{BOT}> And then?")
            await discord_whole(discord, 2)
            told = str(model.requests[-1])
            assert "'we'" in told
            assert "swearword" not in told


async def test_where_discord_lets_it_not_write_the_model_is_not_asked(tmp_path: Path) -> None:
    """The person hears it in a direct message, once a day, and the owner which permission is missing where."""
    async with FakeDiscord() as discord, FakeOpenAI() as model:
        discord.world.channels[RANDOM].denied.add("send")
        async with Program(tmp_path, **discord_environ(discord, model)) as parley:
            await parley.logged("discord is connected")
            dm, owner = discord.world.direct(ANN).id, discord.world.direct(OWNER).id
            for times in (1, 2):
                discord.say(content=f"<@{BOT}> Hello?", channel=RANDOM)
                await parley.repeated("answered", times)
            await discord.until(lambda: discord.answers(dm) and discord.answers(owner), PATIENCE)
            assert [f"<#{RANDOM}>" in said.shown for said in discord.answers(dm)] == [True]
            assert "I lack the permission Send Messages" in discord.answers(dm)[0].shown
            assert "#random (Loopback): I lack the permission Send Messages" in discord.answers(owner)[0].shown
            assert not model.requests
            assert [line["fault"] for line in parley.events if line["event"] == "answered"] == ["forbidden"] * 2
            assert "a turn broke" not in [line["event"] for line in parley.events]
            discord.say(content=f"<@{BOT}> Hello here", channel=GENERAL)
            assert "Hello here" in (await discord_whole(discord, 1)).shown


async def test_a_rule_of_the_workspace_leaves_what_it_accepted_with_a_sentence(tmp_path: Path) -> None:
    """Whatever Slack calls it. In an archived channel the model is not asked, and the person hears why directly."""
    async with FakeSlack() as slack, FakeOpenAI() as model, Program(tmp_path, **slack_environ(slack, model)) as parley:
        slack.workspace.moderated["4111"] = "dlp_rule_violation"
        await parley.logged("slack is connected")
        script = model.script()
        await slack.say(CHANNEL, f"<@{SLACK_BOT}> Tell me")
        await script.send("we ")
        await slack.until(lambda: slack.answers(), PATIENCE)
        await script.send("know the card 4111")
        await script.end()
        answer = await whole(slack, 1)
        assert "4111" not in answer.shown
        assert REST_WITHHELD in str(answer.versions[-1].blocks)
        assert (await parley.logged("the platform refused an answer"))["error"] == "dlp_rule_violation"


async def test_in_an_archived_channel_of_slack_the_model_is_not_asked(tmp_path: Path) -> None:
    """The person hears why in their direct messages."""
    async with FakeSlack() as slack, FakeOpenAI() as model, Program(tmp_path, **slack_environ(slack, model)) as parley:
        await parley.logged("slack is connected")
        slack.workspace.conversations[CHANNEL].archived = True
        await slack.say(CHANNEL, f"<@{SLACK_BOT}> Tell me")
        await slack.until(lambda: slack.answers(DM), PATIENCE)
        assert "the channel is archived" in slack.answers(DM)[0].shown
        answered = await parley.logged("answered")
        assert (answered["state"], answered["fault"]) == ("failed", "forbidden")
        assert not model.requests


async def test_an_answer_whose_edits_slack_refuses_long_is_posted_anew(tmp_path: Path) -> None:
    """It stands there once, whole, before the edits are free again."""
    async with FakeSlack() as slack, FakeOpenAI() as model:
        parley = Program(tmp_path, **slack_environ(slack, model), PARLEY_BOT__FINAL_PATIENCE="0.1")
        async with parley:
            await parley.logged("slack is connected")
            script = model.script()
            asked = await slack.say(CHANNEL, f"<@{SLACK_BOT}> Tell me")
            await script.send("we ")
            await slack.until(lambda: slack.answers(), PATIENCE)
            slack.fail("chat.update", status=429, retry_after=1000)
            await script.send("are whole")
            await script.end()
            await slack.until(lambda: [said.shown for said in slack.answers()] == ["we are whole"], PATIENCE)
            answer = await whole(slack, 1)
            await slack.say(CHANNEL, "And now?", thread=asked.ts)
            await slack.until(lambda: len(slack.answers()) > 1, PATIENCE)
            assert answer.shown == "we are whole"
            assert len(slack.called("chat.delete")) == 1


async def test_a_command_where_discord_lets_it_not_write_is_answered_in_private(tmp_path: Path) -> None:
    """And where only the first post shows it, the admins read the platform's own code."""
    async with (
        FakeDiscord() as discord,
        FakeOpenAI() as model,
        Program(tmp_path, **discord_environ(discord, model)) as parley,
    ):
        await parley.logged("discord is connected")
        dm, owner = discord.world.direct(ANN).id, discord.world.direct(OWNER).id
        discord.fail("post", status=403, body={"code": 50013, "message": "Missing Permissions"})
        discord.say(content=f"<@{BOT}> Hello?", channel=RANDOM)
        await discord.until(lambda: discord.answers(dm) and discord.answers(owner), PATIENCE)
        assert "50013 Missing Permissions" in discord.answers(owner)[0].shown
        assert not discord.answers(RANDOM)
        discord.fail("post", status=403, body={"code": 50013, "message": "Missing Permissions"})
        discord.say(content=f"<@{BOT}> reset", channel=RANDOM)
        await discord.until(lambda: len(discord.answers(dm)) == 2, PATIENCE)
        assert discord.answers(dm)[1].shown == f"<#{RANDOM}>: {RESET_BY.format(name='Ann')}"


async def test_a_kill_between_a_new_post_and_its_record_leaves_one_answer(tmp_path: Path) -> None:
    """The start finds the message by its button, writes over the older one and takes the newer away."""
    async with FakeSlack() as slack, FakeOpenAI() as model:
        settings = {**slack_environ(slack, model), "PARLEY_BOT__FINAL_PATIENCE": "0.1"}
        async with Program(tmp_path, **settings) as parley:
            await parley.logged("slack is connected")
            script, gate = model.script(), asyncio.Event()
            await slack.say(CHANNEL, f"<@{SLACK_BOT}> Tell me")
            await script.send("we ")
            await slack.until(lambda: slack.answers(), PATIENCE)
            slack.fail("chat.update", status=429, retry_after=1000)
            slack.fail("chat.postMessage", lose=True)
            slack.fail("conversations.replies", gate=gate)  # where the lost post is looked for
            await script.send("are whole")
            await script.end()
            await slack.until(lambda: len(slack.answers()) == 2, PATIENCE)
            await parley.kill()
            gate.set()
            await parley.start()
            await parley.logged("answered")
            (answer,) = slack.answers()
            assert "Tell me" in answer.shown
            assert "again" in str(answer.versions[-1].blocks)
