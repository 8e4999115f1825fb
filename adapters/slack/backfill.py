"""What was said while the bot was away: read from Slack, and given to the same intake as everything else."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from adapters.shared.unreadable import UNREADABLE, log_skipped
from adapters.slack.api.workspace import Workspace
from adapters.slack.inbound.history import Entry, History
from adapters.slack.inbound.messages import is_direct, place_from, split
from adapters.slack.listener import Intake
from bot.domain.errors import PlatformError, StorageError
from bot.engine import Engine

PLACES = 30
"""How many of the latest places of the memory are looked at."""
MARGIN = 30.0
"""Seconds before the last sign of life that are looked through too: a dead connection is not noticed at once."""

log = structlog.get_logger(__name__)


class Missed:
    """Looks for messages that no event told of. One look at a time, in the background.

    `seconds` is how far back it looks at most, and how long it goes on; `closing` ends it.
    """

    def __init__(
        self, engine: Engine, workspace: Workspace, intake: Intake, seconds: float, closing: asyncio.Event
    ) -> None:
        self._engine = engine
        self._team = workspace.me.team
        self._history = History(workspace)
        self._intake = intake
        self._seconds = seconds
        self._closing = closing
        self._since = math.inf
        self._woken = asyncio.Event()
        self._read: dict[tuple[str, str], str] = {}  # the latest reply of each thread when it was read last

    def look(self, since: float) -> None:
        """Look for what was said since then, by the wall clock. Returns at once."""
        self._since = min(self._since, since - MARGIN)
        self._woken.set()

    async def run(self) -> None:
        """Look whenever asked to, until cancelled."""
        while self._seconds:
            await self._woken.wait()
            self._woken.clear()
            since, self._since = max(self._since, time.time() - self._seconds), math.inf
            try:
                await self._look(f"{since:.6f}")
            except StorageError as error:
                log.error("the memory failed", error=str(error))
            except PlatformError as error:
                log.warning("what was said meanwhile could not be read", fault=error.fault.value, error=str(error))

    async def _look(self, since: str) -> None:
        """Take in what was said since this `ts`. A memory without anything of Slack has missed nothing."""
        known = _arrange(await self._engine.memory.places("slack:", PLACES), self._team)
        if not known:
            return
        end, read = time.time() + self._seconds, dict[tuple[str, str], str]()
        shared = await self._history.channels()
        listened = [split(place_from(key)) for key in await self._engine.listening.find_channels("slack")]
        heard = [channel for team, channel, _ in listened if team == self._team]
        for channel in dict.fromkeys([*known, *heard, *shared]):
            if self._over(end):
                return
            messages = await self._history.messages(channel, since)
            told = channel in shared or is_direct(channel)
            about = {"is_ext_shared_channel": shared.get(channel, False)} if told else {}
            await self._take(channel, messages, about)
            for thread, latest in _stirred(known.get(channel, ()), messages).items():
                if self._over(end):
                    return
                if not latest or self._read.get((channel, thread)) != latest:
                    await self._take(channel, await self._history.replies(channel, thread, since), about)
                read[channel, thread] = latest
        self._read = read

    def _over(self, end: float) -> bool:
        return self._closing.is_set() or time.time() > end

    async def _take(self, channel: str, messages: Iterable[Entry], about: Mapping[str, Any]) -> None:
        """Give messages to the intake, as if events had told of them; `about` is what is known of the channel."""
        for message in messages:
            if not self._closing.is_set():
                event = {**message, "type": "message", "channel": channel}
                try:
                    await self._intake.take({**about, "event": event}, late=True)
                except UNREADABLE as error:
                    log_skipped("slack", "a message of the history", error)


def _arrange(places: Iterable[tuple[str, str]], team: str) -> dict[str, list[str]]:
    """The threads that the memory knows, by their channels, the latest first."""
    found: dict[str, list[str]] = {}
    for place in (place_from(key) for key, _ in places):
        home, channel, thread = split(place)
        if home == team:
            threads = found.setdefault(channel, [])
            threads += [thread] if thread and thread not in threads else []
    return found


def _stirred(known: Iterable[str], messages: Iterable[Entry]) -> dict[str, str]:
    """The threads in which something may have been said, each with its latest reply where that was seen."""
    latest = dict.fromkeys(known, "")
    for message in messages:
        if thread := message.get("thread_ts"):
            latest[thread] = str(message.get("latest_reply") or latest.get(thread, ""))
    return latest
