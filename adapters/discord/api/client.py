"""Calls of Discord's REST API, each made once: no waiting for limits in here, for that is the pacers' part.

discord.py's own limiter sleeps for a whole window inside a call that has already succeeded; a live reply cannot.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    FormData,
    ServerDisconnectedError,
)
from pydantic import SecretStr

from adapters.discord.api.errors import explain
from adapters.discord.api.rate_limits import Limits
from adapters.discord.settings import Settings
from bot.domain.errors import PlatformError, PlatformFault
from bot.pacing.pacer import Pacer
from bot.runtime.call_history import CallHistory

TIMEOUT = 30.0
"""Seconds that one call may take."""
GONE = 1000
"""How many deleted messages are remembered."""
HOME = "https://parley.example"
"""Discord wants an address in the name of a caller; Parley has no public one."""


class Rest:
    """The API under one token, over connections that are kept.

    `gone` are the ids of messages that were deleted lately, by the bot or by others. `session` is the one that all
    calls share, `base` where the API is, `agent` the name to call by.
    """

    def __init__(self, session: ClientSession, token: SecretStr, base: str, calls: CallHistory | None = None) -> None:
        self.limits = Limits(calls)
        self.gone: deque[str] = deque(maxlen=GONE)
        self.session = session
        self.base = base.rstrip("/")
        self.agent = f"DiscordBot ({HOME}, {metadata.version('parley')})"
        self._token = token

    async def call(
        self, method: str, path: str, body: Any = None, pacer: Pacer | None = None, form: FormData | None = None
    ) -> Any:
        """Make one call, with JSON or a form, and return its JSON, None for an empty answer.

        Raises PlatformError; tells the pacer what the headers say of its limit.
        """
        headers = {"Authorization": f"Bot {self._token.get_secret_value().strip()}", "User-Agent": self.agent}
        try:
            asking = self.session.request(method, self.base + path, json=body, data=form, headers=headers)
            async with asking as response:
                status, said, answer = response.status, response.headers, _decode(await response.read())
        except (ClientError, TimeoutError, OSError) as error:
            detail = f"Discord cannot be reached ({type(error).__name__})"
            raise PlatformError(PlatformFault.NETWORK, detail) from None
        except RuntimeError:
            if not self.session.closed:
                raise
            raise PlatformError(PlatformFault.NETWORK, "the connection to Discord is closed") from None
        if pacer:
            _observe(pacer, said)
        if status < 300:
            return answer
        fault = explain(status, answer, said)
        if fault.retry_after is not None:
            self._back_off(fault.retry_after, answer, said, pacer)
        raise fault

    def _back_off(self, seconds: float, answer: Any, headers: Mapping[str, str], pacer: Pacer | None) -> None:
        everywhere = isinstance(answer, dict) and answer.get("global")
        if everywhere or headers.get("X-RateLimit-Global"):
            self.limits.back_off(seconds)
        if pacer:
            pacer.back_off(seconds)


@asynccontextmanager
async def connect(settings: Settings, calls: CallHistory | None = None) -> AsyncIterator[Rest]:
    """The REST API that the settings lead to."""
    patience, cookies = ClientTimeout(total=TIMEOUT), DummyCookieJar()
    async with ClientSession(timeout=patience, cookie_jar=cookies, middlewares=(_once,)) as session:
        yield Rest(session, settings.token, settings.api_base_url, calls)


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from making a call again by itself, as it does with some when a kept connection breaks."""
    try:
        return await handler(request)
    except (ClientOSError, ServerDisconnectedError) as error:
        raise ClientConnectionError(type(error).__name__) from error


def _decode(body: bytes) -> Any:
    """JSON, or None for what is none: an empty answer, or the page of a proxy."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _observe(pacer: Pacer, headers: Mapping[str, str]) -> None:
    try:
        limit, remaining = int(headers["X-RateLimit-Limit"]), int(headers["X-RateLimit-Remaining"])
        reset_after = float(headers["X-RateLimit-Reset-After"])
    except (KeyError, ValueError):
        return
    pacer.observe(limit, remaining, reset_after)
