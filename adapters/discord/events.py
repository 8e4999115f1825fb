"""Reading what Discord sends through discord.py, so that what it cannot read is skipped and fells nothing."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

import discord

from adapters.unreadable import UNREADABLE, log_skipped

ESSENTIAL = ("READY", "RESUMED")
"""Events that a session begins with: without them it has to begin anew."""
Parser = Callable[[Any], None]


def guard_parsers(parsers: MutableMapping[str, Parser]) -> None:
    """Make each of discord.py's parsers, by its event, skip what it cannot read; else that ends the connection."""
    for kind, parse in parsers.items():
        if kind not in ESSENTIAL:
            parsers[kind] = _guard(kind, parse)


def _guard(kind: str, parse: Parser) -> Parser:
    def guarded(data: Any) -> None:
        try:
            parse(data)
        except (*UNREADABLE, discord.DiscordException) as error:
            log_skipped("discord", kind, error)

    return guarded


def read_message(client: discord.Client, channel: Any, data: Any) -> discord.Message | None:
    """Read a message that a REST call brought; None, logged, for one that cannot be read."""
    try:
        return discord.Message(state=client._connection, channel=channel, data=data)
    except UNREADABLE as error:
        log_skipped("discord", "a message of the history", error)
        return None
