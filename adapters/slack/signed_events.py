"""Slack's signed HTTP requests: checked before anything reads them, each let in once, then handed to bolt."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from adapters.shared.unreadable import UNREADABLE, log_skipped

LONGEST = 1_000_000
"""Bytes of a request; Slack's own are far shorter."""
PATIENCE = 10.0
"""Seconds that a request's body may take; Slack waits three for an answer."""
WINDOW = 300
"""Seconds that a signature is good for, before and after its time (docs.slack.dev, verifying requests from Slack)."""
REMEMBERED = 50_000
"""Signatures kept: a workspace has at most 30,000 events an hour (docs.slack.dev, Events API, rate limiting)."""
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Door:
    """An ASGI application for `/slack/events`: 401 without Slack's signature, 503 until the bot is ready.

    A signed request that was taken in is a 401 when it comes again: Slack signs every delivery anew.
    """

    def __init__(self, signing_secret: str) -> None:
        self.app: AsyncApp | None = None
        self._verifier = SignatureVerifier(signing_secret)
        self._seen: dict[str, float] = {}  # signatures of what was taken in, and until when they are good

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if scope["method"] != "POST":
            await _answer(send, 405)
            return
        try:
            async with asyncio.timeout(PATIENCE):
                body = await _read(receive)
        except TimeoutError:
            await _answer(send, 408)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if body is None:
            await _answer(send, 413)
        elif not self._signed(body, headers):
            await _answer(send, 401)
        elif self.app is None:
            await _answer(send, 503)
        elif not self._new(headers):
            await _answer(send, 401)
        else:
            status = 500
            try:
                status = await self._dispatch(self.app, body, headers, send)
            finally:
                if status >= 300:  # it is delivered again, perhaps within the second, with the same signature
                    self._seen.pop(headers["x-slack-signature"], None)

    def _signed(self, body: bytes, headers: dict[str, str]) -> bool:
        """Whether Slack signed it in the last five minutes; whatever is malformed was not signed by Slack."""
        timestamp, signature = headers.get("x-slack-request-timestamp"), headers.get("x-slack-signature")
        if not timestamp or not signature or not signature.isascii():
            return False
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except (ValueError, OverflowError):
            return False

    def _new(self, headers: dict[str, str]) -> bool:
        """Whether a signed request comes for the first time; it is remembered for as long as its signature is good."""
        signature, now = headers["x-slack-signature"], time.time()
        if self._seen.get(signature, 0.0) >= now:
            return False
        while self._seen and (len(self._seen) >= REMEMBERED or next(iter(self._seen.values())) < now):
            del self._seen[next(iter(self._seen))]
        self._seen[signature] = int(headers["x-slack-request-timestamp"]) + WINDOW + 1
        return True

    async def _dispatch(self, app: AsyncApp, body: bytes, headers: dict[str, str], send: Send) -> int:
        """Have bolt answer; returns the status."""
        try:
            request = AsyncBoltRequest(body=body.decode(), headers=dict(headers))
            response = await app.async_dispatch(request)
        except UNREADABLE as error:
            log_skipped("slack", "a request", error)
            await _answer(send, 400)
            return 400
        kind = response.headers.get("content-type", ["text/plain"])[0]
        text = response.body if isinstance(response.body, str) else json.dumps(response.body)
        status = 503 if response.status >= 500 else int(response.status)  # bolt has said in the log what broke
        await _answer(send, status, text.encode(), kind)
        return status


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None where it is longer than it may be, or its sender is gone."""
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts += message.get("body", b"")
        if len(parts) > LONGEST:
            return None
        if not message.get("more_body"):
            return bytes(parts)


async def _answer(send: Send, status: int, body: bytes = b"", kind: str = "text/plain") -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
