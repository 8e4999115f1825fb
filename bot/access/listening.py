"""Where the bot answers without being mentioned: what admins said in the chat, else the settings."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence

import structlog

from bot import texts
from bot.config.places import PlaceTables
from bot.domain.errors import StorageError
from bot.domain.messages import Caller, Place
from bot.domain.ports import Memory

LISTENING_PLACE = "parley:listen"
"""Where the memory keeps what admins said, by the key of a channel: a place nobody speaks in."""
ON_OFF = {"on": True, "off": False}

log = structlog.get_logger(__name__)


class Listening:
    """Knows where everything is answered that is said to nobody else. Raises StorageError.

    `hindrances` are sentences, by platform, for why the bot cannot read there what does not address it, empty where it
    can. `clock` gives the time in seconds since 1970.
    """

    def __init__(self, memory: Memory, tables: PlaceTables, clock: Callable[[], float] = time.time) -> None:
        self.hindrances: dict[str, str] = {}
        self._memory = memory
        self._tables = tables
        self._clock = clock
        self._switches: dict[str, float] | None = None  # since when it is on, 0 where it is off
        self._lock = asyncio.Lock()

    async def answers_all(self, place: Place, sent: float = math.inf) -> bool:
        """Whether all is answered in a place that is said to nobody else.

        `sent` is when it was said, in seconds since 1970, where that is some time ago: what was said before an admin
        switched it on is not answered.
        """
        if place.direct:
            return True
        async with self._lock:
            since = (await self._load()).get(place.channel)
        return self._tables.find(place).answer == "all" if since is None else 0 < since <= sent

    async def find_channels(self, platform: str) -> list[str]:
        """The keys of the channels of a platform where all is answered."""
        async with self._lock:
            switches = await self._load()
        wanted = {key: float(table.answer == "all") for key, table in self._tables.tables.items()} | switches
        return [key for key, on in wanted.items() if on and key.startswith(f"{platform}:")]

    async def warn_of_hindrance(self, platform: str, names: Sequence[str]) -> None:
        """Say in the log where the bot is to read on a platform what it cannot read; `names` are its own."""
        hindrance = self.hindrances.get(platform)
        try:
            channels = await self.find_channels(platform) if hindrance else []
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return
        if hindrance and (channels or names):
            log.warning(
                "what does not mention the bot cannot be read", platform=platform, channels=channels, names=names
            )

    async def change_listening(self, place: Place, caller: Caller, value: str) -> str:
        """Carry out `/listen`, `/listen on` and `/listen off`; returns what the person is told."""
        if not place.shared:
            return texts.LISTENS_ALWAYS
        if not value:
            return texts.LISTENS[await self.answers_all(place)]
        if not (caller.admin or caller.manages):
            return texts.ADMINS_ONLY
        on = ON_OFF.get(value.casefold())
        if on is None:
            return texts.ON_OR_OFF
        changed = await self._switch(place, on)
        hindrance = self.hindrances.get(place.platform, "") if on else ""
        return "\n".join(filter(None, (texts.LISTEN[on] if changed else texts.AS_IT_WAS, hindrance)))

    async def _switch(self, place: Place, on: bool) -> bool:
        """Answer everything in a place's channel from now on, or mentions alone; False if it was so."""
        if await self.answers_all(place) == on:
            return False
        async with self._lock:
            since = self._clock() if on else 0.0
            switches = {**await self._load(), place.channel: since}
            await self._memory.annotate(LISTENING_PLACE, place.channel, since)
            self._switches = switches
        return True

    async def _load(self) -> dict[str, float]:
        """What admins said; read once, for only this writes it."""
        if self._switches is None:
            found = await self._memory.metadata(LISTENING_PLACE)
            self._switches = {key: value for key, value in found.items() if isinstance(value, int | float)}
        return self._switches
