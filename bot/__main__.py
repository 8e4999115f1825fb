"""The front door: read the settings, put the parts together, run, stop when told to."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import structlog
from pydantic import SecretStr

from bot.access.limits import describe_limits
from bot.cli.arguments import parse, version
from bot.cli.check import check_models, table
from bot.cli.usage import format_table
from bot.config.base import Section
from bot.config.load import exposed, fields, load, schema
from bot.config.places import read_unaddressed
from bot.config.settings import Settings
from bot.domain.errors import ParleyError, SettingsError, StorageError
from bot.engine import Engine
from bot.models.build import assemble
from bot.models.shutdowns import warn_of_shutdowns
from bot.runtime.alerts import Alerts
from bot.runtime.call_history import keep_calls
from bot.runtime.health import Check, Host
from bot.runtime.logging import configure
from bot.runtime.loop_watchdog import watch
from bot.runtime.metrics import Metrics
from bot.runtime.retention import sweeping
from bot.runtime.supervisor import supervise
from bot.runtime.tasks import report
from bot.texts import ALERTS
from storage.backup import back_up, restore
from storage.inspection import inspect
from storage.lock import hold
from storage.sqlite import SqliteMemory
from storage.usage import consult

ADAPTERS = {
    "discord": "adapters.discord",
    "slack": "adapters.slack",
    "web": "adapters.web",
}
"""Each adapter's section in the settings, and its module. A further platform is one line here."""

log = structlog.get_logger(__name__)


class AdapterSettings(Protocol):
    """What the front door asks of an adapter's section."""

    @property
    def enabled(self) -> bool: ...


class Adapter(Protocol):
    """What the front door asks of an adapter's module."""

    Settings: type[Section]
    run: Callable[[Engine, Section, Host], Awaitable[None]]
    check: Callable[[Section, Sequence[str]], Awaitable[list[Check]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code: 0 when it did what was asked, 1 when it said why not."""
    options = parse(arguments)
    if options.version:
        sys.stdout.write(f"parley {version()}\n")
        return 0
    try:
        shape = schema({name: _adapter(name).Settings for name in ADAPTERS})
        settings = load(shape, options.config, os.environ)
        secrets = [value for value in _values(settings) if isinstance(value, SecretStr)]
        quiet = settings.log.model_copy(update={"level": "warning"})
        configure(settings.log if options.command == "run" else quiet, secrets)
        for file in exposed(shape, options.config) if options.command in ("run", "check") else ():
            log.warning("other users of this machine can read the secrets in a file", file=str(file), do="chmod 600")
        more = [getattr(options, name) for name in ("path", "by", "days") if hasattr(options, name)]
        return asyncio.run(_COMMANDS[options.command](settings, *more))
    except ParleyError as error:
        sys.stderr.write(f"parley: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0


@asynccontextmanager
async def _engine(settings: Settings) -> AsyncIterator[Engine]:
    """The engine with its parts, closed in the end."""
    alerts = Alerts()

    def replaced(model: str, other: str) -> None:
        alerts.tell("fallback", ALERTS["fallback"].format(model=model, other=other))

    async with AsyncExitStack() as stack:
        roster = await assemble(settings, replaced)
        stack.push_async_callback(roster.close)
        await stack.enter_async_context(hold(settings.storage.path))
        memory = await SqliteMemory.open(settings.storage.path)
        stack.push_async_callback(memory.close)
        await alerts.remember(memory)
        stack.push_async_callback(alerts.settle)
        engine = Engine(
            roster,
            memory,
            settings.bot,
            Metrics(),
            alerts,
            settings.files,
            settings.places,
            settings.access,
            settings.limits,
        )
        stack.callback(engine.close)
        await engine.close_orphaned_turns()
        with watch(), sweeping(memory, settings.privacy.retention_days):
            yield engine


async def _run(settings: Settings) -> int:
    stop = _signals()
    async with Host() as host, _engine(settings) as engine, keep_calls(host.calls, engine.memory):
        _hint(settings)
        warming = asyncio.create_task(_look_after_models(engine, settings))
        warming.add_done_callback(report)
        adapters = {name: asyncio.create_task(_serve(name, engine, settings, host)) for name in _enabled(settings)}
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({stopping, adapters["web"]}, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping")
        host.closing.set()
        await engine.drain_turns(settings.bot.grace)
        for task in (stopping, warming, *adapters.values()):
            task.cancel()
        results = await asyncio.gather(*adapters.values(), return_exceptions=True)
        for error in results:
            if isinstance(error, SettingsError):
                raise error
    log.info("stopped")
    return 0


async def _serve(name: str, engine: Engine, settings: Settings, host: Host) -> None:
    """Run one adapter; a mistake in its settings is explained once and takes no other adapter down."""
    section = getattr(settings, name)
    try:
        await supervise(host.status(name), lambda: _adapter(name).run(engine, section, host), engine.alerts)
    except SettingsError as error:
        if name == "web":
            raise
        log.error("an adapter cannot start", adapter=name, reason=str(error))


async def _look_after_models(engine: Engine, settings: Settings) -> None:
    """Let the model make itself ready, so that the first question does not wait for it; then look out for its end."""
    if warm := getattr(engine.model, "warm", None):
        await warm()
    await warn_of_shutdowns(settings, engine.roster, engine.alerts)


async def _chat(settings: Settings) -> int:
    from adapters import terminal

    async with _engine(settings) as engine:
        await terminal.run(engine)
    return 0


async def _check(settings: Settings) -> int:
    checks = [Check("settings", True, "loaded"), Check("limits", True, describe_limits(settings.limits))]
    try:
        checks.append(Check("database", True, await asyncio.to_thread(inspect, settings.storage.path)))
    except StorageError as error:
        checks.append(Check("database", False, str(error), "Correct storage.path or the file."))
    platforms = [name for name in _enabled(settings) if name != "web"]
    checks += await check_models(settings, bool(platforms))
    for name in _enabled(settings):
        checks += await _adapter(name).check(getattr(settings, name), read_unaddressed(settings, name))
    if not platforms:
        checks.append(Check("platforms", True, "none: set DISCORD_BOT_TOKEN or SLACK_BOT_TOKEN to add one"))
    sys.stdout.write(table(checks) + "\n")
    return 0 if all(check.ok for check in checks) else 1


async def _manifest(settings: Settings) -> int:
    from adapters.slack.manifest import manifest

    section = getattr(settings, "slack")  # noqa: B009
    sys.stdout.write(manifest(section, read_unaddressed(settings, "slack")) + "\n")
    return 0


async def _invite(settings: Settings) -> int:
    from adapters.discord.invite import invite

    sys.stdout.write(await invite(getattr(settings, "discord")) + "\n")  # noqa: B009
    return 0


async def _usage(settings: Settings, by: str, days: int) -> int:
    rows = await asyncio.to_thread(consult, settings.storage.path, by, days)
    sys.stdout.write(format_table(rows, by) + "\n")
    return 0


async def _backup(settings: Settings, target: Path) -> int:
    await asyncio.to_thread(back_up, settings.storage.path, target)
    sys.stdout.write(f"{settings.storage.path} is copied to {target}.\n")
    return 0


async def _restore(settings: Settings, backup: Path) -> int:
    kept = await restore(backup, settings.storage.path)
    rest = f" What was there is kept as {kept}." if kept else ""
    sys.stdout.write(f"{settings.storage.path} is now what {backup} has.{rest}\n")
    return 0


_COMMANDS: dict[str, Callable[..., Coroutine[Any, Any, int]]] = {
    "run": _run,
    "chat": _chat,
    "check": _check,
    "manifest": _manifest,
    "invite": _invite,
    "usage": _usage,
    "backup": _backup,
    "restore": _restore,
}


def _adapter(name: str) -> Adapter:
    return cast(Adapter, import_module(ADAPTERS[name]))


def _enabled(settings: Settings) -> list[str]:
    return [name for name in ADAPTERS if cast(AdapterSettings, getattr(settings, name)).enabled]


def _values(settings: Settings) -> list[object]:
    return [getattr(getattr(settings, section), key) for section, key, _ in fields(type(settings))]


def _signals() -> asyncio.Event:
    """An event that SIGTERM and Ctrl-C set."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


def _hint(settings: Settings) -> None:
    if os.environ.get("PORT") and not settings.storage.path.is_absolute():
        log.warning(
            "the memory may be on an ephemeral disk, lost at each restart: mount a volume and set storage.path to it",
            path=str(settings.storage.path),
        )


if __name__ == "__main__":
    raise SystemExit(main())
