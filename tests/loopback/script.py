"""An answer of a loopback model provider, step by step as a test says: nothing comes before it is told to."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

from aiohttp import web

Json = dict[str, Any]
BEAT = 0.01
"""Seconds between two keep-alive comments."""


class Dialect(ABC):
    """A provider's words for the parts of one answer, as bytes of an event stream; `limit` is its longest answer."""

    DONE = ""
    CUT = ""
    limit = 0

    @abstractmethod
    def begin(self) -> bytes:
        """What comes before the first word."""

    @abstractmethod
    def text(self, text: str) -> bytes:
        """A piece of the answer."""

    @abstractmethod
    def thought(self, text: str) -> bytes:
        """A piece of reasoning."""

    @abstractmethod
    def failure(self, kind: str, message: str) -> bytes:
        """An error within the answer."""

    @abstractmethod
    def end(self, reason: str) -> bytes:
        """The end, and the count of tokens."""

    @abstractmethod
    def whole(self, text: str, reason: str) -> Json:
        """The whole answer at once, as a body."""


class Script:
    """How one question is answered. Each step waits until the question has come; the first sends the headers."""

    def __init__(self) -> None:
        self._body: Json = {}
        self._request: web.Request | None = None
        self._dialect: Dialect | None = None
        self._response: web.StreamResponse | None = None
        self._asked = asyncio.Event()
        self._over = asyncio.Event()
        self._gone = asyncio.Event()

    async def asked(self) -> Json:
        """The body of the question."""
        await self._asked.wait()
        return self._body

    async def send(self, *pieces: str) -> None:
        """Pieces of the answer, a write for each."""
        for piece in pieces:
            await self.raw((await self.words()).text(piece))

    async def think(self, text: str) -> None:
        """A piece of reasoning."""
        await self.raw((await self.words()).thought(text))

    async def fail(self, kind: str, message: str) -> None:
        """An error within the answer; `kind` is the provider's name for it."""
        await self.raw((await self.words()).failure(kind, message))

    async def end(self, reason: str = "") -> None:
        """The end, with the provider's name for its reason: without one, that all was said."""
        words = await self.words()
        await self.raw(words.end(reason or words.DONE))
        self.close()

    async def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        words = await self.words()
        if self._response is None and self._request is not None:
            self._response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await self._response.prepare(self._request)
            await self._response.write(words.begin())
        if self._response is not None and data:
            await self._response.write(data)

    async def alive(self, seconds: float) -> None:
        """Nothing but keep-alive comments for so long, or until the client has gone."""
        for _ in range(round(seconds / BEAT)):
            if self._gone.is_set():
                return
            with suppress(ConnectionError):
                await self.raw(b": keep-alive\n\n")
            await asyncio.sleep(BEAT)

    async def drop(self) -> None:
        """Break the connection: in the middle of the answer, or before any response."""
        await self._asked.wait()
        if self._request is not None and self._request.transport is not None:
            self._request.transport.abort()

    def close(self) -> None:
        """End the response properly, whatever was said so far."""
        self._over.set()

    async def gone(self) -> None:
        """Wait until the connection is closed before the response was over."""
        await self._gone.wait()

    async def play(self, request: web.Request, body: Json, dialect: Dialect) -> web.StreamResponse:
        """Serve a question by this script."""
        self._request, self._body, self._dialect = request, body, dialect
        self._asked.set()
        try:
            await self._over.wait()
            await self.raw(b"")
        except asyncio.CancelledError:
            self._gone.set()
            raise
        assert self._response is not None
        return self._response

    async def words(self) -> Dialect:
        """The provider's words, for steps that are to be changed before they are sent `raw`."""
        await self._asked.wait()
        assert self._dialect is not None
        return self._dialect
