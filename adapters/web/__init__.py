"""The chat page and the HTTP API: a conversation by itself for everyone who opens one."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.web.settings import Settings
from bot.engine import Engine
from bot.runtime.health import Check, Host

__all__ = ["Settings", "check", "run"]


async def run(engine: Engine, settings: Settings, host: Host) -> None:
    """Serve until cancelled, then end what is being sent and close. Raises SettingsError for a busy port."""
    from adapters.web.server import serve

    await serve(engine, settings, host)


async def check(settings: Settings, _unaddressed: Sequence[str] = ()) -> list[Check]:
    """Whether the page's address can be served from."""
    from adapters.web.server import inspect

    return [await inspect(settings)]
