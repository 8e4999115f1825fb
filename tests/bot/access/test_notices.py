"""What people are told who are turned away: once, and not before others."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, cast

import pytest

from bot import texts
from bot.access.admission import Admission
from bot.access.denials import MAX_NOTICES, Denial
from bot.access.limits import NO_LIMITS
from bot.config.settings import AccessSettings, LimitsSettings
from bot.domain.errors import PlatformError, PlatformFault, StorageError
from bot.domain.messages import Caller, Place, State
from bot.domain.spending import DenialReason, Limit, start_of_days
from tests.bot.turns.test_engine import ANN, BEN, HERE, engine, provider, say
from tests.loopback.openai import FakeOpenAI
from tests.support.doors import BLOCKED, DM, Strict, Whispering, admit, ask, screen, strict
from tests.support.screen import Screen

__all__ = ["engine", "provider", "screen", "strict"]


async def test_a_person_who_is_turned_away_is_told_once_a_day(
    strict: Strict, screen: Screen, provider: FakeOpenAI
) -> None:
    """Or never, by a setting; nothing of theirs is written down."""
    parley = strict({"block": [ANN.id]})
    for number in range(3):
        assert (await ask(parley, screen, str(number), place=DM)).fault == "access"
    assert screen.texts == [texts.NO_ENTRY[DenialReason.BLOCKED]]
    assert await parley.memory.visits("discord", ANN.id, 0) == []
    silent = strict({"allow_people": [ANN.id], "notice": False})
    await ask(silent, screen, "9", BEN, place=DM)
    assert (len(screen.texts), provider.asked) == (1, 0)


async def test_who_is_told_is_told_again_on_another_day(strict: Strict) -> None:
    """By the clock, not by the process."""
    parley, now = strict(), [time.time()]
    door = Admission(parley.memory, parley.alerts, AccessSettings(dms="off"), clock=lambda: now[0])
    told = []
    for hours in (0, 23, 25, 26):
        now[0] = time.time() + hours * 3600
        said = say("x", str(hours), place=DM)
        refusal = await admit(door, said)
        assert refusal
        told.append(await door.notices.should_send(said, refusal))
    assert told == [True, False, True, False]


async def test_each_limit_is_told_when_it_is_reached(strict: Strict) -> None:
    """Not only the first of a day; but who floods steadily is told once a minute at most."""
    start, now = start_of_days(1, time.time()) + 3600.0, [0.0]
    parley = strict()
    limits = LimitsSettings(**{**NO_LIMITS.model_dump(), "turns_per_minute": 2, "turns_per_day": 6})
    door = Admission(parley.memory, parley.alerts, None, limits, clock=lambda: now[0])
    told: list[tuple[int, str]] = []
    for seconds in range(0, 400, 5):
        now[0] = start + seconds
        said = say("x", str(seconds))
        refusal = await admit(door, said)
        if refusal and await door.notices.should_send(said, refusal):
            assert refusal.public
            told.append((seconds, refusal.sentence.partition(".")[0]))
    assert [seconds for seconds, _ in told] == [10, 70, 130]
    assert {sentence for _, sentence in told[:-1]} == {"That was a lot in one minute"}
    assert told[-1][1].startswith("You have asked me all")


@pytest.mark.parametrize("place", [HERE, DM])
@pytest.mark.parametrize("confident", [True, False])
async def test_nobody_is_scolded_before_others(strict: Strict, screen: Screen, place: Place, confident: bool) -> None:
    """Why somebody may not ask is told them alone, or not at all; what passes by itself others may read."""
    confided: list[str] = []

    async def confide(text: str) -> None:
        if not confident:
            raise PlatformError(PlatformFault.FORBIDDEN, "they take no direct messages")
        confided.append(text)

    channel = cast(Any, Whispering(screen, confide))
    blocked, limited = strict({"block": [ANN.id]}), strict(turns_per_day=1)
    for parley, sentence, public in (
        (blocked, texts.NO_ENTRY[DenialReason.BLOCKED], False),
        (limited, "You have asked me all that one person may ask in a day.", True),
    ):
        for number in range(3):
            await ask(parley, channel, f"{sentence} {number}", place=place)
        shown = [text for text in screen.texts if text.startswith(sentence)]
        alone = [text for text in confided if text.startswith(sentence)]
        assert len(alone) == (confident and not place.direct)
        assert len(shown) == (place.direct or (public and not confident))


async def test_who_was_not_speaking_to_the_bot_is_not_told_that_they_may_not(strict: Strict, screen: Screen) -> None:
    """In a thread where it takes part people also speak to each other."""
    parley = strict({"allow_people": [BEN.id]})
    answer = await parley.respond(replace(say("Ben, shall we have lunch?", "1"), follows=True), screen)
    assert answer
    assert (answer.fault, screen.texts) == ("access", [])
    asked = await parley.submit(say("hello bot", "2", place=Place("discord:9", direct=True)), screen)
    assert asked
    await asked
    assert screen.texts == [texts.NO_ENTRY[DenialReason.PERSON]]


async def test_who_could_not_be_told_is_told_another_time(strict: Strict, screen: Screen) -> None:
    """Where it was too much at that moment; who takes no direct messages is told where they write one."""
    faults: list[PlatformFault] = [PlatformFault.RATE, PlatformFault.NETWORK, PlatformFault.FORBIDDEN]
    told: list[str] = []

    async def confide(text: str) -> None:
        if faults:
            raise PlatformError(faults.pop(0), "not now")
        told.append(text)

    channel, parley = cast(Any, Whispering(screen, confide)), strict({"block": [ANN.id]})
    for number in range(4):
        await parley.respond(say("x", str(number)), channel)
    assert (told, screen.texts, faults) == ([], [], [])
    await parley.respond(say("x", "9", place=Place("discord:9", direct=True)), channel)
    assert screen.texts == [BLOCKED]


@pytest.mark.parametrize("broken", [("decline",), ("annotate",), ("heard",), ("heard", "annotate", "decline")])
async def test_a_memory_that_fails_tells_nobody_who_is_blocked_of_it(
    strict: Strict, screen: Screen, monkeypatch: pytest.MonkeyPatch, broken: tuple[str, ...]
) -> None:
    """They are turned away as ever; nor is who was not speaking to the bot."""
    parley = strict({"block": [ANN.id]})
    await parley.run_command("help", HERE, Caller(BEN))  # the lists of admins were read while it worked

    async def fail(*_: object) -> None:
        raise StorageError("the disk is full")

    for name in broken:
        monkeypatch.setattr(parley.memory, name, fail)
    for number in range(3):
        answer = await parley.respond(say("x", str(number)), screen)
        assert answer
        assert answer.state is State.FAILED
    monkeypatch.setattr(parley.memory, "heard", fail)
    await parley.respond(replace(say("x", "f", BEN), follows=True), screen)
    assert [text for text in screen.texts if text == texts.STORAGE] == []
    await parley.respond(say("x", "o", BEN), screen)
    assert screen.texts[-1] == texts.STORAGE


async def test_a_clock_that_was_set_back_silences_no_notice(strict: Strict, screen: Screen) -> None:
    """What was told in days to come was told before the clock was mended."""
    parley, now = strict(), [time.time() + 5 * 86_400]
    door = Admission(parley.memory, parley.alerts, AccessSettings(block=(ANN.id,)), clock=lambda: now[0])
    said = say("x", "1")
    refusal = await admit(door, said)
    assert refusal
    assert await door.notices.should_send(said, refusal)
    assert not await door.notices.should_send(said, refusal)
    now[0] -= 5 * 86_400
    assert await door.notices.should_send(said, refusal)


async def test_the_notices_are_bounded_and_a_person_takes_all_of_theirs_along(strict: Strict) -> None:
    """The oldest go first; limits and private notices are theirs, too."""
    parley = strict()
    door = Admission(parley.memory, parley.alerts, AccessSettings(block=("1",)))
    refusal = Denial("limit", "x", Limit.DAY, time.time() + 1000)
    for number in range(MAX_NOTICES + 3):
        person = replace(ANN, id=str(number))
        assert await door.notices.should_send(say("x", str(number), person), replace(refusal, end=refusal.end + number))
    last = replace(ANN, id=str(MAX_NOTICES + 2))
    assert await door.notices.should_send(say("x", "d", last, DM), replace(refusal, end=refusal.end + MAX_NOTICES + 3))
    await door.notices.mark_sent()
    told = (await parley.memory.metadata("parley:notices"))["told"]
    assert len(told) == MAX_NOTICES
    assert len([name for name in told if name.startswith(f"discord:{last.id} ")]) == 2
    await door.notices.forget_person(HERE, last)
    assert not [name for name in (await parley.memory.metadata("parley:notices"))["told"] if f":{last.id} " in name]


async def test_a_forgotten_person_is_in_no_list_of_who_was_told(strict: Strict, screen: Screen) -> None:
    """Nor is anybody there whose time is over."""
    parley = strict({"block": [ANN.id, BEN.id]})
    for author in (ANN, BEN):
        await parley.respond(say("x", author.id, author), screen)
    assert set((await parley.memory.metadata("parley:notices"))["told"]) == {"discord:u1", "discord:u2"}
    await parley.run_command("forget-me", HERE, Caller(ANN))
    assert set((await parley.memory.metadata("parley:notices"))["told"]) == {"discord:u2"}
