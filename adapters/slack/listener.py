"""From an event to a turn: whom it is for, and whether the bot was told to be quiet there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from adapters.slack.api.ranks import UNSURE, runs
from adapters.slack.api.workspace import Workspace
from adapters.slack.inbound.context import Past
from adapters.slack.inbound.edits import changed, deleted
from adapters.slack.inbound.messages import Spoken, find_audience, incoming, read, spoken
from adapters.slack.inbound.users import People
from adapters.slack.outbound.channel import SlackChannel
from adapters.slack.scopes import HEARD
from adapters.slack.settings import Settings
from bot.domain.audience import Audience, is_for_bot
from bot.domain.errors import PlatformError
from bot.domain.messages import Incoming, Page, State
from bot.domain.records import Answer, Turn
from bot.engine import Engine

QUIET = "quiet"
"""What `@bot quiet` is called in a place's metadata; its value is the `ts` of the message that said so."""
UNHEARD = (
    "But I cannot read everywhere what does not mention me: the app lacks {scopes}. My owner can update it from "
    "`parley manifest` and install it again."
)
"""What follows on `/parley listen on` where Slack keeps back what does not mention the bot."""
HUSHED = "Quiet now. Mention me here when you want an answer again."

log = structlog.get_logger(__name__)


class Intake:
    """Takes events and hands to the engine what asks for an answer, and what becomes of it.

    `past` is where its channels look around.
    """

    def __init__(self, engine: Engine, workspace: Workspace, settings: Settings) -> None:
        self._engine = engine
        self._workspace = workspace
        self._follow_ups = settings.thread_follow_ups
        self._in_channel = settings.reply_in == "channel"
        self._admins = settings.admins
        self._called = engine.settings.names
        missing = sorted(HEARD - workspace.scopes) if workspace.scopes else ()
        hindrance = UNHEARD.format(scopes=" and ".join(missing)) if missing else ""
        engine.listening.hindrances["slack"] = hindrance
        self._people = People(workspace)
        self.past = Past(workspace, self._people, engine.settings.around)

    async def take(self, body: Mapping[str, Any], late: bool = False) -> None:
        """Begin a turn if the event asks for one, or take in what was changed or deleted.

        `late` says that the bot was away when it was said.
        The event may be acknowledged when this returns. Raises StorageError where it cannot be written down, or only
        the memory knows whether it is for the bot: Slack then delivers it again.
        """
        me = self._workspace.me
        said = spoken(body, me, self._engine.access.bots, self._in_channel)
        if said is None:
            await self._follow(body)
            return
        audience = find_audience(said, me, self._called)
        if not is_for_bot(audience, audience is Audience.ANYBODY and await self._answers_unasked(said, late)):
            return
        question = incoming(said, me, {}, True, self._admins, self._called)
        if question and await self._engine.admit(replace(question, late=late), self._open(question)):
            names = await self._people.names(said.people)
            named = incoming(said, me, names, True, self._admins, self._called) or question
            await self._begin(said, replace(named, late=late))

    async def _follow(self, body: Mapping[str, Any]) -> None:
        """Let the record follow what was changed or deleted, unless the bot did it."""
        me = self._workspace.me
        if gone := deleted(body):
            if (gone.channel, gone.ts) not in self._workspace.deleted:
                await self._engine.message_deleted("slack", gone.channel, gone.ts)
            return
        said = changed(body, me, self._engine.access.bots, self._in_channel)
        if said and await self._engine.memory.heard(read(said, me, {})):
            names = await self._people.names(said.people)
            await self._engine.message_edited(read(said, me, names, self._admins, self._called))

    async def _answers_unasked(self, said: Spoken, late: bool) -> bool:
        """Whether the bot answers there without being addressed, and was not told to be quiet.

        In a thread it has to take part, also where it answers everything in the channel: threads of others are theirs.
        """
        listens = await self._engine.listening.answers_all(said.place, said.sent if late else math.inf)
        if not (listens or (said.thread and self._follow_ups)) or (said.thread and not await self._takes_part(said)):
            return False
        return QUIET not in await self._engine.memory.metadata(said.place.key)

    async def _takes_part(self, said: Spoken) -> bool:
        """Whether the bot was asked in a thread.

        Where answers stand in the channel, also whether the thread hangs under one of them, or under its question.
        """
        memory, me = self._engine.memory, self._workspace.me
        if await memory.asked(said.place.key):
            return True
        first = replace(read(said, me, {}), message_id=said.thread)
        return said.in_channel and (said.parent == me.user or await memory.heard(first))

    async def _begin(self, said: Spoken, question: Incoming) -> None:
        if not (question.follows or said.direct):
            if question.text.casefold() == QUIET:
                await self._hush(said, question)
                return
            await self._rouse(said)
        if " " in question.command:  # it sets something for all
            try:
                manages = said.direct or await runs(self._workspace.client, said.user, self._workspace.me.team)
            except PlatformError as error:
                log.warning("slack does not say whether a person is an admin", error=str(error))
                if turn := await self._engine.memory.claim(question):
                    await self._tell(turn, question, UNSURE)
                return
            question = replace(question, manages=manages)
        await self._engine.submit(question, self._open(question))

    def _open(self, question: Incoming) -> SlackChannel:
        return SlackChannel(self._workspace, question, past=self.past)

    async def _hush(self, said: Spoken, question: Incoming) -> None:
        """Be quiet in the thread, and say so once."""
        if turn := await self._engine.memory.claim(question):
            await self._engine.memory.annotate(said.place.key, QUIET, said.ts)
            await self._tell(turn, question, HUSHED)

    async def _tell(self, turn: Turn, question: Incoming, text: str) -> None:
        """Answer a message with a sentence."""
        try:
            answer = Answer(text, posts=(await self._open(question).post(Page(text)),))
        except PlatformError as error:
            log.warning("an answer could not be shown", fault=error.fault.value, error=str(error))
            answer = Answer(text, State.FAILED, fault=error.fault.value)
        await self._engine.memory.finish(turn.id, answer)

    async def _rouse(self, said: Spoken) -> None:
        """A mention ends the quiet, unless it is older than that: a late delivery."""
        since = (await self._engine.memory.metadata(said.place.key)).get(QUIET)
        if since and said.ts > str(since):
            await self._engine.memory.annotate(said.place.key, QUIET, None)
