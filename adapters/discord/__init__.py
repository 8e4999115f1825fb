"""Discord: answers in channels, threads and direct messages, over the gateway."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.discord.settings import Settings
from bot.engine import Engine
from bot.runtime.health import Check, Host

__all__ = ["Settings", "check", "run"]


async def run(engine: Engine, settings: Settings, host: Host) -> None:
    """Connect and serve until cancelled. Raises SettingsError for what no retry mends, PlatformError for the rest."""
    from adapters.discord.adapter import serve

    await serve(engine, settings, host)


async def check(settings: Settings, unaddressed: Sequence[str] = ()) -> list[Check]:
    """Whether the token logs in, whether messages may be read, and how many servers the bot is in.

    `unaddressed` are other settings, by their names, that need the bot to read what does not mention it.
    """
    from adapters.discord.inspection import inspect

    return await inspect(settings, unaddressed)
