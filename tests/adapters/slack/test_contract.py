"""Slack holds to what every channel holds to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from adapters.slack.api.client import connect
from adapters.slack.api.identity import introduce
from adapters.slack.api.workspace import Workspace
from adapters.slack.outbound.buttons import pressed
from adapters.slack.outbound.channel import SlackChannel
from bot.domain.errors import PlatformFault
from bot.domain.messages import Author, Control, Incoming, Place
from tests.contracts.channel import ChannelContract
from tests.loopback.slack import ANN, CHANNEL, TEAM, FakeSlack
from tests.loopback.slack.app import settings
from tests.loopback.slack.rules import MARKDOWN
from tests.loopback.slack.state import Message

METHODS = {"post": "chat.postMessage", "edit": "chat.update", "delete": "chat.delete"}
SIGNS = {"typing": "eyes", "waiting": "hourglass_flowing_sand"}
WORDS = {
    PlatformFault.GONE: "message_not_found",
    PlatformFault.FORBIDDEN: "not_in_channel",
    PlatformFault.REJECTED: "invalid_blocks",
    PlatformFault.MODERATED: "restricted_action",
}


class SlackScreen:
    """What Slack shows of the answers to one question."""

    limit = MARKDOWN

    def __init__(self, slack: FakeSlack, question: Message) -> None:
        self.slack = slack
        self.question = question
        slack.limits.generous = True

    def shown(self, id: str) -> str | None:
        """Blocks and context."""
        said = self.slack.message(id)
        return None if said.deleted else said.shown.strip()

    def notified(self) -> Sequence[str]:
        """Tokens and bare words that call somebody, in any text that was ever shown."""
        where = self.slack.workspace.conversations[CHANNEL]
        return [ping for said in where.messages.values() if said.bot for ping in said.pings]

    def intrudes(self, id: str) -> bool:
        """A message of a thread makes no sound of its own; one that is sent to the channel too would."""
        said = self.slack.message(id)
        return said.thread != self.question.ts or bool(said.args.get("reply_broadcast"))

    def controls(self, id: str) -> list[tuple[Control, int]]:
        """The buttons of the actions block."""
        blocks = self.slack.message(id).versions[-1].blocks
        elements = [one for block in blocks if block["type"] == "actions" for one in block["elements"]]
        return [found for element in elements if (found := pressed(element))]

    def waits(self) -> bool:
        """The hourglass."""
        return bool(self.question.reactions.get(SIGNS["waiting"]))

    def calls(self, verb: str) -> int:
        """Calls of the verb's method, or reactions of the sign that it shows."""
        if verb in METHODS:
            return len(self.slack.called(METHODS[verb]))
        return len([args for args in self.slack.called("reactions.add") if args["name"] == SIGNS[verb]])

    def refuse(self, verb: str, fault: PlatformFault, times: int = 1) -> None:
        """In Slack's own words."""
        methods = [METHODS[verb]] if verb in METHODS else ["reactions.add"]
        for method in methods:
            if fault is PlatformFault.RATE:
                self.slack.fail(method, times, status=429, retry_after=30)
            elif fault is PlatformFault.NETWORK:
                self.slack.fail(method, times, status=503)
            else:
                self.slack.fail(method, times, error=WORDS[fault])

    def lose(self, verb: str) -> None:
        """Cut the connection after it."""
        self.slack.fail(METHODS[verb], lose=True)

    async def until(self, predicate: Callable[[], bool]) -> object:
        """As Slack's own."""
        return await self.slack.until(predicate)


class TestSlack(ChannelContract):
    """In a thread of a channel, where the bot may react and set no status."""

    @pytest.fixture
    async def screen(self) -> AsyncIterator[SlackScreen]:
        """A Slack with a question in it."""
        async with FakeSlack() as slack:
            yield SlackScreen(slack, await slack.say(CHANNEL, "a question"))

    @pytest.fixture
    async def channel(self, screen: SlackScreen) -> AsyncIterator[SlackChannel]:
        """A channel to answer it in."""
        async with connect(settings(screen.slack)) as client:
            me, _ = await introduce(client)
            ts = screen.question.ts
            place = Place(f"slack:{TEAM}:{CHANNEL}:{ts}", shared=True)
            question = Incoming(place, Author(ANN, "Ann"), "a question", CHANNEL, ts)
            yield SlackChannel(Workspace(client, me), question)
