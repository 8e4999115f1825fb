"""Anthropic's messages protocol, event by event, in the dialects that its servers speak."""

from __future__ import annotations

from typing import Any

from bot.domain.messages import State, Usage
from bot.models.protocols.error_mapper import Faults
from bot.models.protocols.json_shapes import read_count, read_object, read_objects, read_parts, read_text
from bot.models.protocols.server_features import Server
from bot.models.protocols.stream_parser import Reading

COUNTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


class BlockReading(Reading):
    """An answer that comes as events, or as one whole message."""

    def __init__(self, faults: Faults, server: Server | None = None, model: str = "") -> None:
        super().__init__(faults, server, model)
        self._counts: dict[str, int] = {}

    def take(self, event: dict[str, Any]) -> None:
        """Take in an event; of the kinds that are not known here nothing is wanted."""
        if event.get("error") or event.get("type") == "error":
            self.fail(self.faults.refused(None, event))
            return
        match event.get("type"):
            case "content_block_delta":
                self._say(read_object(event.get("delta")))
            case "content_block_start":
                self._say(read_object(event.get("content_block")))
            case "message_start":
                self._count(read_object(event.get("message")))
            case "message_delta":
                self._count(event, last=True)
                self.stop(read_object(event.get("delta")).get("stop_reason"), State.DONE)
            case "message_stop":
                self.end, self.over = self.end or State.DONE, True
            case "message":
                self._take_whole(event)
            case None if event.get("role") == "assistant":
                self._take_whole(event)

    def _say(self, block: dict[str, Any]) -> None:
        self.think(read_text(block.get("thinking")))
        for text, thought in read_parts(block.get("text")):
            self.think(text) if thought else self.say(text)

    def _take_whole(self, message: dict[str, Any]) -> None:
        content = message.get("content")
        for block in [{"text": content}] if isinstance(content, str) else read_objects(content):
            self._say(block)
        self._count(message, last=True)
        self.stop(message.get("stop_reason") or "end_turn", State.DONE)

    def _count(self, holder: dict[str, Any], *, last: bool = False) -> None:
        """The counts are cumulative; a later event says only those that have changed."""
        usage = read_object(holder.get("usage"))
        self.counted = self.counted or (last and read_count(usage.get("output_tokens")) > 0)
        self._counts |= {name: read_count(usage[name]) for name in COUNTS if usage.get(name) is not None}
        fresh, cached, written, output = (self._counts.get(name, 0) for name in COUNTS)
        if total := fresh + cached + written:
            self.usage = Usage(total, output, cached, written)
