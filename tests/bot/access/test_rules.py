"""Who may talk, as commands, buttons and admins have it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import texts
from bot.domain.messages import Author, Caller, Control, Place, State
from bot.domain.spending import DenialReason
from tests.bot.turns.test_engine import ANN, BEN, HERE, engine, provider, recall, say
from tests.support.doors import DM, Strict, ask, screen, strict
from tests.support.screen import Screen

__all__ = ["engine", "provider", "screen", "strict"]


async def test_the_lists_hold_for_commands_too(strict: Strict) -> None:
    """By roles and servers as by people; who manages a channel is no admin; a person's own words stay theirs."""
    parley = strict({"allow_people": ["role"], "block": ["guild9"]})
    assert await parley.run_command("help", HERE, Caller(ANN)) == texts.NO_ENTRY[DenialReason.PERSON]
    assert await parley.run_command("reset", HERE, Caller(ANN, manages=True)) == texts.NO_ENTRY[DenialReason.PERSON]
    assert await parley.run_command("reset", HERE, Caller(ANN, marks=("role",))) == texts.NOTHING_TO_RESET
    assert await parley.run_command("reset", HERE, Caller(ANN, admin=True)) == texts.NOTHING_TO_RESET
    told = await parley.run_command("reset", HERE, Caller(ANN, admin=True, marks=("guild9",)))
    assert told == texts.NO_ENTRY[DenialReason.BLOCKED]
    assert await parley.run_command("export", Place("discord:9", direct=True), Caller(BEN)) == texts.NOTHING_OF_YOURS
    await parley.run_command("pause", HERE, Caller(BEN, admin=True))
    assert await parley.run_command("stop", HERE, Caller(ANN, marks=("role",))) == texts.NOTHING_TO_STOP


async def test_trying_again_goes_by_the_lists_of_now(strict: Strict, screen: Screen) -> None:
    """Not by the roles that the person had when they asked."""
    parley = strict({"allow_people": ["role"]})
    parley.register_platform("discord", lambda _: screen)
    answer = await parley.respond(replace(say("x", "1"), marks=("role",)), screen)
    assert answer
    assert await parley.press_button(Control.AGAIN, 1, Caller(ANN)) == texts.NO_ENTRY[DenialReason.PERSON]
    assert await parley.press_button(Control.AGAIN, 1, Caller(ANN, marks=("role",))) == ""
    await screen.until(lambda: screen.last.state is State.DONE)


async def test_admins_block_and_pause_from_the_chat(strict: Strict, screen: Screen) -> None:
    """A restart keeps it; nobody else may; on Discord it says nothing of Slack."""
    parley = strict()
    assert await parley.run_command("block", HERE, Caller(BEN), ANN.id) == texts.ADMINS_ONLY
    said = await parley.run_command("block", HERE, Caller(BEN, admin=True), "<@41>")
    assert said == texts.BLOCKED.format(person="41", platform="Discord")
    assert await parley.run_command("block", HERE, Caller(BEN, admin=True), "41") == texts.AS_IT_WAS
    assert await parley.run_command("block", HERE, Caller(BEN, admin=True), "the tall one") == texts.WHOM
    ann = replace(ANN, id="41")
    assert (await ask(strict(), screen, "1", ann)).fault == "access"
    assert await parley.run_command("reset", HERE, Caller(ann)) == texts.NO_ENTRY[DenialReason.BLOCKED]
    assert (await ask(strict(), screen, "2", ann, place=Place("slack:T:C", shared=True))).state is State.DONE
    await parley.run_command("unblock", HERE, Caller(BEN, admin=True), "<@!41>")
    assert (await ask(strict(), screen, "3", ann)).state is State.DONE
    assert await parley.run_command("pause", HERE, Caller(BEN, admin=True)) == texts.PAUSED.format(platform="Discord")
    assert (await ask(strict(), screen, "4", BEN)).note == texts.NO_ENTRY[DenialReason.PAUSED]
    assert await parley.run_command("resume", HERE, Caller(BEN)) == texts.ADMINS_ONLY
    await parley.run_command("resume", HERE, Caller(BEN, admin=True))
    assert (await ask(strict(), screen, "5", BEN)).state is State.DONE
    assert await parley.run_command("pause", Place("terminal:ann"), Caller(BEN, admin=True)) == texts.NOT_HERE


@pytest.mark.parametrize("whom", ["ann", "@ann", "<@ann>", "u012abc", "", "1 2"])
async def test_only_an_id_is_blocked(strict: Strict, whom: str) -> None:
    """A name would block nobody, and say that it did."""
    assert await strict().run_command("block", HERE, Caller(BEN, admin=True), whom) == texts.WHOM


async def test_an_id_of_slack_is_blocked_however_it_is_written(strict: Strict) -> None:
    """In capitals or not, as a mention or alone."""
    parley, place = strict(), Place("slack:T1:C1", shared=True)
    said = texts.BLOCKED.format(person="U012ABC", platform="Slack")
    assert await parley.run_command("block", place, Caller(BEN, admin=True), "u012abc") == said
    assert await parley.run_command("block", place, Caller(BEN, admin=True), "<@U012ABC|ann>") == texts.AS_IT_WAS


async def test_two_bots_do_not_talk_for_ever(strict: Strict, screen: Screen) -> None:
    """A bot has so many answers in a row in a channel, in whatever thread; a person starts the count afresh."""
    parley = strict({"bots": [BEN.id], "bot_turns": 2})

    async def bot(number: int) -> State | None:
        place = Place(f"discord:{100 + number}", shared=True, home="discord:7")
        answer = await parley.respond(replace(say("x", str(number), BEN, place), bot=True), screen)
        return answer.state if answer else None

    assert [await bot(number) for number in range(4)] == [State.DONE] * 2 + [State.FAILED] * 2
    await ask(parley, screen, "p")
    assert await bot(5) is State.DONE
    assert not [text for text in screen.texts if not text.startswith("You said")]


async def test_who_resets_a_shared_place_is_named_without_their_markup(strict: Strict, screen: Screen) -> None:
    """In a direct message there is nobody else to tell."""
    parley = strict()
    await ask(parley, screen, "1")
    evil = Author("u1", "**Ann** <@1> @everyone [x](http://y)")
    assert (
        await parley.run_command("reset", HERE, Caller(evil))
        == "Ann 1 everyone x (http y) had me forget this conversation."
    )
    await ask(parley, screen, "2", place=DM)
    assert await parley.run_command("reset", DM, Caller(ANN)) == texts.RESET


async def test_whoever_may_ask_nothing_can_have_their_words_deleted(strict: Strict, screen: Screen) -> None:
    """By a message, too, however much they asked today; but not in a flood."""
    parley = strict(turns_per_day=1)
    await parley.respond(say("remember this", "1"), screen)
    for lists, limits in (({"block": [ANN.id]}, {}), ({}, {"turns_per_day": 1})):
        later = strict(lists, **limits)
        answer = await later.respond(say("/forget-me", str(lists), command="forget-me"), screen)
        assert answer
        assert answer.state is State.DONE
    assert await recall(parley) == []
    later = strict(turns_per_minute=1)
    for number in range(5):
        last = await later.respond(say("/forget-me", f"f{number}", command="forget-me"), screen)
    assert last
    assert last.fault == "limit"
