"""`/listen`: where everything is answered, by what admins said and the settings; who may say it, and what is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import texts
from bot.access.listening import Listening
from bot.config.places import PlaceTables
from bot.config.settings import PlaceSettings
from bot.domain.messages import Author, Caller, Place
from storage.sqlite import SqliteMemory

CHANNEL = Place("discord:7", shared=True)
THREAD = Place("discord:8", shared=True, home="discord:7")
OTHER = Place("discord:9", shared=True)
DIRECT = Place("discord:5", direct=True)
TABLES = PlaceTables({"discord:7": PlaceSettings(answer="all"), "slack:T1:C1": PlaceSettings(answer="all")})
ANN = Caller(Author("1", "Ann"))
ADMIN = Caller(Author("2", "Ben"), admin=True)
MANAGER = Caller(Author("3", "Cleo"), manages=True)


async def test_what_an_admin_said_beats_the_settings_and_survives_a_restart(tmp_path: Path) -> None:
    """For the channel and its threads alone, and whoever says it again hears that nothing changed."""
    for _ in range(2):
        memory = await SqliteMemory.open(tmp_path / "parley.db")
        listening = Listening(memory, TABLES)
        if not await listening.answers_all(OTHER):
            assert await listening.answers_all(CHANNEL)
            assert await listening.answers_all(THREAD)
            assert await listening.change_listening(THREAD, MANAGER, "off") == texts.LISTEN[False]
            assert await listening.change_listening(OTHER, ADMIN, "ON") == texts.LISTEN[True]
            assert await listening.change_listening(OTHER, ADMIN, "on") == texts.AS_IT_WAS
        assert not await listening.answers_all(CHANNEL)
        assert not await listening.answers_all(THREAD)
        assert await listening.answers_all(OTHER)
        assert await listening.find_channels("discord") == ["discord:9"]
        assert await listening.find_channels("slack") == ["slack:T1:C1"]
        await memory.close()


async def test_only_admins_change_it_and_all_may_look(tmp_path: Path) -> None:
    """Without a value it says how it is; another value than on and off is none; elsewhere nothing can be set."""
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    listening = Listening(memory, TABLES)
    assert await listening.change_listening(CHANNEL, ANN, "off") == texts.ADMINS_ONLY
    assert await listening.change_listening(CHANNEL, ANN, "") == texts.LISTENS[True]
    assert await listening.change_listening(OTHER, ANN, "") == texts.LISTENS[False]
    assert await listening.change_listening(OTHER, ADMIN, "maybe") == texts.ON_OR_OFF
    assert await listening.change_listening(DIRECT, ADMIN, "off") == texts.LISTENS_ALWAYS
    await memory.close()


async def test_what_was_said_before_it_was_switched_on_is_not_answered(tmp_path: Path) -> None:
    """Though a later look for missed messages finds it. Where the settings say it, all is."""
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    listening = Listening(memory, TABLES, clock=lambda: 1000.0)
    await listening.change_listening(OTHER, ADMIN, "on")
    assert not await listening.answers_all(OTHER, sent=999.0)
    assert await listening.answers_all(OTHER, sent=1001.0)
    assert await listening.answers_all(CHANNEL, sent=1.0)
    await memory.close()


@pytest.mark.parametrize("value", ["on", "off"])
async def test_where_the_bot_cannot_read_it_says_so(tmp_path: Path, value: str) -> None:
    """To who switches it on, on that platform."""
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    listening = Listening(memory, TABLES)
    listening.hindrances["discord"] = "But I am blind."
    told = await listening.change_listening(CHANNEL, ADMIN, value)
    assert ("But I am blind." in told) is (value == "on")
    assert "blind" not in await listening.change_listening(Place("slack:T1:C2", shared=True), ADMIN, "on")
    await memory.close()
