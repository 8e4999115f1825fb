"""SECURITY.md names all that Parley asks for and connects to."""

from __future__ import annotations

import re
from pathlib import Path

from adapters.discord.api.identity import Identity
from adapters.discord.gateway import _intents
from adapters.discord.invite import PERMISSIONS, SCOPES
from adapters.discord.outbound import files as discord_files
from adapters.slack.outbound import files as slack_files
from adapters.slack.scopes import wanted
from adapters.slack.settings import Settings
from bot.models.protocols.anthropic import AnthropicModel
from bot.models.protocols.openai import OpenAIModel

PAGE = (Path(__file__).parents[2] / "SECURITY.md").read_text(encoding="utf-8")


def test_every_scope_of_the_manifest_has_its_reason() -> None:
    """A row for each, and none for what is not asked for."""
    slack = PAGE.partition("## What it asks Slack for")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_:]+)` \| \S.+ \| \S.+ \|$", slack, re.MULTILINE)
    assert sorted(rows) == sorted(scope.name for scope in wanted(Settings()))


def test_every_permission_of_the_invite_has_its_reason() -> None:
    """A row for each, with the scopes of the link, and none for what is not asked for."""
    rows = re.findall(r"^\| permission \*([a-z ]+)\* \| \S.+ \| \S.+ \|$", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted([*PERMISSIONS, "create public threads"])
    assert re.findall(r"^\| scope `([a-z.]+)` \|", PAGE, re.MULTILINE) == SCOPES.split()


def test_every_intent_has_its_reason() -> None:
    """What the gateway is asked for, the privileged one included."""
    asked = _intents(Identity("1", "1", "Parley", reads=True, owners=frozenset(), servers=1))
    given = {name for name, value in asked if value} - {"messages"}
    named = {"guilds": "guilds", "guild_messages": "guild messages", "dm_messages": "direct messages"}
    named["message_content"] = "message content"
    assert given == set(named)
    assert all(f"*{name}*" in PAGE for name in named.values())


def test_every_host_is_named() -> None:
    """Those that files come from, and the providers' own."""
    homes = {model.home.split("/")[2] for model in (OpenAIModel, AnthropicModel)}
    for host in (*discord_files.HOSTS, *slack_files.HOSTS, *homes):
        assert f"`{host}`" in PAGE
