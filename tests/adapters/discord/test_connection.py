"""The connection to Discord: it comes back, its status tells the truth, and what no retry mends is explained."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any, cast

import pytest

from adapters.discord import run
from bot.domain.errors import PlatformError, SettingsError
from bot.engine import Engine
from bot.runtime.health import Host
from tests.loopback.discord import BOT, GENERAL, FakeDiscord
from tests.support.discord_app import Echo, answered, connected, settings

MENTION = f"<@{BOT}>"


@pytest.mark.parametrize("lost", ["kill", "close", "reconnect", "invalidate"])
async def test_a_lost_connection_comes_back(lost: str) -> None:
    """What was said meanwhile is answered, where the session lives on; the opener is given once."""
    async with FakeDiscord() as discord, connected(discord) as app:
        doing = getattr(discord.gateway, lost)()
        if doing is not None:
            await doing
        await discord.until(lambda: len(discord.gateway.resumes) + len(discord.gateway.identifies) > 1, 30)
        await discord.until(lambda: app.ready and discord.connected, 30)
        discord.say(GENERAL, f"{MENTION} hello")
        await answered(discord, app, 1)
        assert app.engine.served == 1


async def test_the_status_tells_the_truth() -> None:
    """Up when connected, down with a reason when not."""
    async with FakeDiscord() as discord, connected(discord) as app:
        status = app.host.status("discord")
        assert (status.ready, status.reason) == (True, "")
        discord.gateway.kill()
        await discord.until(lambda: not status.ready)
        assert status.reason
        await discord.until(lambda: status.ready, 30)
        await app.stop()
        assert (status.ready, status.reason) == (False, "stopped")


async def test_a_stop_leaves_nothing_behind() -> None:
    """No task, no thread, no connection; not even with an answer half written."""
    async with FakeDiscord() as discord:
        threads, before = set(threading.enumerate()), asyncio.all_tasks()
        async with connected(discord) as app:
            app.engine.gate.clear()
            discord.say(GENERAL, f"{MENTION} hello")
            await discord.until(lambda: app.engine.received and discord.channels[GENERAL].typed)
        await discord.until(lambda: not discord.connected)
        kept = {task for task in asyncio.all_tasks() - before if "adapters" in str(task) or "discord.py" in str(task)}
        assert not kept
        for thread in set(threading.enumerate()) - threads:
            await asyncio.to_thread(thread.join, 5)
            assert not thread.is_alive() or "asyncio" in thread.name


async def start(discord: FakeDiscord, **changes: Any) -> Host:
    """Run the adapter until it falls by itself."""
    async with Host() as host, asyncio.timeout(30):
        await run(cast(Engine, Echo()), settings(discord, **changes), host)
    return host


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "wrong wrong"])
async def test_a_bad_token_is_explained(token: str) -> None:
    """Which key, what to do; the token is not shown, and nothing is retried."""
    async with FakeDiscord() as discord:
        with pytest.raises(SettingsError) as caught:
            await start(discord, token=token)
        assert "DISCORD_BOT_TOKEN" in str(caught.value)
        assert token not in str(caught.value)
        assert len(discord.called("me")) == 1


async def test_a_token_is_taken_with_the_blanks_around_it() -> None:
    """As it comes out of a clipboard."""
    async with FakeDiscord() as discord, connected(discord, token=f" {discord.token}\n"):
        assert discord.connected


async def test_disallowed_intents_are_explained() -> None:
    """Where the gateway refuses what the application's flags grant."""
    async with FakeDiscord() as discord:
        opened = asyncio.create_task(start(discord))
        await discord.until(lambda: discord.called("commands.get"))
        discord.world.app.granted.clear()
        with pytest.raises(SettingsError) as caught:
            await opened
        assert "Message Content Intent" in str(caught.value)


@pytest.mark.parametrize("route", ["me", "app", "gateway.bot"])
async def test_a_discord_that_does_not_answer_is_tried_again_later(route: str) -> None:
    """Whoever supervises the adapter does that."""
    async with FakeDiscord() as discord:
        discord.fail(route, 9, status=503)
        with pytest.raises(PlatformError):
            await start(discord)


async def test_a_gateway_that_cannot_be_reached_is_tried_again_later() -> None:
    """The very first connection too, at which discord.py stumbles over itself."""
    async with FakeDiscord() as discord:
        with pytest.raises(PlatformError) as caught:
            await start(discord, gateway_url="ws://127.0.0.1:1/")
        assert "cannot be reached" in str(caught.value)


async def test_the_gateway_can_be_named() -> None:
    """Discord is not asked for it then."""
    async with FakeDiscord() as discord, connected(discord, gateway_url=discord.gateway_url):
        assert not discord.called("gateway.bot")


async def test_a_token_that_dies_meanwhile_is_explained() -> None:
    """The gateway says it at the next connection."""
    async with FakeDiscord() as discord, connected(discord) as app:
        await discord.gateway.close(4004)
        with pytest.raises(SettingsError):
            await app.task


async def test_a_network_that_is_down_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Without a traceback, and without the token."""
    async with FakeDiscord() as discord:
        with caplog.at_level(logging.WARNING), pytest.raises(PlatformError):
            await start(discord, gateway_url="ws://127.0.0.1:1/")
        (record,) = [record for record in caplog.records if record.name == "discord.client"]
        assert (record.levelname, record.exc_info) == ("WARNING", None)
        assert "ClientConnectorError" in caplog.text
        assert discord.token not in caplog.text
