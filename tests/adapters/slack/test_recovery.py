"""After a crash: a post that the journal does not have is found in Slack, and written over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.slack.api.client import connect
from adapters.slack.api.identity import introduce
from adapters.slack.api.workspace import Workspace
from adapters.slack.inbound.messages import locate
from adapters.slack.outbound.channel import SlackChannel
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Author, Incoming, Page, State
from tests.loopback.slack import ANN, CHANNEL, DM, TEAM, FakeSlack
from tests.loopback.slack.app import settings
from tests.loopback.slack.state import Message


@asynccontextmanager
async def workspace(slack: FakeSlack) -> AsyncIterator[Workspace]:
    """The workspace, as one run of the program knows it."""
    async with connect(settings(slack)) as client:
        yield Workspace(client, (await introduce(client))[0])


def channel(here: Workspace, said: Message, *, reopened: bool = True) -> SlackChannel:
    """Where a question is answered."""
    thread = "" if said.channel == DM else said.thread or said.ts
    place = locate(TEAM, said.channel, thread, said.channel == DM)
    return SlackChannel(here, Incoming(place, Author(ANN, "Ann"), "", said.channel, said.ts), reopened)


@pytest.mark.parametrize("where", [CHANNEL, DM])
@pytest.mark.parametrize("state", [State.GROWING, State.DONE])
async def test_the_lost_post_of_a_turn_shows_the_new_answer(where: str, state: State) -> None:
    """Its button says whose it is; other turns' posts beside it stay as they are."""
    async with FakeSlack() as slack, workspace(slack) as here:
        said = await slack.say(where, "a question")
        before = channel(here, said, reopened=False)
        other = await before.post(Page("another answer", turn=6))
        lost = await before.post(Page("Half an", state, turn=7))
        again = channel(here, said)
        assert await again.post(Page("The whole", State.GROWING, turn=7)) == lost
        await again.edit(lost, Page("The whole answer", turn=7))
        assert [answer.shown for answer in slack.answers(where)] == ["another answer", "The whole answer"]
        assert other != lost


async def test_a_turn_that_showed_nothing_posts_anew() -> None:
    """Nothing of another turn, of a person or from before the question is written over."""
    async with FakeSlack() as slack, workspace(slack) as here:
        root = await slack.say(CHANNEL, "a question")
        await channel(here, root, reopened=False).post(Page("an old answer", turn=7))
        said = await slack.say(CHANNEL, "another", thread=root.ts)
        await channel(here, said, reopened=False).post(Page("hello", turn=8))
        await channel(here, said).post(Page("hello", turn=7))
        assert [answer.shown for answer in slack.answers()] == ["an old answer", "hello", "hello"]


async def test_a_further_page_is_found_beside_the_known_ones() -> None:
    """The journal had the first page, not the second."""
    async with FakeSlack() as slack, workspace(slack) as here:
        said = await slack.say(CHANNEL, "a question")
        before = channel(here, said, reopened=False)
        first = await before.post(Page("one", State.GROWING, turn=7))
        await before.edit(first, Page("one", last=False, turn=7))
        second = await before.post(Page("tw", State.GROWING, part=1, turn=7))
        again = channel(here, said)
        await again.edit(first, Page("one", State.GROWING, turn=7))
        assert await again.post(Page("two", State.GROWING, part=1, turn=7)) == second
        assert await again.post(Page("three", State.GROWING, part=2, turn=7)) not in (first, second)


async def test_what_was_said_beside_a_turn_is_found_by_its_words() -> None:
    """Parley's own words carry no button."""
    async with FakeSlack() as slack, workspace(slack) as here:
        said = await slack.say(CHANNEL, "reset")
        lost = await channel(here, said, reopened=False).post(Page("Nothing to forget."))
        assert await channel(here, said).post(Page("Nothing to forget.")) == lost
        assert await channel(here, said).post(Page("Something else.")) != lost


async def test_a_fresh_question_costs_no_search() -> None:
    """Nobody can have answered it."""
    async with FakeSlack() as slack, workspace(slack) as here:
        said = await slack.say(CHANNEL, "a question")
        await channel(here, said, reopened=False).post(Page("one", turn=7))
        assert not slack.called("conversations.replies")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [({"status": 429, "retry_after": 9}, PlatformFault.RATE), ({"status": 500}, PlatformFault.NETWORK)],
)
async def test_while_it_cannot_be_looked_for_nothing_is_posted(fault: dict[str, Any], expected: PlatformFault) -> None:
    """Better late than twice; the next try finds it."""
    async with FakeSlack() as slack, workspace(slack) as here:
        said = await slack.say(CHANNEL, "a question")
        lost = await channel(here, said, reopened=False).post(Page("Half", State.GROWING, turn=7))
        again = channel(here, said)
        slack.fail("conversations.replies", **fault)
        with pytest.raises(PlatformError) as caught:
            await again.post(Page("The whole", turn=7))
        assert caught.value.fault is expected
        slack.fail("chat.update", **fault)
        with pytest.raises(PlatformError):
            await again.post(Page("The whole", turn=7))
        assert await again.post(Page("The whole", turn=7)) == lost
        assert [answer.shown for answer in slack.answers()] == ["The whole"]


async def test_where_the_bot_may_not_read_it_posts() -> None:
    """An answer in a second message is better than none."""
    async with FakeSlack() as slack, workspace(slack) as here:
        slack.workspace.scopes.remove("channels:history")
        said = await slack.say(CHANNEL, "a question")
        await channel(here, said).post(Page("one", turn=7))
        assert [answer.shown for answer in slack.answers()] == ["one"]
