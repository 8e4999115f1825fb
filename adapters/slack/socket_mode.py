"""Socket Mode: the SDK connects and reconnects; this watches that it does."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.shared.unreadable import UNREADABLE, log_skipped
from adapters.slack.api.client import quiet_logger
from adapters.slack.api.identity import open_socket
from bot.domain.errors import PlatformError, PlatformFault
from bot.runtime.health import Status

PING = 5.0
"""Seconds between the SDK's signs of life; it notices a lost connection within so many, a silent one within four."""
LOOK = 0.5
"""Seconds between two looks at the connection."""
PATIENCE = 60.0
"""Seconds that the SDK may take to connect again: its address may have expired meanwhile, so all begins anew then."""
EVENTS, UNKNOWN = "events_api", 404
"""The type of an envelope with an event, and bolt's status for what it has nothing to do with."""
GOODBYE = 3.0
"""Seconds for closing."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Link:
    """What stands and falls with the connection: the status, and `joined`, called when it stands (again).

    `joined` is told since when nothing may have been heard, by the wall clock: 0 at the first time.
    """

    status: Status
    joined: Callable[[float], None]
    heard: float = 0.0
    session: object = None

    def up(self, session: object) -> None:
        """The connection is seen to stand."""
        since, self.heard = self.heard, time.time()
        if not self.status.ready:
            self.status.up()
            log.info("slack is connected")
        if session is not self.session:
            self.session = session
            self.joined(since)

    def down(self) -> None:
        """It does not stand."""
        if self.status.ready:
            self.status.down("the connection is lost; connecting again")
            log.warning("slack is disconnected")


class Socket(SocketModeClient):
    """The SDK's client, which passes on only what has an envelope's shape."""

    async def enqueue_message(self, message: str) -> None:
        """Take a frame; one that cannot be read is logged and acknowledged, for it would only come again."""
        try:
            envelope = json.loads(message)
            if fault := _find_fault(envelope):
                log_skipped("slack", envelope.get("type"), fault)
                await acknowledge(self, envelope.get("envelope_id"))
                return
        except UNREADABLE as error:
            log_skipped("slack", "a frame", error)
            return
        await super().enqueue_message(message)


def _find_fault(envelope: dict[str, Any]) -> TypeError | None:
    """What keeps the SDK from reading an envelope that carries a payload."""
    if "envelope_id" not in envelope or isinstance(envelope.get("payload"), dict):
        return None
    return TypeError("the payload is no object")


async def acknowledge(client: AsyncBaseSocketModeClient, envelope_id: Any) -> None:
    """Tell Slack that an envelope was taken, so that it does not come again."""
    if isinstance(envelope_id, str):
        await client.send_socket_mode_response(SocketModeResponse(envelope_id))


async def listen(app: AsyncApp, client: AsyncWebClient, app_token: SecretStr, link: Link) -> None:
    """Take what Slack sends until cancelled; the SDK connects again where the connection is lost.

    Raises SettingsError for a bad app token, and PlatformError where it does not connect or has stayed away for too
    long.
    """
    token = app_token.get_secret_value()
    address = await open_socket(client, token)
    socket = Socket(token, quiet_logger(), client, ping_interval=PING)
    socket.socket_mode_request_listeners.append(_hand_to(app))
    socket.wss_uri = address
    try:
        try:
            async with asyncio.timeout(PATIENCE):
                await socket.connect()  # type: ignore[no-untyped-call]
        except TimeoutError:
            raise PlatformError(PlatformFault.NETWORK, "Socket Mode does not connect") from None
        await _watch(socket, link)
        raise PlatformError(PlatformFault.NETWORK, "the connection stayed away")
    finally:
        await _close(socket)


def _hand_to(app: AsyncApp) -> Callable[[AsyncBaseSocketModeClient, SocketModeRequest], Awaitable[None]]:
    """A listener that has the app answer; an event that the app cannot read, or does not know, is acknowledged."""

    async def hand(socket: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        began = time.time()
        try:
            response = await run_async_bolt_app(app, request)
            if response.status == UNKNOWN and request.type == EVENTS:
                raise LookupError("no event")
        except UNREADABLE as error:
            log_skipped("slack", request.type, error)
            await acknowledge(socket, request.envelope_id)
            return
        await send_async_response(socket, request, response, began)

    return hand


async def _watch(socket: Socket, link: Link) -> None:
    """Keep the link true for as long as the connection does not stay away."""
    clock = asyncio.get_running_loop().time
    seen = clock()
    while True:
        if await socket.is_connected():
            seen = clock()
            link.up(socket.current_session)
        elif clock() - seen > PATIENCE:
            return
        else:
            link.down()
        await asyncio.sleep(LOOK)


async def _close(socket: Socket) -> None:
    try:
        async with asyncio.timeout(GOODBYE):
            await socket.close()  # type: ignore[no-untyped-call]
    except TimeoutError:
        await socket.aiohttp_client_session.close()
