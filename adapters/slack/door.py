"""Slack's signed HTTP requests: checked before anything reads them, then handed to bolt."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

LONGEST = 1_000_000
"""Bytes of a request; Slack's own are far shorter."""
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Door:
    """An ASGI application for `/slack/events`: 401 without Slack's signature, 503 until the bot is ready."""

    def __init__(self, signing_secret: str) -> None:
        self.app: AsyncApp | None = None
        self._verifier = SignatureVerifier(signing_secret)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if scope["method"] != "POST":
            await _answer(send, 405)
            return
        body = await _read(receive)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if body is None:
            await _answer(send, 413)
        elif not self._signed(body, headers):
            await _answer(send, 401)
        elif self.app is None:
            await _answer(send, 503)
        else:
            await self._dispatch(self.app, body, headers, send)

    def _signed(self, body: bytes, headers: dict[str, str]) -> bool:
        """Whether Slack signed it in the last five minutes; whatever is malformed was not signed by Slack."""
        timestamp, signature = headers.get("x-slack-request-timestamp"), headers.get("x-slack-signature")
        if not timestamp or not signature or not signature.isascii():
            return False
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except (ValueError, OverflowError):
            return False

    async def _dispatch(self, app: AsyncApp, body: bytes, headers: dict[str, str], send: Send) -> None:
        try:
            request = AsyncBoltRequest(body=body.decode(), headers=dict(headers))
        except (ValueError, TypeError, AttributeError):
            await _answer(send, 400)
            return
        response = await app.async_dispatch(request)
        kind = response.headers.get("content-type", ["text/plain"])[0]
        text = response.body if isinstance(response.body, str) else json.dumps(response.body)
        await _answer(send, response.status, text.encode(), kind)


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
