"""Strangers in a server and a workspace: `parley` as a process, and what the lists and limits make of them."""

from __future__ import annotations

from pathlib import Path

from bot import texts
from bot.domain.spending import DenialReason
from tests.loopback import discord as on_discord
from tests.loopback import slack as on_slack
from tests.loopback.discord import FakeDiscord
from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import FakeSlack
from tests.support.program import Program, asking

PATIENCE = 60.0
FLOOD = 30
TOO_MUCH = texts.LIMITS["minute"].partition("{")[0]  # type: ignore[index]


async def test_a_flood_on_discord_costs_two_answers_and_one_line(tmp_path: Path) -> None:
    """Neither the model nor Discord hears of the rest, after a restart neither; who is blocked is told alone."""
    async with FakeDiscord() as discord, FakeOpenAI() as model:
        environ = {
            "DISCORD_BOT_TOKEN": discord.token,
            "PARLEY_DISCORD__API_BASE_URL": discord.api_base_url,
            "PARLEY_LIMITS__TURNS_PER_DAY": "2",
            **asking(model),
        }
        mention = f"<@{on_discord.BOT}>"
        async with Program(tmp_path, **environ) as parley:
            await parley.logged("discord is connected")
            blocked = discord.slash("block", user=on_discord.OWNER, options={"user": on_discord.BEN})
            await discord.until(lambda: blocked.shown, PATIENCE)
            for round_ in range(2):
                before = len(discord.answers())
                for number in range(FLOOD):
                    discord.say(content=f"{mention} {round_}.{number}")
                    discord.say(content=f"{mention} {round_}.{number}", author=on_discord.BEN)
                discord.say(content=f"{mention} the last", author=on_discord.OWNER)
                await discord.until(
                    lambda count=before: any("the last" in said.content for said in discord.answers()[count:]),  # type: ignore[misc]
                    PATIENCE,
                )
                assert await parley.stop() == 0
                if round_ == 0:
                    await parley.start()
                    await parley.logged("discord is connected")
            alone = [said.content for said in discord.answers(on_discord.BEN_DM)]
            assert alone == [f"<#{on_discord.GENERAL}>: {texts.NO_ENTRY[DenialReason.BLOCKED]}"]
            limited = [said.content for said in discord.answers(on_discord.ANN_DM)]
            assert len(limited) == 1
            assert "You can ask me again" in limited[0]
            assert model.asked == 2 + 2
            assert len(discord.answers()) == 2 + 2


async def test_a_flood_in_slack_costs_two_answers_and_one_line(tmp_path: Path) -> None:
    """The same in threads of a channel, in confidence where they ask; a stranger's workspace gets nothing."""
    async with FakeSlack() as slack, FakeOpenAI() as model:
        environ = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "PARLEY_SLACK__API_BASE_URL": slack.api_base_url,
            "PARLEY_LIMITS__TURNS_PER_MINUTE": "2",
            "PARLEY_SLACK__ADMINS": on_slack.BEN,
            **asking(model),
        }
        mention = f"<@{on_slack.BOT}>"
        async with Program(tmp_path, **environ) as parley:
            await parley.logged("slack is connected")
            await slack.say(on_slack.CHANNEL, f"{mention} from elsewhere", user_team="T0ELSE")
            for number in range(FLOOD):
                await slack.say(on_slack.CHANNEL, f"{mention} {number}")
            last = await slack.say(on_slack.CHANNEL, f"{mention} the last", user=on_slack.BEN)
            await slack.until(lambda: slack.answers(on_slack.CHANNEL, last.ts), PATIENCE)
            assert await parley.stop() == 0
        told = [said.shown for said in slack.ephemerals]
        assert [text for text in told if text.startswith(TOO_MUCH)] == told[1:]
        assert (told[0], len(told)) == (texts.NO_ENTRY[DenialReason.EXTERNAL], 2)
        assert model.asked == 3
