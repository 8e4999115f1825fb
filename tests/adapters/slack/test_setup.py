"""Setting Slack up: settings, the manifest, and what `parley check` says of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.slack import Settings, check
from adapters.slack.manifest import AGAIN, PLACEHOLDER, RESET, STOP, manifest
from adapters.slack.scopes import wanted
from bot.domain.errors import SettingsError
from tests.loopback.slack import CHANNEL, FakeSlack
from tests.loopback.slack.app import settings
from tests.loopback.slack.rules import SCOPES


def printed(**changes: Any) -> dict[str, Any]:
    """The manifest for some settings."""
    return dict(json.loads(manifest(Settings.model_validate(changes))))


def test_slack_is_off_without_a_bot_token() -> None:
    """And on with one."""
    assert not Settings().enabled
    assert Settings.model_validate({"bot_token": "xoxb-1"}).enabled


@pytest.mark.parametrize(
    ("changes", "http"),
    [
        ({"app_token": "xapp-1"}, False),
        ({"signing_secret": "s"}, True),
        ({"app_token": "xapp-1", "signing_secret": "s"}, False),
    ],
)
def test_socket_mode_is_the_default(changes: dict[str, str], http: bool) -> None:
    """HTTP is chosen by a signing secret alone."""
    chosen = Settings.model_validate({"bot_token": "xoxb-1", **changes})
    chosen.verify()
    assert chosen.http is http


@pytest.mark.parametrize("name", ["reset", "/Reset", "/re set", "/", "/parley", "/" + "x" * 32])
def test_a_command_s_name_must_be_one_that_slack_takes(name: str) -> None:
    """And not the one that is taken."""
    with pytest.raises(ValidationError):
        Settings.model_validate({"reset_command": name})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bot_token": "xoxp-1", "app_token": "xapp-1"}, ["SLACK_BOT_TOKEN", "xoxb-"]),
        ({"bot_token": "xoxb-1", "app_token": "xoxb-1"}, ["SLACK_APP_TOKEN", "xapp-"]),
        ({"bot_token": "xoxb-1"}, ["SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"]),
    ],
)
def test_a_wrong_or_missing_token_is_named(changes: dict[str, str], words: list[str]) -> None:
    """With what to do, and without the token."""
    with pytest.raises(SettingsError) as caught:
        Settings.model_validate(changes).verify()
    assert all(word in str(caught.value) for word in words)


def test_secrets_are_not_shown() -> None:
    """Neither in the settings nor in their errors."""
    chosen = Settings.model_validate(
        {"bot_token": "xoxb-secret", "app_token": "xapp-secret", "signing_secret": "secret"}
    )
    assert "secret" not in repr(chosen).replace("signing_secret", "")


def test_the_manifest_needs_no_editing() -> None:
    """Socket Mode, the Messages tab open, the commands and the shortcut that the adapter answers."""
    app = printed()
    assert app["settings"]["socket_mode_enabled"]
    assert app["settings"]["interactivity"] == {"is_enabled": True}
    assert app["features"]["app_home"]["messages_tab_enabled"]
    assert not app["features"]["app_home"]["messages_tab_read_only_enabled"]
    assert [command["command"] for command in app["features"]["slash_commands"]] == ["/reset", "/parley"]
    assert [shortcut["callback_id"] for shortcut in app["features"]["shortcuts"]] == [RESET, STOP, AGAIN]
    assert {shortcut["type"] for shortcut in app["features"]["shortcuts"]} == {"message"}
    assert all(len(shortcut["name"]) <= 24 for shortcut in app["features"]["shortcuts"])
    assert "request_url" not in json.dumps(app)


def test_the_manifest_asks_for_what_the_settings_use() -> None:
    """Without follow-ups nobody's messages are read but those to the bot."""
    assert set(printed()["oauth_config"]["scopes"]["bot"]) == set(SCOPES)
    less = printed(thread_follow_ups=False, reset_command="/forget")
    assert not [
        scope for scope in less["oauth_config"]["scopes"]["bot"] if scope in ("channels:history", "groups:history")
    ]
    assert not [scope for scope in less["oauth_config"]["scopes"]["bot"] if scope == "channels:read"]
    assert less["settings"]["event_subscriptions"]["bot_events"] == ["app_mention", "message.im"]
    assert less["features"]["slash_commands"][0]["command"] == "/forget"


def test_channels_are_listed_only_to_catch_up() -> None:
    """Without it the manifest does not ask for that."""
    less = set(printed(catch_up=0)["oauth_config"]["scopes"]["bot"])
    assert set(SCOPES) - less == {"channels:read", "groups:read", "mpim:read"}


def test_the_manifest_for_http_names_the_address() -> None:
    """For events, commands and clicks."""
    app = printed(public_url="https://bot.example/", bot_token="xoxb-1", signing_secret="s")
    target = "https://bot.example/slack/events"
    assert not app["settings"]["socket_mode_enabled"]
    assert app["settings"]["event_subscriptions"]["request_url"] == target
    assert app["settings"]["interactivity"]["request_url"] == target
    assert {command["url"] for command in app["features"]["slash_commands"]} == {target}


def test_without_an_address_the_manifest_for_http_has_a_placeholder() -> None:
    """In Socket Mode no address is in it."""
    app = printed(bot_token="xoxb-1", signing_secret="s")
    assert app["settings"]["event_subscriptions"]["request_url"] == f"{PLACEHOLDER}/slack/events"
    assert "https://bot.example" not in json.dumps(printed(public_url="https://bot.example", app_token="xapp-1"))


@pytest.mark.parametrize("url", ["http://bot.example", "bot.example", "https://", "https://a b"])
def test_slack_calls_by_https_alone(url: str) -> None:
    """Another address is a mistake in the settings."""
    with pytest.raises(ValidationError):
        Settings.model_validate({"public_url": url})


async def test_a_good_setup_is_all_green() -> None:
    """Login, scopes, channels, Socket Mode."""
    async with FakeSlack() as slack:
        checks = await check(settings(slack))
        assert [(row.name, row.ok) for row in checks] == [
            ("slack login", True),
            ("slack scopes", True),
            ("slack channels", True),
            ("slack socket mode", True),
        ]
        assert "Loopback" in checks[0].found
        assert "@parley" in checks[0].found


async def test_slack_channels_where_it_cannot_write_are_named() -> None:
    """With the reason."""
    async with FakeSlack() as slack:
        slack.workspace.conversations[CHANNEL].frozen = True
        row = (await check(settings(slack)))[2]
        assert row.ok
        assert "(the channel is read-only)" in row.found


async def test_a_missing_comfort_is_named_and_no_failure() -> None:
    """What is off without it is said."""
    async with FakeSlack() as slack:
        slack.workspace.scopes -= {"users:read", "channels:history"}
        row = (await check(settings(slack)))[1]
        assert row.ok
        assert "users:read" in row.found
        assert "channels:history" in row.found


async def test_a_scope_that_a_listening_channel_needs_is_a_failure() -> None:
    """It is named with its event and the settings that do nothing without it."""
    async with FakeSlack() as slack:
        slack.workspace.scopes -= {"channels:history", "mpim:history"}
        wants = ["bot.names", '[places."slack:T1:C1"] answer']
        scopes = next(row for row in await check(settings(slack), wants) if row.name == "slack scopes")
        assert not scopes.ok
        for part in ("without channels:history", "message.channels", "bot.names", 'slack:T1:C1"] answer', "mpim"):
            assert part in scopes.found
        slack.workspace.scopes |= {"channels:history"}
        assert all(row.ok for row in await check(settings(slack), wants))


@pytest.mark.parametrize("scope", [scope.name for scope in wanted(Settings()) if not scope.optional])
async def test_a_missing_need_is_a_failure(scope: str) -> None:
    """With the mend."""
    async with FakeSlack() as slack:
        slack.workspace.scopes.remove(scope)
        row = (await check(settings(slack)))[1]
        assert not row.ok
        assert scope in row.found
        assert "install it again" in row.mend


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"bot_token": "xoxb-wrong"}, "slack login"),
        ({"app_token": "xapp-wrong"}, "slack socket mode"),
        ({"bot_token": "nonsense"}, "slack"),
    ],
)
async def test_a_token_that_does_not_log_in_is_a_failure(changes: dict[str, str], name: str) -> None:
    """It says which, and shows no token."""
    async with FakeSlack() as slack:
        row = (await check(settings(slack, **changes)))[-1]
        assert (row.name, row.ok) == (name, False)
        assert row.mend
        assert not any(value in row.found for value in changes.values())


async def test_a_slack_that_does_not_answer_is_a_failure_of_its_own() -> None:
    """Not one of the token."""
    async with FakeSlack() as slack:
        slack.fail("auth.test", status=502)
        (row,) = await check(settings(slack))
        assert not row.ok
        assert "network" in row.mend


async def test_in_http_mode_the_address_is_told() -> None:
    """Only Slack can try it."""
    async with FakeSlack() as slack:
        row = (await check(settings(slack, app_token="", signing_secret="s")))[-1]
        assert row.ok
        assert "/slack/events" in row.found
        assert "slack.public_url" in row.found
        http = {"app_token": "", "signing_secret": "s", "public_url": "https://bot.example/"}
        row = (await check(settings(slack, **http)))[-1]
        assert row.ok
        assert "https://bot.example/slack/events" in row.found
