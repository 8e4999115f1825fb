"""A person's own words: deleted everywhere, or handed over, when that person says so."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

from bot import texts
from bot.access.limits import describe_wait
from bot.domain.errors import PlatformError
from bot.domain.messages import Author, Place, State
from bot.domain.ports import Memory
from bot.turns.queue import TurnQueue

UNNAMED = ("web",)
"""Platforms where all people are one author: what is theirs is what is in the conversation that they know."""
MAX_FILE_BYTES = 8_000_000
"""Bytes of one file: Discord takes ten million."""
MAX_EXPORTS, EXPORT_PERIOD = 3, 600.0
"""How often one person is given it within so many seconds."""
MAX_TEXT = 3000
"""Characters that are shown as text where no file can be had."""
FILE_NAME = "parley-export{number}.json"
Attach = Callable[[str, str], Awaitable[None]]
"""Gives a person a text file, by name and content, so that nobody else sees it. May raise PlatformError."""

log = structlog.get_logger(__name__)


class Privacy:
    """Forgets people and tells them what is kept of them. Raises StorageError. `clock` gives the time in seconds."""

    def __init__(self, memory: Memory, places: TurnQueue, clock: Callable[[], float] = time.monotonic) -> None:
        self._memory = memory
        self._places = places
        self._clock = clock
        self._export_times: dict[str, list[float]] = {}  # by person, when they had what is kept of them
        self._lock = asyncio.Lock()

    async def forget_person(self, place: Place, author: Author) -> str:
        """Stop what a person has running on a platform and delete what they said there; returns what they are told."""
        theirs = [
            waiting
            for waiting in self._places.list_turns()
            if (waiting.incoming.place.platform, waiting.incoming.author.id) == (place.platform, author.id)
        ]
        self._places.stop_turns(State.STOPPED, lambda waiting: waiting in theirs)
        if theirs:
            await asyncio.wait([waiting.answer for waiting in theirs])
        count = await self._memory.forget_person(place.platform, author.id)
        log.info("a person is forgotten", platform=place.platform, author=author.id, questions=count)
        if not count:
            return texts.NOTHING_OF_YOURS
        return texts.FORGOT.format(count=f"{count:,} question{'' if count == 1 else 's'}")

    async def export_files(self, place: Place, author: Author, attach: Attach) -> str:
        """Give a person what they said as files; returns what they are told, the text itself if it has to be so."""
        parts = await self._load_parts(place, author)
        if isinstance(parts, str):
            return parts
        try:
            for number, part in enumerate(parts, 1):
                await attach(FILE_NAME.format(number="" if number == 1 else f"-{number}"), part)
        except PlatformError as error:
            log.warning("an export could not be given as a file", fault=error.fault.value, error=str(error))
            if len(parts) == 1 and len(parts[0]) <= MAX_TEXT:
                return fence_json(parts[0])
            self._export_times.pop(_identify(place, author), None)
            return texts.NO_EXPORT
        return texts.EXPORTED

    async def export_text(self, place: Place, author: Author) -> str:
        """What a person said, as text."""
        parts = await self._load_parts(place, author)
        return parts if isinstance(parts, str) else "\n\n".join(map(fence_json, parts))

    async def _load_parts(self, place: Place, author: Author) -> list[str] | str:
        """What a person said, as documents; or a sentence for why they get none now."""
        who, now = _identify(place, author), self._clock()
        self._export_times = {
            one: times for one, times in self._export_times.items() if now - times[-1] < EXPORT_PERIOD
        }
        times = [at for at in self._export_times.get(who, ()) if now - at < EXPORT_PERIOD]
        if len(times) == MAX_EXPORTS:
            return texts.EXPORT_LATER.format(when=describe_wait(times[0] + EXPORT_PERIOD - now))
        self._export_times[who] = [*times, now]
        async with self._lock:  # one at a time: it may be much
            rows = await self._memory.export(place.platform, author.id, place.key if place.platform in UNNAMED else "")
            parts = await asyncio.to_thread(split_rows, rows)
        return parts or texts.NOTHING_OF_YOURS


def split_rows(rows: Iterable[dict[str, Any]], largest: int = MAX_FILE_BYTES) -> list[str]:
    """Rows as JSON documents of so many bytes at most, a list each; a row that is longer has one of its own."""
    parts: list[list[str]] = []
    size = largest
    for row in rows:
        text = json.dumps(row, ensure_ascii=False, indent=1).encode(errors="replace").decode()
        length = len(text.encode()) + 2
        if size + length > largest:
            parts.append([])
            size = 4
        parts[-1].append(text)
        size += length
    return ["[\n" + ",\n".join(part) + "\n]" for part in parts]


def fence_json(text: str) -> str:
    """A text as a block of code, whatever is in it."""
    ticks = max([2, *map(len, re.findall("`+", text))]) + 1
    return f"{'`' * ticks}json\n{text}\n{'`' * ticks}"


def _identify(place: Place, author: Author) -> str:
    return place.key if place.platform in UNNAMED else f"{place.platform}:{author.id}"
