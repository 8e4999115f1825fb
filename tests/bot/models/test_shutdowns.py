"""The end of a model in the settings is told in time, where its provider announces it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.cli.check import check_models
from bot.config.settings import Settings
from bot.models.registry import Roster
from bot.models.shutdowns import Shutdown, find_shutdowns, warn_of_shutdowns
from bot.models.wrappers.unconfigured import Unset
from bot.runtime.alerts import Alerts
from tests.loopback.anthropic import FakeAnthropic
from tests.loopback.openai import FakeOpenAI

TODAY = date(2026, 12, 1)
SECTIONS: dict[str, dict[str, Any]] = {"bot": {"model": "openai/test-model"}}


def settings(provider: FakeOpenAI | FakeAnthropic, **more: dict[str, Any]) -> Settings:
    """Settings that ask this provider."""
    name = "openai" if isinstance(provider, FakeOpenAI) else "anthropic"
    return Settings.model_validate({name: {"api_key": provider.key, "base_url": provider.base_url}, **more})


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ({"shutdown_date": "2026-12-11"}, 10),
        ({"shutdown_date": "2026-12-02T00:00:00Z"}, 1),
        ({"shutdown_date": None}, None),
        ({"shutdown_date": "soon"}, None),
        ({"shutdown_date": "2026-11-30"}, 0),
        ({"expiration_date": "2027-01-14"}, 44),
        ({"deprecation": "2026-12-31T12:00:00Z"}, 30),
        ({"retires_at": "2027-01-22T00:00:00Z", "lifecycle": "deprecated"}, 52),
        ({"retires_at": "2026-11-01T00:00:00Z", "lifecycle": "deprecated"}, 1),
        ({"lifecycle": "retired", "retires_at": "2026-11-01T00:00:00Z"}, 0),
        ({"lifecycle": "active", "retires_at": None}, None),
        ({}, None),
    ],
)
async def test_every_providers_word_for_the_end_is_read(entry: dict[str, Any], left: int | None) -> None:
    """OpenAI's, Anthropic's, OpenRouter's and Mistral's; a model that only is overdue still answers."""
    async with FakeOpenAI() as provider:
        provider.about = {"test-model": entry}
        found = await find_shutdowns(settings(provider), ["openai/test-model", "openai/other"], TODAY)
    assert [one.left for one in found] == ([] if left is None else [left])


async def test_each_provider_is_asked_with_its_own_key_and_a_short_name_finds_its_newest_version() -> None:
    """`claude-x` stands for the dated model in Anthropic's list."""
    async with FakeOpenAI(models=["a", "b"]) as openai, FakeAnthropic(models=["claude-x-20250101"]) as anthropic:
        openai.about = {"a": {"shutdown_date": "2026-12-31"}, "b": {"shutdown_date": "2026-12-05"}}
        anthropic.about = {"claude-x-20250101": {"retires_at": "2026-12-11T00:00:00Z", "lifecycle": "deprecated"}}
        both = Settings.model_validate(
            {
                "openai": {"api_key": openai.key, "base_url": openai.base_url},
                "anthropic": {"api_key": anthropic.key, "base_url": anthropic.base_url},
            }
        )
        names = ["openai/a", "anthropic/claude-x", "openai/b", "local/c"]
        found = await find_shutdowns(both, names, TODAY)
    assert found == [
        Shutdown("openai/b", date(2026, 12, 5), 4),
        Shutdown("anthropic/claude-x", date(2026, 12, 11), 10),
        Shutdown("openai/a", date(2026, 12, 31), 30),
    ]
    assert found[1].sentence == "anthropic/claude-x will be shut down by its provider on 2026-12-11, in 10 days."


async def test_a_provider_that_says_nothing_announces_nothing() -> None:
    """Not reached, not admitted, or without a list: the end of a model is never made up."""
    nobody = {"openai": {"api_key": "k", "base_url": "http://127.0.0.1:9/v1"}}
    assert await find_shutdowns(Settings.model_validate(nobody), ["openai/a"], TODAY) == []
    async with FakeOpenAI() as provider:
        provider.about = {"test-model": {"shutdown_date": "2026-12-11"}}
        wrong = {"openai": {"api_key": "wrong", "base_url": provider.base_url}}
        assert await find_shutdowns(Settings.model_validate(wrong), ["openai/test-model"], TODAY) == []


@pytest.mark.parametrize(("days", "ok"), [(3, False), (14, False), (40, True)])
async def test_parley_check_names_the_day(days: int, ok: bool) -> None:
    """From two weeks before on it fails; before that it only says so."""
    day = datetime.now(UTC).date() + timedelta(days)
    async with FakeOpenAI() as provider:
        provider.about = {"test-model": {"shutdown_date": day.isoformat()}}
        checks = await check_models(settings(provider, **SECTIONS), platforms=False)
    model, end = checks
    assert model.ok
    assert (end.ok, f"openai/test-model will be shut down by its provider on {day}" in end.found) == (ok, True)
    assert "bot.model" in end.mend


async def test_the_admins_are_told_once_at_each_stage() -> None:
    """Two months before, and the more often the nearer it comes; never twice of the same stage."""
    told: list[int] = []
    now = datetime(2026, 9, 1, 12, tzinfo=UTC)
    model = Unset("")
    model.name = "openai/test-model"

    class OverError(Exception):
        """The story is over."""

    async def teller(_: str) -> None:
        told.append((date(2026, 12, 11) - now.date()).days)

    async def sleep(seconds: float) -> None:
        nonlocal now
        await alerts.settle()
        now += timedelta(seconds=seconds)
        if now.date() > date(2026, 12, 20):
            raise OverError

    alerts = Alerts(lambda: now.timestamp())
    alerts.connect("discord", teller)
    async with FakeOpenAI() as provider:
        provider.about = {"test-model": {"shutdown_date": "2026-12-11"}}
        with pytest.raises(OverError):
            await warn_of_shutdowns(settings(provider), Roster(model), alerts, lambda: now, sleep)
    assert told == [60, 30, 14, 7, 3, 1, 0]
