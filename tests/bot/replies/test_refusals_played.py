"""Every code of both platforms, played by their loopback servers: what becomes of drafts, whole texts and notices."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import pytest

from adapters.discord.api import errors as discord_faults
from adapters.discord.api.client import connect as connect_discord
from adapters.discord.outbound.channel import DiscordChannel
from adapters.slack.api import calls as slack_calls
from adapters.slack.api.client import connect as connect_slack
from adapters.slack.api.identity import introduce
from adapters.slack.api.workspace import Workspace
from adapters.slack.inbound.messages import locate
from adapters.slack.outbound.channel import UNFIT, SlackChannel
from bot.domain.errors import PlatformFault
from bot.domain.messages import Author, Incoming, State
from bot.domain.ports import Channel, Piece
from bot.domain.records import Answer
from bot.pacing.pacer import Pacer
from bot.replies.reply import Reply
from bot.replies.streaming import Halt, deliver
from bot.replies.system_messages import say
from bot.texts import withheld
from tests.loopback.discord import ANN, ANN_DM, GENERAL, RANDOM, TALK, FakeDiscord
from tests.loopback.slack import ANN as SLACK_ANN
from tests.loopback.slack import CHANNEL, DM, GROUP, PRIVATE, TEAM, FakeSlack
from tests.loopback.slack.app import settings as slack_settings
from tests.support.discord_app import settings as discord_settings
from tests.support.screen import CURSOR

RATE, NETWORK, GONE = PlatformFault.RATE, PlatformFault.NETWORK, PlatformFault.GONE
FORBIDDEN, MODERATED, REJECTED = PlatformFault.FORBIDDEN, PlatformFault.MODERATED, PlatformFault.REJECTED
BAD = "swearword"
"""What the servers refuse with the code that is played."""
DISCORD = {
    **dict.fromkeys(discord_faults.GONE, (404, GONE)),
    **dict.fromkeys(discord_faults.FORBIDDEN, (403, FORBIDDEN)),
    **dict.fromkeys(discord_faults.MODERATED, (400, MODERATED)),
    **dict.fromkeys((discord_faults.TOO_OLD, discord_faults.NO_HISTORY, 50035, 99999), (400, REJECTED)),
}
SLACK = {
    **dict.fromkeys(slack_calls.GONE, GONE),
    **dict.fromkeys((*slack_calls.FORBIDDEN, *slack_calls.DEAD), FORBIDDEN),
    **dict.fromkeys(("restricted_action", "message_limit_exceeded", "dlp_rule_violation"), MODERATED),
    **dict.fromkeys((*slack_calls.FROZEN, *UNFIT, "an_error_to_come"), REJECTED),
}


class Stage(Protocol):
    """A platform on which one code is played, in a place of its own for each part."""

    def open(self, place: str) -> Channel:
        """Return the channel of a question in a place."""
        ...

    def shown(self, place: str) -> list[str]:
        """Return what the bot's messages in a place show."""
        ...

    def refuse_draft(self, times: int) -> None:
        """Refuse the next edits with the code."""
        ...

    @property
    def edits(self) -> int:
        """How many edits have come."""
        ...

    async def until(self, predicate: Callable[[], bool]) -> object:
        """Wait until something holds."""
        ...

    def refuse_word(self) -> None:
        """Refuse everything that holds the bad word with the code."""
        ...


class DiscordStage:
    """The stage on Discord."""

    places = GENERAL, RANDOM, TALK
    private = ANN_DM

    def __init__(self, discord: FakeDiscord, code: int, status: int, channels: dict[str, DiscordChannel]) -> None:
        self._discord, self._code, self._status, self._channels = discord, code, status, channels

    def open(self, place: str) -> Channel:
        return self._channels[place]

    def shown(self, place: str) -> list[str]:
        return [said.shown for said in self._discord.answers(place)]

    def refuse_draft(self, times: int) -> None:
        self._discord.fail("edit", times, status=self._status, body={"code": self._code, "message": "no"})

    @property
    def edits(self) -> int:
        return len(self._discord.called("edit"))

    async def until(self, predicate: Callable[[], bool]) -> object:
        return await self._discord.until(predicate)

    def refuse_word(self) -> None:
        self._discord.world.moderated[BAD] = self._code


class SlackStage:
    """The stage on Slack."""

    places = CHANNEL, PRIVATE, GROUP
    private = DM

    def __init__(self, slack: FakeSlack, code: str, channels: dict[str, SlackChannel]) -> None:
        self._slack, self._code, self._channels = slack, code, channels

    def open(self, place: str) -> Channel:
        return self._channels[place]

    def shown(self, place: str) -> list[str]:
        found = [said.shown for said in self._slack.answers(place)]
        return found + [one.shown for one in self._slack.ephemerals if place == DM]

    def refuse_draft(self, times: int) -> None:
        self._slack.fail("chat.update", times, error=self._code)

    @property
    def edits(self) -> int:
        return len(self._slack.called("chat.update"))

    async def until(self, predicate: Callable[[], bool]) -> object:
        return await self._slack.until(predicate)

    def refuse_word(self) -> None:
        self._slack.workspace.moderated[BAD] = self._code


@asynccontextmanager
async def discord_stage(code: int, status: int) -> AsyncIterator[DiscordStage]:
    """A Discord with a question in each place."""
    async with FakeDiscord() as discord, connect_discord(discord_settings(discord)) as rest:
        channels = {}
        for place in DiscordStage.places:
            asked = discord.say(place, "a question")
            people = (Author(ANN, "Ann"),)
            channels[place] = DiscordChannel(rest, discord_settings(discord), place, asked.id, people=people)
        yield DiscordStage(discord, code, status, channels)


@asynccontextmanager
async def slack_stage(code: str) -> AsyncIterator[SlackStage]:
    """A Slack with a question in each place."""
    async with FakeSlack() as slack, connect_slack(slack_settings(slack)) as client:
        slack.limits.generous = True
        workspace = Workspace(client, (await introduce(client))[0])
        channels = {}
        for place in SlackStage.places:
            asked = await slack.say(place, "a question")
            where = locate(TEAM, place, asked.ts, False)
            question = Incoming(where, Author(SLACK_ANN, "Ann"), "a question", place, asked.ts)
            channels[place] = SlackChannel(workspace, question)
            channels[place].posts, channels[place].edits = Pacer(1000, 1.0), Pacer(1000, 1.0)
        yield SlackStage(slack, code, channels)


async def grow(stage: Stage, place: str, *words: str, edits: int = 0) -> Answer:
    """Deliver an answer whose first word is shown before the rest of it comes, the last after so many edits."""
    reply = Reply(stage.open(place), turn=7)

    async def pieces() -> AsyncGenerator[Piece, None]:
        *begun, last = words
        for word in begun:
            yield Piece(word)
            await stage.until(lambda: bool(reply.shown))
        await stage.until(lambda: stage.edits >= edits)
        yield Piece(last)
        yield Piece(end=State.DONE)

    return await deliver(pieces(), reply, Halt())


async def play(stage: Stage, places: tuple[str, str, str], private: str, fault: PlatformFault) -> None:
    """Refuse a draft, then a whole text, then a notice, and look at what stands there."""
    first, second, third = places
    tries = 2 if fault is REJECTED else 1  # a form that is refused is tried plainly
    stage.refuse_draft(tries)
    answer = await grow(stage, first, "we ", "are ", "here", edits=1)
    if fault in (MODERATED, REJECTED):
        assert (stage.shown(first), answer.state) == (["we are here"], State.DONE)
    elif fault is FORBIDDEN:
        assert [CURSOR in text for text in stage.shown(first)] == [False]
        assert withheld(FORBIDDEN, begun=True) in stage.shown(first)[0]
        assert answer.state is State.FAILED
    else:
        assert (answer.state, answer.fault) == (State.STOPPED, "gone")

    stage.refuse_word()
    answer = await grow(stage, second, "we ", f"are {BAD}")
    assert answer.state is (State.STOPPED if fault is GONE else State.FAILED)
    assert answer.fault == fault.value
    assert BAD not in answer.text
    if fault is not GONE:  # else there is nothing that could be closed
        (text,) = stage.shown(second)
        assert text.startswith("we")
        assert CURSOR not in text
        assert withheld(fault, begun=True) in text

    notice = await say(f"a {BAD}", stage.open(third))
    assert notice.state is not State.DONE
    alone = [withheld(fault, begun=False)] if fault in (MODERATED, REJECTED) else []
    assert [text.removeprefix("-# ") for text in stage.shown(third)] == alone
    assert bool(stage.shown(private)) == (private == DM and fault is FORBIDDEN)  # Discord refuses it there, too


@pytest.mark.parametrize(("code", "status", "fault"), [(code, *row) for code, row in sorted(DISCORD.items())])
async def test_each_of_discords_codes_leaves_no_half_answer(code: int, status: int, fault: PlatformFault) -> None:
    """No cursor stays, nothing that was refused counts as done, and what was accepted is closed with a sentence."""
    async with discord_stage(code, status) as stage:
        await play(stage, stage.places, stage.private, fault)


@pytest.mark.parametrize(("code", "fault"), SLACK.items())
async def test_each_of_slacks_codes_leaves_no_half_answer(code: str, fault: PlatformFault) -> None:
    """The same in Slack."""
    async with slack_stage(code) as stage:
        await play(stage, stage.places, stage.private, fault)
