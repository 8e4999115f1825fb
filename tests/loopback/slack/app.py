"""The adapter as it runs, with an engine that answers at once and keeps a transcript."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import uvicorn

from adapters.slack import Settings, run
from bot.engine import Engine
from bot.errors import StorageError
from bot.health import Asgi, Host
from bot.messages import Author, Incoming, Message, Page, Place, State
from bot.ports import Answer, Channel, Turn
from tests.loopback.slack.server import FakeSlack


@dataclass
class Notebook:
    """A memory in memory: enough of one for an adapter."""

    claims: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    finished: list[Answer] = field(default_factory=list)
    broken: bool = False

    async def claim(self, incoming: Incoming) -> Turn | None:
        self._check()
        key = incoming.channel_id, incoming.message_id
        if key in self.claims:
            return None
        self.claims[key] = incoming.place.key
        self.known[incoming.place.key] = incoming.text
        return Turn(len(self.claims), first=True)

    async def finish(self, turn: int, answer: Answer, question: Message | None = None) -> None:
        self.finished.append(answer)

    async def asked(self, place: str) -> bool:
        self._check()
        return place in self.claims.values()

    async def metadata(self, place: str) -> dict[str, Any]:
        self._check()
        return self.notes.get(place, {})

    async def annotate(self, place: str, key: str, value: Any) -> None:
        notes = {**self.notes.get(place, {}), key: value}
        self.notes[place] = {name: note for name, note in notes.items() if note is not None}

    async def places(self, prefix: str, limit: int) -> list[tuple[str, str]]:
        self._check()
        return [(key, text) for key, text in reversed(self.known.items()) if key.startswith(prefix)][:limit]

    def _check(self) -> None:
        if self.broken:
            raise StorageError("the disk is full")


class Echo:
    """Answers each message once with its own words; keeps what it was given."""

    def __init__(self) -> None:
        self.memory = Notebook()
        self.received: list[Incoming] = []
        self.answered: list[Incoming] = []
        self.commands: list[tuple[str, Place, Author]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def respond(self, incoming: Incoming, channel: Channel) -> Answer | None:
        """Claim, show the sign, post, edit."""
        self.received.append(incoming)
        turn = await self.memory.claim(incoming)
        if turn is None:
            return None
        sign = asyncio.create_task(channel.typing())
        await self.gate.wait()
        sign.cancel()
        id = await channel.post(Page("echo", State.GROWING))  # noqa: A001
        await channel.edit(id, Page(f"echo: {incoming.command or incoming.text}"))
        with suppress(asyncio.CancelledError):
            await sign
        self.answered.append(incoming)
        return Answer(incoming.text, posts=(id,))

    async def command(self, name: str, place: Place, author: Author) -> str:
        """Say what was asked for."""
        self.commands.append((name, place, author))
        if self.memory.broken:
            raise StorageError("the disk is full")
        return f"{name}: done"


@dataclass
class App:
    """The running adapter."""

    engine: Echo
    host: Host
    task: asyncio.Task[None]

    @property
    def ready(self) -> bool:
        """Whether it says that it is connected."""
        return self.host.status("slack").ready

    async def stop(self) -> None:
        """Cancel it and wait for its end."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


@asynccontextmanager
async def connected(slack: FakeSlack, engine: Echo | None = None, **changes: Any) -> AsyncIterator[App]:
    """The adapter, connected by Socket Mode, or by HTTP where `app_token` is empty."""
    engine, host = engine or Echo(), Host()
    task = asyncio.create_task(run(cast(Engine, engine), settings(slack, **changes), host))
    app = App(engine, host, task)
    try:
        await slack.until(lambda: app.ready or task.done())
        if task.done():
            task.result()
        yield app
    finally:
        await app.stop()


def settings(slack: FakeSlack, **changes: Any) -> Settings:
    """Settings that lead to this Slack."""
    values = {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_base_url": slack.api_base_url}
    return Settings.model_validate({**values, **changes})


@asynccontextmanager
async def served(slack: FakeSlack, app: Asgi) -> AsyncIterator[str]:
    """An ASGI application behind a real HTTP server; gives its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await slack.until(lambda: server.started)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await serving
