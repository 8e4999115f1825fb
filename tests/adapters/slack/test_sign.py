"""The sign that an answer is coming: shown until the first words, then taken away, never in the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from adapters.slack.api.client import connect
from adapters.slack.api.identity import introduce
from adapters.slack.api.workspace import Workspace
from adapters.slack.outbound.indicators import EYES, HOURGLASS, STATUS, Sign
from tests.loopback.slack import BOT, CHANNEL, DM, FakeSlack, Fault
from tests.loopback.slack.app import settings
from tests.loopback.slack.state import Message


@asynccontextmanager
async def asked(slack: FakeSlack, channel: str = CHANNEL) -> AsyncIterator[tuple[Sign, Message]]:
    """A question and its sign, not shown yet."""
    async with connect(settings(slack)) as client:
        me, _ = await introduce(client)
        said = await slack.say(channel, "a question")
        thread = "" if channel == DM else said.ts
        yield Sign(Workspace(client, me), channel, thread, said.ts), said


async def hide(showing: asyncio.Task[None]) -> None:
    """Cancel a sign and wait until it is gone."""
    showing.cancel()
    with suppress(asyncio.CancelledError):
        await showing


async def test_eyes_stand_on_the_question_until_the_answer_comes() -> None:
    """Where the workspace allows no status."""
    async with FakeSlack() as slack, asked(slack) as (sign, said):
        showing = asyncio.create_task(sign.show())
        await slack.until(lambda: said.reactions[EYES] == {BOT})
        await hide(showing)
        assert said.reactions[EYES] == set()


async def test_a_reaction_whose_answer_was_lost_is_taken_away_too() -> None:
    """Slack has put it there, though nobody heard of it."""
    async with FakeSlack() as slack, asked(slack, DM) as (sign, said):
        slack.fail("reactions.add", lose=True)
        showing = asyncio.create_task(sign.show())
        await slack.until(lambda: said.reactions[EYES] == {BOT})
        await hide(showing)
        assert said.reactions[EYES] == set()


async def test_an_hourglass_stands_on_a_question_that_waits() -> None:
    """Until its turn comes, in a thread too; it is another sign than the eyes, and does not disturb them."""
    async with FakeSlack() as slack, asked(slack) as (sign, said):
        slack.api.assistant = True
        waiting = asyncio.create_task(sign.wait())
        await slack.until(lambda: said.reactions[HOURGLASS] == {BOT})
        assert not slack.called("assistant.threads.setStatus")
        showing = asyncio.create_task(sign.show())
        await hide(waiting)
        assert said.reactions[HOURGLASS] == set()
        await hide(showing)


async def test_without_the_scope_there_is_no_hourglass() -> None:
    """It is tried once, and then no reaction is."""
    async with FakeSlack() as slack, asked(slack, DM) as (sign, _):
        slack.workspace.scopes.remove("reactions:write")
        waiting = asyncio.create_task(sign.wait())
        await slack.until(lambda: "reactions.add" in sign.workspace.lacking)
        await hide(waiting)
        showing = asyncio.create_task(sign.show())
        await asyncio.wait([showing], timeout=0)
        await hide(showing)
        assert [name for name, _ in slack.calls] == ["auth.test", "reactions.add"]


async def test_a_status_is_preferred_in_a_thread() -> None:
    """It is cleared in the end, and there are no eyes then."""
    async with FakeSlack() as slack, asked(slack) as (sign, said):
        slack.api.assistant = True
        statuses = slack.workspace.conversations[CHANNEL].statuses[said.ts]
        showing = asyncio.create_task(sign.show())
        await slack.until(lambda: statuses == [STATUS])
        await hide(showing)
        assert statuses == [STATUS, ""]
        assert not slack.called("reactions.add")


async def test_the_status_is_kept_fresh() -> None:
    """Slack takes it away after a while."""
    async with FakeSlack() as slack, asked(slack) as (sign, _):
        slack.api.assistant = True
        showing = asyncio.create_task(replace(sign, fresh=0.01).show())
        await slack.until(lambda: len(slack.called("assistant.threads.setStatus")) >= 3)
        await hide(showing)
        assert slack.called("assistant.threads.setStatus")[-1]["status"] == ""


async def test_a_status_that_is_refused_is_not_tried_again() -> None:
    """One refusal is enough for the workspace."""
    async with FakeSlack() as slack, asked(slack) as (sign, said):
        for _ in range(2):
            showing = asyncio.create_task(sign.show())
            await slack.until(lambda: said.reactions[EYES])
            await hide(showing)
        assert len(slack.called("assistant.threads.setStatus")) == 1
        assert len(slack.called("reactions.add")) == 2


async def test_without_the_scope_there_are_no_eyes() -> None:
    """They are tried once; in a DM there is no status either."""
    async with FakeSlack() as slack, asked(slack, DM) as (sign, _):
        slack.workspace.scopes.remove("reactions:write")
        for _ in range(2):
            showing = asyncio.create_task(sign.show())
            await slack.until(lambda: "reactions.add" in sign.workspace.lacking)
            await hide(showing)
        assert [name for name, _ in slack.calls] == ["auth.test", "reactions.add"]


async def test_a_sign_that_is_still_on_its_way_is_taken_away_too() -> None:
    """The call is not cancelled in flight, so that it cannot land after its end."""
    async with FakeSlack() as slack, asked(slack, DM) as (sign, said):
        gate = asyncio.Event()
        slack.fail("reactions.add", gate=gate)
        showing = asyncio.create_task(sign.show())
        await slack.until(lambda: slack.called("reactions.add"))
        showing.cancel()
        gate.set()
        with suppress(asyncio.CancelledError):
            await showing
        assert [name for name, _ in slack.calls][-2:] == ["reactions.add", "reactions.remove"]
        assert said.reactions[EYES] == set()


@pytest.mark.parametrize("fault", [{"status": 429, "retry_after": 1}, {"status": 500}])
async def test_taking_it_away_is_tried_again(fault: dict[str, Any]) -> None:
    """A busy moment leaves no eyes behind."""
    async with FakeSlack() as slack, asked(slack, DM) as (sign, said):
        showing = asyncio.create_task(sign.show())
        await slack.until(lambda: said.reactions[EYES])
        slack.faults.add("reactions.remove", Fault(**fault), 1)
        await hide(showing)
        assert said.reactions[EYES] == set()


async def test_no_refusal_is_raised() -> None:
    """A sign that cannot be shown is no reason to fail."""
    async with FakeSlack() as slack, asked(slack, DM) as (sign, _):
        for fault in ({"status": 500}, {"error": "too_many_reactions"}, {"error": "message_not_found"}, {"lose": True}):
            slack.faults.add("reactions.add", Fault(**fault), 1)
            calls = len(slack.calls)
            showing = asyncio.create_task(sign.show())
            await slack.until(lambda count=calls: len(slack.calls) > count)  # type: ignore[misc]
            await hide(showing)
            assert showing.cancelled()
