"""The Discord adapter as it runs, with an engine that answers at once and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import discord as library
from discord.user import ClientUser

from adapters.discord import Settings, run
from adapters.discord.api.client import connect
from adapters.discord.inbound.messages import incoming
from adapters.discord.outbound.channel import DiscordChannel
from bot.access.listening import Listening
from bot.config.places import PlaceTables
from bot.config.settings import AccessSettings, BotSettings, PlaceSettings
from bot.domain.commands import PUBLIC
from bot.domain.errors import PlatformError, StorageError
from bot.domain.messages import Author, Caller, Control, Incoming, Message, Page, Place, State
from bot.domain.ports import Channel, Memory
from bot.domain.records import Answer, Turn
from bot.engine import Engine
from bot.interactions.privacy import Attach
from bot.runtime.alerts import Alerts
from bot.runtime.health import Host
from tests.loopback.discord import ANN, BOT, GENERAL, GUILD, FakeDiscord, payloads
from tests.loopback.discord.rules import mentioned
from tests.loopback.discord.state import Message as Said
from tests.loopback.discord.state import Version
from tests.loopback.discord.world import World


@dataclass
class Notebook:
    """A memory in memory: enough of one for an adapter."""

    claims: dict[tuple[str, str], str] = field(default_factory=dict)
    finished: list[Answer] = field(default_factory=list)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: bool = False
    empty: bool = False

    async def claim(self, incoming: Incoming) -> Turn | None:
        self.check()
        key = incoming.channel_id, incoming.message_id
        if key in self.claims:
            return None
        self.claims[key] = incoming.place.key
        return Turn(len(self.claims), first=True)

    async def finish(self, turn: int, answer: Answer, question: Message | None = None) -> None:
        self.finished.append(answer)

    async def known(self, place: str) -> bool:
        """Every place is, unless nothing was asked at all."""
        self.check()
        return bool(place) and not self.empty

    async def asked(self, place: str) -> bool:
        self.check()
        return any(place == key or key.startswith(f"{place}:") for key in self.claims.values())

    async def metadata(self, place: str) -> dict[str, Any]:
        self.check()
        return self.notes.get(place, {})

    async def annotate(self, place: str, key: str, value: Any) -> None:
        self.notes[place] = {**self.notes.get(place, {}), key: value}

    async def places(self, prefix: str, limit: int) -> list[tuple[str, str]]:
        self.check()
        return [(place, "") for place in dict.fromkeys(self.claims.values()) if place.startswith(prefix)][:limit]

    def check(self) -> None:
        if self.broken:
            raise StorageError("the disk is full")


class Echo:
    """Answers each message once with its own words; keeps what it was given."""

    def __init__(self) -> None:
        self.memory = Notebook()
        self.alerts = Alerts()
        self.settings = BotSettings()
        self.amended: list[Incoming] = []
        self.settled: list[Incoming] = []
        self.retracted: list[tuple[str, str, str]] = []
        self.received: list[Incoming] = []
        self.answered: list[Incoming] = []
        self.commands: list[tuple[str, Place, Author, bool]] = []
        self.arguments: list[str] = []
        self.callers: list[Caller] = []
        self.suggestions: list[str] = []
        self.typed: list[tuple[str, str]] = []
        self.presses: list[tuple[Control, int, Author, bool]] = []
        self.said = ""
        self.exports: dict[str, str] = {}
        self.access = AccessSettings()
        self.have_places({})
        self.shut: set[str] = set()
        self.served = 0
        self.openers: dict[str, Callable[[Incoming], Channel]] = {}
        self.gate = asyncio.Event()
        self.gate.set()

    def register_platform(self, platform: str, opener: Callable[[Incoming], Channel]) -> None:
        """Keep the opener."""
        self.served += 1
        self.openers[platform] = opener

    async def respond(self, incoming: Incoming, channel: Channel) -> Answer | None:
        """Claim and answer."""
        answering = await self.submit(incoming, channel)
        return await answering if answering else None

    async def submit(self, incoming: Incoming, channel: Channel) -> asyncio.Future[Answer] | None:
        """Claim, and begin to answer."""
        incoming = replace(incoming, place=self.place_for(incoming.place, incoming.author))
        self.received.append(incoming)
        turn = await self.memory.claim(incoming)
        return asyncio.create_task(self._answer(incoming, channel, turn)) if turn else None

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
        """Keep what was amended, and what shall not be answered anew."""
        self.amended.append(incoming)
        self.settled += [] if anew else [incoming]
        self.memory.check()

    async def message_deleted(self, platform: str, channel_id: str, message_id: str) -> None:
        """Keep what was retracted."""
        self.retracted.append((platform, channel_id, message_id))
        self.memory.check()

    async def _answer(self, incoming: Incoming, channel: Channel, turn: Turn) -> Answer:
        """Show the sign, post, edit."""
        sign = asyncio.create_task(channel.typing())
        try:
            await self.gate.wait()
        finally:
            sign.cancel()
            await asyncio.wait((sign,))
        posted = await channel.post(Page("echo", State.GROWING, turn=turn.id))
        await channel.edit(posted, Page(f"echo: {incoming.command or incoming.text}", turn=turn.id))
        self.answered.append(incoming)
        return Answer(incoming.text, posts=(posted,))

    async def run_command(self, name: str, place: Place, caller: Caller, argument: str = "") -> str:
        """Say what was asked for, or `said` where that is set."""
        self.callers.append(caller)
        self.commands.append((name, place, caller.author, caller.admin or (caller.manages and name in PUBLIC)))
        self.arguments.append(argument)
        await self.gate.wait()
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

    def suggest_values(self, name: str, text: str) -> list[str]:
        """Keep what was typed; suggest `suggestions`."""
        self.typed.append((name, text))
        return self.suggestions

    async def press_button(self, control: Control, turn: int, caller: Caller) -> str:
        """Say what there is to say."""
        self.presses.append((control, turn, caller.author, caller.admin))
        await self.gate.wait()
        return self.said


@dataclass
class App:
    """The running adapter."""

    engine: Echo
    host: Host
    task: asyncio.Task[None]

    @property
    def ready(self) -> bool:
        """Whether it says that it is connected."""
        return self.host.status("discord").ready

    async def stop(self) -> None:
        """Cancel it and wait for its end."""
        self.task.cancel()
        await asyncio.wait((self.task,))


@asynccontextmanager
async def connected(discord: FakeDiscord, engine: Echo | None = None, **changes: Any) -> AsyncIterator[App]:
    """The adapter, connected to the gateway; with the engine of an earlier one it remembers that."""
    engine = engine or Echo()
    async with Host() as host:
        task = asyncio.create_task(run(cast(Engine, engine), settings(discord, **changes), host))
        app = App(engine, host, task)
        try:
            await discord.until(lambda: app.ready or task.done())
            if task.done():
                task.result()
            yield app
        finally:
            await app.stop()


def settings(discord: FakeDiscord, **changes: Any) -> Settings:
    """Settings that lead to this Discord; where its gateway is, it says itself."""
    return Settings.model_validate({"token": discord.token, "api_base_url": discord.api_base_url, **changes})


@asynccontextmanager
async def talking(
    discord: FakeDiscord, where: str = GENERAL, **changes: Any
) -> AsyncIterator[tuple[DiscordChannel, Said]]:
    """A channel to answer a question in, and the question."""
    async with connect(settings(discord, **changes)) as rest:
        said = discord.say(where, "a question")
        people = (Author(ANN, "Ann"),)
        yield DiscordChannel(rest, settings(discord, **changes), where, said.id, people=people), said


async def answered(discord: FakeDiscord, app: App, count: int) -> None:
    """Wait until so many questions are answered."""
    await discord.until(lambda: len(app.engine.answered) == count)


class Heard:
    """Makes discord.py's messages of what people say in a world, without a connection."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.client = library.Client(intents=library.Intents.none())
        self.state = self.client._connection
        self.state.user = ClientUser(state=self.state, data=payloads.user(self.world.bot))  # type: ignore[arg-type]
        self.state._add_guild_from_data(payloads.guild(self.world.guilds[GUILD], self.world))  # type: ignore[arg-type]

    def say(
        self,
        content: str = "",
        channel: str = GENERAL,
        author: str = ANN,
        reference: str = "",
        ping: bool = True,
        readable: bool = True,
        **more: Any,
    ) -> library.Message:
        """A message as the gateway brings it; `more` goes into its payload."""
        where, found = self.world.channels[channel], mentioned(content, None)
        said = Said(self.world.snowflakes.next(), channel, self.world.users[author], [Version(content)])
        said.mentions, said.roles, said.everyone = list(found.users), list(found.roles), bool(found.everyone)
        said.reference, said.type = reference, 19 if reference else 0
        if reference and ping:
            said.mentions.append(where.messages[reference].author.id)
        where.messages[said.id] = said
        return self.read({**payloads.event(said, self.world, readable), **more})

    def read(self, data: dict[str, Any]) -> library.Message:
        """A message of its payload."""
        channel, _ = self.state._get_guild_channel(data)  # type: ignore[arg-type]
        return library.Message(state=self.state, channel=channel, data=data)  # type: ignore[arg-type]

    def ask(self, content: str = "", **more: Any) -> Incoming | None:
        """What becomes of it."""
        return incoming(self.say(content, **more), int(BOT))
