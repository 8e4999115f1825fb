"""Socket Mode: the SDK connects and reconnects; this watches that it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.connection import quiet_logger
from adapters.slack.login import open_socket
from bot.errors import PlatformError, PlatformFault
from bot.health import Status

PING = 5.0
"""Seconds between the SDK's signs of life; it notices a lost connection within so many, a silent one within four."""
LOOK = 0.5
"""Seconds between two looks at the connection."""
PATIENCE = 60.0
"""Seconds that the SDK may take to connect again: its address may have expired meanwhile, so all begins anew then."""
PAUSE = 10.0
"""Seconds before another connection is begun where Slack cannot be reached."""
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


async def listen(app: AsyncApp, client: AsyncWebClient, app_token: SecretStr, link: Link) -> None:
    """Take what Slack sends until cancelled.

    Raises SettingsError for a bad app token, and PlatformError where the first connection fails; later ones are begun
    anew here, so that live replies keep their client.
    """
    token = app_token.get_secret_value()
    await _connect(app, client, token, link)
    while True:
        try:
            await _connect(app, client, token, link)
        except PlatformError as error:
            link.status.down(f"Slack cannot be reached ({error})")
            await asyncio.sleep(error.retry_after or PAUSE)


async def _connect(app: AsyncApp, client: AsyncWebClient, token: str, link: Link) -> None:
    """Hold one connection, reconnected by the SDK, until it has stayed away for too long."""
    address = await open_socket(client, token)
    handler = AsyncSocketModeHandler(app, token, logger=quiet_logger(), web_client=client, ping_interval=PING)
    handler.client.wss_uri = address
    try:
        try:
            async with asyncio.timeout(PATIENCE):
                await handler.connect_async()  # type: ignore[no-untyped-call]
        except TimeoutError:
            raise PlatformError(PlatformFault.NETWORK, "Socket Mode does not connect") from None
        await _watch(handler, link)
    finally:
        await _close(handler)


async def _watch(handler: AsyncSocketModeHandler, link: Link) -> None:
    """Keep the link true for as long as the connection does not stay away."""
    clock = asyncio.get_running_loop().time
    seen = clock()
    while clock() - seen < PATIENCE:
        if await handler.client.is_connected():
            seen = clock()
            link.up(handler.client.current_session)
        else:
            link.down()
        await asyncio.sleep(LOOK)


async def _close(handler: AsyncSocketModeHandler) -> None:
    try:
        async with asyncio.timeout(GOODBYE):
            await handler.close_async()  # type: ignore[no-untyped-call]
    except TimeoutError:
        await handler.client.aiohttp_client_session.close()
