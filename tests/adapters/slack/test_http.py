"""Slack over signed HTTP requests: the same events, and nothing without Slack's signature."""

from __future__ import annotations

import json
import logging
import time
from typing import Any, cast

import aiohttp
import pytest

from adapters.slack.signed_events import LONGEST, Door
from tests.loopback.slack import ANN, BOT, CHANNEL, DM, TEAM, FakeSlack
from tests.loopback.slack.app import connected, served
from tests.loopback.slack.delivery import sign

PATH = "/slack/events"
HELLO = json.dumps({"type": "url_verification", "challenge": "c-1"}).encode()


async def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """Status and text of a request."""
    kind = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=kind | headers) as answer:
        return answer.status, await answer.text()


def event() -> bytes:
    """What Slack sends of a direct message."""
    said = {"type": "message", "channel": DM, "channel_type": "im", "user": ANN, "ts": "1700000000.000100"}
    return json.dumps({"type": "event_callback", "team_id": TEAM, "event": {**said, "text": "hello"}}).encode()


def http(slack: FakeSlack) -> dict[str, Any]:
    """The settings that choose HTTP."""
    return {"app_token": "", "signing_secret": slack.signing_secret}


async def test_events_commands_and_clicks_come_by_http() -> None:
    """All of them through one address."""
    async with (
        FakeSlack() as slack,
        connected(slack, **http(slack)) as app,
        served(slack, app.host.mounts[PATH]) as url,
    ):
        slack.courier.events_url = url + PATH
        said = await slack.say(CHANNEL, f"<@{BOT}> hello")
        await slack.until(lambda: app.engine.answered)
        assert slack.answers()[0].thread == said.ts
        slack.slash("/reset", DM)
        await slack.until(lambda: slack.ephemerals)
        slack.slash("/reset", CHANNEL)
        await slack.until(lambda: len(slack.ephemerals) == 2)
        slack.click(slack.ephemerals[1], "reset:0")
        await slack.until(lambda: len(slack.ephemerals) == 3)
        await slack.until(lambda: all(sent.acked.is_set() for sent in slack.courier.deliveries))
        assert {sent.attempts for sent in slack.courier.deliveries} == {1}
        assert not slack.called("apps.connections.open")


async def test_slack_s_first_request_is_answered() -> None:
    """The challenge comes back, so that the address is accepted."""
    async with (
        FakeSlack() as slack,
        connected(slack, **http(slack)) as app,
        served(slack, app.host.mounts[PATH]) as url,
    ):
        status, text = await post(url, HELLO, sign(slack.signing_secret, HELLO))
        assert (status, json.loads(text)["challenge"]) == (200, "c-1")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "1700000000"},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "9" * 5000},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Signature": "v0=é"},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=" + "0" * 20_000},
        {"X-Slack-Request-Timestamp": "1e9"},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": "0x65"},
        {"X-Slack-Request-Timestamp": "²"},
        {"X-Slack-Request-Timestamp": "nan"},
    ],
)
async def test_what_slack_did_not_sign_is_refused(headers: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    """Missing, old, malformed or wrong: 401, and no word of the body in any log."""
    body = json.dumps({"type": "event_callback", "event": {"text": "a secret word"}}).encode()
    good = sign("the secret", body)
    sent = {**good, **headers} if headers else {}
    caplog.set_level(logging.DEBUG)
    async with FakeSlack() as slack, served(slack, Door("the secret")) as url:
        status, _ = await post(url, body, sent)
        assert status == 401
    assert "secret word" not in caplog.text


async def test_an_old_signature_is_refused() -> None:
    """A request that was recorded cannot be played again after five minutes."""
    async with FakeSlack() as slack, served(slack, Door("the secret")) as url:
        old, new = (sign("the secret", HELLO, int(time.time()) - age) for age in (400, 200))
        assert (await post(url, HELLO, old))[0] == 401
        assert (await post(url, HELLO, new))[0] == 503


async def test_a_request_that_was_taken_in_is_refused_when_it_is_played_again() -> None:
    """401 within the five minutes too, and no second answer; the same words, signed anew, are for the journal."""
    async with (
        FakeSlack() as slack,
        connected(slack, **http(slack)) as app,
        served(slack, app.host.mounts[PATH]) as url,
    ):
        now = int(time.time())
        for body in (HELLO, event()):
            signed = sign(slack.signing_secret, body, now)
            assert [(await post(url, body, signed))[0] for _ in range(3)] == [200, 401, 401]
        assert len(app.engine.received) == 1
        later = sign(slack.signing_secret, HELLO, now - 1)
        assert (await post(url, HELLO, later))[0] == 200


async def test_what_was_not_taken_in_may_come_again() -> None:
    """A retry within the same second has the same signature: a 503 before it is no reason to refuse it."""
    async with (
        FakeSlack() as slack,
        connected(slack, **http(slack)) as app,
        served(slack, app.host.mounts[PATH]) as url,
    ):
        body = event()
        signed = sign(slack.signing_secret, body)
        app.engine.memory.broken = True
        assert (await post(url, body, signed))[0] == 503
        app.engine.memory.broken = False
        assert (await post(url, body, signed))[0] == 200
        assert (await post(url, body, signed))[0] == 401
        assert len(app.engine.memory.claims) == 1


async def test_signatures_are_kept_for_as_long_as_they_are_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """And never more of them than are bounded: the oldest go first."""
    monkeypatch.setattr("adapters.slack.signed_events.REMEMBERED", 3)
    async with FakeSlack() as slack, connected(slack, **http(slack)) as app:
        door = cast(Door, app.host.mounts[PATH])
        now = int(time.time())
        async with served(slack, door) as url:
            for age in (290, 200, 100, 50, 0):
                assert (await post(url, HELLO, sign(slack.signing_secret, HELLO, now - age)))[0] == 200
            assert len(door._seen) == 3
            assert (await post(url, HELLO, sign(slack.signing_secret, HELLO, now - 100)))[0] == 401


async def test_the_door_answers_before_the_bot_is_ready() -> None:
    """503: Slack delivers again."""
    async with FakeSlack() as slack, served(slack, Door("the secret")) as url:
        assert (await post(url, HELLO, sign("the secret", HELLO)))[0] == 503


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"[1]", b"payload=%7B", b"response_urls=%5B%5D", b""])
async def test_a_signed_body_that_makes_no_sense_breaks_nothing(body: bytes) -> None:
    """It is refused, never an error of ours."""
    async with (
        FakeSlack() as slack,
        connected(slack, **http(slack)) as app,
        served(slack, app.host.mounts[PATH]) as url,
    ):
        try:
            headers = sign(slack.signing_secret, body)
        except UnicodeDecodeError:
            headers = {}
        assert 400 <= (await post(url, body, headers))[0] < 500


async def test_only_short_posts_come_in() -> None:
    """What is longer than anything of Slack's is not read."""
    async with FakeSlack() as slack, served(slack, Door("the secret")) as url:
        assert (await post(url, b"x" * (LONGEST + 1), {}))[0] == 413
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 405


async def test_while_stopping_slack_is_asked_to_come_again() -> None:
    """503 for a message; afterwards the door stands for as long as the web adapter does."""
    async with (
        FakeSlack() as slack,
        connected(slack, **http(slack)) as app,
        served(slack, app.host.mounts[PATH]) as url,
    ):
        slack.courier.events_url = url + PATH
        app.host.closing.set()
        await slack.say(DM, "hello")
        await slack.until(lambda: slack.courier.deliveries[0].attempts > 1)
        assert not app.engine.received
        await app.stop()
        assert (await post(url, HELLO, sign(slack.signing_secret, HELLO)))[0] == 503
