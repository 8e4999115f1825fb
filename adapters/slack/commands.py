"""The bot's commands in Slack's manner: slash commands, a message shortcut, and the pick of a thread in a channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from adapters.slack.incoming import Identity, is_direct, locate
from adapters.slack.manifest import RESET
from adapters.slack.person import Person, meet, place_of, team_of, told
from adapters.slack.picker import ACTION, NOTHING, PICK, rows
from adapters.slack.settings import PARLEY_COMMAND, Settings
from bot.commands import match
from bot.engine import Engine
from bot.health import Host
from bot.messages import Place

RECENT = 10
"""How many threads of a channel are offered, the newest first."""
PICKED = ("reset", "stop")
"""Commands that mean one conversation."""


class Commands:
    """Answers commands, each time for the one person alone."""

    def __init__(self, engine: Engine, me: Identity, settings: Settings, host: Host) -> None:
        self._engine = engine
        self._me = me
        self._settings = settings
        self._host = host

    def register(self, app: AsyncApp) -> None:
        """Have the app call this."""
        app.command(self._settings.reset_command)(self.reset)
        app.command(PARLEY_COMMAND)(self.parley)
        app.shortcut(RESET)(self.shortcut)
        app.action(ACTION)(self.pick)

    async def reset(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """`/reset`, or what the settings call it."""
        await ack()
        await self._command("reset", body, respond)

    async def parley(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """`/parley <command>`; anything else gets the help."""
        await ack()
        await self._command(match(body.get("text") or "", bare=True) or "help", body, respond)

    async def shortcut(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """Reset the conversation that a message belongs to."""
        await ack()
        person = meet(body, respond, self._settings)
        await person.tell(await self._run("reset", place_of(body, self._me), person))

    async def pick(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """A thread was picked: its row names the command, its button the place."""
        await ack()
        action, person = body["actions"][0], meet(body, respond, self._settings)
        place = Place(action["value"], shared=True)
        if place.key.startswith(f"slack:{team_of(body, self._me)}:{body['channel']['id']}:"):
            said = await self._run(action["action_id"].partition(":")[0], place, person)
            await person.tell(said, replace=True)

    async def _command(self, name: str, body: Mapping[str, Any], respond: AsyncRespond) -> None:
        channel, person = body["channel_id"], meet(body, respond, self._settings)
        place = locate(team_of(body, self._me), channel, "", is_direct(channel))
        if place.direct or name not in PICKED:
            await person.tell(await self._run(name, place, person))
            return
        threads = await told(self._host, lambda: self._engine.memory.places(f"{place.key}:", RECENT))
        if isinstance(threads, str):
            await person.tell(threads)
        elif threads:
            await person.tell(PICK[name], rows(name, threads))
        else:
            await person.tell(NOTHING.format(bot=self._me.name, command=name))

    async def _run(self, name: str, place: Place, person: Person) -> str:
        return await told(self._host, lambda: self._engine.command(name, place, person.author, person.admin))
