"""What was turned away stays so, and what was let in is asked for again when its turn comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import texts
from bot.domain.messages import Caller, Page, State
from bot.domain.spending import DenialReason
from bot.engine import Engine
from tests.bot.turns.test_engine import ANN, BEN, HERE, engine, provider, say
from tests.loopback.openai import FakeOpenAI
from tests.support.doors import BLOCKED, Strict, screen, strict
from tests.support.screen import Screen

__all__ = ["engine", "provider", "screen", "strict"]


async def test_a_refused_message_is_not_answered_when_it_is_found_strict(
    strict: Strict, screen: Screen, provider: FakeOpenAI
) -> None:
    """After a restart the limits are free again and the lists may be others; nothing of it was written but its ids."""
    for parley in (strict({"block": [ANN.id]}), strict(turns_per_day=1)):
        await parley.respond(say("let in or not", "1"), screen)
        await parley.respond(say("too much", "2"), screen)
    assert provider.asked == 0
    free = strict()
    assert await free.respond(say("let in or not", "1"), screen) is None
    assert await free.respond(say("too much", "2"), screen) is None
    assert await free.memory.visits("discord", ANN.id, 0) == []
    assert not await free.memory.asked(HERE.key)
    await free.respond(say("a new one", "3"), screen)
    assert provider.asked == 1


@pytest.mark.parametrize(
    ("command", "argument", "said"), [("block", "1", BLOCKED), ("pause", "", texts.NO_ENTRY[DenialReason.PAUSED])]
)
async def test_what_waits_goes_by_what_was_said_meanwhile(
    engine: Engine, screen: Screen, provider: FakeOpenAI, command: str, argument: str, said: str
) -> None:
    """Whoever is blocked, or a platform that pauses: an answer that has begun goes on, none begins."""
    ann = replace(ANN, id="1")
    script = provider.script()
    first = await engine.submit(say("one", "1", ann), screen)
    await script.asked()
    second = await engine.submit(say("two", "2", ann), screen)
    assert first
    assert second
    await engine.run_command(command, HERE, Caller(BEN, admin=True), argument)
    await script.send("One.")
    await script.end()
    assert (await first).text == "One."
    answer = await second
    assert (answer.state, answer.note, answer.fault) == (State.FAILED, said, "access")
    assert provider.asked == 1
    assert await engine.memory.unfinished("discord") == []


async def test_the_limit_of_the_day_ends_what_waits(strict: Strict, screen: Screen, provider: FakeOpenAI) -> None:
    """However many were let in before it was reached."""
    parley = strict(tokens=1)
    people = [replace(ANN, id=str(number)) for number in range(6)]
    taken = [await parley.submit(say("why?", person.id, person), screen) for person in people]
    answers = [await answer for answer in taken if answer]
    assert [answer.fault for answer in answers] == ["", *["limit"] * 5]
    assert provider.asked == 1


async def test_a_turn_that_a_crash_left_goes_by_the_lists_of_now(
    engine: Engine, strict: Strict, screen: Screen, provider: FakeOpenAI
) -> None:
    """What was not begun is closed; what others read of it half is written to its end."""
    await engine.memory.claim(say("not begun", "1"))
    begun = await engine.memory.claim(say("half shown", "2", BEN))
    assert begun
    post = await screen.post(Page("half"))
    await engine.memory.begin(begun.id)
    await engine.memory.progress(begun.id, [post], "half")
    parley = strict({"block": [ANN.id, BEN.id]})
    parley.register_platform("discord", lambda _: screen)
    await screen.until(lambda: provider.asked == 1 and screen.last.state is State.DONE)
    await parley.drain_turns(5)
    assert await engine.memory.unfinished("discord") == []
    assert "half shown" in screen.messages[post].text


async def test_what_is_found_again_counts_no_more(strict: Strict, screen: Screen) -> None:
    """Neither answered nor refused questions use up what a person may ask, when a later start finds them."""
    first = strict(turns_per_day=5, turns_per_minute=2)
    said = [say(f"q{number}", str(number)) for number in range(5)]
    answers = [await first.respond(one, screen) for one in said]
    assert [answer.fault for answer in answers if answer] == ["", "", "limit", "limit", "limit"]
    second = strict(turns_per_day=5)
    for one in said:
        assert await second.respond(one, screen) is None
        assert not await second.admit(one, screen)
    answers = [await second.respond(say("new", f"n{number}"), screen) for number in range(4)]
    assert [answer.fault for answer in answers if answer] == ["", "", "", "limit"]
