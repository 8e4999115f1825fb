"""What is known of the models that are used most: how much they hold, what they can be shown, what they cost."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from bot.config.models import ModelSettings
from bot.domain.errors import SettingsError
from bot.domain.model_info import Cache, Facts, Price

DATA = Path(__file__).with_name("price_list.toml")
UNKNOWN = 128_000
"""Tokens that a model of OpenAI's or Anthropic's is taken to hold that is not in the list: no newer one holds less."""
ELSEWHERE = 32_768
"""Tokens that a model of another provider is taken to hold where nobody says: few hold less, and those refuse more."""
HERE = 4096
"""The same of a server in the own network: Ollama's default, which cuts silently what is beyond."""
PRICES = ("input", "output", "cached", "written")
DATED = re.compile(r"(-\d{4,8}|-\d{4}-\d\d-\d\d|-latest)?")
"""What may follow a model's name without making it another model."""


def lookup(
    name: str,
    overrides: Mapping[str, ModelSettings],
    context: int,
    told: Facts | None = None,
    official: bool = True,
    own: bool = False,
) -> Facts:
    """What is known of a model, `provider/name`.

    The stronger first: `overrides`, the settings' tables by the same names; `context`, where it is not 0; what the
    server `told`; the list of known models. Prices and what a model can see are only taken from that where the
    provider itself is asked (`official`); `own` says that the server is in the own network. Raises SettingsError for
    half a price.
    """
    facts = told or _known(name, official, HERE if own else ELSEWHERE)
    if context:
        facts = replace(facts, context=context)
    wish = overrides.get(name) or overrides.get(name.removesuffix(":latest"))
    return _override(facts, name, wish) if wish else facts


def _known(name: str, official: bool, usual: int) -> Facts:
    provider, _, model = name.partition("/")
    entry = _find(provider, model)
    if not official or provider not in _data():
        return Facts(context=entry.get("context", usual))
    if not entry:
        return Facts(context=UNKNOWN)
    price = _price(entry) if "input" in entry else None
    memory = _cache(price, entry["seconds"])
    return Facts(entry["context"], entry["images"], entry["documents"], price, memory)


def _find(provider: str, model: str) -> dict[str, Any]:
    """The entry of the longest name that fits, with what holds for all of its provider; empty: there is none."""
    section = _data().get(provider, {"models": {}})
    names = [name for name in section["models"] if _fits(name, model)]
    if not names:
        return {}
    return {**section, **section["models"][max(names, key=lambda name: len(name.rstrip("*")))]}


def _fits(name: str, model: str) -> bool:
    if name.endswith("*"):
        return model.startswith(name[:-1])
    return model.startswith(name) and bool(DATED.fullmatch(model[len(name) :]))


def _override(facts: Facts, name: str, wish: ModelSettings) -> Facts:
    """The facts with what the settings say of a model; of a price, what they leave out stays as it was."""
    given: dict[str, Any] = wish.model_dump(exclude_none=True)
    prices: dict[str, float] = {key: given.pop(key) for key in PRICES if key in given}
    facts = replace(facts, **given)
    if not prices:
        return facts
    if facts.price is None and not {"input", "output"} <= prices.keys():
        raise SettingsError(
            f'models."{name}": the price of this model is not known, so input and output must both be set.'
        )
    price = replace(facts.price, **prices) if facts.price else _price(prices)
    return replace(facts, price=price, cache=_cache(price, facts.cache.seconds))


def _price(entry: Mapping[str, float]) -> Price:
    """A price; what is not said about the cache costs as much as all else that is read."""
    read = entry["input"]
    return Price(read, entry["output"], entry.get("cached", read), entry.get("written", read))


def _cache(price: Price | None, seconds: float) -> Cache:
    if price is None or not price.input:
        return Cache(seconds=seconds)
    return Cache(round(price.cached / price.input, 6), round(price.written / price.input, 6), seconds)


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text(encoding="utf-8"))
