"""Messages of an answer that a crash kept from being written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import structlog

from bot.domain.errors import PlatformError
from bot.domain.ports import Channel
from bot.domain.records import Asked

log = structlog.get_logger(__name__)


@runtime_checkable
class Retrieval(Protocol):
    """A channel that can look for the messages of a turn."""

    async def find_posts(self, turn: int, known: Sequence[str]) -> Sequence[str]:
        """Return the ids of the messages of a turn that are none of the known ones, the oldest first.

        Raises PlatformError.
        """
        ...


async def find_all_posts(channel: Channel, asked: Asked) -> tuple[str, ...]:
    """Return the ids of the messages that a broken-off turn has: those on record, and behind them those that are found.

    Without any on record the channel looks when it posts.
    """
    if not asked.posts or not isinstance(channel, Retrieval):
        return asked.posts
    try:
        return (*asked.posts, *await channel.find_posts(asked.id, asked.posts))
    except PlatformError as error:
        log.warning("messages of a turn could not be looked for", fault=error.fault.value, error=str(error))
        return asked.posts
