"""From an event to a turn: whom it is for, and whether the bot was told to be quiet there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import structlog

from adapters.slack.changes import changed, deleted
from adapters.slack.channel import SlackChannel
from adapters.slack.incoming import Spoken, follows, incoming, read, spoken
from adapters.slack.people import People
from adapters.slack.surroundings import Past
from adapters.slack.workspace import Workspace
from bot.engine import Engine
from bot.errors import PlatformError
from bot.messages import Incoming, Page, State
from bot.record import Answer

QUIET = "quiet"
"""What `@bot quiet` is called in a place's metadata; its value is the `ts` of the message that said so."""
HUSHED = "Quiet now. Mention me here when you want an answer again."

log = structlog.get_logger(__name__)


class Intake:
    """Takes events and hands to the engine what asks for an answer, and what becomes of it.

    `past` is where its channels look around.
    """

    def __init__(self, engine: Engine, workspace: Workspace, follow_ups: bool, admins: Collection[str] = ()) -> None:
        self._engine = engine
        self._workspace = workspace
        self._follow_ups = follow_ups
        self._admins = admins
        self._people = People(workspace)
        self.past = Past(workspace, self._people, engine.settings.around)

    async def take(self, body: Mapping[str, Any], late: bool = False) -> None:
        """Begin a turn if the event asks for one, or take in what was changed or deleted.

        `late` says that the bot was away when it was said.
        The event may be acknowledged when this returns. Raises StorageError where it cannot be written down, or only
        the memory knows whether it is for the bot: Slack then delivers it again.
        """
        me = self._workspace.me
        said = spoken(body, me, self._engine.access.bots)
        if said is None:
            await self._follow(body)
            return
        joined = follows(said, me) and await self._joined(said)
        if not (said.direct or said.mention or joined):
            return
        question = incoming(said, me, {}, joined, self._admins)
        if question and await self._engine.admits(replace(question, late=late), self._open(question)):
            names = await self._people.names(said.people)
            named = incoming(said, me, names, joined, self._admins) or question
            await self._begin(said, replace(named, late=late))

    async def _follow(self, body: Mapping[str, Any]) -> None:
        """Let the record follow what was changed or deleted, unless the bot did it."""
        me = self._workspace.me
        if gone := deleted(body):
            if (gone.channel, gone.ts) not in self._workspace.deleted:
                await self._engine.retract("slack", gone.channel, gone.ts)
        elif (said := changed(body, me, self._engine.access.bots)) and await self._engine.memory.asked(said.place.key):
            names = await self._people.names(said.people)
            await self._engine.amend(read(said, me, names, self._admins))

    async def _joined(self, said: Spoken) -> bool:
        """Whether the bot takes part in the thread and may speak unasked there."""
        if not self._follow_ups or not await self._engine.memory.asked(said.place.key):
            return False
        return QUIET not in await self._engine.memory.metadata(said.place.key)

    async def _begin(self, said: Spoken, question: Incoming) -> None:
        if said.mention and not said.direct:
            if question.text.casefold() == QUIET:
                await self._hush(said, question)
                return
            await self._rouse(said)
        await self._engine.take(question, self._open(question))

    def _open(self, question: Incoming) -> SlackChannel:
        return SlackChannel(self._workspace, question, past=self.past)

    async def _hush(self, said: Spoken, question: Incoming) -> None:
        """Be quiet in the thread, and say so once."""
        turn = await self._engine.memory.claim(question)
        if turn is None:
            return
        await self._engine.memory.annotate(said.place.key, QUIET, said.ts)
        try:
            answer = Answer(HUSHED, posts=(await self._open(question).post(Page(HUSHED)),))
        except PlatformError as error:
            log.warning("an answer could not be shown", fault=error.fault.value, error=str(error))
            answer = Answer(HUSHED, State.FAILED, fault=error.fault.value)
        await self._engine.memory.finish(turn.id, answer)

    async def _rouse(self, said: Spoken) -> None:
        """A mention ends the quiet, unless it is older than that: a late delivery."""
        since = (await self._engine.memory.metadata(said.place.key)).get(QUIET)
        if since and said.ts > str(since):
            await self._engine.memory.annotate(said.place.key, QUIET, None)
