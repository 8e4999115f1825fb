"""The whole story in Slack: `parley` as a process, between a strict Slack and a model, as a person meets it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from bot import texts
from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import BOT, CHANNEL, DM, FakeSlack
from tests.loopback.slack.app import settings
from tests.loopback.slack.state import Message
from tests.support.program import ExecutedProgram, Program, asking

MENTION = f"<@{BOT}>"
PATIENCE = 60.0


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    """A Slack."""
    async with FakeSlack() as server:
        yield server


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    """A model that shows what it was told."""
    async with FakeOpenAI() as server:
        yield server


def environ(slack: FakeSlack, model: FakeOpenAI) -> dict[str, str]:
    """What an operator sets."""
    section = settings(slack)
    return {
        "SLACK_BOT_TOKEN": section.bot_token.get_secret_value(),
        "SLACK_APP_TOKEN": section.app_token.get_secret_value(),
        "PARLEY_SLACK__API_BASE_URL": slack.api_base_url,
        **asking(model),
    }


async def whole(slack: FakeSlack, number: int, channel: str = CHANNEL) -> Message:
    """The answer of this number, once it has ended: it can be tried again then."""

    def ended() -> Message | None:
        said = slack.answers(channel)[number - 1 : number]
        return next((one for one in said if "again" in str(one.versions[-1].blocks)), None)

    found = await slack.until(ended, PATIENCE)
    assert found is not None
    return found


async def test_a_mention_grows_is_remembered_through_a_restart_and_forgotten(
    slack: FakeSlack, model: FakeOpenAI, tmp_path: Path
) -> None:
    """Mention, live reply in the thread, follow-up without a mention, restart, `@bot reset`, forgotten."""
    script = model.script()
    async with ExecutedProgram(tmp_path, **environ(slack, model)) as parley:
        await parley.logged("slack is connected")
        asked = await slack.say(CHANNEL, f"{MENTION} My cat is called Tom.")
        await script.send("What ")
        await slack.until(lambda: slack.answers(), PATIENCE)
        await script.send("a ", "good ", "name.")
        await script.end()
        answer = await whole(slack, 1)
        assert (answer.thread, answer.shown) == (asked.ts, "What a good name.")
        await slack.say(CHANNEL, "What is it called?", thread=asked.ts)
        assert "My cat is called Tom." in (await whole(slack, 2)).shown
        assert await parley.stop() == 0

        await parley.start()
        await parley.logged("slack is connected")
        await slack.say(CHANNEL, "And now?", thread=asked.ts)
        assert "My cat is called Tom." in (await whole(slack, 3)).shown
        await slack.say(CHANNEL, f"{MENTION} reset", thread=asked.ts)
        await slack.until(lambda: slack.answers()[-1].shown == texts.RESET_BY.format(name="Ann"), PATIENCE)
        await slack.say(CHANNEL, f"{MENTION} What do you know?", thread=asked.ts)
        assert "Tom" not in (await whole(slack, 5)).shown
        assert await parley.stop() == 0


async def test_a_direct_message_needs_no_mention(slack: FakeSlack, model: FakeOpenAI, tmp_path: Path) -> None:
    """The first one is greeted; `/reset` there forgets it."""
    async with Program(tmp_path, **environ(slack, model)) as parley:
        await parley.logged("slack is connected")
        await slack.say(DM, "My cat is called Tom.")
        answer = await whole(slack, 2, DM)
        assert slack.answers(DM)[0].shown.startswith("Mention me")
        assert answer.thread == ""
        slack.slash("/reset", DM)
        await slack.until(lambda: slack.ephemerals, PATIENCE)
        assert slack.ephemerals[-1].shown == texts.RESET
        await slack.say(DM, "What do you know?")
        assert "Tom" not in (await whole(slack, 3, DM)).shown


async def test_a_crash_in_the_middle_of_an_answer_loses_nothing(
    slack: FakeSlack, model: FakeOpenAI, tmp_path: Path
) -> None:
    """After `kill -9` the same message shows the whole answer; nothing twice."""
    script = model.script()
    async with Program(tmp_path, **environ(slack, model)) as parley:
        await parley.logged("slack is connected")
        await slack.say(CHANNEL, f"{MENTION} one")
        await script.send("Half ", "an ", "answer")
        await slack.until(lambda: slack.answers(), PATIENCE)
        await parley.kill()

        await parley.start()
        assert "one" in (await whole(slack, 1)).shown
        assert len(slack.answers()) == 1
        assert await parley.stop() == 0
