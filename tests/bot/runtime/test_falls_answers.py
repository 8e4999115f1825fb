"""Answers, streams, signs and commands go on while their adapter falls and comes back."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters import web as web_adapter
from adapters.web.server import Server
from bot.texts import RESET_BY
from tests.loopback.discord import BEN, GENERAL, FakeDiscord
from tests.loopback.slack import DM, FakeSlack
from tests.support.clock import run_shifted
from tests.support.stages import (
    FATAL_CLOSE,
    MENTION,
    Stage,
    ask_discord,
    cut_off,
    discord_stage,
    performing,
    slack_stage,
)
from tests.support.webserver import events


@pytest.mark.parametrize("fault", ["break", "end"])
def test_a_stream_outlives_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
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
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


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
