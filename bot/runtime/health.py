"""Which parts of the program are up: what `/readyz`, `/metrics` and the log tell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, cast

from bot.runtime.call_history import CallHistory

T = TypeVar("T")

Asgi = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]
"""An ASGI application."""


@dataclass(slots=True)
class Status:
    """Whether one adapter is connected, and if not, why."""

    name: str
    ready: bool = False
    reason: str = "starting"

    def up(self) -> None:
        """Say that the adapter is connected."""
        self.ready, self.reason = True, ""

    def down(self, reason: str) -> None:
        """Say that it is not, and why in one sentence free of secrets."""
        self.ready, self.reason = False, reason


@dataclass(slots=True)
class Host:
    """What the program gives its adapters beside the engine; used with `async with`, for as long as the program runs.

    `mounts` are paths that the web adapter serves for others, such as `/slack/events`. `statuses` are kept by the
    adapters themselves, one each. `closing` is set when the program begins to stop: no message is taken from then on.
    `calls` is what the platforms' rate limits were charged.
    """

    mounts: dict[str, Asgi] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    calls: CallHistory = field(default_factory=CallHistory)
    _kept: dict[str, Any] = field(default_factory=dict)
    _exits: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all that is kept."""
        self._kept.clear()
        await self._exits.aclose()

    async def keep(self, name: str, opening: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """Return what is kept under this name until the program ends; open it first where it is not there yet.

        An adapter keeps here what its answers are written over, so that they go on while it falls and starts again.
        """
        if name not in self._kept:
            self._kept[name] = await self._exits.enter_async_context(opening())
        return cast(T, self._kept[name])

    def status(self, name: str) -> Status:
        """The status of an adapter, made at the first call."""
        return self.statuses.setdefault(name, Status(name))


@dataclass(frozen=True, slots=True)
class Check:
    """One row of `parley check`: what was looked at, what was found, and the mend where it failed."""

    name: str
    ok: bool
    found: str
    mend: str = ""
