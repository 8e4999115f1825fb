"""Slack: answers in threads and direct messages, over Socket Mode or signed HTTP requests."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.slack.settings import Settings
from bot.engine import Engine
from bot.runtime.health import Check, Host

__all__ = ["Settings", "check", "run"]


async def run(engine: Engine, settings: Settings, host: Host) -> None:
    """Connect and serve until cancelled. Raises SettingsError for what no retry mends, PlatformError for the rest."""
    from adapters.slack.adapter import serve

    await serve(engine, settings, host)


async def check(settings: Settings, unaddressed: Sequence[str] = ()) -> list[Check]:
    """Whether the tokens log in, with which scopes, and whether Socket Mode opens.

    `unaddressed` are other settings, by their names, that need the bot to read what does not mention it.
    """
    from adapters.slack.inspection import inspect

    return await inspect(settings, unaddressed)
