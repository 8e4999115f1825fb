"""[slack]: the tokens, and how the bot behaves there."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from bot.config.base import Section
from bot.domain.errors import SettingsError

PARLEY_COMMAND = "/parley"
APP_PAGE = "https://api.slack.com/apps"


class Settings(Section):
    """[slack]: Slack."""

    bot_token: SecretStr = Field(
        SecretStr(""),
        description="The app's Bot User OAuth Token, xoxb-…; without it Slack is off.",
        json_schema_extra={"env": "SLACK_BOT_TOKEN"},
    )
    app_token: SecretStr = Field(
        SecretStr(""),
        description="App-level token, xapp-…, with connections:write: Socket Mode, which needs no public address.",
        json_schema_extra={"env": "SLACK_APP_TOKEN"},
    )
    signing_secret: SecretStr = Field(
        SecretStr(""),
        description="Signing secret: without an app token, Slack calls /slack/events on the web adapter.",
        json_schema_extra={"env": "SLACK_SIGNING_SECRET"},
    )
    api_base_url: str = Field(
        "https://slack.com/api/",
        pattern="^https?://[^/]+",
        description="Where the Web API is: another for GovSlack or a proxy.",
    )
    public_url: str = Field(
        "",
        pattern=r"^(https://[^/\s]+(/\S*)?)?$",
        description="Without an app token: the https address that leads to Parley; `parley manifest` writes it.",
    )
    admins: tuple[str, ...] = Field(
        (),
        description="Ids of people, U…, who may stop and repeat everybody's answers, and are told of trouble in a "
        "direct message.",
    )
    reset_command: str = Field(
        "/reset",
        pattern="^/[a-z0-9_-]{1,31}$",
        description="The slash command that resets: another name where an app of the workspace has this one.",
    )
    thread_follow_ups: bool = Field(
        True, description="Answer in a thread where the bot takes part without being mentioned again."
    )
    reply_in: Literal["thread", "channel"] = Field(
        "thread",
        description="Where a message in a channel is answered: thread, in a thread under it that is a conversation of "
        "its own, or channel, there, where all is one conversation.",
    )
    catch_up: int = Field(
        900,
        ge=0,
        le=86_400,
        description="How many seconds back to look, when it connects, for questions that were asked while it was "
        "away; 0 looks for none.",
    )

    @field_validator("reset_command")
    @classmethod
    def _free(cls, name: str) -> str:
        if name == PARLEY_COMMAND:
            raise ValueError(f"{PARLEY_COMMAND} is the command for everything else; choose another name")
        return name

    @property
    def enabled(self) -> bool:
        """Whether Slack is on: a bot token is there."""
        return bool(self.bot_token.get_secret_value())

    @property
    def http(self) -> bool:
        """Whether Slack delivers by signed HTTP requests instead of Socket Mode."""
        return bool(self.signing_secret.get_secret_value()) and not self.app_token.get_secret_value()

    def verify(self) -> None:
        """Raise SettingsError where the tokens cannot be what they should, or one that is needed is missing."""
        token, app_token = self.bot_token.get_secret_value(), self.app_token.get_secret_value()
        if not token.startswith("xoxb-"):
            raise SettingsError(
                "slack.bot_token (SLACK_BOT_TOKEN) must be the Bot User OAuth Token, which starts with xoxb-: "
                f"copy it from OAuth & Permissions at {APP_PAGE}."
            )
        if app_token and not app_token.startswith("xapp-"):
            raise SettingsError(
                "slack.app_token (SLACK_APP_TOKEN) must be an app-level token, which starts with xapp-: "
                f"make one with connections:write under Basic Information at {APP_PAGE}."
            )
        if not app_token and not self.http:
            raise SettingsError(
                "slack.bot_token is set, but neither slack.app_token (SLACK_APP_TOKEN, for Socket Mode) nor "
                f"slack.signing_secret (SLACK_SIGNING_SECRET, for HTTP) is: "
                f"take one from Basic Information at {APP_PAGE}."
            )
