"""“What of this alert?”, with `parley` as a process: what apps report reaches the model, on both platforms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.loopback.discord import BOT as DISCORD_BOT
from tests.loopback.discord import ROBOT, FakeDiscord
from tests.loopback.openai import FakeOpenAI
from tests.loopback.parts import spoken
from tests.loopback.slack import BOT, CHANNEL, DM, FakeSlack
from tests.loopback.slack.apps import report
from tests.stories.test_discord import environ as discord_environ
from tests.stories.test_discord import whole as discord_whole
from tests.stories.test_slack import environ, whole
from tests.support.program import Program

ALERTS = json.loads((Path(__file__).parents[1] / "samples" / "alerts-slack.json").read_text(encoding="utf-8"))
EMBEDS = (
    {
        "type": "rich",
        "author": {"name": "Monitor"},
        "title": "High error rate on checkout",
        "url": "https://monitor.example/a/1",
        "description": "5xx above 3 % for 10 minutes",
        "fields": [{"name": "env", "value": "prod", "inline": True}],
        "footer": {"text": "rule 17"},
    },
    {"type": "rich", "description": "second: disk is full"},
)


def last(model: FakeOpenAI) -> str:
    """What the model was told last of a conversation."""
    return spoken(model.requests[-1]["messages"][-1]["content"])


async def test_slack_s_reports_reach_the_model(tmp_path: Path) -> None:
    """In attachments, in blocks, forwarded; asked with a mention, in rich text alone, in a direct message."""
    async with FakeSlack() as slack, FakeOpenAI() as model, Program(tmp_path, **environ(slack, model)) as parley:
        await parley.logged("slack is connected")
        alert = report(slack, ALERTS["monitor"])
        await slack.say(CHANNEL, f"<@{BOT}> what of this alert?", thread=alert.ts)
        await whole(slack, 1)
        assert "> Monitor: [High error rate on checkout](https://monitor.example/a/1)\n" in last(model)
        assert "> 5xx above 3 % for 10 minutes\n> env: prod\n> rule 17" in last(model)

        deploy = report(slack, ALERTS["deploy"])
        await slack.say(CHANNEL, "", thread=deploy.ts, blocks=mentioning(ALERTS["question"]))
        await whole(slack, 2)
        told = "> Deploy: Deploy failed\n> *main* on `web-3`\n> *by*\n> ana\n> run [#9](https://ci.example/9)"
        assert "Ann: what is this?\n\n" in last(model)
        assert told in last(model)

        forwarded = {"is_share": True, "author_name": "Deploy", "footer": "Posted in #general", "text": ""}
        forwarded["message_blocks"] = [{"message": {"blocks": ALERTS["deploy"]["blocks"]}}]
        await slack.say(DM, f"Use <@{BOT}> on this", attachments=[forwarded])
        await whole(slack, 2, DM)
        assert "> Deploy failed\n" in last(model)
        assert "\nUse @parley on this" in last(model)
        assert await parley.stop() == 0


async def test_discord_s_embeds_reach_the_model(tmp_path: Path) -> None:
    """Every embed, with all that stands in it, of a message that a mention replies to and of those around."""
    async with (
        FakeDiscord() as discord,
        FakeOpenAI() as model,
        Program(tmp_path, **discord_environ(discord, model)) as parley,
    ):
        await parley.logged("discord is connected")
        discord.say(author=ROBOT, embeds=[{"type": "rich", "title": "before it", "footer": {"text": "rule 3"}}])
        alert = discord.say(content="Triggered", author=ROBOT, embeds=EMBEDS)
        discord.say(content=f"<@{DISCORD_BOT}> what of this alert?", reference=alert.id)
        await discord_whole(discord, 1)
        report = "> [High error rate on checkout](https://monitor.example/a/1)\n> 5xx above 3 % for 10 minutes\n"
        assert f"> Monitor\n{report}> env: prod\n> rule 17\n> \n> second: disk is full\n" in last(model)
        assert "> robot: before it\n> rule 3" in last(model)
        assert await parley.stop() == 0


def mentioning(question: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks of the question, which mention this bot."""
    text = json.dumps(question["blocks"])
    return list(json.loads(text.replace("UBOT", BOT)))
