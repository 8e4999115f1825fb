"""Connecting to Discord and serving it until told to stop."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import aiohttp
import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.admins import Admins
from adapters.discord.api.client import connect
from adapters.discord.api.identity import ask, introduce, refused
from adapters.discord.gateway import GOODBYE, Client
from adapters.discord.inbound.events import Socket
from adapters.discord.settings import PORTAL, TOKEN, Settings
from bot.domain.errors import PlatformError, PlatformFault, SettingsError
from bot.engine import Engine
from bot.runtime.health import Host

AUTHENTICATION_FAILED = 4004
EXPECTED = (OSError, TimeoutError, aiohttp.ClientError, discord.HTTPException, discord.ConnectionClosed)

log = structlog.get_logger(__name__)


async def serve(engine: Engine, settings: Settings, host: Host) -> None:
    """Log in and serve until cancelled. Raises SettingsError for what no retry mends, PlatformError for the rest.

    It may be called again after it fell: what answers are written over outlives it.
    """
    _quiet()
    rest = await host.keep("discord rest", partial(connect, settings, host.calls))
    me = await introduce(rest)
    gateway = settings.gateway_url or str((await ask(rest, "/gateway/bot"))["url"])
    _lead(settings.api_base_url, gateway)
    log.info("logged in to discord", bot=me.name, id=me.user, reads_all_messages=me.reads)
    engine.alerts.connect("discord", Admins(settings, me.owners | set(settings.admins)).tell)
    client = Client(engine, settings, host, rest, me)
    try:
        await _run(client, settings.token.get_secret_value().strip())
    finally:
        await client.drain()
        await _close(client)
        host.status("discord").down("stopped")


async def _run(client: Client, token: str) -> None:
    """Hold the connection. discord.py keeps it by itself once the first one stood."""
    try:
        await client.login(token)
        await client.connect()
    except discord.LoginFailure:
        raise refused() from None
    except discord.PrivilegedIntentsRequired:
        raise SettingsError(
            f"{TOKEN}: Discord disallows the message content intent. "
            f"Switch Message Content Intent on, or off and on again, on the Bot page of {PORTAL}."
        ) from None
    except discord.ConnectionClosed as error:
        if error.code == AUTHENTICATION_FAILED:
            raise refused() from None
        raise PlatformError(PlatformFault.NETWORK, f"the gateway closed the connection ({error.code})") from None
    except AttributeError as error:
        # discord.py's own slip where the very first connection fails: it asks the socket that there is none of
        if client.ws is not None:
            raise
        raise _unreachable(error.__context__ or error) from None
    except EXPECTED as error:
        raise _unreachable(error) from None
    raise PlatformError(PlatformFault.NETWORK, "the gateway ended the connection")


async def _close(client: Client) -> None:
    try:
        async with asyncio.timeout(GOODBYE):
            await client.close()
    except TimeoutError:
        await client.http.close()


def _unreachable(error: BaseException) -> PlatformError:
    return PlatformError(PlatformFault.NETWORK, f"Discord cannot be reached ({type(error).__name__})")


def _lead(api: str, gateway: str) -> None:
    """Point discord.py to these addresses, and to our end of the gateway; it keeps them for the whole process."""
    discord.client.DiscordWebSocket = Socket  # type: ignore[misc]
    Route.BASE = api.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)


def _quiet() -> None:
    """Have discord.py log a network that is down in one line, without a traceback, and nothing about missing voices."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    logger = logging.getLogger("discord.client")
    if _shorten not in logger.filters:
        logger.addFilter(_shorten)


def _shorten(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], EXPECTED):
        record.msg, record.args = f"{record.getMessage()} ({type(record.exc_info[1]).__name__})", ()
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
