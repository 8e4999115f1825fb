"""How much the bot may be used, as the engine holds it: who is turned away, who is told, and what it costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.platform import Server
from bot import notes
from bot.access import Reason
from bot.config import AccessSettings, BotSettings, LimitsSettings
from bot.door import Door
from bot.engine import Engine
from bot.errors import PlatformError, PlatformFault
from bot.limits import NONE, Limit, Toll, figures, share, tomorrow, until, wait
from bot.messages import Author, Caller, Control, Incoming, Message, Place, Role, State, Usage
from bot.metrics import Metrics
from bot.pacing import Pacer
from bot.record import Answer
from bot.usage import since
from storage.sqlite import SqliteMemory
from tests.loopback.openai import FakeOpenAI
from tests.screen import Screen
from tests.test_engine import ANN, BEN, HERE, engine, provider, say

__all__ = ["engine", "provider"]

DM = Place("discord:9", direct=True)


class Told:
    """Keeps what the admins are told."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    async def __call__(self, sentence: str) -> None:
        self.sentences.append(sentence)


@pytest.fixture
def screen() -> Screen:
    """A platform without a way to go that never says that it was too much."""
    screen = Screen(trip=0)
    screen.posts = screen.edits = Pacer(1000, 1)
    screen.server = Server(1000, 1, sliding=True)
    return screen


class Whispering:
    """A screen that can tell a person something that nobody else sees."""

    def __init__(self, screen: Screen, confide: Callable[[str], Awaitable[None]]) -> None:
        self._screen = screen
        self.confide = confide

    def __getattr__(self, name: str) -> Any:
        return getattr(self._screen, name)


Strict = Callable[..., Engine]


@pytest.fixture
def strict(engine: Engine) -> Strict:
    """Makes an engine over the same memory, as after a restart, with these limits and lists."""

    def make(access: dict[str, Any] | None = None, **limits: Any) -> Engine:
        chosen = LimitsSettings(**{**NONE.model_dump(), **limits})
        lists = AccessSettings.model_validate(access or {})
        return Engine(engine.model, engine.memory, BotSettings(), Metrics(), access=lists, limits=chosen)

    return make


async def spend(parley: Engine, tokens: int, cost: float | None, number: str = "spent") -> None:
    """Have somebody else use so much."""
    turn = await parley.memory.claim(say("x", number, Author("u9", "Eve"), Place("discord:99", shared=True)))
    assert turn
    usage = Usage(input=tokens, cost=cost)
    await parley.memory.finish(turn.id, Answer("y", usage=usage, model="openai/x"), Message(Role.USER, "x"))


async def ask(parley: Engine, screen: Screen, id: str, author: Author = ANN, **more: Any) -> Answer:
    """Ask, and have an answer."""
    answer = await parley.respond(say(f"question {id}", id, author, **more), screen)
    assert answer
    return answer


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
    taken = await asyncio.gather(*(parley.take(say("x", str(number)), screen) for number in range(200)))
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
        ({"person_tokens": 5}, notes.LIMITS[Limit.PERSON]),
        ({"place_tokens": 5}, notes.LIMITS[Limit.PLACE]),
        ({"tokens": 5}, notes.LIMITS[Limit.BOT]),
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
    parley.serve("discord", lambda _: screen)
    await ask(parley, screen, "1")
    assert await parley.press(Control.AGAIN, 1, Caller(ANN)) == ""
    await screen.until(lambda: provider.asked == 2 and screen.last.state is State.DONE)
    assert (await parley.press(Control.AGAIN, 1, Caller(ANN))).startswith("That was a lot")
    await parley.amend(replace(say("changed", "1"), channel_id="7"))
    assert (await ask(parley, screen, "2")).fault == "limit"
    assert provider.asked == 2


async def test_a_person_who_is_turned_away_is_told_once_a_day(
    strict: Strict, screen: Screen, provider: FakeOpenAI
) -> None:
    """Or never, by a setting; nothing of theirs is written down."""
    parley = strict({"block": [ANN.id]})
    for number in range(3):
        assert (await ask(parley, screen, str(number), place=DM)).fault == "access"
    assert screen.texts == [notes.NO_ENTRY[Reason.BLOCKED]]
    assert await parley.memory.visits("discord", ANN.id, 0) == []
    silent = strict({"allow_people": [ANN.id], "notice": False})
    await ask(silent, screen, "9", BEN, place=DM)
    assert (len(screen.texts), provider.asked) == (1, 0)


async def test_who_is_told_is_told_again_on_another_day(strict: Strict) -> None:
    """By the clock, not by the process."""
    parley, now = strict(), [time.time()]
    door = Door(parley.memory, parley.alerts, AccessSettings(dms="off"), clock=lambda: now[0])
    told = []
    for hours in (0, 23, 25, 26):
        now[0] = time.time() + hours * 3600
        said = say("x", str(hours), place=DM)
        refusal = await door.refuse(said)
        assert refusal
        told.append(await door.notices.due(said, refusal))
    assert told == [True, False, True, False]


async def test_each_limit_is_told_when_it_is_reached(strict: Strict) -> None:
    """Not only the first of a day; but who floods steadily is told once a minute at most."""
    start, now = since(1, time.time()) + 3600.0, [0.0]
    parley = strict()
    limits = LimitsSettings(**{**NONE.model_dump(), "turns_per_minute": 2, "turns_per_day": 6})
    door = Door(parley.memory, parley.alerts, None, limits, clock=lambda: now[0])
    told: list[tuple[int, str]] = []
    for seconds in range(0, 400, 5):
        now[0] = start + seconds
        said = say("x", str(seconds))
        refusal = await door.refuse(said)
        if refusal and await door.notices.due(said, refusal):
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
        (blocked, notes.NO_ENTRY[Reason.BLOCKED], False),
        (limited, "You have asked me all that one person may ask in a day.", True),
    ):
        for number in range(3):
            await ask(parley, channel, f"{sentence} {number}", place=place)
        shown = [text for text in screen.texts if text.startswith(sentence)]
        alone = [text for text in confided if text.startswith(sentence)]
        assert len(alone) == (confident and not place.direct)
        assert len(shown) == (place.direct or (public and not confident))


async def test_the_lists_hold_for_commands_too(strict: Strict) -> None:
    """By roles and servers as by people; who manages a channel is no admin; a person's own words stay theirs."""
    parley = strict({"allow_people": ["role"], "block": ["guild9"]})
    assert await parley.command("help", HERE, Caller(ANN)) == notes.NO_ENTRY[Reason.PERSON]
    assert await parley.command("reset", HERE, Caller(ANN, manages=True)) == notes.NO_ENTRY[Reason.PERSON]
    assert await parley.command("reset", HERE, Caller(ANN, marks=("role",))) == notes.NOTHING_TO_RESET
    assert await parley.command("reset", HERE, Caller(ANN, admin=True)) == notes.NOTHING_TO_RESET
    told = await parley.command("reset", HERE, Caller(ANN, admin=True, marks=("guild9",)))
    assert told == notes.NO_ENTRY[Reason.BLOCKED]
    assert await parley.command("export", Place("discord:9", direct=True), Caller(BEN)) == notes.NOTHING_OF_YOURS
    await parley.command("pause", HERE, Caller(BEN, admin=True))
    assert await parley.command("stop", HERE, Caller(ANN, marks=("role",))) == notes.NOTHING_TO_STOP


async def test_trying_again_goes_by_the_lists_of_now(strict: Strict, screen: Screen) -> None:
    """Not by the roles that the person had when they asked."""
    parley = strict({"allow_people": ["role"]})
    parley.serve("discord", lambda _: screen)
    answer = await parley.respond(replace(say("x", "1"), marks=("role",)), screen)
    assert answer
    assert await parley.press(Control.AGAIN, 1, Caller(ANN)) == notes.NO_ENTRY[Reason.PERSON]
    assert await parley.press(Control.AGAIN, 1, Caller(ANN, marks=("role",))) == ""
    await screen.until(lambda: screen.last.state is State.DONE)


async def test_a_minute_and_a_day_pass(strict: Strict) -> None:
    """Then a person may ask again."""
    parley, now = strict(), [since(1, time.time()) + 3600.0]
    limits = LimitsSettings(**{**NONE.model_dump(), "turns_per_minute": 1, "turns_per_day": 3})
    door = Door(parley.memory, parley.alerts, None, limits, clock=lambda: now[0])
    outcomes = []
    for number, seconds in enumerate((0, 59, 61, 122, 183, 86_400)):
        now[0] = since(1, time.time()) + 3600.0 + seconds
        outcomes.append(await door.refuse(say("x", str(number))) is None)
    assert outcomes == [True, False, True, True, False, True]


async def test_admins_block_and_pause_from_the_chat(strict: Strict, screen: Screen) -> None:
    """A restart keeps it; nobody else may; on Discord it says nothing of Slack."""
    parley = strict()
    assert await parley.command("block", HERE, Caller(BEN), ANN.id) == notes.ADMINS_ONLY
    said = await parley.command("block", HERE, Caller(BEN, admin=True), "<@41>")
    assert said == notes.BLOCKED.format(person="41", platform="Discord")
    assert await parley.command("block", HERE, Caller(BEN, admin=True), "41") == notes.AS_IT_WAS
    assert await parley.command("block", HERE, Caller(BEN, admin=True), "the tall one") == notes.WHOM
    ann = replace(ANN, id="41")
    assert (await ask(strict(), screen, "1", ann)).fault == "access"
    assert await parley.command("reset", HERE, Caller(ann)) == notes.NO_ENTRY[Reason.BLOCKED]
    assert (await ask(strict(), screen, "2", ann, place=Place("slack:T:C", shared=True))).state is State.DONE
    await parley.command("unblock", HERE, Caller(BEN, admin=True), "<@!41>")
    assert (await ask(strict(), screen, "3", ann)).state is State.DONE
    assert await parley.command("pause", HERE, Caller(BEN, admin=True)) == notes.PAUSED.format(platform="Discord")
    assert (await ask(strict(), screen, "4", BEN)).note == notes.NO_ENTRY[Reason.PAUSED]
    assert await parley.command("resume", HERE, Caller(BEN)) == notes.ADMINS_ONLY
    await parley.command("resume", HERE, Caller(BEN, admin=True))
    assert (await ask(strict(), screen, "5", BEN)).state is State.DONE
    assert await parley.command("pause", Place("terminal:ann"), Caller(BEN, admin=True)) == notes.NOT_HERE


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
        await parley.command("reset", HERE, Caller(evil))
        == "Ann 1 everyone x (http y) had me forget this conversation."
    )
    await ask(parley, screen, "2", place=DM)
    assert await parley.command("reset", DM, Caller(ANN)) == notes.RESET


async def test_what_was_answered_again_counts_after_a_restart(tmp_path: Path) -> None:
    """Each attempt is one."""
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    try:
        turn = await memory.claim(Incoming(HERE, ANN, "x", "7", "1"))
        assert turn
        await memory.reopen(turn.id)
        await memory.reopen(turn.id)
        assert [name for name, _ in await memory.visits("discord", ANN.id, 0)] == ["7:1", "7:1#1", "7:1#2"]
        assert await memory.visits("discord", ANN.id, time.time() + 1) == []
        assert await memory.visits("slack", ANN.id, 0) == []
        assert await memory.toll(0) == Toll()
    finally:
        await memory.close()


def test_the_wait_is_the_time_until_the_oldest_of_the_minute_is_over() -> None:
    """The day comes first: its end is later."""
    limits = LimitsSettings(turns_per_minute=2, turns_per_day=4)
    midnight = since(1, time.time())
    at = [midnight + offset for offset in (100, 110, 120)]
    assert wait(at[:1], at[0], midnight, limits) is None
    assert wait(at[:2], at[1] + 1, midnight, limits) == (Limit.MINUTE, at[0] + 60)
    assert wait([*at, at[2]], at[2], midnight, limits) == (Limit.DAY, tomorrow(midnight))
    assert wait([midnight - 1, *at], at[2] + 60, midnight, limits) is None


def test_dollars_and_tokens_without_a_price_are_parts_of_one_limit() -> None:
    """0 is no limit."""
    toll = Toll(900, 5.0, 300)
    assert share(toll, 10, 1000) == pytest.approx(0.8)
    assert share(toll, 10, 0) == 0.5
    assert share(toll, 0, 0) == 0


@given(st.floats(0.01, 200_000))
def test_a_wait_is_told_in_one_unit(seconds: float) -> None:
    """Never "0", never "1 hours", and not far off."""
    words = until(seconds).split()
    count, unit = int(words[-2]), words[-1].rstrip("s")
    size = {"second": 1, "minute": 60, "hour": 3600}[unit]
    assert count * size == pytest.approx(seconds, rel=0.34, abs=1)
    assert (count == 1) == (words[-1] == "second")


def test_the_figures_are_in_one_line() -> None:
    """Those that are set."""
    assert figures(NONE) == "none"
    assert figures(LimitsSettings()) == (
        "20 questions a minute and person; 200 questions a day and person; 10.00 US $ a day in all; "
        "5,000,000 tokens a day in all where no price is known"
    )
