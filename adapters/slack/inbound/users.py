"""What people are called: `users.info`, asked once for each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.shared.quotes import plain
from adapters.slack.api.calls import call
from adapters.slack.api.workspace import Workspace
from bot.domain.errors import PlatformError, PlatformFault
from bot.runtime.tasks import report

METHOD = "users.info"
PATIENCE = 1.0
"""Seconds that a question waits for names; whoever is unnamed by then keeps their id."""
REMEMBERED = 5000


class People:
    """The names of a workspace's people."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._names: dict[str, str] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def names(self, users: Iterable[str]) -> Mapping[str, str]:
        """The names of these people, as far as they are to be had; never raises."""
        unknown = {user for user in users if user not in self._names} - {self._workspace.me.user}
        if unknown and METHOD not in self._workspace.lacking:
            await asyncio.wait([self._asked(user) for user in unknown], timeout=PATIENCE)
        return self._names

    def _asked(self, user: str) -> asyncio.Task[None]:
        """The question for a name; asked once, however many wait for it."""
        if user not in self._asking:
            self._asking[user] = asyncio.create_task(self._ask(user))
            self._asking[user].add_done_callback(lambda _: self._asking.pop(user))
            self._asking[user].add_done_callback(report)
        return self._asking[user]

    async def _ask(self, user: str) -> None:
        try:
            answer = await call(self._workspace.client.users_info(user=user))
        except PlatformError as error:
            if error.fault is PlatformFault.FORBIDDEN:
                self._workspace.miss(METHOD, str(error))
            return
        while len(self._names) >= REMEMBERED:
            self._names.pop(next(iter(self._names)))
        self._names[user] = plain(_name(answer.get("user") or {})) or user


def _name(user: Mapping[str, Any]) -> str:
    profile = user.get("profile") or {}
    return profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name") or ""
