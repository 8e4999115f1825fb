"""Events of any shape, as a platform or a proxy may send them by mistake: skipped, and the connection stays."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator
from typing import Any

import discord
import pytest
from structlog.testing import capture_logs

from tests.adapters.slack.test_http import PATH, http, post
from tests.fuzz.mutation import GONE, change, recorded, ways
from tests.fuzz.test_incoming import BODIES
from tests.loopback.discord import BOT, GENERAL, RANDOM, FakeDiscord
from tests.loopback.slack import ANN, CHANNEL, DM, FakeSlack
from tests.loopback.slack.app import connected as slack_connected
from tests.loopback.slack.app import served
from tests.loopback.slack.delivery import sign
from tests.support.discord_app import answered, connected

SECRET = "what nobody else may read"
SHAPES: tuple[Any, ...] = (None, [], {}, "", 5, [None], {"id": None}, {"id": "x"})
"""Payloads that are none."""
PLACED: tuple[Any, ...] = (GONE, None, "x", [{}])
"""What stands in the place of a value."""
KINDS = [
    name.removeprefix("parse_").upper() for name in dir(discord.state.ConnectionState) if name.startswith("parse_")
]
"""Every event that discord.py knows."""


def spoil(payload: Any) -> Iterator[Any]:
    """Every payload that differs from this one in one place."""
    for way in ways(payload):
        for value in PLACED:
            spoiled = copy.deepcopy(payload)
            change(spoiled, way, value if value is GONE else copy.deepcopy(value))
            yield spoiled


async def test_no_event_of_discord_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    """Each is skipped with its kind, without its texts; one session goes on throughout, and the bot answers."""
    caplog.set_level(logging.WARNING)
    async with FakeDiscord() as server, connected(server) as app:
        said = server.say(RANDOM, SECRET)
        server.edit(said.id, f"{SECRET}, again")
        server.people.open_thread(server.say(RANDOM, SECRET).id)
        server.delete(said.id)
        [session] = server.gateway.sessions
        samples = {event["t"]: event["d"] for event in session.events if event["t"] not in ("READY", "RESUMED")}
        samples["MESSAGE_CREATE"] = {**samples["MESSAGE_CREATE"], "message_reference": {"message_id": "1"}}
        with capture_logs() as log:
            for kind in KINDS:
                for shape in SHAPES if kind not in ("READY", "RESUMED") else ():
                    server.gateway.send(kind, shape)
            for kind, payload in samples.items():
                for spoiled in spoil(payload):
                    server.gateway.send(kind, spoiled)
            server.gateway.send("GUILD_CREATE", samples["GUILD_CREATE"])
            server.say(GENERAL, f"<@{BOT}> hello")
            await answered(server, app, 1)
        skipped = {line["kind"] for line in log if line["event"] == "an event is skipped"}
        assert {"MESSAGE_CREATE", "GUILD_CREATE", "INTERACTION_CREATE", "CHANNEL_UPDATE"} <= skipped
        assert {line["event"] for line in log if line["log_level"] == "error"} == {"an event is skipped"}
        assert SECRET not in f"{log}{caplog.text}"
        assert not [record for record in caplog.records if record.exc_info]
        assert (len(server.gateway.identifies), server.gateway.resumes) == (1, [])


async def test_no_envelope_of_slack_s_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    """Each is acknowledged at its first delivery, whatever it is; and the bot answers over the same connection."""
    caplog.set_level(logging.WARNING)
    talk = {"type": "message", "channel": CHANNEL, "text": SECRET}
    async with FakeSlack() as slack, slack_connected(slack) as app:
        slack.courier.patience, slack.limits.generous = 60.0, True
        with capture_logs() as log:
            for frame in (
                "",
                "no json",
                "[]",
                "null",
                "5",
                '"x"',
                '{"type": 5}',
                "{",
                '{"envelope_id": {}}',
                "[" * 10_000,
            ):
                await slack.courier.sockets[0].send_str(frame)
            for kind in ("events_api", "interactive", "slash_commands", "unheard_of"):
                for shape in SHAPES:
                    slack.courier.send(kind, shape)
            for body in BODIES[:3]:
                for spoiled in spoil({**body, "event": {**body["event"], **talk}}):
                    slack.courier.send("events_api", spoiled)
            for known in (slack.slash("/reset", DM), slack.shortcut(await slack.say(CHANNEL, SECRET))):
                for spoiled in spoil(known.payload):
                    slack.courier.send(known.kind, spoiled)
            await slack.say(DM, "hello")
            events = [sent for sent in slack.courier.deliveries if sent.kind == "events_api"]
            await slack.until(lambda: app.engine.answered and all(sent.acked.is_set() for sent in events), 60)
        assert {"/reset", "message_action", "events_api"} <= {line.get("kind") for line in log}
        assert {sent.attempts for sent in slack.courier.deliveries} == {1}
        assert slack.courier.connections == 1
        assert {line["event"] for line in log if line["log_level"] == "error"} == {"an event is skipped"}
        assert SECRET not in f"{log}{caplog.text}"
        assert not [record for record in caplog.records if record.exc_info]


async def test_no_request_of_slack_s_breaks_the_door() -> None:
    """Each is taken or refused, never an error of ours; and the next one is answered."""
    async with (
        FakeSlack() as slack,
        slack_connected(slack, **http(slack)) as app,
        served(slack, app.host.mounts[PATH]) as url,
    ):
        samples = [*recorded("slack-actions"), *recorded("slack-slash"), BODIES[0]]
        for number, sample in enumerate((*SHAPES, *samples, *list(spoil(BODIES[0]))[::7])):
            body = json.dumps(sample).encode()
            status, _ = await post(url, body, sign(slack.signing_secret, body))
            assert status < 500, (number, sample)
        slack.courier.events_url = url + PATH
        before = len(app.engine.answered)
        await slack.say(DM, "hello", user=ANN)
        await slack.until(lambda: len(app.engine.answered) > before)
