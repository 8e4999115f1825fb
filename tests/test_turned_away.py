"""What was turned away stays so, and what was let in is asked for again when its turn comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from bot import notes
from bot.access import Reason
from bot.config import AccessSettings, BotSettings, LimitsSettings
from bot.door import Door
from bot.engine import Engine
from bot.errors import PlatformError, PlatformFault, StorageError
from bot.limits import NONE
from bot.messages import Caller, Control, Incoming, Message, Page, Place, Role, State, Usage
from bot.metrics import Metrics
from bot.record import Answer
from tests.loopback.openai import FakeOpenAI
from tests.screen import Screen
from tests.test_engine import ANN, BEN, HERE, engine, provider, recall, say, screen
from tests.test_limits import Whispering

__all__ = ["engine", "provider", "screen"]

Again = Callable[..., Engine]
BLOCKED = notes.NO_ENTRY[Reason.BLOCKED]


@pytest.fixture
def again(engine: Engine) -> Again:
    """Makes an engine over the same memory, as after a restart, with these lists and limits."""

    def make(access: dict[str, Any] | None = None, **limits: Any) -> Engine:
        lists = AccessSettings.model_validate(access or {})
        chosen = LimitsSettings(**{**NONE.model_dump(), **limits})
        return Engine(engine.model, engine.memory, BotSettings(), Metrics(), access=lists, limits=chosen)

    return make


async def test_a_refused_message_is_not_answered_when_it_is_found_again(
    again: Again, screen: Screen, provider: FakeOpenAI
) -> None:
    """After a restart the limits are free again and the lists may be others; nothing of it was written but its ids."""
    for parley in (again({"block": [ANN.id]}), again(turns_per_day=1)):
        await parley.respond(say("let in or not", "1"), screen)
        await parley.respond(say("too much", "2"), screen)
    assert provider.asked == 0
    free = again()
    assert await free.respond(say("let in or not", "1"), screen) is None
    assert await free.respond(say("too much", "2"), screen) is None
    assert await free.memory.visits("discord", ANN.id, 0) == []
    assert not await free.memory.asked(HERE.key)
    await free.respond(say("a new one", "3"), screen)
    assert provider.asked == 1


@pytest.mark.parametrize(
    ("command", "argument", "said"), [("block", "1", BLOCKED), ("pause", "", notes.NO_ENTRY[Reason.PAUSED])]
)
async def test_what_waits_goes_by_what_was_said_meanwhile(
    engine: Engine, screen: Screen, provider: FakeOpenAI, command: str, argument: str, said: str
) -> None:
    """Whoever is blocked, or a platform that pauses: an answer that has begun goes on, none begins."""
    ann = replace(ANN, id="1")
    script = provider.script()
    first = await engine.take(say("one", "1", ann), screen)
    await script.asked()
    second = await engine.take(say("two", "2", ann), screen)
    assert first
    assert second
    await engine.command(command, HERE, Caller(BEN, admin=True), argument)
    await script.send("One.")
    await script.end()
    assert (await first).text == "One."
    answer = await second
    assert (answer.state, answer.note, answer.fault) == (State.FAILED, said, "access")
    assert provider.asked == 1
    assert await engine.memory.unfinished("discord") == []


async def test_the_limit_of_the_day_ends_what_waits(again: Again, screen: Screen, provider: FakeOpenAI) -> None:
    """However many were let in before it was reached."""
    parley = again(tokens=1)
    people = [replace(ANN, id=str(number)) for number in range(6)]
    taken = [await parley.take(say("why?", person.id, person), screen) for person in people]
    answers = [await answer for answer in taken if answer]
    assert [answer.fault for answer in answers] == ["", *["limit"] * 5]
    assert provider.asked == 1


async def test_a_turn_that_a_crash_left_goes_by_the_lists_of_now(
    engine: Engine, again: Again, screen: Screen, provider: FakeOpenAI
) -> None:
    """What was not begun is closed; what others read of it half is written to its end."""
    await engine.memory.claim(say("not begun", "1"))
    begun = await engine.memory.claim(say("half shown", "2", BEN))
    assert begun
    post = await screen.post(Page("half"))
    await engine.memory.begin(begun.id)
    await engine.memory.progress(begun.id, [post], "half")
    parley = again({"block": [ANN.id, BEN.id]})
    parley.serve("discord", lambda _: screen)
    await screen.until(lambda: provider.asked == 1 and screen.last.state is State.DONE)
    await parley.drain(5)
    assert await engine.memory.unfinished("discord") == []
    assert "half shown" in screen.messages[post].text


async def test_edits_and_deletions_ask_no_model(again: Again, screen: Screen, provider: FakeOpenAI) -> None:
    """Of who may ask nothing, and of what is not the last: a summary that is void is made anew with the next answer."""
    parley = again()
    for number in range(6):
        await parley.respond(say(f"q{number}", str(number)), screen)
    asked = provider.asked
    for number in range(5):
        await parley.amend(say(f"changed {number}", str(number)))
    await parley.retract("discord", "7", "0")
    strict = again({"block": [ANN.id]})
    await strict.amend(say("changed again", "5"))
    await parley.drain(1)
    await strict.drain(1)
    assert provider.asked == asked


async def test_a_refused_edit_changes_nothing_but_what_is_remembered(again: Again, screen: Screen) -> None:
    """New words of who is blocked are not taken in, and the old ones go; nobody is told until they ask."""
    parley = again()
    await parley.respond(say("before", "1"), screen)
    direct = Place("discord:9", direct=True)
    blocked = again({"block": [ANN.id]})
    await blocked.amend(say("sneaked in", "1"))
    assert await recall(blocked) == []
    shown = len(screen.texts)
    answer = await blocked.respond(say("and now?", "2", place=direct), screen)
    assert answer
    assert screen.texts[shown:] == [BLOCKED]
    limited = again(turns_per_day=1)
    await limited.respond(say("the only one", "3", BEN), screen)
    await limited.amend(say("the only one, changed", "3", BEN))
    shown = len(screen.texts)
    await limited.respond(say("and another", "4", BEN), screen)
    assert screen.texts[shown].startswith("You have asked me all")


async def test_a_question_that_is_changed_while_it_is_answered_is_remembered_as_it_reads(
    again: Again, screen: Screen, provider: FakeOpenAI
) -> None:
    """Where it cannot be answered anew, too: the model hears the old words no more."""
    parley = again(turns_per_minute=3)
    parley.serve("discord", lambda _: screen)
    script = provider.script()
    first = await parley.take(say("my PIN is 1234", "1"), screen)
    await script.asked()
    second = await parley.take(say("my PIN is 5678", "2"), screen)
    third = await parley.take(say("me too", "3", BEN), screen)
    await parley.amend(say("(removed)", "1"))
    await parley.amend(say("(taken back)", "2"))
    await script.send("ok")
    await script.end()
    assert first
    assert second
    assert third
    await asyncio.gather(first, second, third)
    assert "5678" not in str(provider.requests)
    await parley.respond(say("what is it?", "4", BEN), screen)
    for seen in (await recall(parley), provider.requests[-1]):
        assert "(removed)" in str(seen)
        assert "(taken back)" in str(seen)
        assert "1234" not in str(seen)
        assert "5678" not in str(seen)


async def test_who_was_not_speaking_to_the_bot_is_not_told_that_they_may_not(again: Again, screen: Screen) -> None:
    """In a thread where it takes part people also speak to each other."""
    parley = again({"allow_people": [BEN.id]})
    answer = await parley.respond(replace(say("Ben, shall we have lunch?", "1"), follows=True), screen)
    assert answer
    assert (answer.fault, screen.texts) == ("access", [])
    asked = await parley.take(say("hello bot", "2", place=Place("discord:9", direct=True)), screen)
    assert asked
    await asked
    assert screen.texts == [notes.NO_ENTRY[Reason.PERSON]]


async def test_whoever_may_ask_nothing_can_have_their_words_deleted(again: Again, screen: Screen) -> None:
    """By a message, too, however much they asked today; but not in a flood."""
    parley = again(turns_per_day=1)
    await parley.respond(say("remember this", "1"), screen)
    for lists, limits in (({"block": [ANN.id]}, {}), ({}, {"turns_per_day": 1})):
        strict = again(lists, **limits)
        answer = await strict.respond(say("/forget-me", str(lists), command="forget-me"), screen)
        assert answer
        assert answer.state is State.DONE
    assert await recall(parley) == []
    strict = again(turns_per_minute=1)
    for number in range(5):
        last = await strict.respond(say("/forget-me", f"f{number}", command="forget-me"), screen)
    assert last
    assert last.fault == "limit"


async def test_answering_again_counts_after_a_restart(again: Again, screen: Screen) -> None:
    """By the time when it was answered again, however old the question."""
    parley = again()
    parley.serve("discord", lambda _: screen)
    await parley.respond(say("one", "1"), screen)
    started = time.time()
    await parley.memory.reopen(1)
    await parley.memory.finish(1, Answer("anew", usage=Usage(1, 1), model="openai/x"), Message(Role.USER, "one"))
    assert len(await parley.memory.visits("discord", ANN.id, started)) == 1
    assert len(await parley.memory.visits("discord", ANN.id, 0)) == 2


async def test_a_clock_that_was_set_back_locks_nobody_out(again: Again) -> None:
    """What seems to have been asked in days to come does not count."""
    parley, now = again(), [time.time() + 5 * 86_400]
    limits = LimitsSettings(**{**NONE.model_dump(), "turns_per_minute": 1, "turns_per_day": 1})
    door = Door(parley.memory, parley.alerts, None, limits, clock=lambda: now[0])
    assert await door.refuse(say("x", "1")) is None
    assert await door.refuse(say("x", "2"))
    now[0] -= 5 * 86_400
    assert await door.refuse(say("x", "3")) is None


async def test_a_forgotten_person_is_in_no_list_of_who_was_told(again: Again, screen: Screen) -> None:
    """Nor is anybody there whose time is over."""
    parley = again({"block": [ANN.id, BEN.id]})
    for author in (ANN, BEN):
        await parley.respond(say("x", author.id, author), screen)
    assert set((await parley.memory.metadata("parley:notices"))["told"]) == {"discord:u1", "discord:u2"}
    await parley.command("forget-me", HERE, Caller(ANN))
    assert set((await parley.memory.metadata("parley:notices"))["told"]) == {"discord:u2"}


@pytest.mark.parametrize("whom", ["ann", "@ann", "<@ann>", "u012abc", "", "1 2"])
async def test_only_an_id_is_blocked(again: Again, whom: str) -> None:
    """A name would block nobody, and say that it did."""
    assert await again().command("block", HERE, Caller(BEN, admin=True), whom) == notes.WHOM


async def test_an_id_of_slack_is_blocked_however_it_is_written(again: Again) -> None:
    """In capitals or not, as a mention or alone."""
    parley, place = again(), Place("slack:T1:C1", shared=True)
    said = notes.BLOCKED.format(person="U012ABC", platform="Slack")
    assert await parley.command("block", place, Caller(BEN, admin=True), "u012abc") == said
    assert await parley.command("block", place, Caller(BEN, admin=True), "<@U012ABC|ann>") == notes.AS_IT_WAS


async def test_what_is_found_again_counts_no_more(again: Again, screen: Screen) -> None:
    """Neither answered nor refused questions use up what a person may ask, when a later start finds them."""
    first = again(turns_per_day=5, turns_per_minute=2)
    said = [say(f"q{number}", str(number)) for number in range(5)]
    answers = [await first.respond(one, screen) for one in said]
    assert [answer.fault for answer in answers if answer] == ["", "", "limit", "limit", "limit"]
    second = again(turns_per_day=5)
    for one in said:
        assert await second.respond(one, screen) is None
        assert not await second.admits(one, screen)
    answers = [await second.respond(say("new", f"n{number}"), screen) for number in range(4)]
    assert [answer.fault for answer in answers if answer] == ["", "", "", "limit"]


async def test_what_is_found_late_counts_for_when_it_was_asked(again: Again, screen: Screen) -> None:
    """Four questions in ten minutes are not four in one, though they all arrive at once."""
    parley, now = again(turns_per_minute=2), time.time()
    late = [replace(say("x", str(number)), sent=now - 600 + 150 * number) for number in range(4)]
    answers = [await parley.respond(one, screen) for one in late]
    assert [answer.fault for answer in answers if answer] == [""] * 4
    burst = [replace(say("x", f"b{number}"), sent=now - 30) for number in range(3)]
    answers = [await parley.respond(one, screen) for one in burst]
    assert [answer.fault for answer in answers if answer] == ["", "", "limit"]


async def test_answering_an_old_question_again_counts_for_now(again: Again, screen: Screen) -> None:
    """However long ago it was asked."""
    parley = again(turns_per_minute=2)
    parley.serve("discord", lambda _: screen)
    await parley.respond(replace(say("one", "1"), sent=time.time() - 4000), screen)
    for _ in range(2):
        assert await parley.press(Control.AGAIN, 1, Caller(ANN)) == ""
        await parley._places.settle()
    assert (await parley.press(Control.AGAIN, 1, Caller(ANN))).startswith("That was a lot")


async def test_a_listed_bot_may_change_what_it_asked(again: Again, screen: Screen) -> None:
    """The list of people is not for it."""
    parley = again({"bots": [BEN.id], "allow_people": [ANN.id]})
    said = replace(say("first", "1", BEN), bot=True)
    await parley.respond(said, screen)
    await parley.respond(say("and I?", "2"), screen)
    await parley.amend(replace(said, text="second"))
    assert "second" in (await recall(parley))[0]


async def test_an_edit_by_somebody_of_another_organisation_is_not_read(again: Again, screen: Screen) -> None:
    """Where those are not answered."""
    await again({"external": True}).respond(replace(say("mine", "1"), external=True), screen)
    parley = again()
    await parley.amend(replace(say("changed", "1"), external=True))
    assert await recall(parley) == []


async def test_who_could_not_be_told_is_told_another_time(again: Again, screen: Screen) -> None:
    """Where it was too much at that moment; who takes no direct messages is told where they write one."""
    faults: list[PlatformFault] = [PlatformFault.RATE, PlatformFault.FORBIDDEN]
    told: list[str] = []

    async def confide(text: str) -> None:
        if faults:
            raise PlatformError(faults.pop(0), "not now")
        told.append(text)

    channel, parley = cast(Any, Whispering(screen, confide)), again({"block": [ANN.id]})
    for number in range(4):
        await parley.respond(say("x", str(number)), channel)
    assert (told, screen.texts, faults) == ([], [], [])
    await parley.respond(say("x", "9", place=Place("discord:9", direct=True)), channel)
    assert screen.texts == [BLOCKED]


async def test_a_memory_that_fails_tells_nobody_who_is_blocked_of_it(
    again: Again, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are turned away as ever."""
    parley = again({"block": [ANN.id]})

    async def fail(_: Incoming) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(parley.memory, "decline", fail)
    for number in range(3):
        answer = await parley.respond(say("x", str(number)), screen)
        assert answer
        assert answer.fault == "access"
    assert screen.texts == []
