"""Serving the page and the API: listen, say where, and close cleanly."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import partial

import aiohttp
import structlog
import uvicorn

from adapters.web.address import address, tunnel
from adapters.web.app import build
from adapters.web.auth import CLOSED
from adapters.web.settings import Settings
from bot.domain.errors import SettingsError
from bot.engine import Engine
from bot.runtime.health import Check, Host

CLOSING = 3
"""Seconds that open connections have to take in their endings once serving is over."""
OPEN_IT = "Set web.api_key (PARLEY_WEB__API_KEY) to open the page and the API to those who have it."

log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """A server that leaves the signals to the front door. One that falls leaves what is being sent to its end."""

    told = False
    """Whether it was told to stop."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Capture none."""
        return nullcontext()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening; where that was told, end every connection too, within `CLOSING` seconds."""
        if self.told:
            await super().shutdown(sockets)
            return
        self.hang_up()
        for connection in list(self.server_state.connections):
            connection.shutdown()  # at once where nothing is being sent, else after that

    def hang_up(self) -> None:
        """Take no further connections."""
        for listener in getattr(self, "servers", ()):
            listener.close()


async def serve(engine: Engine, settings: Settings, host: Host) -> None:
    """Take the address and serve there until cancelled. Raises SettingsError for one that cannot be taken.

    It may be called again after it fell: the address is kept meanwhile, and who comes waits for the next server.
    """
    sockets = await host.keep("web sockets", partial(_listening, settings))
    await attend(sockets, engine, settings, host)


@asynccontextmanager
async def _listening(settings: Settings) -> AsyncIterator[list[socket.socket]]:
    sockets = listen(settings)
    try:
        yield sockets
    finally:
        for held in sockets:
            held.close()


async def attend(sockets: Sequence[socket.socket], engine: Engine, settings: Settings, host: Host) -> None:
    """Serve what comes in at the sockets until cancelled, then end what is being sent. The sockets stay open."""
    bound = settings.model_copy(update={"port": sockets[0].getsockname()[1]})
    config = uvicorn.Config(
        build(engine, settings, host),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=CLOSING,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve([held.dup() for held in sockets]))  # which the server closes
    announce(bound, os.environ)
    host.status("web").up()
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.told = True
        raise
    finally:
        host.status("web").down("stopped")
        server.should_exit = True
        try:
            await serving
        finally:
            server.hang_up()


def listen(settings: Settings) -> list[socket.socket]:
    """Take the address, on every kind of network that its name stands for."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise SettingsError(
            f"web.host {settings.host} is no address: {error.strerror}. Set it to 127.0.0.1 or 0.0.0.0."
        ) from None
    sockets: list[socket.socket] = []
    failed: OSError | None = None
    for family, *_, where in dict.fromkeys(found):
        port = sockets[0].getsockname()[1] if sockets else where[1]
        try:
            sockets.append(socket.create_server((str(where[0]), int(port)), family=family, backlog=2048))
        except OSError as error:
            failed = error
    if not sockets or (failed and failed.errno == errno.EADDRINUSE):
        for held in sockets:
            held.close()
        raise SettingsError(blame(settings, failed or OSError(errno.EADDRNOTAVAIL, "no address")))
    return sockets


def blame(settings: Settings, error: OSError) -> str:
    """Why an address could not be taken, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"web.port {settings.port} is in use on {settings.host}: set web.port (or PORT) to another one."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"web.port {settings.port} may not be taken by this user: set web.port (or PORT) to 1024 or more."
    return f"web.host {settings.host} is no address of this machine ({error.strerror}): set it to 127.0.0.1 or 0.0.0.0."


def announce(settings: Settings, environ: Mapping[str, str]) -> None:
    """Say in the log where the page is, and how to get there over SSH; or why it is closed."""
    if settings.exposed and not settings.api_key.get_secret_value():
        log.warning("the page and the API are closed", reason=CLOSED, port=settings.port)
        return
    way = tunnel(settings, environ)
    log.info("open the chat page in a browser", url=address(settings), **({"over_ssh": way} if way else {}))


async def inspect(settings: Settings) -> Check:
    """Whether the address is free, or held by Parley itself, and what is served there."""
    try:
        for held in listen(settings):
            held.close()
        found = f"{address(settings)} is free"
    except SettingsError as error:
        if not await answers(address(settings)):
            return Check("web", False, str(error), "Set another web.port (or PORT), or stop what listens there.")
        found = f"{address(settings)}: Parley runs there now"
    if settings.exposed and not settings.api_key.get_secret_value():
        found += f"; without a key only health checks are served. {OPEN_IT}"
    return Check("web", True, found)


async def answers(url: str) -> bool:
    """Whether a Parley is alive at an address."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
            session.get(f"{url}/healthz") as response,
        ):
            return bool((await response.json()).get("status") == "ok")
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
