"""Stop and Try again in Slack, over the real engine and the real memory: by button, by shortcut, after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from adapters.slack.interactions.buttons import NO_ANSWER
from adapters.slack.interactions.responder import RESTARTING
from adapters.slack.manifest import AGAIN, STOP
from adapters.slack.outbound.buttons import buttons, find_turn, pressed
from bot import texts
from bot.config.settings import BotSettings
from bot.domain.messages import Control, Incoming, Page, State
from bot.domain.ports import Channel, Transcript
from bot.domain.records import Answer
from bot.engine import Engine
from bot.models.protocols.openai import OpenAIModel
from bot.runtime.health import Host
from bot.runtime.metrics import Metrics
from storage.sqlite import SqliteMemory
from tests.adapters.slack.test_channel import talking
from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import ANN, BEN, BOT, CHANNEL, DM, FakeSlack
from tests.loopback.slack.app import start
from tests.loopback.slack.state import Message

MENTION = f"<@{BOT}>"


class Awaited(Engine):
    """The engine, whose last turn a test can wait for."""

    last: asyncio.Future[Answer] | None = None

    async def submit(self, incoming: Incoming, channel: Channel | Transcript) -> asyncio.Future[Answer] | None:
        """Take a message, and keep its answer to come."""
        taken = await super().submit(incoming, channel)
        self.last = taken or self.last
        return taken


@dataclass
class Program:
    """Slack, the model, and the bot between them."""

    slack: FakeSlack
    model: FakeOpenAI
    engine: Awaited
    host: Host

    async def answer(self, question: str = "hello", channel: str = CHANNEL) -> Message:
        """Ask, and wait until the answer is whole and written down; gives its message."""
        known = len(self.slack.answers(channel))
        await self.slack.say(channel, question if channel == DM else f"{MENTION} {question}")
        (said,) = await self.slack.until(lambda: _whole(self.slack.answers(channel)[known:]))
        assert self.engine.last
        await self.engine.last
        return said

    async def told(self, number: int = 1) -> str:
        """What was last said to somebody alone, once it was said so often."""
        await self.slack.until(lambda: len(self.slack.ephemerals) == number)
        return self.slack.ephemerals[-1].shown


def _whole(messages: list[Message]) -> list[Message]:
    """The last message, once it offers to be tried again."""
    return [said for said in messages[-1:] if press_of(said) == "press:again"]


def press_of(said: Message) -> str:
    """The action id of the button under a message; empty without one."""
    blocks = [block for block in said.versions[-1].blocks if block["type"] == "actions"]
    return str(blocks[0]["elements"][0]["action_id"]) if blocks else ""


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    """A workspace."""
    async with FakeSlack() as server:
        server.limits.generous = True
        yield server


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    """A model that says what it is told to."""
    async with FakeOpenAI() as server:
        yield server


@asynccontextmanager
async def running(slack: FakeSlack, provider: FakeOpenAI, folder: Path, **changes: Any) -> AsyncIterator[Program]:
    """The program, from its start to its end."""
    client = OpenAIModel(
        "openai/test-model", "test-model", SecretStr("test-key"), provider.base_url, timeout=60, reader="OpenAI"
    )
    memory = await SqliteMemory.open(folder / "parley.db")
    engine, host = Awaited(client, memory, BotSettings(), Metrics()), Host()
    adapter = start(slack, engine, host, **changes)
    try:
        await slack.until(lambda: host.status("slack").ready)
        yield Program(slack, provider, engine, host)
    finally:
        host.closing.set()
        await engine.drain_turns(5)
        adapter.cancel()
        with suppress(asyncio.CancelledError):
            await adapter
        await host.close()
        await memory.close()
        await client.close()


@pytest.mark.parametrize(
    ("state", "control"), [(State.GROWING, Control.STOP)] + [(state, Control.AGAIN) for state in list(State)[1:]]
)
def test_a_page_has_the_button_that_fits_it(state: State, control: Control) -> None:
    """It carries the turn, so that nothing has to be remembered."""
    (block,) = buttons(Page("text", state, turn=17))
    assert pressed(block["elements"][0]) == (control, 17)
    assert find_turn({"blocks": [{"type": "rich_text", "elements": [{}]}, block]}) == 17
    assert buttons(Page("text", state)) == []
    assert buttons(Page("text", state, turn=17, last=False)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("press:stop", ""), ("press:stop", "0"), ("", "1"), ("press:other", "1"), ("press:stop", "9" * 20)],
)
def test_what_is_no_press_does_nothing(name: str, value: str) -> None:
    """A button of another kind, or without a turn."""
    assert pressed({"action_id": name, "value": value}) is None
    assert pressed({}) is None


async def test_a_page_that_is_followed_by_another_loses_button_and_cursor() -> None:
    """With the edit that makes it whole; the button stands under the last page alone."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        ts = await channel.post(Page("one", State.GROWING, turn=7))
        assert press_of(slack.message(ts)) == "press:stop"
        await channel.edit(ts, Page("one", State.DONE, turn=7, last=False))
        assert slack.message(ts).versions[-1].blocks == ({"type": "markdown", "text": "one"},)
        await channel.edit(ts, Page("one", State.DONE, turn=7))
        assert press_of(slack.message(ts)) == "press:again"


@pytest.mark.parametrize("way", ["button", "shortcut", "shortcut on the question"])
async def test_stop_ends_the_answer(slack: FakeSlack, model: FakeOpenAI, tmp_path: Path, way: str) -> None:
    """What is there stays, with a note and the other button; the press is acknowledged and needs no word."""
    async with running(slack, model, tmp_path):
        script = model.script()
        question = await slack.say(CHANNEL, f"{MENTION} hello")
        await script.send("Half ")
        (said,) = await slack.until(lambda: slack.answers())
        if way == "button":
            sent = slack.press(said, "press:stop")
        else:
            sent = slack.shortcut(said if way == "shortcut" else question, STOP)
        await slack.until(lambda: press_of(said) == "press:again")
        assert said.shown.replace("\n", " ").split() == ["Half", texts.STOPPING]
        await slack.until(sent.acked.is_set)
        if way == "shortcut on the question":
            await slack.until(lambda: slack.ephemerals)
        assert [shown.shown for shown in slack.ephemerals] == [texts.STOPPING] * (way == "shortcut on the question")


@pytest.mark.parametrize("channel", [CHANNEL, DM])
@pytest.mark.parametrize("way", ["button", "shortcut"])
async def test_try_again_works_after_a_restart(
    slack: FakeSlack, model: FakeOpenAI, tmp_path: Path, way: str, channel: str
) -> None:
    """The same message shows the new answer; nothing is posted."""
    async with running(slack, model, tmp_path) as program:
        said = await program.answer(channel=channel)
    posts = len(slack.called("chat.postMessage"))
    async with running(slack, model, tmp_path):
        script = model.script()
        sent = slack.press(said, "press:again") if way == "button" else slack.shortcut(said, AGAIN)
        await script.send("Something else.")
        await slack.until(lambda: press_of(said) == "press:stop")
        await script.end()
        await slack.until(lambda: press_of(said) == "press:again")
        assert said.shown == "Something else."
        await slack.until(sent.acked.is_set)
    assert len(slack.called("chat.postMessage")) == posts
    assert not slack.ephemerals


async def test_only_the_asker_may(slack: FakeSlack, model: FakeOpenAI, tmp_path: Path) -> None:
    """Others are told so, they alone, in the thread where they pressed."""
    async with running(slack, model, tmp_path) as program:
        said = await program.answer()
        slack.press(said, "press:again", user=BEN)
        assert await program.told() == texts.NOT_YOURS
        (shown,) = slack.ephemerals
        assert (shown.user, shown.thread, shown.replaced) == (BEN, said.thread, False)
        slack.shortcut(said, AGAIN, user=BEN)
        assert await program.told(2) == texts.NOT_YOURS
        assert model.asked == 1


async def test_an_admin_may_too(slack: FakeSlack, model: FakeOpenAI, tmp_path: Path) -> None:
    """As `slack.admins` says."""
    async with running(slack, model, tmp_path, admins=[BEN]) as program:
        said = await program.answer()
        slack.press(said, "press:again", user=BEN)
        await slack.until(lambda: model.asked == 2 and _whole([said]))
        assert not slack.ephemerals


async def test_what_cannot_be_done_is_said(slack: FakeSlack, model: FakeOpenAI, tmp_path: Path) -> None:
    """To the one who pressed: an older answer, one that is over, one that is forgotten, no answer at all."""
    async with running(slack, model, tmp_path) as program:
        old = await program.answer("one", DM)
        new = await program.answer("two", DM)
        slack.press(old, "press:again")
        assert await program.told(1) == texts.OLDER
        slack.shortcut(new, STOP)
        assert await program.told(2) == texts.NOTHING_TO_STOP
        slack.shortcut(slack.message(min(slack.workspace.conversations[DM].messages)), AGAIN)
        assert await program.told(3) == NO_ANSWER
        slack.slash("/reset", DM)
        await program.told(4)
        slack.press(new, "press:again")
        assert await program.told(5) == texts.FORGOTTEN
        assert {shown.user for shown in slack.ephemerals} == {ANN}


async def test_another_app_s_buttons_are_not_the_bot_s(slack: FakeSlack, model: FakeOpenAI, tmp_path: Path) -> None:
    """A message that only looks like an answer tells no turn."""
    async with running(slack, model, tmp_path) as program:
        said = await program.answer()
        forged = Message(slack.clock.ts(), CHANNEL, BEN, list(said.versions), said.thread)
        slack.shortcut(forged, AGAIN)
        assert await program.told() == NO_ANSWER
        assert model.asked == 1


async def test_while_stopping_nothing_is_begun(slack: FakeSlack, model: FakeOpenAI, tmp_path: Path) -> None:
    """A new answer would be lost; the person is told."""
    async with running(slack, model, tmp_path) as program:
        said = await program.answer()
        program.host.closing.set()
        slack.press(said, "press:again")
        assert await program.told() == RESTARTING
        assert model.asked == 1


async def test_an_answer_is_finished_while_the_program_stops(
    slack: FakeSlack, model: FakeOpenAI, tmp_path: Path
) -> None:
    """The adapter keeps its session until the engine's turns are over."""
    async with running(slack, model, tmp_path) as program:
        script = model.script()
        await slack.say(DM, "hello")
        await script.send("Half ")
        await slack.until(lambda: slack.answers(DM)[1:])
        program.host.closing.set()
        draining = asyncio.create_task(program.engine.drain_turns(30))
        await script.send("and whole.")
        await script.end()
        await draining
        assert slack.answers(DM)[-1].shown == "Half and whole."


async def test_an_answer_longer_than_a_message_has_one_button(
    slack: FakeSlack, model: FakeOpenAI, tmp_path: Path
) -> None:
    """Under its last page; the pages before it have neither button nor cursor."""
    async with running(slack, model, tmp_path) as program:
        script = model.script()
        asking = asyncio.create_task(program.answer())
        for number in range(5):
            await script.send(f"Paragraph {number}. " + "word " * 800 + "\n\n")
        await script.end()
        await asking
        assert [press_of(said) for said in slack.answers()] == ["", "", "press:again"]
        assert not any("▌" in said.shown for said in slack.answers())
