"""Putting the models together that can answer, as the settings name them."""

from __future__ import annotations

from collections.abc import Callable

from bot.config.settings import Settings
from bot.models.registry import Roster
from bot.models.selection.select import build, choose
from bot.models.wrappers.fallback import Resilient


async def assemble(settings: Settings, replaced: Callable[[str, str], None]) -> Roster:
    """The models that can answer; each has the fallback models behind it. Raises SettingsError for a name of none."""
    fallbacks = {name: await build(name, settings) for name in settings.bot.fallback_models}
    default = Resilient([await choose(settings), *fallbacks.values()], replaced)
    places = [place.model for place in settings.places.values() if place.model]
    others = {}
    for name in dict.fromkeys((*fallbacks, *settings.bot.models, *places)):
        behind = [model for other, model in fallbacks.items() if other != name]
        others[name] = Resilient([fallbacks.get(name) or await build(name, settings), *behind], replaced)
    return Roster(default, others)
