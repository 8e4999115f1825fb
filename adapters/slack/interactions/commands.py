"""The bot's commands in Slack's manner: slash commands, a message shortcut, and the pick of a thread in a channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.api.calls import call
from adapters.slack.api.ranks import UNSURE, runs
from adapters.slack.api.workspace import Workspace
from adapters.slack.inbound.messages import is_direct, locate, place_from, split
from adapters.slack.interactions.responder import RESTARTING, Person, meet, place_of, team_of, told
from adapters.slack.interactions.thread_picker import ACTION, NOTHING, PICK, rows
from adapters.slack.manifest import RESET
from adapters.slack.outbound.files import attach
from adapters.slack.settings import PARLEY_COMMAND, Settings
from bot.domain.commands import COMMANDS, PUBLIC, RULES, parse
from bot.domain.errors import PlatformError
from bot.domain.messages import Place
from bot.engine import Engine
from bot.runtime.health import Host
from bot.texts import NO_ENTRY, NOTHING_TO_RESET, ON_OR_OFF, STORAGE

RECENT, MANY = 10, 500
"""How many conversations of a channel are offered, the newest first, and among how many they are looked for: where
each person has their own, those of others are left out."""
PICKED = ("reset", "stop")
"""Commands that mean one conversation."""
UNDONE = (NOTHING_TO_RESET, STORAGE, RESTARTING, ON_OR_OFF, *NO_ENTRY.values())
"""What is said where nothing was done, which is nobody else's business."""
EXPORT = "What you said to me, as you asked for it with the command export:"

log = structlog.get_logger(__name__)


class Commands:
    """Answers commands: to the one person alone, but for what an admin sets for all."""

    def __init__(self, engine: Engine, workspace: Workspace, settings: Settings, host: Host) -> None:
        self._engine = engine
        self._workspace = workspace
        self._me = workspace.me
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

    async def parley(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        """`/parley <command>`, with its argument where it takes one; anything else gets the help."""
        await ack()
        name, argument = parse(_unescape(body.get("text") or ""), bare=True)
        if (name in PUBLIC and argument) or name in RULES:
            await self._set(name, argument, body, respond, client)
        else:
            await self._command(name or "help", body, respond)

    async def shortcut(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """Reset the conversation that a message belongs to."""
        await ack()
        person = meet(body, respond, self._settings)
        place = self._engine.place_for(place_of(body, self._me, self._settings), person.caller.author)
        said = await self._run("reset", place, person)
        if not await self._announce(place, person, said):
            await person.tell(said)

    async def pick(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """A thread was picked: its row names the command, its button the place."""
        await ack()
        action, person = body["actions"][0], meet(body, respond, self._settings)
        place = place_from(action["value"])
        theirs = place.person in ("", person.caller.author.id)
        if theirs and split(place)[:2] == (team_of(body, self._me), body["channel"]["id"]):
            name = action["action_id"].partition(":")[0]
            said = await self._run(name, place, person)
            await person.tell(said, replace=True)
            if name == "reset":
                await self._announce(place, person, said)

    async def _announce(self, place: Place, person: Person, said: str) -> bool:
        """Tell all in a shared conversation that somebody reset it; False where there is nothing to tell."""
        if not place.has_many_speakers or said in UNDONE:
            return False
        await replace(person, thread=split(place)[2]).tell(said, public=True)
        return True

    async def _set(
        self, name: str, argument: str, body: Mapping[str, Any], respond: AsyncRespond, client: AsyncWebClient
    ) -> None:
        """Set what holds for all in a channel, for those who may; all there see what was set."""
        person, place = meet(body, respond, self._settings), self._place(body)
        try:
            own = person.caller.admin or (place.direct and name in PUBLIC)
            may = own or await runs(client, person.caller.author.id, self._me.team)
        except PlatformError as error:
            log.warning("slack does not say whether a person is an admin", error=str(error))
            await person.tell(UNSURE)
            return
        admin, manages = person.caller.admin or (may and name in RULES), may and name in PUBLIC
        person = replace(person, caller=replace(person.caller, admin=admin, manages=manages))
        said = await self._run(name, place, person, argument)
        await person.tell(said, public=manages and said not in UNDONE)

    async def _command(self, name: str, body: Mapping[str, Any], respond: AsyncRespond) -> None:
        person, place = meet(body, respond, self._settings), self._place(body)
        whole = place.direct or name not in PICKED or self._settings.reply_in == "channel"
        barred = "" if whole else await told(self._host, lambda: self._engine.access_denial_text(place, person.caller))
        if whole or barred:
            own = self._engine.place_for(place, person.caller.author)
            said = await self._run(name, own, person)
            if barred or name != "reset" or not await self._announce(own, person, said):
                await person.tell(said)
            return
        threads = await told(self._host, lambda: self._find_threads(place, person))
        if isinstance(threads, str):
            await person.tell(threads)
        elif threads:
            await person.ask(PICK[name], rows(name, threads))
        else:
            await person.tell(NOTHING.format(bot=self._me.name, command=name))

    async def _find_threads(self, place: Place, person: Person) -> list[tuple[str, str]]:
        """(place key, latest question) of the conversations in a channel that are a person's to forget or to stop."""
        found = await self._engine.memory.places(f"{place.key}:", MANY)
        return [row for row in found if place_from(row[0]).person in ("", person.caller.author.id)][:RECENT]

    def _place(self, body: Mapping[str, Any]) -> Place:
        channel = body["channel_id"]
        return locate(team_of(body, self._me), channel, "", is_direct(channel))

    async def _run(self, name: str, place: Place, person: Person, argument: str = "") -> str:
        async def run() -> str:
            if name == "export":
                return await self._engine.export_own_words(place, person.caller.author, partial(self._give, person))
            said = await self._engine.run_command(name, place, person.caller, argument)
            return f"{said}\n\n{_list()}" if name == "help" else said

        return await told(self._host, run)

    async def _give(self, person: Person, name: str, text: str) -> None:
        """Send a person a file in their direct messages with the bot. Raises PlatformError."""
        posting = self._workspace.client.chat_postMessage(channel=person.caller.author.id, text=EXPORT, mrkdwn=False)
        posted = await call(posting)
        await attach(self._workspace, str(posted["channel"]), "", name, text)


def _list() -> str:
    """What can be said behind `/parley`."""
    return "\n".join(f"- `{PARLEY_COMMAND} {command.form}`: {command.summary}" for command in COMMANDS.values())


def _unescape(text: str) -> str:
    """What was typed: Slack escapes three characters."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
