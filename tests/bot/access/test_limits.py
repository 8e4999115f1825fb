"""How much the bot may be used, as the engine holds it: who is turned away, and what it costs."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot import texts
from bot.access.limits import NO_LIMITS, describe_limits, spent_share
from bot.config.settings import LimitsSettings
from bot.domain.messages import Caller, Control, Place, State
from bot.domain.spending import Limit, Spending
from tests.bot.turns.test_engine import ANN, BEN, engine, provider, say
from tests.loopback.openai import FakeOpenAI
from tests.support.doors import Strict, Told, ask, screen, spend, strict
from tests.support.screen import Screen

__all__ = ["engine", "provider", "screen", "strict"]


async def test_a_person_has_so_many_questions_a_minute(strict: Strict, screen: Screen, provider: FakeOpenAI) -> None:
    """The next is not answered; once it is said when it is free again; others are not concerned."""
    parley = strict(turns_per_minute=2)
    answers = [await ask(parley, screen, str(number)) for number in range(6)]
    assert [answer.state for answer in answers] == [State.DONE] * 2 + [State.FAILED] * 4
    assert {answer.fault for answer in answers[2:]} == {"limit"}
    assert len(screen.texts) == 3
    assert screen.texts[2].startswith("That was a lot in one minute. You can ask me again in ")
    assert (await ask(parley, screen, "7", BEN)).state is State.DONE
    assert provider.asked == 3


async def test_a_flood_at_once_gets_no_further(strict: Strict, screen: Screen, provider: FakeOpenAI) -> None:
    """However many arrive before the first is answered; what is turned away is written nowhere."""
    parley = strict(turns_per_minute=3)
    taken = await asyncio.gather(*(parley.submit(say("x", str(number)), screen) for number in range(200)))
    answers = await asyncio.gather(*(answer for answer in taken if answer))
    assert sum(answer.fault == "limit" for answer in answers) == 197
    assert len(await parley.memory.visits("discord", ANN.id, 0)) == 3
    notices = [page.text for page in screen.messages.values() if page.text.startswith("That was a lot")]
    assert len(notices) == 1
    assert provider.asked <= 3


async def test_a_second_delivery_is_no_second_question(strict: Strict, screen: Screen) -> None:
    """Slack brings a mention twice."""
    parley = strict(turns_per_minute=2)
    await ask(parley, screen, "1")
    assert await parley.respond(say("question 1", "1"), screen) is None
    assert (await ask(parley, screen, "2")).state is State.DONE
    assert await parley.respond(say("question 1", "1"), screen) is None
    assert (await ask(parley, screen, "3")).fault == "limit"


async def test_a_restart_resets_nothing(strict: Strict, screen: Screen) -> None:
    """Neither the questions of the day, nor that a person was told."""
    for number in range(3):
        await ask(strict(turns_per_day=2), screen, str(number))
    assert len(screen.texts) == 3
    answer = await ask(strict(turns_per_day=2), screen, "4")
    assert answer.note.startswith("You have asked me all that one person may ask in a day. You can ask me again in ")
    assert len(screen.texts) == 3


async def test_admins_are_exempt(strict: Strict, screen: Screen) -> None:
    """From every limit, that of the bot included."""
    parley = strict(turns_per_minute=1, turns_per_day=1, person_tokens=1, place_tokens=1, dollars=1)
    await spend(parley, 10, 2.0)
    for number in range(3):
        answer = await parley.respond(replace(say("x", str(number)), admin=True), screen)
        assert answer
        assert answer.state is State.DONE


@pytest.mark.parametrize("place", [Place("web:abc"), Place("terminal:ann")])
async def test_the_operators_own_places_have_no_limit_of_persons(strict: Strict, screen: Screen, place: Place) -> None:
    """Nor lists; what the bot may spend holds there for those who do not run it."""
    parley = strict({"allow_people": ["nobody"]}, turns_per_minute=1, turns_per_day=1, person_tokens=1, dollars=1)
    for number in range(3):
        assert (await ask(parley, screen, str(number), place=place)).state is State.DONE
    await spend(parley, 10, 1.0)
    assert (await ask(parley, screen, "4", place=place)).note.startswith("I have used up what I may spend")


@pytest.mark.parametrize(
    ("limits", "note"),
    [
        ({"person_tokens": 5}, texts.LIMITS[Limit.PERSON]),
        ({"place_tokens": 5}, texts.LIMITS[Limit.PLACE]),
        ({"tokens": 5}, texts.LIMITS[Limit.BOT]),
    ],
)
async def test_tokens_of_a_day_have_an_end(strict: Strict, screen: Screen, limits: dict[str, int], note: str) -> None:
    """Of a person, a conversation, all: each holds for those alone. Commands cost nothing and go on."""
    parley = strict(**limits)
    asked = 0
    while (answer := await ask(parley, screen, str(asked))).state is State.DONE:
        asked += 1
    assert asked
    assert answer.note.startswith(note.partition("{")[0])
    assert (await ask(parley, screen, "c", command="help")).state is State.DONE
    elsewhere = await ask(parley, screen, "e", place=Place("discord:8", shared=True))
    other = await ask(parley, screen, "o", BEN)
    free = (elsewhere.state is State.DONE, other.state is State.DONE)
    assert free == ("place_tokens" in limits, "person_tokens" in limits)


async def test_admins_are_told_at_80_and_at_100_percent(strict: Strict, screen: Screen) -> None:
    """Once each, with what was spent; the model is not asked then."""
    parley, told = strict(dollars=10, tokens=10_000), Told()
    parley.alerts.connect("discord", told)
    await spend(parley, 10, 7.9, "a")
    await ask(parley, screen, "1")
    assert not told.sentences
    await spend(parley, 1000, None, "b")
    for number in "23":
        assert (await ask(parley, screen, number)).state is State.DONE
    await parley.alerts.settle()
    assert [sentence[:25] for sentence in told.sentences] == ["I have spent over 80 % of"]
    await spend(parley, 10, 1.5, "c")
    for number in "45":
        assert (await ask(parley, screen, number)).fault == "limit"
    await parley.alerts.settle()
    assert [sentence[:25] for sentence in told.sentences[1:]] == ["I have spent what I may s"]


async def test_trying_again_and_editing_count(strict: Strict, screen: Screen, provider: FakeOpenAI) -> None:
    """A button and an edit have the model write as well as a question does."""
    parley = strict(turns_per_minute=2)
    parley.register_platform("discord", lambda _: screen)
    await ask(parley, screen, "1")
    assert await parley.press_button(Control.AGAIN, 1, Caller(ANN)) == ""
    await screen.until(lambda: provider.asked == 2 and screen.last.state is State.DONE)
    assert (await parley.press_button(Control.AGAIN, 1, Caller(ANN))).startswith("That was a lot")
    await parley.message_edited(replace(say("changed", "1"), channel_id="7"))
    assert (await ask(parley, screen, "2")).fault == "limit"
    assert provider.asked == 2


def test_dollars_and_tokens_without_a_price_are_parts_of_one_limit() -> None:
    """0 is no limit."""
    toll = Spending(900, 5.0, 300)
    assert spent_share(toll, 10, 1000) == pytest.approx(0.8)
    assert spent_share(toll, 10, 0) == 0.5
    assert spent_share(toll, 0, 0) == 0


def test_the_figures_are_in_one_line() -> None:
    """Those that are set."""
    assert describe_limits(NO_LIMITS) == "none"
    assert describe_limits(LimitsSettings()) == (
        "20 questions a minute and person; 200 questions a day and person; 10.00 US $ a day in all; "
        "5,000,000 tokens a day in all where no price is known"
    )
