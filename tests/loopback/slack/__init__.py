"""A Slack for tests, on the loopback interface."""

from __future__ import annotations

from tests.loopback.slack.limits import Fault, Limits
from tests.loopback.slack.payloads import TEAM
from tests.loopback.slack.server import FakeSlack
from tests.loopback.slack.workspace import ANN, BEN, BOT, CHANNEL, DM, ELSEWHERE, GROUP, PRIVATE

__all__ = [
    "ANN",
    "BEN",
    "BOT",
    "CHANNEL",
    "DM",
    "ELSEWHERE",
    "GROUP",
    "PRIVATE",
    "TEAM",
    "FakeSlack",
    "Fault",
    "Limits",
]
