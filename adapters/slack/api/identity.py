"""Who the bot is and what it may: `auth.test`, and opening Socket Mode, tried before anything relies on them."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.api.calls import DEAD, call
from adapters.slack.settings import APP_PAGE
from bot.domain.errors import PlatformError, SettingsError

NO_SOCKET = ("socket_mode_not_enabled", "socket_mode_disabled", "forbidden_team", "no_permission", "missing_scope")
"""What Slack says of an app token that cannot open Socket Mode, beside what it says of a dead one."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is in its workspace, as `auth.test` says."""

    team: str
    user: str
    bot: str
    name: str
    workspace: str


async def introduce(client: AsyncWebClient) -> tuple[Identity, frozenset[str]]:
    """Who the token is, and its scopes (empty where Slack does not say). Raises SettingsError for a dead token."""
    try:
        answer = await call(client.auth_test())
    except PlatformError as error:
        if str(error) in DEAD:
            raise SettingsError(
                f"slack.bot_token (SLACK_BOT_TOKEN): Slack refuses it ({error}). Copy the Bot User OAuth Token from "
                f"OAuth & Permissions at {APP_PAGE}; install the app again if it was removed."
            ) from None
        raise
    me = Identity(
        team=answer["team_id"],
        user=answer["user_id"],
        bot=answer.get("bot_id") or "",
        name=answer.get("user") or "",
        workspace=answer.get("team") or "",
    )
    headers = getattr(answer, "headers", {})
    scopes = headers.get("x-oauth-scopes") or headers.get("X-OAuth-Scopes") or ""
    return me, frozenset(scope.strip() for scope in scopes.split(",") if scope.strip())


async def open_socket(client: AsyncWebClient, app_token: str) -> str:
    """The address of a new Socket Mode connection. Raises SettingsError where the app token will never do."""
    try:
        answer = await call(client.apps_connections_open(app_token=app_token))
    except PlatformError as error:
        if str(error) in DEAD or str(error) in NO_SOCKET:
            raise SettingsError(
                f"slack.app_token (SLACK_APP_TOKEN): Slack refuses it ({error}). Make an app-level token with "
                f"connections:write under Basic Information at {APP_PAGE}, and switch Socket Mode on."
            ) from None
        raise
    return str(answer["url"])
