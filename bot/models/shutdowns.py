"""When providers shut down the models in the settings, as their own lists of models say it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from bot.config.settings import Settings
from bot.models.local_servers import away, entries, fetch, text
from bot.models.price_list import DATED
from bot.models.registry import Roster
from bot.runtime.alerts import Alerts
from bot.runtime.health import Check

DATES = ("shutdown_date", "retires_at", "expiration_date", "deprecation")
"""What OpenAI, Anthropic, OpenRouter and Mistral call the day in an entry of their lists, as a date or a time."""
PATIENCE = 15.0
"""Seconds that a provider has to list its models: nobody waits for it."""
STAGES = (0, 1, 3, 7, 14, 30, 60)
"""Days before the end at which the admins are told."""
URGENT = 14
"""Days before the end from which on `parley check` fails."""
DAY = 86_400.0
YEAR = 365 * DAY
SOON = "{model} will be shut down by its provider on {day}, {when}."
OVER = "{model} has been shut down by its provider."
MEND = "Set another model in its place, as bot.model or where else the settings name it."


@dataclass(frozen=True, slots=True)
class Shutdown:
    """The end of a model, `provider/name`; `left` is in days, 0 where it is over."""

    model: str
    day: date
    left: int

    @property
    def sentence(self) -> str:
        """It, for people to read."""
        if not self.left:
            return OVER.format(model=self.model)
        when = "tomorrow" if self.left == 1 else f"in {self.left} days"
        return SOON.format(model=self.model, day=self.day.isoformat(), when=when)

    @property
    def mend(self) -> str:
        """What to do."""
        return MEND


async def find_shutdowns(settings: Settings, names: Iterable[str], today: date | None = None) -> list[Shutdown]:
    """The announced ends of these models, `provider/name` each, the next first. Never raises.

    Each provider is asked once for its list; one that cannot be reached, or says nothing, announces nothing.
    """
    now = today or datetime.now(UTC).date()
    wanted = [name.partition("/") for name in dict.fromkeys(names)]
    providers = dict.fromkeys(provider for provider, _, _ in wanted if provider in _PROVIDERS)
    answers = await asyncio.gather(*(_PROVIDERS[provider](settings) for provider in providers))
    lists = dict(zip(providers, answers, strict=True))
    found = (_read(f"{provider}/{name}", _entry(lists.get(provider, []), name), now) for provider, _, name in wanted)
    return sorted(filter(None, found), key=lambda one: one.left)


async def check_shutdowns(settings: Settings, names: Iterable[str]) -> list[Check]:
    """A row of `parley check` for each of these models that has an end; one that is near fails."""
    found = await find_shutdowns(settings, names)
    return [Check("end of a model", one.left > URGENT, one.sentence, one.mend) for one in found]


async def warn_of_shutdowns(
    settings: Settings,
    roster: Roster,
    alerts: Alerts,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Look now and every day, and tell the admins of each end once at each of its stages. It never ends."""
    while True:
        for one in await find_shutdowns(settings, roster.names, clock().date()):
            stage = next((stage for stage in STAGES if one.left <= stage), None)
            if stage is not None:
                alerts.tell(f"shutdown {one.model} {stage}", f"{one.sentence} {one.mend}", pause=YEAR)
        await sleep(DAY)


async def _list_openai(settings: Settings) -> list[dict[str, Any]]:
    section = settings.openai
    key = section.api_key.get_secret_value().strip()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return await _list(f"{(section.base_url or 'https://api.openai.com/v1').rstrip('/')}/models", headers)


async def _list_anthropic(settings: Settings) -> list[dict[str, Any]]:
    section = settings.anthropic
    headers = {"x-api-key": section.api_key.get_secret_value().strip(), "anthropic-version": "2023-06-01"}
    base_url = (section.base_url or "https://api.anthropic.com").rstrip("/")
    return await _list(f"{base_url}/v1/models?limit=1000", headers)


_PROVIDERS = {"openai": _list_openai, "anthropic": _list_anthropic}


async def _list(url: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    from aiohttp import ClientSession, ClientTimeout

    async with ClientSession(timeout=ClientTimeout(total=PATIENCE), trust_env=away(url)) as session:
        return entries(await fetch(session, url, headers=headers), "data")


def _entry(listed: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The entry of this name, else the newest dated version of it; empty: there is none."""
    dated = [entry for entry in listed if _is_version(text(entry, "id"), name)]
    dated.sort(key=lambda entry: (text(entry, "id") == name, text(entry, "id")))
    return dated[-1] if dated else {}


def _is_version(listed: str, name: str) -> bool:
    return listed.startswith(name) and bool(DATED.fullmatch(listed[len(name) :]))


def _read(model: str, entry: dict[str, Any], today: date) -> Shutdown | None:
    """The end that an entry announces; a day that is past counts as over only where the entry does not say more."""
    day = next(filter(None, (_day(entry.get(key)) for key in DATES)), None)
    if text(entry, "lifecycle") == "retired":
        return Shutdown(model, day or today, 0)
    if day is None:
        return None
    overdue = text(entry, "lifecycle") == "deprecated"  # it still answers, as long as its provider says no more
    return Shutdown(model, day, max((day - today).days, 1 if overdue else 0))


def _day(value: Any) -> date | None:
    """The date that a text begins with."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
