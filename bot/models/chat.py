"""The chat-completions protocol, event by event, in the dialects that its servers speak."""

from __future__ import annotations

from typing import Any

from bot.messages import State, Usage
from bot.models.costs import read_cost
from bot.models.faults import Faults
from bot.models.reading import Reading
from bot.models.thinking import Thinking
from bot.ports import Piece

DONE = b"[DONE]"
ENDS = {"length": State.CUT, "content_filter": State.REFUSED}
"""Every other reason to finish is a proper end."""


class ChatReading(Reading):
    """An answer that comes as chunks, or as one whole completion."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults)
        self._thinking = Thinking()
        self._refused = False

    def read(self, data: bytes) -> Piece | None:
        """Take in the data of one event. Raises ModelError."""
        if not data.strip():
            return None
        if data.strip() == DONE:
            self.over = True
            return None
        return super().read(data)

    def take(self, event: dict[str, Any]) -> Piece | None:
        """Take in a chunk, a completion, or an error."""
        if event.get("error"):
            raise self.faults.refused(None, event)
        if usage := event.get("usage"):
            self._count(usage)
        if not (choices := event.get("choices")):
            return None
        choice = choices[0]
        piece = self._say(choice.get("delta") or choice.get("message") or {})
        if reason := choice.get("finish_reason") or ("message" in choice and "stop"):
            self.end = State.REFUSED if self._refused else ENDS.get(reason, State.DONE)
        return piece

    def rest(self) -> Piece | None:
        """The start of a tag that was none."""
        return self.piece(*self._thinking.close())

    def _say(self, delta: dict[str, Any]) -> Piece | None:
        reasoning = delta.get("reasoning") or delta.get("reasoning_content") or ""
        text, thoughts = self._thinking.feed(delta.get("content") or "")
        if refusal := delta.get("refusal"):
            self._refused = True
            text += refusal
        return self.piece(text, reasoning + thoughts)

    def _count(self, usage: dict[str, Any]) -> None:
        details = usage.get("prompt_tokens_details") or {}
        self.usage = Usage(
            usage.get("prompt_tokens") or 0,
            usage.get("completion_tokens") or 0,
            details.get("cached_tokens") or 0,
            details.get("cache_write_tokens") or 0,
            read_cost(usage),
        )
