"""An adapter may fall any number of times: it comes back each time, and its answers go on meanwhile."""

from __future__ import annotations

import asyncio
import gc
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters import discord as discord_adapter
from adapters import slack as slack_adapter
from adapters import web as web_adapter
from adapters.web.server import Server
from bot.__main__ import ADAPTERS
from bot.health import Host
from bot.notes import RESET_BY
from tests.clock import advance, run_shifted
from tests.discord_app import settings as discord_settings
from tests.loopback.discord import BEN, BOT, GENERAL, FakeDiscord
from tests.loopback.discord.state import Message
from tests.loopback.slack import BOT as SLACK_BOT
from tests.loopback.slack import CHANNEL, DM, FakeSlack
from tests.loopback.slack.app import settings as slack_settings
from tests.loopback.slack.limits import Faults
from tests.stages import Stage, performing
from tests.webserver import events

MENTION = f"<@{BOT}>"
AGAIN = "again"
FATAL_CLOSE = 4012
"""A close after which discord.py gives the connection up (Discord's documentation, gateway close codes)."""


@pytest.fixture(autouse=True)
def _retrieved(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Assert that no task's exception was lost."""
    yield
    gc.collect()
    assert not [record.getMessage() for record in caplog.records if record.name == "asyncio"]


@pytest.mark.parametrize("package", ADAPTERS.values())
def test_no_part_of_an_adapter_is_called_like_what_it_offers(package: str) -> None:
    """A submodule takes its name in the package when it is imported: what was called so before is lost then."""
    module = import_module(package)
    parts = {part.name for part in pkgutil.iter_modules(module.__path__)}
    assert not parts & {"run", "check", *module.__all__}


async def discord_stage(folder: Path, play: Callable[[FakeDiscord, Stage], Awaitable[None]], falls: int = 0) -> None:
    """Discord, whose first log-ins fail so often."""
    async with FakeDiscord() as discord:
        if falls:
            discord.fail("me", falls, status=503)
        async with performing(folder, "discord", discord_adapter.run, discord_settings(discord)) as stage:
            await play(discord, stage)


async def slack_stage(
    folder: Path, play: Callable[[FakeSlack, Stage], Awaitable[None]], falls: int = 0, **changes: Any
) -> None:
    """Slack, whose first log-ins fail so often."""
    async with FakeSlack() as slack:
        slack.limits.generous = True
        if falls:
            slack.fail("auth.test", falls, status=503)
        chosen = slack_settings(slack, **changes)
        async with performing(folder, "slack", slack_adapter.run, chosen) as stage:
            await play(slack, stage)


async def cut_off(slack: FakeSlack, stage: Stage) -> None:
    """Keep Slack out of reach until the adapter has given the connection up; then it can be reached again."""
    number = len(stage.falls) + 1
    slack.fail("apps.connections.open", 1000, status=500)
    await slack.courier.hang_up()
    await stage.until(lambda: not stage.status.ready)
    if len(stage.falls) < number:
        advance(61)
    await stage.until(lambda: len(stage.falls) == number)
    slack.faults = Faults()
    await stage.fallen(number)


async def three_falls(stage: Stage) -> None:
    """Live through three falls in a row, each pause longer."""
    for number in (1, 2, 3):
        await stage.fallen(number)
    assert [fall["seconds"] for fall in stage.falls] == [1, 2, 4]
    await stage.until(lambda: stage.status.ready)


async def ask_discord(discord: FakeDiscord, stage: Stage) -> Message:
    """Ask, and have the whole answer."""
    before = len(discord.answers())
    discord.say(content=f"{MENTION} hello")
    await stage.until(lambda: len(discord.answers()) > before and discord.answers()[-1].content == "Hello.")
    return discord.answers()[-1]


async def ask_slack(slack: FakeSlack, stage: Stage) -> None:
    """Ask, and have the whole answer."""
    before = len(slack.answers())
    await slack.say(CHANNEL, f"<@{SLACK_BOT}> hello")
    await stage.until(lambda: len(slack.answers()) > before and slack.answers()[-1].shown == "Hello.")


def test_discord_comes_back(tmp_path: Path) -> None:
    """After three falls in a row at the start, and after an hour with the shortest pause; it answers each time."""

    async def play(discord: FakeDiscord, stage: Stage) -> None:
        await three_falls(stage)
        await ask_discord(discord, stage)
        advance(3600)  # which discord.py takes for a connection that is dead
        await stage.until(lambda: discord.gateway.resumes and discord.connected)
        await discord.gateway.close(FATAL_CLOSE)
        await stage.fallen(4)
        await stage.until(lambda: stage.status.ready and discord.connected)
        assert stage.falls[-1]["seconds"] == 1
        await ask_discord(discord, stage)
        assert not stage.bugs
        assert len(discord.called("commands")) == 1

    run_shifted(discord_stage(tmp_path, play, falls=3))


def test_slack_comes_back(tmp_path: Path) -> None:
    """By Socket Mode: after three falls in a row, and after an hour with the shortest pause; it answers each time."""

    async def play(slack: FakeSlack, stage: Stage) -> None:
        await three_falls(stage)
        await ask_slack(slack, stage)
        advance(3600)
        await cut_off(slack, stage)
        await stage.until(lambda: stage.status.ready)
        assert stage.falls[-1]["seconds"] == 1
        await ask_slack(slack, stage)
        assert not stage.bugs

    run_shifted(slack_stage(tmp_path, play, falls=3))


def test_slack_comes_back_behind_its_door(tmp_path: Path) -> None:
    """By HTTP: the one door stands through three falls and opens when Slack knows the bot."""

    async def play(slack: FakeSlack, stage: Stage) -> None:
        await stage.until(lambda: stage.falls)
        door = stage.host.mounts["/slack/events"]
        await three_falls(stage)
        assert stage.host.mounts["/slack/events"] is door
        assert not stage.bugs

    run_shifted(slack_stage(tmp_path, play, falls=3, app_token="", signing_secret="secret"))


def test_the_page_comes_back_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three falls in a row and one after an hour, on the same port though any was allowed."""
    faults: list[str] = []
    tick = Server.on_tick

    async def stumble(server: Server, counter: int) -> bool:
        if server.started and faults:
            if faults.pop() == "break":
                raise OSError("broken")
            return True
        return await tick(server, counter)

    async def play() -> None:
        monkeypatch.setattr(Server, "on_tick", stumble)
        async with performing(tmp_path, "web", web_adapter.run, web_adapter.Settings(port=0)) as stage:
            await stage.until(lambda: stage.status.ready)
            url = next(line["url"] for line in stage.log if "url" in line)
            for number, fault in enumerate(("break", "end", "break", "end"), 1):
                advance(3600 if number == 4 else 0)
                faults.append(fault)
                await stage.fallen(number)
                await stage.until(lambda: stage.status.ready)
            assert [fall["seconds"] for fall in stage.falls] == [1, 2, 4, 1]
            async with aiohttp.ClientSession() as http, http.post(f"{url}/chat", json={"message": "Hi"}) as response:
                assert (await response.json())["response"] == "Hello."
            assert not stage.bugs

    run_shifted(play())


@pytest.mark.parametrize("fault", ["break", "end"])
def test_a_stream_outlives_its_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """The reader has the whole answer, so has the memory, and the next server serves beside it meanwhile."""
    fallen: list[Server] = []
    tick = Server.on_tick
    fall = asyncio.Event()

    async def stumble(server: Server, counter: int) -> bool:
        if fall.is_set() and not fallen:
            fallen.append(server)
            if fault == "break":
                raise OSError("broken")
            return True
        return await tick(server, counter)

    async def play() -> None:
        monkeypatch.setattr(Server, "on_tick", stumble)
        async with performing(tmp_path, "web", web_adapter.run, web_adapter.Settings(port=0)) as stage:
            await stage.until(lambda: stage.status.ready)
            url = next(line["url"] for line in stage.log if "url" in line)
            gate = asyncio.Event()
            stage.model.say("The sea ", gate, "is wide.")
            async with (
                aiohttp.ClientSession(url) as http,
                http.post("/chat/stream", json={"message": "Hi"}) as response,
            ):
                received = events(response)
                assert await anext(received) == ("token", {"text": "The sea "})
                fall.set()
                await stage.fallen(1)
                await stage.until(lambda: stage.status.ready)
                async with http.get("/healthz") as alive:
                    assert alive.status == 200
                gate.set()
                assert [name async for name, _ in received] == ["token", "done"]
                where = response.headers["X-Conversation-Id"]
            async with aiohttp.ClientSession(url) as http, http.get(f"/conversations/{where}") as kept:
                assert [said["content"] for said in (await kept.json())["messages"]] == ["Hi", "The sea is wide."]
            assert not stage.bugs

    run_shifted(play())


def test_a_discord_answer_outlives_its_connection(tmp_path: Path) -> None:
    """It becomes whole over the same message; what waits, with its sign, is answered; nothing is answered twice."""

    async def play(discord: FakeDiscord, stage: Stage) -> None:
        gate, thinking = asyncio.Event(), asyncio.Event()
        stage.model.say(thinking, "The sea ", gate, "is wide.")
        await stage.until(lambda: stage.status.ready)
        discord.say(content=f"{MENTION} one")
        waiting = discord.say(content=f"{MENTION} two", author=BEN)
        await stage.until(lambda: any(waiting.reactions.values()) and discord.channels[GENERAL].typed)
        await discord.gateway.close(FATAL_CLOSE)  # while it only types
        await stage.fallen(1)
        await stage.until(lambda: stage.status.ready and discord.connected)
        thinking.set()
        await stage.until(lambda: discord.answers())
        await discord.gateway.close(FATAL_CLOSE)  # while it grows
        await stage.fallen(2)
        await stage.until(lambda: stage.status.ready)
        gate.set()
        await stage.until(lambda: len(discord.answers()) == 2 and discord.answers()[1].content == "Hello.")
        assert [said.content for said in discord.answers()] == ["The sea is wide.", "Hello."]
        assert not any(waiting.reactions.values())
        assert not stage.bugs

    run_shifted(discord_stage(tmp_path, play))


def test_a_discord_command_outlives_its_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun when the connection fell is done, and the person told."""
    gate = asyncio.Event()

    async def play(discord: FakeDiscord, stage: Stage) -> None:
        await stage.until(lambda: stage.status.ready)
        await ask_discord(discord, stage)
        forget = stage.engine.memory.forget

        async def slowly(place: str) -> Any:
            await gate.wait()
            return await forget(place)

        monkeypatch.setattr(stage.engine.memory, "forget", slowly)
        reset = discord.slash("reset")
        await stage.until(lambda: discord.called("callback"))
        await discord.gateway.close(FATAL_CLOSE)
        await stage.until(lambda: not stage.status.ready)
        gate.set()
        await stage.until(lambda: reset.shown)
        assert reset.shown == [RESET_BY.format(name="Ann")]
        await stage.fallen(1)
        await stage.until(lambda: stage.status.ready)
        assert not stage.bugs

    run_shifted(discord_stage(tmp_path, play))


def test_a_slack_answer_outlives_its_connection(tmp_path: Path) -> None:
    """It becomes whole over the same message; its signs are taken away; what waits is answered; nothing twice."""

    async def play(slack: FakeSlack, stage: Stage) -> None:
        gate = asyncio.Event()
        stage.model.say("The sea ", gate, "is wide.")
        await stage.until(lambda: stage.status.ready)
        first = await slack.say(DM, "one")
        await stage.until(lambda: len(slack.answers(DM)) == 2)  # the first one introduces the bot
        second = await slack.say(DM, "two")
        await stage.until(lambda: any(second.reactions.values()))
        await cut_off(slack, stage)
        await stage.until(lambda: stage.status.ready)
        gate.set()
        await stage.until(lambda: len(slack.answers(DM)) == 3 and slack.answers(DM)[2].shown == "Hello.")
        assert slack.answers(DM)[1].shown == "The sea is wide."
        await stage.until(lambda: not any(users for said in (first, second) for users in said.reactions.values()))
        assert not stage.bugs

    run_shifted(slack_stage(tmp_path, play))


async def test_what_is_kept_is_opened_once_and_closed_at_the_end() -> None:
    """One that cannot be opened is tried again at the next call."""
    opened: list[str] = []
    closed: list[str] = []

    class Thing:
        async def __aenter__(self) -> str:
            opened.append("thing")
            if len(opened) == 1:
                raise OSError("not yet")
            return "thing"

        async def __aexit__(self, *_: object) -> None:
            closed.append("thing")

    async with Host() as host:
        with pytest.raises(OSError, match="not yet"):
            await host.keep("thing", Thing)
        assert [await host.keep("thing", Thing) for _ in range(3)] == ["thing"] * 3
        assert (len(opened), closed) == (2, [])
    assert closed == ["thing"]
