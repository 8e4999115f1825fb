"""An adapter may fall any number of times: it comes back each time, and answers."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

import aiohttp
import pytest

from adapters import web as web_adapter
from adapters.discord.gateway import PATIENCE
from adapters.web.server import Server
from bot.__main__ import ADAPTERS
from bot.runtime.health import Host
from tests.loopback.discord import FakeDiscord
from tests.loopback.slack import FakeSlack
from tests.support.clock import advance, run_shifted
from tests.support.stages import (
    FATAL_CLOSE,
    Stage,
    ask_discord,
    ask_slack,
    cut_off,
    discord_stage,
    performing,
    slack_stage,
)


@pytest.mark.parametrize("package", ADAPTERS.values())
def test_no_part_of_an_adapter_is_called_like_what_it_offers(package: str) -> None:
    """A submodule takes its name in the package when it is imported: what was called so before is lost then."""
    module = import_module(package)
    parts = {part.name for part in pkgutil.iter_modules(module.__path__)}
    assert not parts & {"run", "check", *module.__all__}


async def three_falls(stage: Stage) -> None:
    """Live through three falls in a row, each pause longer."""
    for number in (1, 2, 3):
        await stage.fallen(number)
    assert [fall["seconds"] for fall in stage.falls] == [1, 2, 4]
    await stage.until(lambda: stage.status.ready)


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


def test_discord_is_reached_soon_after_a_long_outage(tmp_path: Path) -> None:
    """The supervisor takes over where discord.py's own pauses would grow for long."""

    async def play(discord: FakeDiscord, stage: Stage) -> None:
        await stage.until(lambda: stage.status.ready)
        discord.gateway.refuse = 1000
        discord.gateway.kill()
        await stage.until(lambda: not stage.status.ready)
        advance(PATIENCE + 1)
        await stage.until(lambda: stage.falls)
        discord.gateway.refuse = 0
        await stage.fallen(1)
        await stage.until(lambda: stage.status.ready)
        await ask_discord(discord, stage)
        assert not stage.bugs

    run_shifted(discord_stage(tmp_path, play))


async def test_frames_of_no_shape_fell_no_connection(tmp_path: Path) -> None:
    """Text that is no JSON, JSON that is no object: each is skipped, and the same session hears what is said next."""

    async def play(discord: FakeDiscord, stage: Stage) -> None:
        await stage.until(lambda: stage.status.ready)
        frames = ("no json", "[]", "null", '{"op": 0}', '{"op": 0, "t": "MESSAGE_CREATE", "d": []}', '{"op": 77}')
        [session] = discord.gateway.live
        assert session.socket is not None
        for frame in frames:
            await session.socket.send_str(frame)
        await ask_discord(discord, stage)
        assert len(discord.gateway.sockets) == 1
        assert not stage.falls
        assert stage.bugs == ["an event is skipped"] * 4

    await discord_stage(tmp_path, play)


async def test_a_first_event_of_no_shape_begins_the_connection_anew(tmp_path: Path) -> None:
    """Without a traceback: the reason names it, and the next session is heard."""

    async def play(discord: FakeDiscord, stage: Stage) -> None:
        await stage.until(lambda: stage.status.ready)
        discord.gateway.send("READY", {"session_id": "x", "resume_gateway_url": "ws://x"})
        await stage.until(lambda: stage.falls)
        assert stage.falls[0]["reason"] == "the gateway sends what cannot be read (READY)"
        await stage.until(lambda: stage.status.ready)
        await ask_discord(discord, stage)
        assert not stage.bugs

    await discord_stage(tmp_path, play)


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
