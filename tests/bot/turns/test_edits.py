"""Questions that are changed or deleted: what is remembered, and what that costs."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.domain.messages import Place
from tests.bot.turns.test_engine import ANN, BEN, engine, provider, recall, say
from tests.loopback.openai import FakeOpenAI
from tests.support.doors import BLOCKED, Strict, screen, strict
from tests.support.screen import Screen

__all__ = ["engine", "provider", "screen", "strict"]


async def test_edits_and_deletions_ask_no_model(strict: Strict, screen: Screen, provider: FakeOpenAI) -> None:
    """Of who may ask nothing, and of what is not the last: a summary that is void is made anew with the next answer."""
    parley = strict()
    for number in range(6):
        await parley.respond(say(f"q{number}", str(number)), screen)
    asked = provider.asked
    for number in range(5):
        await parley.message_edited(say(f"changed {number}", str(number)))
    await parley.message_deleted("discord", "7", "0")
    later = strict({"block": [ANN.id]})
    await later.message_edited(say("changed again", "5"))
    await parley.drain_turns(1)
    await later.drain_turns(1)
    assert provider.asked == asked


async def test_a_refused_edit_changes_nothing_but_what_is_remembered(strict: Strict, screen: Screen) -> None:
    """New words of who is blocked are not taken in, and the old ones go; nobody is told until they ask."""
    parley = strict()
    await parley.respond(say("before", "1"), screen)
    direct = Place("discord:9", direct=True)
    blocked = strict({"block": [ANN.id]})
    await blocked.message_edited(say("sneaked in", "1"))
    assert await recall(blocked) == []
    shown = len(screen.texts)
    answer = await blocked.respond(say("and now?", "2", place=direct), screen)
    assert answer
    assert screen.texts[shown:] == [BLOCKED]
    limited = strict(turns_per_day=1)
    await limited.respond(say("the only one", "3", BEN), screen)
    await limited.message_edited(say("the only one, changed", "3", BEN))
    shown = len(screen.texts)
    await limited.respond(say("and another", "4", BEN), screen)
    assert screen.texts[shown].startswith("You have asked me all")


async def test_a_question_that_is_changed_while_it_is_answered_is_remembered_as_it_reads(
    strict: Strict, screen: Screen, provider: FakeOpenAI
) -> None:
    """Where it cannot be answered anew, too: the model hears the old words no more."""
    parley = strict(turns_per_minute=3)
    parley.register_platform("discord", lambda _: screen)
    script = provider.script()
    first = await parley.submit(say("my PIN is 1234", "1"), screen)
    await script.asked()
    second = await parley.submit(say("my PIN is 5678", "2"), screen)
    third = await parley.submit(say("me too", "3", BEN), screen)
    await parley.message_edited(say("(removed)", "1"))
    await parley.message_edited(say("(taken back)", "2"))
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


async def test_a_listed_bot_may_change_what_it_asked(strict: Strict, screen: Screen) -> None:
    """The list of people is not for it."""
    parley = strict({"bots": [BEN.id], "allow_people": [ANN.id]})
    said = replace(say("first", "1", BEN), bot=True)
    await parley.respond(said, screen)
    await parley.respond(say("and I?", "2"), screen)
    await parley.message_edited(replace(said, text="second"))
    assert "second" in (await recall(parley))[0]


async def test_an_edit_by_somebody_of_another_organisation_is_not_read(strict: Strict, screen: Screen) -> None:
    """Where those are not answered."""
    await strict({"external": True}).respond(replace(say("mine", "1"), external=True), screen)
    parley = strict()
    await parley.message_edited(replace(say("changed", "1"), external=True))
    assert await recall(parley) == []
