"""OpenAI's chat completions on a loopback port: its errors, its pickiness, its event stream."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from aiohttp import web

from tests.loopback.parts import PICTURES, decode, matches, shaped, spoken
from tests.loopback.provider import Provider, RefusalError
from tests.loopback.script import Dialect, Json

KNOWN = {
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p",
    "stop", "n", "seed", "user", "presence_penalty", "frequency_penalty", "reasoning_effort", "tools", "store",
}  # fmt: skip
ROLES = {"system", "developer", "user", "assistant"}
INSTEAD = {"max_tokens": " Use 'max_completion_tokens' instead.", "temperature": " Only the default (1) is supported."}


def chunk(delta: Json, finish: str | None = None, **more: Any) -> bytes:
    """A chunk with one choice, as an event."""
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})


def event(fields: Json) -> bytes:
    """A chunk with these fields, as an event."""
    common = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "test-model"}
    return f"data: {json.dumps({**common, **fields}, ensure_ascii=False)}\n\n".encode()


class ChatDialect(Dialect):
    """Chunks, the count of tokens only where it was asked for, and `[DONE]`."""

    DONE = "stop"
    CUT = "length"

    def __init__(self, body: Json) -> None:
        self.limit = body.get("max_completion_tokens") or body.get("max_tokens") or 4096
        self._counts = bool((body.get("stream_options") or {}).get("include_usage"))
        self._more: Json = {"usage": None} if self._counts else {}
        self._input = sum(len(spoken(message["content"]).split()) for message in body["messages"])
        self._output = 0

    def begin(self) -> bytes:
        return chunk({"role": "assistant", "content": "", "refusal": None}, **self._more)

    def text(self, text: str) -> bytes:
        self._output += 1
        return chunk({"content": text}, **self._more)

    def thought(self, text: str) -> bytes:
        self._output += 1
        return chunk({"content": None, "reasoning_content": text}, **self._more)

    def failure(self, kind: str, message: str) -> bytes:
        return f"data: {json.dumps(error(kind, message))}\n\n".encode()

    def end(self, reason: str) -> bytes:
        counts = event({"choices": [], "usage": self._usage()}) if self._counts else b""
        return chunk({}, reason, **self._more) + counts + b"data: [DONE]\n\n"

    def whole(self, text: str, reason: str) -> Json:
        self._output = len(text.split())
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return {"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice], "usage": self._usage()}

    def _usage(self) -> Json:
        return {
            "prompt_tokens": self._input,
            "completion_tokens": self._output,
            "total_tokens": self._input + self._output,
            "prompt_tokens_details": {"cached_tokens": self._input // 2},
        }


def error(kind: str, message: str, param: str | None = None, type: str = "invalid_request_error") -> Json:
    """The body of an error; `kind` is its code."""
    return {"error": {"message": message, "type": type, "param": param, "code": kind or None}}


class FakeOpenAI(Provider):
    """OpenAI, or with other arguments a server that only speaks its protocol."""

    path = "/v1"

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/chat/completions", self.ask), web.get("/v1/models", self._list)]

    def error(self, kind: str, message: str) -> Json:
        return error(kind, message)

    def dialect(self, body: Json) -> Dialect:
        return ChatDialect(body)

    def admit(self, headers: Any) -> None:
        given = headers.get("Authorization", "")
        if self.key and given != f"Bearer {self.key}":
            shown = given.removeprefix("Bearer ")
            message = f"Incorrect API key provided: {shown[:8]}*****{shown[-4:]}. You can find your API key at …"
            raise RefusalError(401, error("invalid_api_key", message))

    def inspect(self, body: Json) -> None:
        if unknown := sorted(set(body) - KNOWN):
            _refuse("unknown_parameter", f"Unknown parameter: '{unknown[0]}'.", unknown[0])
        if refused := sorted(set(body) & self.refuses):
            why = (
                f"Unsupported parameter: '{refused[0]}' is not supported with this model.{INSTEAD.get(refused[0], '')}"
            )
            _refuse("unsupported_parameter", why, refused[0])
        if body.get("model") not in self.models:
            message = f"The model `{body.get('model')}` does not exist or you do not have access to it."
            raise RefusalError(404, error("model_not_found", message))
        if "stream_options" in body and not body.get("stream"):
            _refuse("", "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
        for limit in {"max_tokens", "max_completion_tokens"} & set(body):
            if not isinstance(body[limit], int) or body[limit] < 1:
                _refuse("integer_below_min_value", f"Invalid '{limit}'.", limit)
        _inspect(body.get("messages"))

    async def _list(self, request: web.Request) -> web.Response:
        try:
            self.admit(request.headers)
        except RefusalError as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        common = {"object": "model", "created": 1, "owned_by": "test"}
        data = [{"id": name, **common, **self.about.get(name, {})} for name in self.models]
        return web.json_response({"object": "list", "data": data})


def _inspect(messages: Any) -> None:
    """Stricter than OpenAI, as strict as the templates of many models: the speakers alternate after the system."""
    if not isinstance(messages, list) or not messages:
        _refuse("empty_array", "Invalid 'messages': empty array.", "messages")
    for number, message in enumerate(messages):
        if set(message) != {"role", "content"} or message["role"] not in ROLES:
            _refuse("invalid_value", f"Invalid value at messages[{number}].role.", f"messages[{number}].role")
        _inspect_content(message["content"], f"messages[{number}].content", message["role"] == "user")
    speakers = [message["role"] for message in messages[messages[0]["role"] in ("system", "developer") :]]
    if (
        any(role != ("assistant" if turn % 2 else "user") for turn, role in enumerate(speakers))
        or len(speakers) % 2 == 0
    ):
        _refuse("", "Conversation roles must alternate user/assistant/user/assistant/...", "messages")


def _inspect_content(content: Any, where: str, user: bool) -> None:
    """A text, or a list of parts; only a user's may be more than text. Stricter than OpenAI: no text is empty."""
    if isinstance(content, str):
        return
    if not isinstance(content, list) or not content:
        _refuse("invalid_type", f"Invalid type for '{where}'.", where)
    for number, part in enumerate(content):
        here = f"{where}[{number}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and shaped(part, type=str, text=str) and part["text"].strip():
            continue
        if kind == "image_url" and user and shaped(part, type=str, image_url=dict):
            _inspect_image(part["image_url"], f"{here}.image_url")
        elif kind == "file" and user and shaped(part, type=str, file=dict):
            _inspect_file(part["file"], f"{here}.file")
        else:
            _refuse("invalid_value", f"Invalid value at '{here}'.", here)


def _inspect_image(image: Json, where: str) -> None:
    if not shaped(image, url=str):
        _refuse("invalid_type", f"Invalid type for '{where}'.", where)
    media_type, data = _data(image["url"])
    if media_type not in PICTURES:
        _refuse("invalid_image_format", "Invalid MIME type. Only image types are supported.", where)
    if data is None:
        _refuse("invalid_base64", "Invalid base64 image_url.", where)
    if not matches(media_type, data):
        formats = "['png', 'jpeg', 'gif', 'webp']"
        message = f"You uploaded an unsupported image. Please make sure your image is valid, and has of one {formats}."
        _refuse("image_parse_error", message, where)


def _inspect_file(file: Json, where: str) -> None:
    if not shaped(file, filename=str, file_data=str) or not file["filename"]:
        _refuse("missing_required_parameter", f"Missing required parameter: '{where}'.", where)
    media_type, data = _data(file["file_data"])
    if media_type != "application/pdf" or data is None or not matches(media_type, data):
        message = f"Invalid file data: '{where}.file_data'. Expected a base64-encoded data URL with a valid PDF."
        _refuse("invalid_value", message, where)


def _data(url: str) -> tuple[str, bytes | None]:
    """(media type, bytes) of a data URL."""
    head, _, data = url.partition(";base64,")
    return head.removeprefix("data:") if head.startswith("data:") else "", decode(data)


def _refuse(code: str, message: str, param: str) -> NoReturn:
    raise RefusalError(400, error(code, message, param))
