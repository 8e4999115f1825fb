"""What people write in Slack, and what opens it, never reaches a log."""

from __future__ import annotations

import logging

import pytest
import structlog

from adapters.slack.api.client import quiet_logger
from tests.loopback.slack import BOT, CHANNEL, DM, FakeSlack
from tests.loopback.slack.app import connected


async def test_no_word_and_no_token_is_logged(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even where everything is logged: questions, answers, commands, refusals."""
    caplog.set_level(logging.DEBUG)
    async with FakeSlack() as slack, connected(slack) as app:
        await slack.say(CHANNEL, f"<@{BOT}> the-secret-word")
        await slack.until(lambda: app.engine.answered)
        slack.slash("/parley", DM, "the-secret-word")
        await slack.until(lambda: slack.ephemerals)
        slack.fail("chat.update", error="msg_too_long")
        await slack.say(DM, "the-secret-word")
        await slack.until(lambda: ("chat.update", "msg_too_long") in slack.refusals)
        await slack.courier.disconnect()
        await slack.until(lambda: slack.courier.connections == 2)
    logged = caplog.text + "".join(capsys.readouterr())
    assert "logged in to slack" in logged
    assert not [word for word in ("the-secret-word", slack.bot_token, slack.app_token, "ticket=") if word in logged]


def test_an_error_of_the_sdk_is_one_line_without_tickets(caplog: pytest.LogCaptureFixture) -> None:
    """A network that is down for an hour fills no log with tracebacks."""
    try:
        raise ConnectionError("wss://wss.slack.example/link?ticket=abc&app_id=1 is gone")
    except ConnectionError as error:
        quiet_logger().exception(f"Failed to connect (error: {error})")
    assert caplog.records[0].getMessage() == "Failed to connect (error: wss://wss.slack.example/link is gone)"
    assert caplog.records[0].exc_info is None


async def test_who_logged_in_is_logged() -> None:
    """By their ids."""
    with structlog.testing.capture_logs() as logs:
        async with FakeSlack() as slack, connected(slack):
            pass
    assert {"event": "logged in to slack", "team": "T0LOOP", "bot": BOT}.items() <= logs[0].items()
