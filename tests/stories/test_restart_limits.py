"""`parley` as a process: what it asked of a platform before a restart counts against the limits after it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest

from bot.runtime.call_history import NOTE, PLACE
from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import BOT, CHANNEL, FakeSlack
from tests.loopback.slack.state import Message
from tests.stories.test_slack import PATIENCE, environ, whole
from tests.support.program import Program

MENTION = f"<@{BOT}>"
EDITS = 47
"""So many of Slack's fifty edits a minute that a growing answer would take more than are left."""
MOMENT = 0.5
"""Seconds that an edit is waited for which should not be made: one that comes later is missed, none is invented."""


@pytest.mark.parametrize("killed", [False, True])
async def test_edits_of_before_a_restart_count_after_it(tmp_path: Path, killed: bool) -> None:
    """After 47 edits in a minute and a restart the next answer is whole without a refusal, stopped or killed."""
    async with FakeSlack() as slack, FakeOpenAI() as model:
        limits = {"PARLEY_LIMITS__TURNS_PER_MINUTE": "0"}
        async with Program(tmp_path, **environ(slack, model), **limits) as parley:
            await parley.logged("slack is connected")
            asked = await slack.say(CHANNEL, f"{MENTION} question 0.")
            answer = await whole(slack, 1)
            answers = 1
            while len(slack.called("chat.update")) < EDITS:
                answers += 1
                slack.edit(asked, f"{MENTION} question {answers}.")
                await slack.until(partial(_ends_with, answer, f"question {answers}."), PATIENCE)
            await parley.repeated("answered", answers)
            await parley.http.get("/readyz")  # its own write comes after the turn's last
            if killed:
                await slack.until(lambda: _noted(tmp_path) == len(slack.called("chat.update")), PATIENCE)
            await (parley.kill() if killed else parley.stop())

            await parley.start()
            await parley.logged("slack is connected")
            script = model.script()
            await slack.say(CHANNEL, f"{MENTION} tell me much")
            for part in ("one", "two", "three", "four"):
                await script.send(f"{part} ")
                with suppress(TimeoutError):
                    await slack.until(partial(_shows, slack, part), MOMENT)
            await script.end()
            assert (await whole(slack, 2)).shown == "one two three four"
            assert ("chat.update", "ratelimited") not in slack.refusals


def _ends_with(answer: Message, text: str) -> bool:
    """Whether an answer has this text and has ended."""
    return text in answer.shown and "again" in str(answer.versions[-1].blocks)


def _shows(slack: FakeSlack, text: str) -> bool:
    """Whether the latest answer shows this text."""
    return text in slack.answers()[-1].shown


def _noted(folder: Path) -> int:
    """How many edits the memory knows of."""
    with closing(sqlite3.connect(folder / "data/parley.db")) as db:
        rows = db.execute("SELECT metadata FROM places WHERE key = ?", (PLACE,)).fetchall()
    limits = json.loads(rows[0][0])[NOTE]["limits"] if rows else {}
    return sum(len(limit["calls"]) for name, limit in limits.items() if name.endswith(":edits"))
