"""`parley` as a process that starts before its platform can be reached, and whose connection falls under an answer."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.adapters.slack.test_http import HELLO, post
from tests.loopback.discord import BOT, GENERAL, FakeDiscord
from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import BOT as SLACK_BOT
from tests.loopback.slack import CHANNEL, DM, FakeSlack
from tests.loopback.slack.delivery import sign
from tests.stories.test_discord import environ as discord_environ
from tests.stories.test_discord import whole as whole_discord
from tests.stories.test_slack import environ as slack_environ
from tests.stories.test_slack import whole as whole_slack
from tests.support.program import PATIENCE, Program

DOWN = "an adapter is down; starting it again"
SKIPPED = "an event is skipped"


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@asynccontextmanager
async def listening(server: FakeDiscord | FakeSlack, port: int) -> AsyncIterator[None]:
    """A platform that can be reached at this port."""
    await server.start(port)
    try:
        yield
    finally:
        await server.stop()


def errors(parley: Program) -> list[str]:
    """What the log has as errors, beside events that were skipped, and what else was written."""
    lines = [line["event"] for line in parley.events if line["level"] == "error" and line["event"] != SKIPPED]
    return lines + parley.others


async def test_on_discord_it_waits_for_the_network_and_an_answer_outlives_a_fall(tmp_path: Path) -> None:
    """Not there at the start, then there: it answers; bad events are skipped; a growing answer ends in its message."""
    discord, port = FakeDiscord(), free_port()
    discord.origin = f"http://127.0.0.1:{port}"
    async with FakeOpenAI() as model:
        script = model.script()
        async with Program(tmp_path, **discord_environ(discord, model)) as parley:
            await parley.logged(DOWN, adapter="discord")
            async with listening(discord, port):
                await discord.until(lambda: discord.connected, PATIENCE)
                await parley.logged("discord is connected")
                discord.say(content="talk among people")
                [session] = discord.gateway.live
                spoken = next(event["d"] for event in session.events if event["t"] == "MESSAGE_CREATE")
                discord.gateway.send("MESSAGE_CREATE", {**spoken, "message_reference": {"message_id": "1"}})
                await parley.logged(SKIPPED, kind="MESSAGE_CREATE", error="KeyError")
                discord.say(content=f"<@{BOT}> one")
                await script.send("The sea ")
                await discord.until(lambda: discord.answers(), PATIENCE)
                await discord.gateway.close(4012)
                await parley.logged(DOWN, reason="the gateway closed the connection (4012)")
                await script.send("is wide.")
                await script.end()
                assert (await whole_discord(discord, 1)).content == "The sea is wide."
                await discord.until(lambda: discord.connected, PATIENCE)
                discord.say(content=f"<@{BOT}> two")
                assert "two" in (await whole_discord(discord, 2)).content
                assert len(discord.answers(GENERAL)) == 2
                assert await parley.stop() == 0
            assert not errors(parley)


async def test_by_socket_mode_it_waits_for_the_network(tmp_path: Path) -> None:
    """Not there at the start, then there: it answers; frames of any shape are skipped and the connection stays."""
    slack, port = FakeSlack(), free_port()
    slack.origin = f"http://127.0.0.1:{port}"
    async with FakeOpenAI() as model, Program(tmp_path, **slack_environ(slack, model)) as parley:
        await parley.logged(DOWN, adapter="slack")
        async with listening(slack, port):
            await parley.logged("slack is connected")
            await slack.courier.sockets[0].send_str("no json")
            odd = slack.courier.send("events_api", ["no payload"])  # type: ignore[arg-type]
            await slack.until(odd.acked.is_set, PATIENCE)
            await parley.logged(SKIPPED, kind="events_api")
            await slack.say(CHANNEL, f"<@{SLACK_BOT}> one")
            assert "one" in (await whole_slack(slack, 1)).shown
            assert slack.courier.connections == 1
            assert await parley.stop() == 0
        assert not errors(parley)


async def test_by_signed_requests_it_waits_for_the_network(tmp_path: Path) -> None:
    """Its door says 503 until Slack knows the bot, so that Slack delivers again; then it answers."""
    slack, port = FakeSlack(), free_port()
    slack.origin = f"http://127.0.0.1:{port}"
    async with FakeOpenAI() as model:
        environ = slack_environ(slack, model) | {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": slack.signing_secret}
        async with Program(tmp_path, **environ) as parley:
            await parley.logged(DOWN, adapter="slack")
            url = slack.courier.events_url = f"{parley.url}/slack/events"
            signed = sign(slack.signing_secret, HELLO)
            assert (await post(url, HELLO, signed))[0] == 503
            async with listening(slack, port):
                await parley.logged("logged in to slack")
                await slack.until(lambda: slack.called("auth.test"), PATIENCE)
                assert (await post(url, HELLO, signed))[0] == 200
                await slack.say(DM, "one")
                assert "one" in (await whole_slack(slack, 2, DM)).shown
                assert await parley.stop() == 0
            assert not errors(parley)
