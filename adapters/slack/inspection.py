"""Whether Slack is set up right, for `parley check`: tokens, scopes, Socket Mode."""

from __future__ import annotations

from collections.abc import Sequence, Set

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.api.calls import call
from adapters.slack.api.client import connect
from adapters.slack.api.identity import introduce, open_socket
from adapters.slack.api.permissions import describe_obstacle
from adapters.slack.scopes import Scope, wanted
from adapters.slack.settings import APP_PAGE, Settings
from bot.domain.errors import PlatformError, SettingsError
from bot.runtime.health import Check

TRY_LATER = "Slack could not be asked: look at the network, then run this again."
REINSTALL = f"Update the app at {APP_PAGE} from `parley manifest`, then install it again."
MOST = 200
"""Channels that Slack lists at once without fuss (docs.slack.dev, users.conversations)."""
NAMED = 5
CORRECT = "Correct that setting."


async def inspect(settings: Settings, unaddressed: Sequence[str] = ()) -> list[Check]:
    """The rows for the table: settings, login, scopes, transport; `unaddressed` is as for `wanted`."""
    try:
        settings.verify()
    except SettingsError as error:
        return [Check("slack", False, str(error), CORRECT)]
    async with connect(settings) as client:
        try:
            me, scopes = await introduce(client)
        except SettingsError as error:
            return [Check("slack login", False, str(error), CORRECT)]
        except PlatformError as error:
            return [Check("slack login", False, f"no answer: {error}", TRY_LATER)]
        login = Check("slack login", True, f"{me.workspace} ({me.team}) as @{me.name}")
        channels = await _look_for_obstacles(client)
        return [login, _weigh(wanted(settings, unaddressed), scopes), channels, await _transport(client, settings)]


def _weigh(wanted: Sequence[Scope], scopes: Set[str]) -> Check:
    """The scopes that the token lacks, each with what does not work without it."""
    if not scopes:
        return Check("slack scopes", True, "Slack does not say")
    missing = [scope for scope in wanted if scope.name not in scopes]
    if not missing:
        return Check("slack scopes", True, "all that the settings use")
    found = "; ".join(f"without {scope.name} {scope.lost}" for scope in missing)
    return Check("slack scopes", all(scope.optional for scope in missing), found, REINSTALL)


async def _transport(client: AsyncWebClient, settings: Settings) -> Check:
    """Whether Socket Mode opens; where Slack has to come by HTTP, only Slack can try it."""
    if settings.http:
        return Check("slack events", True, _address(settings))
    try:
        await open_socket(client, settings.app_token.get_secret_value())
    except SettingsError as error:
        return Check("slack socket mode", False, str(error), CORRECT)
    except PlatformError as error:
        return Check("slack socket mode", False, f"no answer: {error}", TRY_LATER)
    return Check("slack socket mode", True, "opens")


def _address(settings: Settings) -> str:
    if settings.public_url:
        return f"HTTP: Slack must reach {settings.public_url.rstrip('/')}/slack/events"
    return (
        "HTTP: Slack's request URLs must lead to /slack/events of this program, over https; "
        "set slack.public_url and `parley manifest` writes them"
    )


async def _look_for_obstacles(client: AsyncWebClient) -> Check:
    """Name the channels that the bot is in and cannot write in; there may be good reasons for that."""
    try:
        answer = await call(client.users_conversations(types="public_channel,private_channel", limit=MOST))
    except PlatformError as error:
        return Check("slack channels", True, f"not known: {error}")
    channels = answer.get("channels") or ()
    closed = [f"#{one.get('name')} ({why})" for one in channels if (why := describe_obstacle({**one, "is_member": 1}))]
    if not closed:
        return Check("slack channels", True, f"it is in {len(channels)} and can write in each")
    more = f" and {len(closed) - NAMED} more" if len(closed) > NAMED else ""
    return Check("slack channels", True, f"it is in and cannot write in {', '.join(closed[:NAMED])}{more}")
