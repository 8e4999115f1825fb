"""Connecting to Slack and serving it: by Socket Mode, or behind the door for signed requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.shared.unreadable import UNREADABLE, log_skipped
from adapters.slack.admins import Admins
from adapters.slack.api.client import connect, quiet_logger
from adapters.slack.api.identity import Identity, introduce
from adapters.slack.api.workspace import Workspace
from adapters.slack.backfill import Missed
from adapters.slack.inbound.users import METHOD as NAMES_METHOD
from adapters.slack.interactions.buttons import Presses
from adapters.slack.interactions.commands import Commands
from adapters.slack.listener import Intake
from adapters.slack.outbound import indicators
from adapters.slack.outbound.channel import SlackChannel
from adapters.slack.settings import Settings
from adapters.slack.signed_events import Door
from adapters.slack.socket_mode import Link, listen
from bot.domain.errors import StorageError
from bot.engine import Engine
from bot.runtime.health import Host
from bot.runtime.tasks import report

PATH = "/slack/events"
OPTIONAL = {NAMES_METHOD: "users:read", indicators.REACTION_METHOD: "reactions:write"}
"""Methods that the bot can do without, and their scopes."""

log = structlog.get_logger(__name__)


async def serve(engine: Engine, settings: Settings, host: Host) -> None:
    """Log in and serve until cancelled. Raises SettingsError for what no retry mends, PlatformError for the rest.

    It may be called again after it fell: what answers are written over outlives it, and so does the door.
    """
    settings.verify()
    status = host.status("slack")
    door = await _door(settings, host) if settings.http else None
    workspace = await _enter(settings, host)
    me = workspace.me
    intake = Intake(engine, workspace, settings)
    app = build(workspace.client, me, intake, host)
    Commands(engine, workspace, settings, host).register(app)
    Presses(engine, me, settings, host).register(app)
    engine.register_platform("slack", partial(SlackChannel, workspace, reopened=True, past=intake.past))
    if settings.admins:
        engine.alerts.connect("slack", Admins(workspace, settings.admins).tell)
    missed = Missed(engine, workspace, intake, settings.catch_up, host.closing)
    looking = asyncio.create_task(missed.run(), name="looking for missed messages")
    looking.add_done_callback(report)
    log.info("logged in to slack", team=me.team, bot=me.user, transport="http" if door else "socket mode")
    try:
        if door is None:
            await listen(app, workspace.client, settings.app_token, Link(status, missed.look))
        else:
            door.app = app
            status.up()
            missed.look(0.0)
            await asyncio.Event().wait()
    finally:
        looking.cancel()
        if door:
            door.app = None
        status.down("stopped")


async def _door(settings: Settings, host: Host) -> Door:
    """The door for signed requests, mounted: one for as long as the program runs, so that it knows what it let in."""
    secret = settings.signing_secret.get_secret_value()
    door = await host.keep("slack door", lambda: nullcontext(Door(secret)))
    host.mounts[PATH] = door
    return door


async def _enter(settings: Settings, host: Host) -> Workspace:
    """Log in. The workspace, its client and its limits are the same for as long as the program runs."""
    client = await host.keep("slack client", partial(connect, settings))
    me, scopes = await introduce(client)
    workspace = await host.keep("slack workspace", lambda: nullcontext(Workspace(client, me, scopes, host.calls)))
    for method, scope in OPTIONAL.items():
        if scopes and scope not in scopes:
            workspace.miss(method, f"the token lacks {scope}")
    return workspace


def build(client: AsyncWebClient, me: Identity, intake: Intake, host: Host) -> AsyncApp:
    """The bolt application. Requests are verified before they come here."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None, team_id=me.team, bot_user_id=me.user, bot_id=me.bot, bot_token=client.token
        )

    async def take_events(req: AsyncBoltRequest, next: Callable[[], Awaitable[Any]]) -> BoltResponse | None:
        """Take every event before it is acknowledged; what is not acknowledged is delivered again."""
        if req.body.get("type") != "event_callback":
            await next()
            return None
        if host.closing.is_set():
            return BoltResponse(status=503)
        try:
            await intake.take(req.body)
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return BoltResponse(status=503)
        except UNREADABLE as error:
            log_skipped("slack", _kind(req.body), error)
        return BoltResponse(status=200)

    async def skip(error: Exception, body: dict[str, Any]) -> None:
        """Tell of a command or a press that broke; bolt answers it with 500 where it was not acknowledged."""
        log_skipped("slack", _kind(body), error)

    app = AsyncApp(
        name="parley",
        logger=quiet_logger(),
        client=AsyncWebClient(
            base_url=client.base_url, session=client.session, retry_handlers=[], logger=client.logger
        ),
        authorize=authorize,
        before_authorize=take_events,
        request_verification_enabled=False,
    )
    app.error(skip)
    return app


def _kind(body: Mapping[str, Any]) -> str:
    """What something that Slack sent is: the event's own type in an event."""
    event = body.get("event")
    return str((event.get("type") if isinstance(event, dict) else "") or body.get("type") or body.get("command"))
