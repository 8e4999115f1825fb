"""What the API says of itself in `/openapi.json`: bodies, answers and failures."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from adapters.web.messages import Asked

KEY = Security(HTTPBearer(auto_error=False, description="web.api_key, where one is set."))


class Answered(BaseModel):
    """An answer: `state` says how it ended, `note` what a reader is told of it where that is not well."""

    response: str
    conversation_id: str
    state: Literal["done", "stopped", "refused", "cut", "interrupted"]
    note: str


class Spoken(BaseModel):
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


class Conversation(BaseModel):
    """Everything that was said in a conversation."""

    conversation_id: str
    messages: list[Spoken]


class Forgotten(BaseModel):
    """A conversation that is no more."""

    conversation_id: str


class Reader(BaseModel):
    """Who reads what is written, and whether it is the trial model."""

    reader: str
    trial: bool


class About(BaseModel):
    """What answers here."""

    model: Reader


class Failure(BaseModel):
    """What went wrong and what to do, in a sentence."""

    error: str


FAILURES = {
    401: "The key is missing or wrong.",
    403: "Nobody may ask from there.",
    404: "There is no such conversation.",
    408: "The body did not come in time.",
    409: "The answer was stopped before its first word.",
    413: "The body is too large.",
    422: "The body is wrong; the sentence says where.",
    429: "Too many questions; see Retry-After where it stands.",
    500: "Something broke.",
    502: "The model failed, and will again.",
    503: "Not now: the model, the memory, or a restart.",
    504: "The model took too long.",
}
"""Statuses of what failed, and what each means."""
ALWAYS = (401, 403, 500, 503)
BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": Asked.model_json_schema()}}}
}
EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["token", "withdraw", "done", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: `token` with `text`, then `done` with `conversation_id`, `state` and "
        "`note`, or `error`. `withdraw` says that the tokens before it are no part of the answer.",
        "content": {"text/event-stream": {"schema": EVENT}},
    }
}


def failing(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers to requests that fail, with these statuses or those that all have."""
    return {status: {"model": Failure, "description": FAILURES[status]} for status in (*ALWAYS, *statuses)}


ASKING = failing(404, 408, 413, 422, 429)
KNOWN = failing(404)
