"""The web adapter as its users meet it: a real server on a free port, a real engine, a scripted model."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from adapters.web.server import attend, listen
from adapters.web.settings import Settings
from bot.config.settings import BotSettings, LimitsSettings
from bot.domain.messages import State, Usage
from bot.domain.model_info import Facts
from bot.domain.ports import Piece, Prompt
from bot.engine import Engine
from bot.runtime.health import Host
from bot.runtime.metrics import Metrics
from storage.sqlite import SqliteMemory

STAMP = re.compile(r"^\[\d{4}-\d\d-\d\d [^\]]*\] ")
Part = str | Piece | State | Exception | asyncio.Event
PATIENCE = 20.0
"""Seconds after which something that a test waits for will not come any more."""


class Scripted:
    """A model that says what it was told to, answer by answer; an event in an answer holds it up until it is set."""

    name = "test/scripted"

    def __init__(self, trial: bool = False) -> None:
        self.reader = "nobody but the test"
        self.trial = trial
        self.facts = Facts(context=128_000)
        self.prompts: list[Prompt] = []
        self.left = asyncio.Event()
        self._answers: deque[tuple[Part, ...]] = deque()

    def say(self, *parts: Part) -> None:
        """Put a further answer into the script: pieces, then perhaps a fault, or the state it ends in."""
        self._answers.append(parts)

    def told(self, prompt: int) -> list[str]:
        """What it was told in one of its prompts, without the times."""
        return [STAMP.sub("", message.content) for message in self.prompts[prompt].messages]

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Give the next answer."""
        self.prompts.append(prompt)
        end = State.DONE
        try:
            for part in self._answers.popleft() if self._answers else ("Hello.",):
                if isinstance(part, State):
                    end = part
                elif isinstance(part, Piece):
                    yield part
                elif isinstance(part, Exception):
                    raise part
                elif isinstance(part, asyncio.Event):
                    await part.wait()
                else:
                    yield Piece(part)
            yield Piece(end=end, usage=Usage(input=7, output=2, cached=1))
        finally:
            self.left.set()

    async def close(self) -> None:
        """There is nothing to let go of."""


@dataclass(frozen=True)
class Web:
    """A running server and a client for it."""

    http: aiohttp.ClientSession
    url: str
    engine: Engine
    host: Host
    model: Scripted
    serving: asyncio.Task[None]
    sockets: Sequence[socket.socket]

    async def end(self) -> None:
        """End it as the program's end does: its address is free from then on."""
        self.serving.cancel()
        await asyncio.wait([self.serving])
        for held in self.sockets:
            held.close()

    async def chat(self, message: str, conversation: str | None = None) -> tuple[int, dict[str, Any]]:
        """POST /chat: the status and the body."""
        return await self.call("POST", "/chat", json=asked(message, conversation))

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """Any request: the status and the JSON."""
        async with self.http.request(method, path, **options) as response:
            return response.status, await response.json()

    async def stream(self, message: str, conversation: str | None = None) -> list[tuple[str, dict[str, str]]]:
        """POST /chat/stream to its end: every event and its data."""
        async with self.http.post("/chat/stream", json=asked(message, conversation)) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            return [event async for event in events(response)]


def asked(message: str, conversation: str | None) -> dict[str, str]:
    """The body of a POST."""
    return {"message": message, **({"conversation_id": conversation} if conversation else {})}


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """Server-sent events as they come."""
    name = ""
    async for raw in response.content:
        field, _, value = raw.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


@asynccontextmanager
async def web(
    folder: Path, trial: bool = False, limits: LimitsSettings | None = None, **settings: Any
) -> AsyncIterator[Web]:
    """A server over a fresh memory, and a client that speaks with it from this machine."""
    chosen = Settings(**{"port": 0, **settings})
    sockets = listen(chosen)
    memory = await SqliteMemory.open(folder / "parley.db")
    model, host = Scripted(trial), Host()
    engine = Engine(model, memory, BotSettings(), Metrics(), limits=limits)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    serving = asyncio.create_task(attend(sockets, engine, chosen, host))
    try:
        async with aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(PATIENCE)) as http:
            yield Web(http, url, engine, host, model, serving, sockets)
    finally:
        if not serving.cancelling():
            serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        for held in sockets:
            held.close()
        await memory.close()
