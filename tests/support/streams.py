"""Streams of both protocols as lists of events, and reading them without a network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from bot.domain.messages import State, Usage
from bot.models.protocols.anthropic_events import BlockReading
from bot.models.protocols.error_mapper import Faults
from bot.models.protocols.openai_events import ChatReading
from bot.models.protocols.stream_parser import Reading

FAULTS = Faults("openai/m", "openai", "OPENAI_API_KEY", "https://api.openai.com/v1", SecretStr(""))
Json = dict[str, Any]


def chat() -> Reading:
    """A reading of OpenAI's protocol."""
    return ChatReading(FAULTS)


def blocks() -> Reading:
    """A reading of Anthropic's."""
    return BlockReading(FAULTS)


def read(reading: Reading, events: Sequence[Any]) -> tuple[str, State, Usage | None]:
    """(text, end, usage) of a stream of these events; bytes are passed as they are. Raises ModelError."""
    text = ""
    data = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    for piece in [*map(reading.read, data), reading.rest()]:
        if piece:
            text = piece.text if piece.withdrawn else text + piece.text
            text.encode()  # no half characters
    last = reading.finish()
    assert last.end
    return text, last.end, last.usage


def delta(end: str | None = None, **delta: Any) -> Json:
    """A chunk of OpenAI's protocol."""
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}


CHAT: list[Json] = [
    {"id": "c", "model": "m", "created": 1, "system_fingerprint": "f", **delta(role="assistant", content="")},
    {"id": "c", "usage": None, **delta(reasoning_content="Hm.", content=None)},
    {"id": "c", "usage": {"prompt_tokens": 5, "completion_tokens": 1}, **delta(content="One ")},
    {"id": "c", "service_tier": "x", **delta(content="two "), "logprobs": {"content": []}},
    {"id": "c", **delta(content="three.")},
    {"id": "c", **delta("stop")},
    {
        "id": "c",
        "choices": [],
        "usage": {"prompt_tokens": 5, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}},
    },
]
START: Json = {"type": "message_start", "message": {"id": "m", "content": [], "usage": {"input_tokens": 9}}}
STOP: Json = {"type": "message_stop"}
END: Json = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}


def said(text: str, index: int = 0) -> Json:
    """A piece of text in Anthropic's protocol."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}


BLOCKS: list[Json] = [
    START,
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    said("One ", 1),
    {"type": "ping"},
    said("two ", 1),
    said("three.", 1),
    {"type": "content_block_stop", "index": 1},
    END,
    STOP,
]
