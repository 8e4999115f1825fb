"""Who may talk to the bot, as the settings and admins say it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.access.overrides import Overrides
from bot.access.policy import AccessPolicy, Kind, Subject
from bot.config.settings import AccessSettings
from bot.domain.messages import Author, Incoming, Place
from bot.domain.spending import DenialReason

MARKS = ("u1", "helpers", "7", "talk", "server")


def said(
    marks: tuple[str, ...] = MARKS,
    platform: str = "discord",
    direct: bool = False,
    admin: bool = False,
    external: bool = False,
    bot: bool = False,
    command: str = "",
) -> Incoming:
    """A message of u1, who is a helper, in channel 7 of the category talk."""
    place = Place(f"{platform}:{'dm' if direct else '7'}", shared=not direct, direct=direct)
    marks = ("u1",) if direct else marks
    return Incoming(
        place,
        Author("u1", "Ann"),
        "hi",
        "7",
        "1",
        marks=marks,
        admin=admin,
        external=external,
        bot=bot,
        command=command,
    )


def judge(message: Incoming, overrides: Overrides | None = None, **settings: Any) -> DenialReason | None:
    """What is decided with these settings."""
    policy = AccessPolicy(AccessSettings.model_validate(settings))
    return policy.find_reason(Subject.from_message(message), Kind.of(message), overrides or Overrides())


def test_everybody_may_talk_where_nothing_is_set() -> None:
    """In channels and in direct messages."""
    assert judge(said()) is None
    assert judge(said(direct=True)) is None


@pytest.mark.parametrize("mark", [*MARKS, *(f"discord:{mark}" for mark in MARKS)])
def test_each_mark_can_be_blocked(mark: str) -> None:
    """With the platform's name before it or without, in spite of every list, and admins too."""
    assert judge(said(), block=[mark], allow_people=["u1"]) is DenialReason.BLOCKED
    assert judge(said(admin=True), block=[mark]) is DenialReason.BLOCKED
    assert judge(said(marks=("u2",), platform="slack"), block=[f"discord:{mark}"]) is None


def test_an_id_may_be_a_number() -> None:
    """As people write them into a settings file."""
    assert judge(said(marks=("123",)), block=[123]) is DenialReason.BLOCKED


def test_people_and_places_must_both_be_allowed() -> None:
    """A person by their id or a role, a place by any that it is in."""
    for person in ("u1", "helpers"):
        for place in ("7", "talk", "server"):
            assert judge(said(), allow_people=[person], allow_places=[place]) is None
    assert judge(said(), allow_people=["u2"]) is DenialReason.PERSON
    assert judge(said(), allow_places=["8"]) is DenialReason.PLACE
    assert judge(said(), allow_people=["u1"], allow_places=["8"]) is DenialReason.PLACE


def test_a_thread_is_in_its_channel() -> None:
    """Its place says so, also where no mark does."""
    place = Place("slack:T1:C1:1.2", shared=True, home="slack:T1:C1")
    message = Incoming(place, Author("u1", "Ann"), "hi", "C1", "1.3")
    assert judge(message, allow_places=["C1"]) is judge(message, allow_places=["slack:T1"]) is None
    assert judge(message, block=["C1"]) is DenialReason.BLOCKED


@pytest.mark.parametrize(
    ("dms", "people", "reason"),
    [
        ("open", [], None),
        ("open", ["u1"], None),
        ("open", ["u2"], DenialReason.PERSON),
        ("listed", [], DenialReason.DIRECT),
        ("listed", ["u1"], None),
        ("off", ["u1"], DenialReason.DIRECT),
    ],
)
def test_direct_messages_are_open_listed_or_off(dms: str, people: list[str], reason: DenialReason | None) -> None:
    """The list of places does not hold there; admins may always write."""
    settings: dict[str, Any] = {"dms": dms, "allow_people": people, "allow_places": ["8"]}
    assert judge(said(direct=True), **settings) is reason
    assert judge(said(direct=True, admin=True), **settings) is None


def test_people_of_other_organisations_are_let_in_by_a_setting() -> None:
    """It is off by default."""
    assert judge(said(external=True)) is DenialReason.EXTERNAL
    assert judge(said(external=True), external=True) is None


def test_bots_are_let_in_by_name() -> None:
    """And then by the same lists as people, but that of people."""
    assert judge(said(bot=True)) is DenialReason.BOT
    assert judge(said(bot=True), bots=["u2"]) is DenialReason.BOT
    assert judge(said(bot=True), bots=["discord:u1"], allow_people=["u2"]) is None
    assert judge(said(bot=True), bots=["u1"], block=["u1"]) is DenialReason.BLOCKED
    assert judge(said(bot=True), bots=["u1"], allow_places=["8"]) is DenialReason.PLACE


def test_whom_an_admin_blocked_is_blocked_on_that_platform() -> None:
    """An admin is not: they could not take it back."""
    overrides = Overrides(blocked=frozenset({"discord:u1"}))
    assert judge(said(), overrides) is DenialReason.BLOCKED
    assert judge(said(admin=True), overrides) is None
    assert judge(said(platform="slack"), overrides) is None


def test_a_pause_holds_for_a_platform_and_for_admins() -> None:
    """Commands still count, so that it can end."""
    overrides = Overrides(paused=frozenset({"discord"}))
    assert judge(said(), overrides) is judge(said(admin=True), overrides) is DenialReason.PAUSED
    assert judge(said(command="help"), overrides) is None
    assert judge(said(admin=True, command="resume"), overrides) is None
    assert judge(said(platform="slack"), overrides) is None


def test_what_is_kept_of_the_switches_can_be_read_again() -> None:
    """Nothing noted is nobody blocked."""
    overrides = Overrides(frozenset({"discord:1", "slack:U2"}), frozenset({"slack"}))
    assert Overrides.from_metadata(overrides.to_metadata()) == overrides
    assert Overrides.from_metadata({}) == Overrides()
