"""Anthropic's messages API on a loopback port: its errors, its pickiness, its event stream."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any, NoReturn

from aiohttp import web

from tests.loopback.parts import PICTURES, decode, matches, shaped, spoken
from tests.loopback.provider import Provider, RefusalError
from tests.loopback.script import Dialect, Json

VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")
KNOWN = {
    "model", "messages", "system", "max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences",
    "cache_control", "metadata", "thinking", "service_tier", "tools", "tool_choice", "output_config",
}  # fmt: skip

IMAGE = 5 * 1024 * 1024
"""The longest base64 text of one image."""


def event(kind: str, **fields: Any) -> bytes:
    """An event of the stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n".encode()


class MessageDialect(Dialect):
    """Blocks of text and thinking between the start of a message and its end."""

    DONE = "end_turn"
    CUT = "max_tokens"

    def __init__(self, body: Json) -> None:
        self.limit = body["max_tokens"]
        self._model = body["model"]
        said = [spoken(message["content"]) for message in body["messages"]]
        self._input = sum(len(text.split()) for text in [*said, body.get("system", "")])
        self._output = 0
        self._block = ""
        self._blocks = 0

    def begin(self) -> bytes:
        return event("message_start", message={**self._message(), "content": []}) + event("ping")

    def text(self, text: str) -> bytes:
        return self._open("text", {"type": "text", "text": ""}) + self._delta({"type": "text_delta", "text": text})

    def thought(self, text: str) -> bytes:
        block = {"type": "thinking", "thinking": "", "signature": ""}
        return self._open("thinking", block) + self._delta({"type": "thinking_delta", "thinking": text})

    def failure(self, kind: str, message: str) -> bytes:
        return event("error", **_error(kind, message))

    def end(self, reason: str) -> bytes:
        delta = {"stop_reason": reason, "stop_sequence": None}
        counts = event("message_delta", delta=delta, usage={"output_tokens": self._output})
        return self._close() + counts + event("message_stop")

    def whole(self, text: str, reason: str) -> Json:
        content = [{"type": "text", "text": text}]
        self._output = len(text.split())
        return {**self._message(), "content": content, "stop_reason": reason}

    def _message(self) -> Json:
        usage = {
            "input_tokens": self._input - 2,
            "cache_creation_input_tokens": 1,
            "cache_read_input_tokens": 1,
            "output_tokens": self._output,
        }
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }

    def _open(self, kind: str, block: Json) -> bytes:
        if self._block == kind:
            return b""
        closed = self._close()
        self._block = kind
        return closed + event("content_block_start", index=self._blocks, content_block=block)

    def _delta(self, delta: Json) -> bytes:
        self._output += 1
        return event("content_block_delta", index=self._blocks, delta=delta)

    def _close(self) -> bytes:
        if not self._block:
            return b""
        self._block = ""
        self._blocks += 1
        return event("content_block_stop", index=self._blocks - 1)


class FakeAnthropic(Provider):
    """Anthropic; the base URL has no path."""

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/messages", self.ask), web.get("/v1/models", self._list)]

    def error(self, kind: str, message: str) -> Json:
        return {"type": "error", **_error(kind, message), "request_id": "req_1"}

    def dialect(self, body: Json) -> Dialect:
        return MessageDialect(body)

    def admit(self, headers: Any) -> None:
        if self.key not in ("", headers.get("x-api-key"), headers.get("Authorization", "").removeprefix("Bearer ")):
            raise RefusalError(401, self.error("authentication_error", "invalid x-api-key"))
        if not VERSION.fullmatch(headers.get("anthropic-version", "")):
            raise RefusalError(400, self.error("invalid_request_error", "anthropic-version: header is required"))

    def inspect(self, body: Json) -> None:
        if unknown := sorted(set(body) - KNOWN):
            self._refuse(f"{unknown[0]}: Extra inputs are not permitted")
        if refused := sorted(set(body) & self.refuses):
            self._refuse(f"`{refused[0]}` is deprecated for this model.")
        for field in ("model", "messages", "max_tokens"):
            if field not in body:
                self._refuse(f"{field}: Field required")
        if not isinstance(body["max_tokens"], int) or body["max_tokens"] < 1:
            self._refuse("max_tokens: Input should be greater than or equal to 1")
        self._inspect_cache(body, "")
        if "system" in body and not body["system"]:
            self._refuse("system: text content blocks must be non-empty")
        if body["model"] not in self.models:
            raise RefusalError(404, self.error("not_found_error", f"model: {body['model']}"))
        self._inspect(body["messages"])

    def _inspect(self, messages: Any) -> None:
        if not isinstance(messages, list) or not messages:
            self._refuse("messages: at least one message is required")
        for number, message in enumerate(messages):
            if set(message) != {"role", "content"} or message["role"] not in ("user", "assistant"):
                self._refuse(f"messages.{number}.role: Input should be 'user' or 'assistant'")
            self._inspect_content(message["content"], f"messages.{number}.content", message["role"] == "user")
            if message["role"] != ("assistant" if number % 2 else "user"):
                self._refuse('messages: first message must use the "user" role, and roles must alternate')
        if messages[-1]["role"] != "user":
            self._refuse("The conversation must end with a user message.")

    def _inspect_cache(self, holder: Json, where: str) -> None:
        control = holder.get("cache_control", {"type": "ephemeral"})
        if not isinstance(control, dict) or control.get("type") != "ephemeral":
            self._refuse(f"{where}cache_control.type: Input should be 'ephemeral'")
        if control.keys() - {"type", "ttl"} or control.get("ttl", "5m") not in ("5m", "1h"):
            self._refuse(f"{where}cache_control.ephemeral.ttl: Input should be '5m' or '1h'")

    def _inspect_content(self, content: Any, where: str, user: bool) -> None:
        """A text, or a list of blocks; only a user's may be more than text."""
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not isinstance(blocks, list) or not blocks:
            self._refuse(f"{where}: Input should be a valid list")
        for number, block in enumerate(blocks):
            here = f"{where}.{number}"
            if not isinstance(block, dict):
                self._refuse(f"{here}: Input should be an object")
            self._inspect_cache(block, f"{here}.")
            block = {name: value for name, value in block.items() if name != "cache_control"}
            match block.get("type"):
                case "text" if shaped(block, type=str, text=str):
                    if not block["text"].strip():
                        self._refuse("messages: text content blocks must contain non-whitespace text")
                case "image" if user and shaped(block, type=str, source=dict):
                    self._inspect_image(block["source"], f"{here}.image.source.base64")
                case "document" if user and shaped({"title": "", **block}, type=str, source=dict, title=str):
                    self._inspect_document(block["source"], f"{here}.document.source.base64")
                case other:
                    self._refuse(f"{here}: Input tag '{other}' or its fields are not as expected")

    def _inspect_image(self, source: Json, where: str) -> None:
        data = self._source(source, PICTURES, where)
        if (size := len(source["data"])) > IMAGE:
            self._refuse(f"{where}: image exceeds 5 MB maximum: {size} bytes > {IMAGE} bytes")
        if not matches(source["media_type"], data):
            self._refuse(f"{where}.data: Image does not match the provided media type {source['media_type']}")

    def _inspect_document(self, source: Json, where: str) -> None:
        if not matches("application/pdf", self._source(source, {"application/pdf"}, where)):
            self._refuse(f"{where}: The PDF specified was not valid.")

    def _source(self, source: Json, types: Collection[str], where: str) -> bytes:
        if not shaped(source, type=str, media_type=str, data=str) or source["type"] != "base64":
            self._refuse(f"{where}: Field required")
        if source["media_type"] not in types:
            self._refuse(f"{where}.media_type: Input should be one of {sorted(types)}")
        data = decode(source["data"])
        if data is None:
            self._refuse(f"{where}: invalid base64 data")
        return data

    async def _list(self, request: web.Request) -> web.Response:
        try:
            self.admit(request.headers)
        except RefusalError as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        data = [{"type": "model", "id": name, "display_name": name, **self.about.get(name, {})} for name in self.models]
        return web.json_response({"data": data, "has_more": False, "first_id": None, "last_id": None})

    def _refuse(self, message: str) -> NoReturn:
        raise RefusalError(400, self.error("invalid_request_error", message))


def _error(kind: str, message: str) -> Json:
    return {"error": {"type": kind, "message": message}}
