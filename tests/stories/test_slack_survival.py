"""`parley` as a process in Slack: what people change, delete or ask while it is away reaches its answers."""

from __future__ import annotations

from pathlib import Path

from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import BOT, CHANNEL, FakeSlack
from tests.stories.test_slack import PATIENCE, environ, whole
from tests.support.program import Program

MENTION = f"<@{BOT}>"


async def test_edits_deletions_and_questions_from_while_it_was_away(tmp_path: Path) -> None:
    """An edit writes the answer anew in place; a question that was missed is answered; deletions are forgotten."""
    async with FakeSlack() as slack, FakeOpenAI() as model, Program(tmp_path, **environ(slack, model)) as parley:
        await parley.logged("slack is connected")
        asked = await slack.say(CHANNEL, f"{MENTION} My cat is called Tom.")
        answer = await whole(slack, 1)
        slack.edit(asked, f"{MENTION} My cat is called Kit.")
        await slack.until(lambda: "Kit" in answer.shown and "again" in str(answer.versions[-1].blocks), PATIENCE)
        assert "Tom" not in answer.shown

        await parley.kill()
        slack.courier.deaf = True
        await slack.say(CHANNEL, "What is it called?", thread=asked.ts)
        slack.courier.deaf = False
        await parley.start()
        assert "Kit" in (await whole(slack, 2)).shown

        for said in slack.answers():
            slack.erase(said)
        await slack.until(lambda: all(sent.acked.is_set() for sent in slack.courier.deliveries), PATIENCE)
        await slack.say(CHANNEL, "What do you know?", thread=asked.ts)
        assert "Kit" not in (await whole(slack, 1)).shown
        assert len(slack.answers()) == 1
        assert await parley.stop() == 0
