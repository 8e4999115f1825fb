"""A Discord for tests, on the loopback interface."""

from __future__ import annotations

from tests.loopback.discord.limits import Fault, Limits
from tests.loopback.discord.server import FakeDiscord
from tests.loopback.discord.world import (
    ANN,
    ANN_DM,
    APP,
    BEN,
    BEN_DM,
    BOT,
    BOT_ROLE,
    GENERAL,
    GUILD,
    HELPERS,
    OWNER,
    RANDOM,
    ROBOT,
    TALK,
)

__all__ = [
    "ANN",
    "ANN_DM",
    "APP",
    "BEN",
    "BEN_DM",
    "BOT",
    "BOT_ROLE",
    "GENERAL",
    "GUILD",
    "HELPERS",
    "OWNER",
    "RANDOM",
    "ROBOT",
    "TALK",
    "FakeDiscord",
    "Fault",
    "Limits",
]
