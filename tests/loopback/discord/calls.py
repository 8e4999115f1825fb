"""A call of the REST API, and what it is answered with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from tests.loopback.discord.rules import FILE, RefusalError


@dataclass
class Call:
    """One call: the route's short name, its parameters, what came with it; `status` is set when it was answered."""

    route: str
    method: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]
    files: dict[str, tuple[str, bytes, str]] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    at: float = 0.0
    status: int = 0
    lost: bool = False

    def __getitem__(self, name: str) -> str:
        return self.params[name]


@dataclass(frozen=True)
class Reply:
    """JSON with a status; None for no content."""

    data: Any = None
    status: int = 200


async def read(request: web.Request, route: str, at: float) -> Call:
    """Take a request apart: JSON, or multipart with its JSON in `payload_json`."""
    call = Call(route, request.method, request.path, dict(request.match_info), dict(request.query), {}, at=at)
    if request.content_type == "multipart/form-data":
        await _unpack(request, call)
    elif request.can_read_body and request.content_type != "application/json":
        raise RefusalError(400, 50035, "Invalid Form Body")
    elif text := await request.text():
        _fill(call, text)
    return call


def _fill(call: Call, text: str) -> None:
    try:
        body = json.loads(text)
    except ValueError:
        raise RefusalError(400, 50109, "The request body contains invalid JSON.") from None
    if isinstance(body, list):
        call.items = body
    else:
        call.body = body


async def _unpack(request: web.Request, call: Call) -> None:
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        data = bytes(await part.read())
        if part.name == "payload_json":
            _fill(call, data.decode())
        elif part.name and part.filename:
            if len(data) > FILE:
                raise RefusalError(413, 40005, "Request entity too large")
            kind = part.headers.get("Content-Type", "application/octet-stream")
            call.files[part.name] = (part.filename, data, kind)
