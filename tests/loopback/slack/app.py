"""The adapter as it runs, with an engine that answers at once and keeps a transcript."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

import uvicorn

from adapters.slack import Settings, run
from bot.access.listening import Listening
from bot.config.places import PlaceTables
from bot.config.settings import AccessSettings, BotSettings, PlaceSettings
from bot.domain.commands import PUBLIC
from bot.domain.errors import PlatformError, StorageError
from bot.domain.messages import Author, Caller, Incoming, Message, Page, Place, State
from bot.domain.ports import Channel, Memory
from bot.domain.records import Answer, Turn
from bot.engine import Engine
from bot.interactions.privacy import Attach
from bot.runtime.alerts import Alerts
from bot.runtime.health import Asgi, Host
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
        self.check()
        key = incoming.channel_id, incoming.message_id
        if key in self.claims:
            return None
        self.claims[key] = incoming.place.key
        self.known[incoming.place.key] = incoming.text
        return Turn(len(self.claims), first=True)

    async def finish(self, turn: int, answer: Answer, question: Message | None = None) -> None:
        self.finished.append(answer)

    async def heard(self, incoming: Incoming) -> bool:
        self.check()
        return (incoming.channel_id, incoming.message_id) in self.claims

    async def asked(self, place: str) -> bool:
        self.check()
        return any(place == key or key.startswith(f"{place}:") for key in self.claims.values())

    async def metadata(self, place: str) -> dict[str, Any]:
        self.check()
        return self.notes.get(place, {})

    async def annotate(self, place: str, key: str, value: Any) -> None:
        notes = {**self.notes.get(place, {}), key: value}
        self.notes[place] = {name: note for name, note in notes.items() if note is not None}

    async def places(self, prefix: str, limit: int) -> list[tuple[str, str]]:
        self.check()
        return [(key, text) for key, text in reversed(self.known.items()) if key.startswith(prefix)][:limit]

    def check(self) -> None:
        """Raise StorageError while broken."""
        if self.broken:
            raise StorageError("the disk is full")


class Echo:
    """Answers each message once with its own words; keeps what it was given."""

    def __init__(self) -> None:
        self.memory = Notebook()
        self.received: list[Incoming] = []
        self.answered: list[Incoming] = []
        self.commands: list[tuple[str, Place, Author]] = []
        self.arguments: list[str] = []
        self.admins: list[Author] = []
        self.said = ""
        self.exports: dict[str, str] = {}
        self.amended: list[Incoming] = []
        self.retracted: list[tuple[str, str, str]] = []
        self.alerts = Alerts()
        self.settings = BotSettings()
        self.access = AccessSettings()
        self.have_places({})
        self.shut: set[str] = set()
        self.openers: dict[str, Callable[[Incoming], Channel]] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self._turns: set[asyncio.Task[Answer]] = set()

    def register_platform(self, platform: str, opener: Callable[[Incoming], Channel]) -> None:
        """Keep the opener."""
        self.openers[platform] = opener

    async def submit(self, incoming: Incoming, channel: Channel) -> asyncio.Task[Answer] | None:
        """Claim the message and begin its turn."""
        incoming = replace(incoming, place=self.place_for(incoming.place, incoming.author))
        self.received.append(incoming)
        if await self.memory.claim(incoming) is None:
            return None
        task = asyncio.create_task(self._answer(incoming, channel))
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)
        return task

    def have_places(self, places: Mapping[str, PlaceSettings]) -> None:
        """Have these tables of `[places]`."""
        self.tables = PlaceTables(places)
        self.listening = Listening(cast(Memory, self.memory), self.tables)

    def place_for(self, place: Place, person: Author) -> Place:
        """As the settings say."""
        return self.tables.place_for(place, person.id)

    async def access_denial_text(self, place: Place, caller: Caller) -> str:
        """What whom somebody shut out is told."""
        return "You may not." if caller.author.id in self.shut else ""

    async def admit(self, incoming: Incoming, channel: Channel) -> bool:
        """Let everybody in whom nobody shut out."""
        return incoming.author.id not in self.shut

    async def message_edited(self, incoming: Incoming, anew: bool = True) -> None:
        """Keep what was changed."""
        self.memory.check()
        self.amended.append(incoming)

    async def message_deleted(self, platform: str, channel_id: str, message_id: str) -> None:
        """Keep what was taken back."""
        self.memory.check()
        self.retracted.append((platform, channel_id, message_id))

    async def run_command(self, name: str, place: Place, caller: Caller, argument: str = "") -> str:
        """Say what was asked for, or `said` where that is set."""
        self.commands.append((name, place, caller.author))
        self.arguments.append(argument)
        if caller.admin or (caller.manages and name in PUBLIC):
            self.admins.append(caller.author)
        if self.memory.broken:
            raise StorageError("the disk is full")
        return self.said or f"{name}: done"

    async def export_own_words(self, place: Place, author: Author, attach: Attach) -> str:
        """Give the files of `exports`, or say why not; without any it is a command like the others."""
        try:
            for name, text in self.exports.items():
                await attach(name, text)
        except PlatformError as error:
            return f"refused: {error}"
        return "exported" if self.exports else await self.run_command("export", place, Caller(author))

    async def close(self) -> None:
        """End what is left."""
        for turn in self._turns:
            turn.cancel()
        await asyncio.gather(*self._turns, return_exceptions=True)

    async def _answer(self, incoming: Incoming, channel: Channel) -> Answer:
        """Show the sign, post, edit."""
        sign = asyncio.create_task(channel.typing())
        try:
            await self.gate.wait()
        finally:
            sign.cancel()
        ts = await channel.post(Page("echo", State.GROWING))
        await channel.edit(ts, Page(f"echo: {incoming.command or incoming.text}"))
        with suppress(asyncio.CancelledError):
            await sign
        self.answered.append(incoming)
        return Answer(incoming.text, posts=(ts,))


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
async def connected(slack: FakeSlack, **changes: Any) -> AsyncIterator[App]:
    """The adapter, connected by Socket Mode, or by HTTP where `app_token` is empty."""
    engine = Echo()
    async with Host() as host:
        app = App(engine, host, start(slack, cast(Engine, engine), host, **changes))
        try:
            await slack.until(lambda: app.ready or app.task.done())
            if app.task.done():
                app.task.result()
            yield app
        finally:
            await engine.close()
            await app.stop()


def start(slack: FakeSlack, engine: Engine, host: Host, **changes: Any) -> asyncio.Task[None]:
    """Run the adapter."""
    return asyncio.create_task(run(engine, settings(slack, **changes), host))


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
