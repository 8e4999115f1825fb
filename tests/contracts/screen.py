"""What a platform shows, as the contract of channels reads it and hinders it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from bot.domain.errors import PlatformFault
from bot.domain.messages import Control


class Screen(Protocol):
    """What the platform shows, and how a test hinders it; limits are off but for `refuse`."""

    limit: int
    """The letters that the platform takes in one message, by its own count."""

    def shown(self, id: str) -> str | None:
        """What a message shows, its note included, blanks at its ends aside; None where it is gone."""
        ...

    def notified(self) -> Sequence[str]:
        """Whom the bot's messages notified by what they say; a reply that tells the asker is none of it."""
        ...

    def intrudes(self, id: str) -> bool:
        """Whether a post made a sound or points at the question again."""
        ...

    def controls(self, id: str) -> list[tuple[Control, int]]:
        """What a reader can press under a message, and for which turn."""
        ...

    def waits(self) -> bool:
        """Whether the question shows that it waits for its turn."""
        ...

    def calls(self, verb: str) -> int:
        """How many calls were made to "post", "edit", "delete", show "typing" or show "waiting"."""
        ...

    def refuse(self, verb: str, fault: PlatformFault, times: int = 1) -> None:
        """Let the next calls of a verb be refused; RATE says to wait half a minute."""
        ...

    def lose(self, verb: str) -> None:
        """Let the next call of a verb be done and its answer lost."""
        ...

    async def until(self, predicate: Callable[[], bool]) -> object:
        """Wait until something holds."""
        ...
