"""Where an answer is posted: the channel of its question, or a thread that is opened from the question."""

from __future__ import annotations

import re
import unicodedata

import structlog

from adapters.discord.api.client import Rest
from adapters.discord.api.errors import GONE_CHANNEL, THREAD_EXISTS, number
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Incoming
from bot.pacing.pacer import Pacer

NAME = 100
"""Characters of a thread's name (Discord's documentation, start thread from message)."""
DAY = 1440
"""Minutes without a word after which Discord puts a thread away."""
PATIENCE = 5.0
"""Seconds that an answer waits where threads are opened too fast; after that it is a reply in the channel."""
MARKS = re.compile(r"[\s`*~|]+|^[\s>#-]+")

log = structlog.get_logger(__name__)


class Room:
    """The room of one question. With a `title` it is a thread, which has the question's id (the same documentation).

    The thread is opened with the first post; where none can be opened the room is the channel. `id` is where to post.
    """

    def __init__(self, rest: Rest, channel: str, question: str, title: str = "") -> None:
        self.id = question if title else channel
        self._rest = rest
        self._channel = channel
        self._question = question
        self._title = title
        self._sure = not title

    @property
    def shown(self) -> str:
        """Where a sign can be shown: in the channel until the thread is known to be there."""
        return self.id if self._sure else self._channel

    @property
    def beside(self) -> bool:
        """Whether the question itself stands there, so that a post can be a reply to it."""
        return self.id == self._channel

    async def open(self, pacer: Pacer) -> None:
        """Open the thread, if that is still to be done. Raises PlatformError where it may be tried again."""
        if self._sure:
            return
        path = f"/channels/{self._channel}/messages/{self._question}/threads"
        try:
            await self._rest.call("POST", path, {"name": self._title, "auto_archive_duration": DAY})
        except PlatformError as error:
            if error.retry_after is not None and error.retry_after < PATIENCE:
                pacer.back_off(error.retry_after)
                raise
            if error.fault is PlatformFault.NETWORK:
                raise
            if number(error) != THREAD_EXISTS:
                log.warning("no thread can be opened; answering in the channel", error=str(error))
                self.id = self._channel
        self._sure = True

    def leave(self, error: PlatformError) -> bool:
        """Whether a refusal says that there never was a thread: the room is the channel then."""
        if self._sure or number(error) != GONE_CHANNEL:
            return False
        self.id, self._sure = self._channel, True
        return True


def title(question: Incoming) -> str:
    """The name of the thread that a question is answered in; empty where its place is no such thread."""
    if question.place.room != f"discord:{question.message_id}" or question.channel_id == question.message_id:
        return ""
    seen = "".join(letter for letter in question.text[: 4 * NAME] if unicodedata.category(letter) not in ("Cf", "Cs"))
    words = MARKS.sub(" ", "".join(letter if letter.isprintable() else " " for letter in seen))
    name = " ".join(words.split())
    return _shorten(name) if any(map(str.isalnum, name)) else f"A question of {question.author.name}"[:NAME]


def _shorten(name: str) -> str:
    """At most `NAME` characters, cut between words where that is possible."""
    if len(name) <= NAME:
        return name
    return f"{name[:NAME].rpartition(' ')[0] or name[: NAME - 1]}…"
