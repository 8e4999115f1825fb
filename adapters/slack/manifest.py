"""The Slack app manifest that fits the settings: what `parley manifest` prints. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from adapters.slack.scopes import Scope, wanted
from adapters.slack.settings import PARLEY_COMMAND, Settings
from bot.domain.commands import COMMANDS

RESET, STOP, AGAIN = "reset_conversation", "stop_answer", "try_again"
"""Callback ids of the message shortcuts, of which an app may have five."""
SHORTCUTS = (
    (RESET, "Reset this conversation", "Forget the conversation that this message is in"),
    (STOP, "Stop this answer", "Stop what I am writing here"),
    (AGAIN, "Try this answer again", "Write the last answer of a conversation anew"),
)
PLACEHOLDER = "https://your-host.example"


def manifest(settings: Settings, unaddressed: Sequence[str] = ()) -> str:
    """The manifest as JSON. In HTTP mode it names `slack.public_url`; where that is empty a placeholder stands.

    `unaddressed` is as for `wanted`.
    """
    target = f"{(settings.public_url or PLACEHOLDER).rstrip('/')}/slack/events" if settings.http else ""
    request = {"request_url": target} if target else {}
    return json.dumps(_manifest(settings, wanted(settings, unaddressed), request, target), indent=2)


def _manifest(settings: Settings, scopes: Sequence[Scope], request: dict[str, str], target: str) -> dict[str, Any]:
    return {
        "display_information": {
            "name": "Parley",
            "description": "Answers questions in threads and direct messages.",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Parley", "always_online": True},
            "shortcuts": [
                {"name": name, "type": "message", "callback_id": callback, "description": description}
                for callback, name, description in SHORTCUTS
            ],
            "slash_commands": _commands(settings, {"url": target} if target else {}),
        },
        "oauth_config": {"scopes": {"bot": [scope.name for scope in scopes]}},
        "settings": {
            "event_subscriptions": {**request, "bot_events": [scope.event for scope in scopes if scope.event]},
            "interactivity": {"is_enabled": True, **request},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not target,
            "token_rotation_enabled": False,
        },
    }


def _commands(settings: Settings, target: dict[str, str]) -> list[dict[str, Any]]:
    reset = {"command": settings.reset_command, "description": "Forget a conversation"}
    parley = {
        "command": PARLEY_COMMAND,
        "description": "Help, and the other commands",
        "usage_hint": " | ".join(command.form for command in COMMANDS.values()),
    }
    return [{**command, "should_escape": False, **target} for command in (reset, parley)]
