"""A provider that only sends tokens, at a steady pace, for measuring what it costs to receive them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

RATE = 80
"""Tokens a second of each answer."""
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
    b"Connection: keep-alive\r\n\r\n"
)
DONE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
ID = "chatcmpl-CbX7n1wq0yVqY3uM2rJx5oT8kLh4"


def chat(delta: dict[str, str], finish: str | None = None) -> bytes:
    """A chunk as OpenAI sends it, field by field."""
    chunk = {
        "id": ID,
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "gpt-5.4-mini-2026-03-05",
        "service_tier": "default",
        "system_fingerprint": None,
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        "usage": None,
        "obfuscation": "x7Kq2mPz",
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def block(kind: str, **fields: Any) -> bytes:
    """An event as Anthropic sends it."""
    data = json.dumps({"type": kind, **fields}, separators=(",", ":"))
    return f"event: {kind}\ndata: {data}\n\n".encode()


MESSAGE: dict[str, Any] = {
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 1},
}
BEFORE = {
    "/v1/chat/completions": chat({"role": "assistant", "content": ""}),
    "/v1/messages": block("message_start", message=MESSAGE)
    + block("content_block_start", index=0, content_block={"type": "text", "text": ""}),
}
AFTER = {
    "/v1/chat/completions": chat({}, "stop") + b"data: [DONE]\n\n",
    "/v1/messages": block("content_block_stop", index=0)
    + block("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 9})
    + block("message_stop"),
}


def token(path: str, due: float) -> bytes:
    """One token of an answer: it says when it was due, in microseconds of the clock that all processes share."""
    text = f" {due * 1e6:.0f}"
    if path == "/v1/messages":
        return block("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
    return chat({"content": text})


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request of a connection: a question with as many tokens as it allows, an edit with nothing."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            path = head.split(" ", 2)[1]
            length = next(line for line in head.split("\r\n") if line.startswith("content-length:"))
            body = json.loads(await reader.readexactly(int(length.partition(":")[2])))
            if path in BEFORE:
                await answer(writer, path, body["max_tokens"])
            else:
                writer.write(DONE)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def answer(writer: asyncio.StreamWriter, path: str, tokens: int) -> None:
    """Send an answer, each token at its time."""
    now = time.monotonic
    start = now()
    writer.write(HEAD + frame(BEFORE[path]))
    for number in range(tokens):
        due = start + number / RATE
        await asyncio.sleep(due - now())
        writer.write(frame(token(path, due)))
    writer.write(frame(AFTER[path]) + b"0\r\n\r\n")


def frame(data: bytes) -> bytes:
    """A chunk of the transfer encoding."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def main(core: int) -> None:
    """Serve on a free port, on this core alone; the port is the first line of output."""
    os.sched_setaffinity(0, {core})
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
