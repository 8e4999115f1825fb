"""The signs that an answer is coming: typing, and an hourglass on a question that waits for its turn."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from adapters.discord.api.client import Rest
from bot.domain.errors import PlatformError, PlatformFault

FRESH = 8.0
"""Seconds between two typing signs: Discord shows one for ten (its documentation, trigger typing indicator)."""
HOURGLASS = quote("⏳")
PASSING = (PlatformFault.RATE, PlatformFault.NETWORK)
TRIES = 3
"""How often the hourglass is tried to be taken away; it stays if the network fails so often."""


async def typing(rest: Rest, channel: str) -> None:
    """Show that somebody types until cancelled; the message that follows takes the sign away."""
    while True:
        pause = await _try(rest, "POST", f"/channels/{channel}/typing")
        await asyncio.sleep(max(FRESH, pause or 0.0))


async def waiting(rest: Rest, channel: str, question: str) -> None:
    """Show an hourglass on a message until cancelled, then take it away; no call is cancelled in flight."""
    path = f"/channels/{channel}/messages/{question}/reactions/{HOURGLASS}/@me"
    showing = asyncio.ensure_future(_try(rest, "PUT", path))
    try:
        await asyncio.shield(showing)
        await asyncio.Event().wait()
    finally:
        await showing
        for _ in range(TRIES):
            pause = await _try(rest, "DELETE", path)
            if pause is None:
                break
            await asyncio.sleep(pause)


async def _try(rest: Rest, method: str, path: str) -> float | None:
    """Make a call that the answer can do without; the seconds after which it may be made again, None for never."""
    try:
        await rest.call(method, path)
    except PlatformError as error:
        return (error.retry_after or 1.0) if error.fault in PASSING else None
    return None
