"""Conversations of one person each: what their places are called, and what the settings say of a place."""

from __future__ import annotations

import pytest

from adapters.slack.inbound.messages import locate, place_from, split
from bot.config.places import PlaceTables, read_unaddressed
from bot.config.settings import PlaceSettings, Settings
from bot.domain.messages import Place

CHANNEL = Place("discord:7", shared=True)
THREAD = Place("discord:8", shared=True, home="discord:7")
PERSON = PlaceTables({"discord:7": PlaceSettings(memory="person"), "slack:T1:C1": PlaceSettings(memory="person")})


def test_each_person_has_a_place_of_their_own_in_a_channel_and_its_threads() -> None:
    """Its room is what all speak in; direct messages and other channels stay as they are."""
    ann = PERSON.place_for(CHANNEL, "1")
    assert ann == Place("discord:7:1", shared=True, person="1")
    assert (ann.room, ann.channel, ann.has_many_speakers) == ("discord:7", "discord:7", False)
    there = PERSON.place_for(THREAD, "1")
    assert (there.key, there.room, there.channel) == ("discord:8:1", "discord:8", "discord:7")
    assert PERSON.place_for(ann, "2") == ann
    for other in (Place("discord:9", shared=True), Place("discord:7", direct=True)):
        assert PERSON.place_for(other, "1") == other


@pytest.mark.parametrize("thread", ["", "1700000000.000100"])
@pytest.mark.parametrize("person", ["U1", "W1"])
def test_a_key_of_slack_says_whether_a_thread_or_a_person_is_meant(thread: str, person: str) -> None:
    """A person's place is never taken for a thread."""
    shared = locate("T1", "C1", thread, False)
    own = PERSON.place_for(shared, person)
    assert own.key == f"{shared.key}:{person}"
    assert place_from(own.key) == own
    assert place_from(shared.key) == shared
    assert split(own) == split(shared) == ("T1", "C1", thread)


def test_a_thread_has_each_setting_of_its_channel_that_it_does_not_set() -> None:
    """Key by key, also where it sets one back to the default."""
    tables = PlaceTables(
        {
            "discord:7": PlaceSettings(answer="all", memory="person", model="openai/a"),
            "discord:8": PlaceSettings(answer="mentions", model="openai/b"),
        }
    )
    assert tables.find(CHANNEL) == PlaceSettings(answer="all", memory="person", model="openai/a")
    assert tables.find(THREAD) == PlaceSettings(answer="mentions", memory="person", model="openai/b")
    assert tables.find(tables.place_for(THREAD, "1")).model == "openai/b"
    assert tables.find(Place("discord:9", shared=True)) == PlaceSettings()


def test_settings_that_need_the_bot_to_read_everything_are_named() -> None:
    """For each platform its own places, and the names on both."""
    settings = Settings.model_validate(
        {
            "bot": {"names": ["parley"]},
            "places": {
                "discord:7": {"answer": "all"},
                "discord:8": {"memory": "person"},
                "slack:T1:C1": {"answer": "all"},
            },
        }
    )
    assert read_unaddressed(settings, "discord") == ("bot.names", '[places."discord:7"] answer')
    assert read_unaddressed(settings, "slack") == ("bot.names", '[places."slack:T1:C1"] answer')
    assert read_unaddressed(Settings(), "discord") == ()


@pytest.mark.parametrize("name", ["", " ", "?!", "two\nlines"])
def test_a_name_that_nobody_could_say_is_refused(name: str) -> None:
    """At the start, with what to do."""
    with pytest.raises(ValueError, match="a word or two on one line"):
        Settings.model_validate({"bot": {"names": [name]}})
