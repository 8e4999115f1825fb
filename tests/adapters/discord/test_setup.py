"""Setting Discord up: settings, the invite link, and what `parley check` says."""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from adapters.discord import Settings, check
from adapters.discord.api.client import connect
from adapters.discord.api.identity import introduce
from adapters.discord.invite import invite
from bot.domain.errors import PlatformError, SettingsError
from tests.loopback.discord import APP, BEN, BOT, OWNER, RANDOM, FakeDiscord
from tests.support.discord_app import settings


def test_discord_is_off_without_a_token() -> None:
    """And on with one; blanks are none."""
    assert not Settings().enabled
    assert not Settings.model_validate({"token": "  "}).enabled
    assert Settings.model_validate({"token": "a.b.c"}).enabled


def test_the_token_is_not_shown() -> None:
    """Neither in the settings nor in their errors."""
    assert "hush" not in repr(Settings.model_validate({"token": "hush"}))
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"token": ["hush"]})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [{"api_base_url": "discord.com"}, {"gateway_url": "https://discord.gg"}, {"table_width": 3}, {"unheard": 1}],
)
def test_what_cannot_be_is_refused(changes: dict[str, object]) -> None:
    """Addresses that are none, tables that nothing fits into."""
    with pytest.raises(ValidationError):
        Settings.model_validate(changes)


def test_every_setting_says_what_it_is_for() -> None:
    """In a sentence for the operator."""
    assert all((field.description or "").endswith(".") for field in Settings.model_fields.values())


def test_the_adapter_is_light_until_it_runs() -> None:
    """Who has no token does not pay for discord.py."""
    code = "import sys, adapters.discord; sys.exit('discord' in sys.modules or 'aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_admins_are_ids() -> None:
    """As numbers or in quotes; a name is refused with the way to the id."""
    assert Settings.model_validate({"admins": [int(BEN), OWNER]}).admins == (BEN, OWNER)
    with pytest.raises(ValidationError, match="Copy User ID"):
        Settings.model_validate({"admins": ["ben"]})


async def test_a_good_setup_is_all_green() -> None:
    """Login, message content, servers, permissions."""
    async with FakeDiscord() as discord:
        rows = await check(settings(discord))
        assert [(row.name, row.ok) for row in rows] == [
            ("discord login", True),
            ("discord message content", True),
            ("discord servers", True),
            ("discord permissions", True),
        ]
        assert "parley" in rows[0].found
        assert BOT in rows[0].found
        assert rows[1].found.startswith("granted")


async def test_channels_where_it_cannot_write_are_named() -> None:
    """With the permission; those that it does not see are nobody's business."""
    async with FakeDiscord() as discord:
        discord.world.channels[RANDOM].denied.add("send")
        row = (await check(settings(discord)))[-1]
        assert (row.name, row.ok) == ("discord permissions", True)
        assert "#random (Loopback: Send Messages)" in row.found
        assert "#general" not in row.found
        discord.world.channels[RANDOM].denied.add("view")
        assert "#random" not in (await check(settings(discord)))[-1].found


async def test_a_missing_intent_is_told_and_no_failure() -> None:
    """With what it means."""
    async with FakeDiscord() as discord:
        discord.world.app.granted.clear()
        row = (await check(settings(discord)))[1]
        assert row.ok
        assert "threads need mentions too" in row.found


async def test_a_bad_token_is_a_failure_with_a_mend() -> None:
    """It says which setting, and does not show it."""
    async with FakeDiscord() as discord:
        (row,) = await check(settings(discord, token="hush"))
        assert (row.name, row.ok) == ("discord login", False)
        assert "DISCORD_BOT_TOKEN" in row.found
        assert "hush" not in row.found
        assert row.mend


@pytest.mark.parametrize("fault", [{"status": 502}, {"cut": True}])
async def test_a_discord_that_does_not_answer_is_a_failure_of_its_own(fault: dict[str, Any]) -> None:
    """Not one of the token."""
    async with FakeDiscord() as discord:
        discord.fail("me", 9, **fault)
        (row,) = await check(settings(discord))
        assert not row.ok
        assert "network" in row.mend


async def test_the_invite_link_asks_for_the_least() -> None:
    """See, write, in threads too, attach an answer, read what was said, react; as a bot with commands."""
    async with FakeDiscord() as discord:
        link = urlsplit(await invite(settings(discord)))
        asked = parse_qs(link.query)
        assert (link.netloc, link.path) == ("discord.com", "/oauth2/authorize")
        assert asked["client_id"] == [APP]
        assert asked["scope"] == ["bot applications.commands"]
        assert int(asked["permissions"][0]) == 1 << 6 | 1 << 10 | 1 << 11 | 1 << 15 | 1 << 16 | 1 << 38


async def test_there_is_no_link_without_a_token() -> None:
    """It says which key, and what to do."""
    for given in ("", "wrong"):
        async with FakeDiscord() as discord:
            with pytest.raises(SettingsError, match="DISCORD_BOT_TOKEN"):
                await invite(settings(discord, token=given))


async def test_there_is_no_link_while_discord_is_away() -> None:
    """That is no mistake in the settings."""
    async with FakeDiscord() as discord:
        discord.fail("app", status=500)
        with pytest.raises(PlatformError):
            await invite(settings(discord))


async def test_the_application_s_owners_are_known() -> None:
    """Its owner, or everybody in its team."""
    async with FakeDiscord() as discord, connect(settings(discord)) as rest:
        assert (await introduce(rest)).owners == {OWNER}
        members = [{"user": {"id": user}, "membership_state": 2} for user in (OWNER, BEN)]
        team = {"id": APP, "flags": 0, "owner": {"id": "9"}, "team": {"members": members}}
        discord.fail("app", status=200, body=team)
        assert (await introduce(rest)).owners == {OWNER, BEN}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], "none yet: open the link that `parley invite` prints"),
        (["Home"], "1: Home"),
        (list("abcdefg"), "7: a, b, c, d, e, …"),
        (["x"] * 200, "200 or more: x, x, x, x, x, …"),
    ],
)
async def test_the_servers_are_told(names: list[str], found: str) -> None:
    """How many, and what the first of them are called."""
    flags = {"flags": 0, "approximate_guild_count": 9, "owner": {"id": OWNER}}
    answers: dict[str, Any] = {
        "/users/@me": {"id": BOT, "username": "parley"},
        "/oauth2/applications/@me": {"id": APP, **flags},
        "/users/@me/guilds": [{"id": "1", "name": name} for name in names],
    }

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(answers[request.path])

    app = web.Application()
    for path in answers:
        app.router.add_get(path, answer)
    async with TestServer(app, host="127.0.0.1") as server:
        rows = await check(Settings.model_validate({"token": "t", "api_base_url": str(server.make_url(""))}))
        assert rows[2].found == found


async def test_where_the_servers_are_not_told_there_is_a_guess() -> None:
    """The application's own."""
    async with FakeDiscord() as discord:
        if any(name == "guilds" for name, *_ in discord.rest.routes):
            discord.fail("guilds", status=403)
        assert (await check(settings(discord)))[2].found == "1"
