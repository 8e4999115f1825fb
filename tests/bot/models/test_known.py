"""What is known of models: the longest name that fits counts, settings beat it, and nothing is made up."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path

import pytest

from bot.config.models import ModelSettings
from bot.domain.errors import SettingsError
from bot.domain.messages import Usage
from bot.domain.model_info import Cache, Facts, Price
from bot.models.price_list import DATA, lookup
from bot.models.selection.select import ANTHROPIC, OPENAI

PAGE = (Path(__file__).parents[3] / "docs" / "cost.md").read_text(encoding="utf-8")
LISTED = tomllib.loads(DATA.read_text(encoding="utf-8"))
MINI = Price(0.75, 4.5, 0.075, 0.75)


def facts(name: str, **wish: object) -> Facts:
    return lookup(name, {name: ModelSettings.model_validate(wish)} if wish else {}, 0)


@pytest.mark.parametrize("name", [f"openai/{OPENAI}", f"anthropic/{ANTHROPIC}"])
def test_the_models_that_are_taken_by_themselves_are_known(name: str) -> None:
    """They have a price, see pictures and documents, and hold a long conversation."""
    known = facts(name)
    assert known.price
    assert known.images
    assert known.documents
    assert known.context >= 200_000


@pytest.mark.parametrize("provider", LISTED)
def test_the_list_is_sound(provider: str) -> None:
    """It says of when and where from its prices are; each name is found by itself, and no figure is out of proportion.

    docs/cost.md has the same date and source.
    Reading a cache never costs more than reading, writing it between as much and twice as much.
    """
    section = LISTED[provider]
    assert datetime.date.fromisoformat(section["date"]) > datetime.date(2026, 1, 1)
    assert section["source"].startswith("https://")
    assert section["date"] in PAGE
    assert f"({section['source']})" in PAGE
    for name, entry in section["models"].items():
        found = facts(f"{provider}/{name.replace('*', 'some-new-one')}")
        assert found.context == entry["context"] >= 4096
        assert bool(found.price) == ("*" not in name)
        assert 0 < found.cache.read <= 1 <= found.cache.write <= 2
        assert not found.price or found.price.input < found.price.output <= 12 * found.price.input


@pytest.mark.parametrize(
    ("name", "price"),
    [
        ("openai/gpt-5.4", 2.5),
        ("openai/gpt-5.4-mini", 0.75),
        ("openai/gpt-5.4-mini-2026-03-17", 0.75),
        ("openai/gpt-4-0613", 30.0),
        ("openai/gpt-4o-2024-05-13", 5.0),
        ("openai/gpt-4o-2024-11-20", 2.5),
        ("openai/gpt-5.4-pro", None),
        ("openai/gpt-5.41", None),
        ("openai/gpt-5-", None),
        ("anthropic/claude-opus-4-20250514", 15.0),
        ("anthropic/claude-opus-4-5-20251101", 5.0),
        ("anthropic/claude-opus-4-9", None),
        ("openai/claude-opus-4-5", None),
        ("anthropic/gpt-5.4", None),
        ("local/gpt-5.4", None),
    ],
)
def test_the_longest_name_that_fits_counts(name: str, price: float | None) -> None:
    """A date is a version of the same model; anything else is another model, whose price is not guessed."""
    found = facts(name).price
    assert (found and found.input) == price


def test_a_cache_is_known_by_what_it_costs_and_how_long_it_stays() -> None:
    """Five minutes with Anthropic and older models of OpenAI's, half an hour with its newer ones, priced or not."""
    assert facts("anthropic/claude-sonnet-5-5").cache == Cache(0.05, 1.25, 300)
    assert facts("openai/gpt-5.4-mini").cache == Cache(0.1, 1.0, 300)
    assert facts("openai/gpt-6.1-terra").cache == Cache(0.05, 1.25, 1800)
    assert facts("openai/gpt-6.9-sol").cache == Cache(0.1, 1.25, 1800)


def test_an_answer_is_priced_by_what_was_read_cached_written_and_said() -> None:
    """A million of each of Claude Haiku 4.5."""
    price = facts("anthropic/claude-haiku-4-5").price
    assert price
    assert price.cost(Usage(3_000_000, 1_000_000, 1_000_000, 1_000_000)) == pytest.approx(1 + 0.1 + 1.25 + 5)


@pytest.mark.parametrize("name", ["openai/gpt-next", "anthropic/other"])
def test_an_unknown_model_of_a_known_provider_reads_text_alone(name: str) -> None:
    """It is taken to hold 128,000 tokens; what it sees and what it costs is not known."""
    assert facts(name) == Facts(context=128_000)


def test_elsewhere_a_name_says_how_much_a_model_holds_but_not_what_it_costs() -> None:
    """Another host has its own prices; a model of which nobody says anything is taken to be small."""
    assert lookup("openai/gpt-4o", {}, 0, official=False) == Facts(context=128_000)
    assert lookup("openai/qwen3", {}, 0, official=False) == Facts(context=32_768)
    assert lookup("openai/qwen3", {}, 0, official=False, own=True) == Facts(context=4096)
    assert lookup("openai/gpt-4o", {}, 0, Facts(9000, images=True), official=False) == Facts(9000, images=True)


def test_the_settings_beat_what_is_known() -> None:
    """A table of the model beats the provider's context, which beats the server, which beats the list."""
    told, table = Facts(9000), {"openai/gpt-4o": ModelSettings(context=7000)}
    assert lookup("openai/gpt-4o", {}, 8000, told).context == 8000
    assert lookup("openai/gpt-4o", {}, 8000).context == 8000
    assert lookup("openai/gpt-4o", table, 8000, told).context == 7000
    assert lookup("local/a:latest", {"local/a": ModelSettings(images=True)}, 0, Facts()).images
    assert not facts("openai/gpt-4o", images=False, documents=False).documents


def test_of_a_price_only_what_is_set_changes() -> None:
    """The rest stays; the ratios of the cache follow."""
    assert facts("openai/gpt-5.4-mini").price == MINI
    cheap = facts("openai/gpt-5.4-mini", input=0.5, cached=0.25)
    assert (cheap.price, cheap.cache) == (Price(0.5, 4.5, 0.25, 0.75), Cache(0.5, 1.5, 300))
    assert facts("openai/new", input=2, output=8).price == Price(2, 8, 2, 2)
    assert facts("openai/new", input=0, output=0).price == Price(0, 0, 0, 0)


@pytest.mark.parametrize("wish", [{"input": 1}, {"output": 1}, {"cached": 1, "written": 1}])
def test_half_a_price_is_refused(wish: dict[str, float]) -> None:
    """Where nothing is known to fill it up, the sentence names the table and what is missing."""
    with pytest.raises(SettingsError) as caught:
        facts("openai/new", **wish)
    assert str(caught.value) == (
        'models."openai/new": the price of this model is not known, so input and output must both be set.'
    )
