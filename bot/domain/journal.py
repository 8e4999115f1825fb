"""The turns as the engine needs them written down: a part of what `bot.domain.ports` asks of a memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.domain.messages import Incoming, Message
from bot.domain.records import Answer, Asked, Material, Turn


class Journal(Protocol):
    """The turns: each platform message is claimed once. Every call raises StorageError."""

    async def claim(self, incoming: Incoming) -> Turn | None:
        """Write down that this message asks for an answer; None when it was claimed or declined before."""
        ...

    async def heard(self, incoming: Incoming) -> bool:
        """Whether this message was claimed or declined before."""
        ...

    async def decline(self, incoming: Incoming) -> None:
        """Write down that this message is turned away, by its ids alone: it cannot be claimed any more."""
        ...

    async def begin(self, turn: int, others: Sequence[int] = ()) -> None:
        """Write down that a turn is about to be answered, before anything of it is posted.

        `others` become a part of it: they have no answer of their own.
        """
        ...

    async def supply(self, turn: int, material: Material) -> None:
        """Write down what came with the question of a turn; its notes are not kept."""
        ...

    async def progress(self, turn: int, posts: Sequence[str], draft: str) -> None:
        """Write down which posts show the answer so far, and what they show."""
        ...

    async def finish(self, turn: int, answer: Answer, question: Message | None = None) -> None:
        """Close a turn; with a question, question and answer enter the memory in the same transaction.

        The question is remembered as it reads then, if it was amended meanwhile.
        """
        ...

    async def reopen(self, turn: int) -> int:
        """Say that a turn is answered anew; returns which attempt that is, counted from 0."""
        ...

    async def turn(self, id: int) -> Asked | None:
        """A turn as it is written down; None when it was forgotten, and for commands."""
        ...

    async def unfinished(self, platform: str) -> list[Asked]:
        """The turns of a platform that were never closed, commands too, the oldest first."""
        ...

    async def amend(self, incoming: Incoming) -> Asked | None:
        """Take in that a message was changed; the memory has its new text. None if it is unknown, or says the same."""
        ...

    async def retract(self, platform: str, channel_id: str, message_id: str) -> Asked | None:
        """Take in that a question or a post of an answer was deleted: the turn leaves the memory. None if unknown."""
        ...
