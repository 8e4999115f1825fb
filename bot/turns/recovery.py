"""Turns that were broken off: each is brought to its end, over the posts that it has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bot import texts
from bot.domain.errors import StorageError
from bot.domain.messages import Incoming, State
from bot.domain.ports import Channel
from bot.domain.records import Answer, Asked
from bot.prompts.compose import ask
from bot.prompts.request import Desk
from bot.replies.lost_posts import find_all_posts
from bot.replies.reply import Reply
from bot.replies.streaming import tell
from bot.turns.queue import PendingTurn, TurnQueue

OpenChannel = Callable[[Incoming], Channel]
"""Makes the channel that a message is answered in, also for a message from before a restart."""
log = structlog.get_logger(__name__)


class Recovery:
    """Answers turns anew, and finishes those that a crash left open."""

    def __init__(self, desk: Desk, places: TurnQueue, obey: Callable[[PendingTurn], None]) -> None:
        self._desk = desk
        self._memory = desk.memory
        self._places = places
        self._obey = obey
        self._resume = desk.settings.resume
        self._openers: dict[str, OpenChannel] = {}
        self._finished: set[str] = set()

    def register_platform(self, platform: str, opener: OpenChannel) -> None:
        """A platform can be written to from now on."""
        self._openers[platform] = opener

    async def finish_open_turns(self, platform: str) -> None:
        """End what a crash left open: what was not begun is answered, what was half shown written anew or closed.

        Once for each platform, however often it connects: every later turn is in this program's own hands.
        """
        if platform in self._finished:
            return
        self._finished.add(platform)
        old: list[Asked] = []
        try:
            for asked in await self._memory.unfinished(platform):
                if asked.id in self._places:
                    continue
                log.info("a turn was broken off", turn=asked.id, place=asked.incoming.place.key, age=round(asked.age))
                if asked.posts and asked.age > self._resume:
                    old.append(asked)
                else:
                    self._resume_turn(asked)
            await asyncio.gather(*map(self._close_old_turn, old))
        except StorageError as error:  # the rest is left to the next connection
            self._finished.discard(platform)
            log.error("the memory failed", error=str(error))

    async def close_orphaned_turns(self, platform: str) -> None:
        """Close the turns of a platform whose readers are gone."""
        for asked in await self._memory.unfinished(platform):
            await self._memory.finish(asked.id, Answer(state=State.INTERRUPTED))

    def answer_anew(self, asked: Asked, signed: bool = False) -> bool:
        """Write an answer anew over the same posts; False where its platform cannot be written to yet.

        `signed` says that its question may carry a sign that it waits.
        """
        opener = self._openers.get(asked.incoming.place.platform)
        if opener is None:
            return False
        self._places.enqueue(PendingTurn(asked.id, asked.incoming, opener(asked.incoming), redo=asked), signed)
        return True

    def _resume_turn(self, asked: Asked) -> None:
        """Answer a turn. Of one that was begun a post may stand there, recorded or not, so it joins no other."""
        if asked.begun:
            self.answer_anew(asked, signed=not asked.posts)
        else:
            opener = self._openers[asked.incoming.place.platform]
            waiting = PendingTurn(asked.id, asked.incoming, opener(asked.incoming))
            if asked.incoming.command:
                self._obey(waiting)
            else:
                self._places.enqueue(waiting, signed=True)

    async def _close_old_turn(self, asked: Asked) -> None:
        """Leave what was shown, with an honest note."""
        channel = self._openers[asked.incoming.place.platform](asked.incoming)
        posts = await find_all_posts(channel, asked)
        screen = Reply(channel, asked.id, posts=posts, attempt=asked.attempt)
        answer = await tell(asked.draft, screen, State.INTERRUPTED, texts.BROKEN_OFF)
        question = ask(asked.questions, asked.material, self._desk.moment(asked.incoming))
        await self._memory.finish(asked.id, answer, question if asked.draft else None)
