"""The admins are told of trouble in a direct message."""

from __future__ import annotations

import pytest

from adapters.slack.admins import Admins
from adapters.slack.api.client import connect
from adapters.slack.api.identity import introduce
from adapters.slack.api.workspace import Workspace
from bot.domain.errors import PlatformError, PlatformFault
from tests.loopback.slack import ANN, BEN, DM, FakeSlack
from tests.loopback.slack.app import connected, settings

TROUBLE = "The key of `openai/x_y` is refused <now> & *here*."


async def test_an_alert_reaches_each_admin() -> None:
    """In their direct messages with the bot, as plain words."""
    async with FakeSlack() as slack, connected(slack, admins=(ANN,)) as app:
        app.engine.alerts.tell("key", TROUBLE)
        await slack.until(lambda: slack.answers(DM))
        assert slack.answers(DM)[0].shown == TROUBLE
        assert slack.answers(DM)[0].args["mrkdwn"] in (False, "0")


async def test_without_admins_nobody_is_told() -> None:
    """The log has it all the same."""
    async with FakeSlack() as slack, connected(slack) as app:
        app.engine.alerts.tell("key", TROUBLE)
        await slack.say(DM, "hello")
        await slack.until(lambda: app.engine.answered)
        assert [answer.shown for answer in slack.answers(DM)] == ["echo: hello"]


async def test_one_who_cannot_be_reached_does_not_keep_the_others_from_it() -> None:
    """That somebody was not is said."""
    async with FakeSlack() as slack, connect(settings(slack)) as client:
        here = Workspace(client, (await introduce(client))[0])
        with pytest.raises(PlatformError) as caught:
            await Admins(here, (BEN, ANN)).tell(TROUBLE)
        assert caught.value.fault is PlatformFault.GONE
        assert [answer.shown for answer in slack.answers(DM)] == [TROUBLE]


async def test_after_the_end_of_the_connection_it_is_a_fault_of_the_network() -> None:
    """That Slack is down is an alert too: it must not break on the closed client."""
    async with FakeSlack() as slack:
        async with connect(settings(slack)) as client:
            here = Workspace(client, (await introduce(client))[0])
        with pytest.raises(PlatformError) as caught:
            await Admins(here, (ANN,)).tell(TROUBLE)
        assert caught.value.fault is PlatformFault.NETWORK
