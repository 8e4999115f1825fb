"""How Slack reaches an app: Socket Mode and signed HTTP, each with redelivery of what is not acknowledged."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

RETRIES = 3
"""How often an event is delivered again."""


@dataclass
class Delivery:
    """Something that Slack sent to the app: `kind` is events_api, slash_commands or interactive."""

    kind: str
    payload: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempts: int = 0
    acked: asyncio.Event = field(default_factory=asyncio.Event)
    took: float = 0.0
    answer: dict[str, Any] = field(default_factory=dict)


class Courier:
    """Delivers until acknowledged, up to four times; commands and clicks only once."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.deliveries: list[Delivery] = []
        self.patience = 3.0
        self.pause = 0.05
        self.events_url = ""
        self.signing_secret = ""
        self.sockets: list[web.WebSocketResponse] = []
        self.connections = 0
        self.lost_acks = 0
        self.deaf = False
        self._changed = changed
        self._connected = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, kind: str, payload: dict[str, Any]) -> Delivery:
        """Begin to deliver something; while `deaf` it is lost for good, as what comes after Slack's last try is."""
        delivery = Delivery(kind, payload)
        if self.deaf:
            return delivery
        self.deliveries.append(delivery)
        task = asyncio.create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return delivery

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One Socket Mode connection, from hello to its end."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json(
            {"type": "hello", "num_connections": 1, "debug_info": {"approximate_connection_time": 60}}
        )
        self.sockets.append(socket)
        self.connections += 1
        self._connected.set()
        self._changed()
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._acknowledge(json.loads(message.data))
        finally:
            self.sockets.remove(socket)
            if not self.sockets:
                self._connected.clear()
            self._changed()
        return socket

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask the app to connect anew, as Slack does every few hours."""
        for socket in self.sockets:
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})

    async def hang_up(self) -> None:
        """Close every connection without a word."""
        for socket in list(self.sockets):
            await socket.close()

    async def close(self) -> None:
        """Stop delivering."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.hang_up()

    def _acknowledge(self, answer: dict[str, Any]) -> None:
        if self.lost_acks:
            self.lost_acks -= 1
            return
        for delivery in self.deliveries:
            if delivery.id == answer.get("envelope_id"):
                delivery.answer = answer.get("payload") or {}
                delivery.acked.set()
        self._changed()

    async def _deliver(self, delivery: Delivery) -> None:
        tries = RETRIES + 1 if delivery.kind == "events_api" else 1
        while delivery.attempts < tries and not delivery.acked.is_set():
            began = time.monotonic()
            try:
                async with asyncio.timeout(None if self.events_url else self.patience):
                    await (self._post(delivery) if self.events_url else self._push(delivery))
            except (TimeoutError, aiohttp.ClientError, ConnectionError):
                pass
            delivery.took = time.monotonic() - began
            self._changed()
            if not delivery.acked.is_set():
                await asyncio.sleep(self.pause)

    async def _push(self, delivery: Delivery) -> None:
        """Through a socket; waits for one where there is none."""
        await self._connected.wait()
        envelope = {
            "envelope_id": delivery.id,
            "type": delivery.kind,
            "payload": delivery.payload,
            "accepts_response_payload": delivery.kind != "events_api",
        }
        if delivery.kind == "events_api":
            envelope |= {"retry_attempt": delivery.attempts, "retry_reason": "timeout" if delivery.attempts else ""}
        delivery.attempts += 1
        await self.sockets[-1].send_json(envelope)
        await delivery.acked.wait()

    async def _post(self, delivery: Delivery) -> None:
        """By a signed request; 200 within the time acknowledges it."""
        body, kind = encode(delivery)
        headers = {"Content-Type": kind, **sign(self.signing_secret, body)}
        if delivery.attempts:
            headers |= {"X-Slack-Retry-Num": str(delivery.attempts), "X-Slack-Retry-Reason": "http_error"}
        delivery.attempts += 1
        timeout = aiohttp.ClientTimeout(total=self.patience)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(self.events_url, data=body, headers=headers) as answer,
        ):
            if answer.status == 200:
                text = await answer.text()
                delivery.answer = json.loads(text) if text.startswith("{") else {}
                delivery.acked.set()


def encode(delivery: Delivery) -> tuple[bytes, str]:
    """The body of an HTTP request and its content type: JSON for events, forms for everything else."""
    if delivery.kind == "events_api":
        return json.dumps(delivery.payload).encode(), "application/json"
    form = delivery.payload if delivery.kind == "slash_commands" else {"payload": json.dumps(delivery.payload)}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def sign(secret: str, body: bytes, timestamp: int | None = None) -> dict[str, str]:
    """Slack's signature for a body, as headers."""
    at = str(timestamp if timestamp is not None else int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest}"}
