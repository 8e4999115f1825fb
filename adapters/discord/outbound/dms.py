"""Words for one person alone: a direct message from the bot."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from adapters.discord.api.client import Rest
from adapters.discord.outbound.payload import form
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page

MOST, PERIOD = 10, 600.0
"""Direct messages unasked, and seconds: Discord blocks a bot that opens many too quickly (its documentation, create DM,
which gives no figure)."""


class Direct:
    """Writes to people who did not write to the bot there."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._times: deque[float] = deque(maxlen=MOST)

    async def whisper(self, user: str, text: str) -> None:
        """Write to a person who asked elsewhere. Raises PlatformError, RATE too where there were too many lately."""
        now = asyncio.get_running_loop().time()
        if len(self._times) == MOST and now - self._times[0] < PERIOD:
            raise PlatformError(PlatformFault.RATE, "too many direct messages lately")
        self._times.append(now)
        await write(self._rest, user, text)


async def write(rest: Rest, user: str, text: str) -> None:
    """Write to a person, 2,000 characters at most. Raises PlatformError."""
    where: Any = await rest.call("POST", "/users/@me/channels", {"recipient_id": user})
    if not isinstance(where, dict) or not where.get("id"):
        raise PlatformError(PlatformFault.NETWORK, "Discord's answer cannot be read")
    await rest.call("POST", f"/channels/{where['id']}/messages", form(Page(text), text, ping=False))
