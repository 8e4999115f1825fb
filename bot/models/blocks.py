"""Anthropic's messages protocol, event by event."""

from __future__ import annotations

from typing import Any

from bot.messages import State, Usage
from bot.models.faults import Faults
from bot.models.reading import Reading
from bot.ports import Piece

ENDS = {
    "max_tokens": State.CUT,
    "model_context_window_exceeded": State.CUT,
    "refusal": State.REFUSED,
}
"""Every other reason to stop is a proper end."""


class BlockReading(Reading):
    """An answer that comes as events, or as one whole message."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults)
        self._counts: dict[str, Any] = {}

    def take(self, event: dict[str, Any]) -> Piece | None:
        """Take in an event; of the kinds that are not known here nothing is wanted."""
        if event.get("error"):
            raise self.faults.refused(None, event)
        match event.get("type"):
            case "content_block_delta":
                return self._say(event["delta"])
            case "content_block_start":
                return self._say(event["content_block"])
            case "message_start":
                self._count(event["message"].get("usage"))
            case "message_delta":
                self._count(event.get("usage"))
                self._stop(event["delta"])
            case "message_stop":
                self.over = True
            case "message":
                return self._whole(event)
        return None

    def _say(self, block: dict[str, Any]) -> Piece | None:
        return self.piece(block.get("text") or "", block.get("thinking") or "")

    def _whole(self, message: dict[str, Any]) -> Piece | None:
        self._count(message.get("usage"))
        self._stop(message)
        blocks = message["content"]
        return self.piece(
            "".join(block.get("text") or "" for block in blocks),
            "".join(block.get("thinking") or "" for block in blocks),
        )

    def _stop(self, source: dict[str, Any]) -> None:
        if reason := source.get("stop_reason"):
            self.end = ENDS.get(reason, State.DONE)

    def _count(self, usage: dict[str, Any] | None) -> None:
        """The counts are cumulative; a later event says only those that have changed."""
        self._counts |= {name: count for name, count in (usage or {}).items() if count is not None}
        cached = self._counts.get("cache_read_input_tokens", 0)
        written = self._counts.get("cache_creation_input_tokens", 0)
        fresh = self._counts.get("input_tokens", 0)
        self.usage = Usage(fresh + cached + written, self._counts.get("output_tokens", 0), cached, written)
