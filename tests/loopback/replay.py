"""A server that answers questions with given bytes, to the letter."""

from __future__ import annotations

import asyncio
from typing import Any, Self

ABORT = "@abort"
"""In place of bytes: the connection breaks."""
HEAD = "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
GOOD = {
    "openai": 'data: {"choices": [{"delta": {"content": "Fine."}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n',
    "anthropic": (
        'data: {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Fine."}}\n\n'
        'data: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}\n\ndata: {"type": "message_stop"}\n\n'
    ),
}
"""The body of a good answer: "Fine."."""


class Replay:
    """Serves on a free loopback port; texts are latin-1.

    Only requests that hold `when` get the `parts`; all others get a good answer. `asked` has the bodies of all.
    """

    def __init__(self, protocol: str, parts: list[str], when: str = "") -> None:
        self.asked: list[str] = []
        self.base_url = ""
        self._good = [HEAD, GOOD[protocol]]
        self._parts = parts
        self._when = when
        self._path = "/v1" if protocol == "openai" else ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}" + self._path
        return self

    async def __aexit__(self, *_: Any) -> None:
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].split("\r\n")[0] or 0)
            body = (await reader.readexactly(length)).decode()
            self.asked.append(body)
            for part in self._parts if self._when in body else self._good:
                if part == ABORT:
                    writer.transport.abort()
                    return
                writer.write(part.encode("latin-1"))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
