"""Reading what Discord sends through discord.py, so that what it cannot read is skipped and fells nothing."""

from __future__ import annotations

import zlib
from collections.abc import Callable, MutableMapping
from typing import Any

import discord
from discord.gateway import DiscordWebSocket

from adapters.shared.unreadable import UNREADABLE, log_skipped
from bot.domain.errors import PlatformError, PlatformFault

ESSENTIAL = ("READY", "RESUMED")
"""Events that a session begins with: without them it has to begin anew."""
Parser = Callable[[Any], None]


def guard_parsers(parsers: MutableMapping[str, Parser]) -> None:
    """Make each of discord.py's parsers, by its event, skip what it cannot read; else that ends the connection."""
    for kind, parse in parsers.items():
        parsers[kind] = _guard(kind, parse)


def _guard(kind: str, parse: Parser) -> Parser:
    def guarded(data: Any) -> None:
        try:
            parse(data)
        except (*UNREADABLE, discord.DiscordException) as error:
            if kind in ESSENTIAL:
                raise _unusable(kind) from None
            log_skipped("discord", kind, error)

    return guarded


def _unusable(what: str) -> PlatformError:
    return PlatformError(PlatformFault.NETWORK, f"the gateway sends what cannot be read ({what})")


class Socket(DiscordWebSocket):
    """discord.py's end of the gateway, which skips a frame that it cannot read."""

    async def received_message(self, msg: Any, /) -> None:
        """Take a frame. Raises PlatformError where the connection has to begin anew without it."""
        try:
            await super().received_message(msg)
        except UNREADABLE as error:
            if self._keep_alive is None:  # it was to be the first frame
                raise _unusable("the first frame") from None
            log_skipped("discord", "a frame", error)
        except zlib.error:  # whatever follows cannot be read either
            raise _unusable("its compressed stream") from None


def read_message(client: discord.Client, channel: Any, data: Any) -> discord.Message | None:
    """Read a message that a REST call brought; None, logged, for one that cannot be read."""
    try:
        return discord.Message(state=client._connection, channel=channel, data=data)
    except UNREADABLE as error:
        log_skipped("discord", "a message of the history", error)
        return None
