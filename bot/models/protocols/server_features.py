"""What a server was found not to take: remembered for all models at its base URL, as long as one of them is there."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeVar
from weakref import WeakValueDictionary

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

UNKNOWN = re.compile(
    r"un(?:supported|known|recognized|expected)|(?:not|n't) (?:be )?(?:supported?|permitted|allowed|accepted|enabled)"
    r"|extra[_ ](?:forbidden|inputs|fields)|deprecated|only the default|forbidden",
    re.IGNORECASE,
)
"""How servers say that a field of a request is not theirs."""
SYSTEM = re.compile(
    r"\b(?:system|developer)\W+(?:role|instruction|prompt|message)s?\b.{0,40}(?:\bnot\b|n't\b|\bunsupported\b)"
    r"|(?:unsupported|unknown|unexpected|invalid|no such)[^.]{0,20}\brole\b[^.]{0,20}\b(?:system|developer)\b"
    r"|\brole\b\W{0,5}(?:system|developer)\b.{0,40}(?:\bnot\b|n't\b|\bunsupported\b|\binvalid\b)"
    r"|only\b.{0,10}\buser\b.{0,20}\bassistant\b.{0,20}\broles?\b",
    re.IGNORECASE,
)
"""How servers and the templates of their models refuse a system prompt."""
STATUSES = (400, 422, 500, 501)
"""A refusal of a part of the request; llama.cpp answers 500 where a model's template does not take it."""


class Feature(StrEnum):
    """A part of a request that some servers do not take, and that can be left out or said in another way."""

    USAGE = "stream_options"
    CACHE = "cache_control"
    TEMPERATURE = "temperature"
    SYSTEM = "the system role"
    MAX_TOKENS = "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens"


SHARED = (Feature.USAGE, Feature.CACHE, Feature.MAX_TOKENS, Feature.MAX_COMPLETION_TOKENS)
"""What is the server's to take, whichever of its models is asked; the rest is a model's."""


class Server:
    """One server, by its base URL. `thoughts_first` are the models that begin with thoughts and mark only their end."""

    def __init__(self) -> None:
        self.thoughts_first: set[str] = set()
        self._refused: set[tuple[Feature, str]] = set()

    def refuses(self, part: Feature, model: str) -> bool:
        """Whether this part of a request was refused before."""
        return (part, "" if part in SHARED else model) in self._refused

    def note(self, part: Feature, model: str) -> None:
        """Remember that a part of a request was refused."""
        self._refused.add((part, "" if part in SHARED else model))


_servers: WeakValueDictionary[str, Server] = WeakValueDictionary()


def get_server(url: str) -> Server:
    """The one server of a base URL."""
    return _servers.setdefault(url.rstrip("/"), Server())


async def ask_without(
    ask: Callable[[], Awaitable[T]],
    refusal: type[E],
    find_refused: Callable[[E], Feature | None],
    server: Server,
    model: str,
) -> T:
    """Ask; where the server refuses a part of the request that can be left out, note that and ask again.

    Raises the `refusal` where that does not help: each part is left out once.
    """
    refused: set[Feature] = set()
    while True:
        try:
            return await ask()
        except refusal as error:
            part = find_refused(error)
            if part is None or part in refused:
                raise
            refused.add(part)
            server.note(part, model)
            log.warning("the server does not take a part of the request", part=part.value, model=model)
