"""What a channel has of its own: its model and its persona, by its admins or the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot import texts
from bot.config.settings import BotSettings, PlaceSettings
from bot.domain.commands import LONGEST
from bot.domain.messages import Caller, Place
from bot.engine import Engine
from bot.models.protocols.openai import OpenAIModel
from bot.models.registry import Roster
from bot.runtime.metrics import Metrics
from storage.sqlite import SqliteMemory
from tests.bot.turns.test_engine import ANN, say
from tests.loopback.openai import FakeOpenAI
from tests.support.screen import Screen

CHANNEL = Place("discord:7", shared=True)
THREAD = Place("discord:8", shared=True, home="discord:7")
OTHER = Place("discord:9", shared=True)
SET = Place("discord:5", shared=True)
PLACES = {"discord:5": PlaceSettings(model="openai/c", system_prompt="You rhyme.")}


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[FakeOpenAI]:
    """A server with three models."""
    async with FakeOpenAI(models=("a", "b", "c")) as server:
        yield server


@pytest_asyncio.fixture
async def engine(provider: FakeOpenAI, tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine that has all of them."""
    key = SecretStr("test-key")
    a, b, c = (
        OpenAIModel(f"openai/{name}", name, key, provider.base_url, timeout=60, reader="OpenAI") for name in "abc"
    )
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    roster = Roster(a, {"openai/b": b, "openai/c": c})
    engine = Engine(roster, memory, BotSettings(system_prompt="You are kind."), Metrics(), places=PLACES)
    yield engine
    await engine.drain_turns(5)
    await memory.close()
    await roster.close()


async def asked(engine: Engine, provider: FakeOpenAI, place: Place, number: str) -> tuple[str, str]:
    """Which model answers in a place, and the beginning of what it is told about itself."""
    await engine.respond(say("hello", number, place=place), Screen(trip=0))
    request = provider.requests[-1]
    return request["model"], request["messages"][0]["content"].partition("\n")[0]


async def test_what_is_chosen_for_a_channel_holds_in_it_and_its_threads(engine: Engine, provider: FakeOpenAI) -> None:
    """And nowhere else; `default` takes it back; a reset does not."""
    assert await asked(engine, provider, CHANNEL, "1") == ("a", "You are kind.")
    told = await engine.run_command("model", THREAD, Caller(ANN, admin=True), "openai/b")
    assert told == texts.CHOSEN.format(model="openai/b")
    await engine.run_command("persona", CHANNEL, Caller(ANN, admin=True), "You are Nora.")
    await engine.run_command("reset", CHANNEL, Caller(ANN))
    assert await asked(engine, provider, CHANNEL, "2") == ("b", "You are Nora.")
    assert await asked(engine, provider, THREAD, "3") == ("b", "You are Nora.")
    assert await asked(engine, provider, OTHER, "4") == ("a", "You are kind.")
    await engine.run_command("model", CHANNEL, Caller(ANN, admin=True), "default")
    await engine.run_command("persona", CHANNEL, Caller(ANN, admin=True), "default")
    assert await asked(engine, provider, CHANNEL, "5") == ("a", "You are kind.")


async def test_help_says_who_reads_along_where_it_is_asked(engine: Engine) -> None:
    """The provider of the channel's own model, not of the default."""
    engine.roster.others["openai/b"].reader = "Somebody else"  # type: ignore[misc]
    await engine.run_command("model", CHANNEL, Caller(ANN, admin=True), "openai/b")
    assert "Somebody else" in await engine.run_command("help", CHANNEL, Caller(ANN))
    assert "Somebody else" not in await engine.run_command("help", OTHER, Caller(ANN))


async def test_the_settings_can_say_it_for_a_channel(engine: Engine, provider: FakeOpenAI) -> None:
    """What an admin chose there is stronger."""
    assert await asked(engine, provider, SET, "1") == ("c", "You rhyme.")
    await engine.run_command("model", SET, Caller(ANN, admin=True), "openai/b")
    assert await asked(engine, provider, SET, "2") == ("b", "You rhyme.")


@pytest.mark.parametrize("name", ["model", "persona"])
async def test_only_admins_change_it_and_all_may_look(engine: Engine, name: str) -> None:
    """Nobody else's wish changes anything."""
    before = await engine.run_command(name, CHANNEL, Caller(ANN))
    assert await engine.run_command(name, CHANNEL, Caller(ANN), "openai/b") == texts.ADMINS_ONLY
    assert await engine.run_command(name, CHANNEL, Caller(ANN)) == before
    assert "openai/a" in before or "You are kind." in before


async def test_what_cannot_be_is_told(engine: Engine) -> None:
    """A model that is not there, a persona that is too long."""
    told = await engine.run_command("model", CHANNEL, Caller(ANN, admin=True), "openai/z")
    assert "openai/z" in told
    assert "`openai/b`" in told
    assert await engine.run_command("persona", CHANNEL, Caller(ANN, admin=True), "x" * 4001) == texts.TOO_LONG.format(
        most=LONGEST
    )


def test_models_are_suggested(engine: Engine) -> None:
    """Those that begin so first, then those that hold it."""
    assert engine.suggest_values("model", "") == ["openai/a", "openai/b", "openai/c", "default"]
    assert engine.suggest_values("model", "B") == ["openai/b"]
    assert engine.suggest_values("persona", "x") == []
