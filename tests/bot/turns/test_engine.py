"""A turn as the engine lives it: asked once, answered in place, remembered whole, stopped, tried again, forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot import texts
from bot.config.settings import BotSettings
from bot.domain.messages import Author, Caller, Control, Incoming, Place, State
from bot.domain.records import Answer, Asked
from bot.engine import Engine
from bot.models.protocols.openai import OpenAIModel
from bot.runtime.metrics import Metrics
from storage.sqlite import SqliteMemory
from tests.loopback.openai import FakeOpenAI
from tests.support.screen import Screen

ANN, BEN = Author("u1", "Ann"), Author("u2", "Ben")
HERE = Place("discord:7", shared=True)


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[FakeOpenAI]:
    """A server that answers with what it was told."""
    async with FakeOpenAI() as server:
        yield server


@pytest_asyncio.fixture
async def engine(provider: FakeOpenAI, tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine with the real memory and the real client of the provider."""
    model = OpenAIModel(
        "openai/test-model", "test-model", SecretStr("test-key"), provider.base_url, timeout=60, reader="OpenAI"
    )
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    yield Engine(model, memory, BotSettings(), Metrics())
    await memory.close()
    await model.close()


@pytest.fixture
def screen() -> Screen:
    """A platform without a way to go."""
    return Screen(trip=0)


def say(text: str, id: str, author: Author = ANN, place: Place = HERE, command: str = "") -> Incoming:
    """A message for the bot."""
    return Incoming(place, author, text, place.key.partition(":")[2], id, command=command)


async def recall(engine: Engine) -> list[str]:
    """What is remembered here."""
    return [message.content for message in await engine.memory.recall(HERE.key, 100)]


async def find(engine: Engine, turn: int) -> Asked:
    """A turn that is there."""
    found = await engine.memory.turn(turn)
    assert found
    return found


async def test_a_question_is_answered_and_both_are_remembered(engine: Engine, screen: Screen) -> None:
    """The next question is asked with them, and says who spoke."""
    await engine.respond(say("one", "1"), screen)
    answer = await engine.respond(say("two", "2", BEN), screen)
    assert answer is not None
    assert screen.texts == ["You said: Ann: one", "You said: Ben: two\n\nBefore that you said: Ann: one"]
    assert await recall(engine) == ["one", screen.texts[0], "two", screen.texts[1]]


async def test_a_second_delivery_is_nothing(engine: Engine, screen: Screen, provider: FakeOpenAI) -> None:
    """One answer, however often and however near together the message comes."""
    answers = await asyncio.gather(*(engine.respond(say("one", "1"), screen) for _ in range(5)))
    assert len([answer for answer in answers if answer]) == 1
    assert (provider.asked, len(screen.messages)) == (1, 1)


async def test_turns_of_a_place_follow_each_other_and_places_do_not_wait(engine: Engine, provider: FakeOpenAI) -> None:
    """The second question of a place is asked when the first is answered; one elsewhere at once."""
    first, here, there = provider.script(), Screen(trip=0), Screen(trip=0)
    one = asyncio.create_task(engine.respond(say("one", "1"), here))
    await first.asked()
    two = asyncio.create_task(engine.respond(say("two", "2"), here))
    await engine.respond(say("three", "3", place=Place("discord:8")), there)
    assert provider.asked == 2
    await first.send("One.")
    await first.end()
    await asyncio.gather(one, two)
    assert here.texts[0] == "One."
    assert "two" in here.texts[1]


async def test_a_turn_is_journalled_before_take_returns(engine: Engine, screen: Screen) -> None:
    """A turn stands in the memory before its message is acknowledged, and is unique from then on."""
    task = await engine.submit(say("one", "1"), screen)
    assert task is not None
    assert (await find(engine, 1)).incoming.text == "one"
    assert await engine.submit(say("one", "1"), screen) is None
    await task


async def test_a_bare_mention_gets_the_introduction_without_the_model(
    engine: Engine, screen: Screen, provider: FakeOpenAI
) -> None:
    """And is no part of the conversation; as a reply it asks about what it replies to."""
    await engine.respond(say("", "1"), screen)
    assert (provider.asked, screen.texts) == (0, [texts.introduction("OpenAI")])
    await engine.respond(replace(say("", "2"), quote="The moon is cheese."), screen)
    assert "> The moon is cheese." in screen.texts[1]
    assert len(await recall(engine)) == 2


async def test_a_first_direct_message_is_greeted_once(engine: Engine, screen: Screen) -> None:
    """With what the bot does and who reads it, before the answer."""
    home = Place("discord:9", direct=True)
    await engine.respond(say("one", "1", place=home), screen)
    await engine.respond(say("two", "2", place=home), screen)
    assert [text == texts.introduction("OpenAI") for text in screen.texts] == [True, False, False]


async def test_reset_stops_and_forgets(engine: Engine, screen: Screen, provider: FakeOpenAI) -> None:
    """What is being written ends, and no text of the place is left, that of the stopped turn included."""
    await engine.respond(say("one", "1"), screen)
    script = provider.script()
    answering = asyncio.create_task(engine.respond(say("two", "2"), screen))
    await script.send("Half ")
    assert await engine.run_command("reset", HERE, Caller(BEN)) == texts.RESET_BY.format(name="Ben")
    answer = await answering
    assert answer is not None
    assert answer.state is State.STOPPED
    assert await recall(engine) == []
    assert await engine.run_command("reset", HERE, Caller(BEN)) == texts.NOTHING_TO_RESET


async def test_commands_can_be_said(engine: Engine, screen: Screen, provider: FakeOpenAI) -> None:
    """As a message they are answered by a message, without the model."""
    await engine.respond(say("one", "1"), screen)
    await engine.respond(say("/reset", "2", command="reset"), screen)
    await engine.respond(say("/stop", "3", command="stop"), screen)
    assert screen.texts[1:] == [texts.RESET_BY.format(name="Ann"), texts.NOTHING_TO_STOP]
    assert provider.asked == 1


async def stopping(engine: Engine, screen: Screen, provider: FakeOpenAI) -> asyncio.Future[Answer]:
    """An answer with some words, that goes on until it is stopped."""
    script = provider.script()
    task = await engine.submit(say("one", "1"), screen)
    assert task is not None
    await script.send("Some ", "words")
    await screen.until(lambda: bool(screen.texts))
    return task


async def test_stop_is_for_the_asker_and_admins(engine: Engine, screen: Screen, provider: FakeOpenAI) -> None:
    """Nobody else stops an answer, by the button or the command; what was written stays and is remembered."""
    task = await stopping(engine, screen, provider)
    assert await engine.press_button(Control.STOP, 1, Caller(BEN)) == texts.NOT_YOURS
    assert await engine.run_command("stop", HERE, Caller(BEN)) == texts.NOTHING_TO_STOP
    assert await engine.press_button(Control.AGAIN, 1, Caller(ANN)) == texts.STILL_WRITING
    assert await engine.press_button(Control.STOP, 1, Caller(BEN, admin=True)) == ""
    assert (await task).state is State.STOPPED
    assert screen.texts == ["Some words"]
    assert await recall(engine) == ["one", "Some words"]
    assert await engine.press_button(Control.STOP, 1, Caller(ANN)) == texts.NOTHING_TO_STOP


async def test_the_asker_stops_by_command(engine: Engine, screen: Screen, provider: FakeOpenAI) -> None:
    """The same as by the button."""
    task = await stopping(engine, screen, provider)
    assert await engine.run_command("stop", HERE, Caller(ANN)) == texts.STOPPING
    assert (await task).state is State.STOPPED


async def again(engine: Engine, screen: Screen, turn: int, author: Author = ANN) -> str:
    """Press Try again, and wait until what it began is over."""
    engine.register_platform("discord", lambda _: screen)
    before = screen.last.attempt
    said = await engine.press_button(Control.AGAIN, turn, Caller(author))
    if not said:
        await screen.until(lambda: screen.last.attempt > before and screen.last.state is State.DONE)
        await engine.drain_turns(60)
    return said


async def test_an_answer_is_tried_again_over_the_same_message(
    engine: Engine, screen: Screen, provider: FakeOpenAI
) -> None:
    """A failed one, and a good one; the memory has what stands there now, and the model is not told the old answer."""
    provider.refuse(400, "invalid_request_error", "no")
    await engine.respond(say("one", "1"), screen)
    assert [page.state for page in screen.messages.values()] == [State.FAILED]
    assert await recall(engine) == []
    assert await again(engine, screen, 1) == ""
    assert screen.texts == ["You said: Ann: one"]
    provider.answer = lambda messages: f"{len(messages)} messages."
    assert await again(engine, screen, 1) == ""
    assert screen.texts == ["2 messages."]
    assert await recall(engine) == ["one", "2 messages."]


async def test_only_the_last_answer_is_tried_again_and_only_for_its_asker(engine: Engine, screen: Screen) -> None:
    """Everybody else is told why not, alone."""
    await engine.respond(say("one", "1"), screen)
    assert await again(engine, screen, 1, BEN) == texts.NOT_YOURS
    await engine.respond(say("two", "2"), screen)
    assert await again(engine, screen, 1) == texts.OLDER
    await engine.run_command("reset", HERE, Caller(ANN))
    assert await again(engine, screen, 2) == texts.FORGOTTEN
    assert len(screen.messages) == 2


async def test_try_again_works_after_a_restart(
    engine: Engine, screen: Screen, provider: FakeOpenAI, tmp_path: Path
) -> None:
    """A button outlives the process that made it."""
    await engine.respond(say("one", "1"), screen)
    await engine.memory.close()
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    provider.answer = lambda _: "New."
    assert await again(Engine(engine.model, memory, BotSettings(), Metrics()), screen, 1) == ""
    assert screen.texts == ["New."]
    await memory.close()


async def test_a_memory_that_fails_is_told(engine: Engine, screen: Screen) -> None:
    """The person reads one sentence, and nothing is raised."""
    await engine.memory.close()
    answer = await engine.respond(say("one", "1"), screen)
    assert answer is not None
    assert (answer.state, screen.texts) == (State.FAILED, [texts.STORAGE])
    assert await engine.press_button(Control.STOP, 1, Caller(ANN)) == texts.STORAGE


async def test_stopping_lets_answers_end_and_closes_the_late_ones(engine: Engine, provider: FakeOpenAI) -> None:
    """One that ends within the grace is whole; one that does not says that it was interrupted."""
    quick, slow = provider.script(), provider.script()
    screens = Screen(trip=0), Screen(trip=0)
    first = await engine.submit(say("one", "1"), screens[0])
    await quick.asked()
    second = await engine.submit(say("two", "2", place=Place("discord:8")), screens[1])
    await slow.send("Half")
    draining = asyncio.create_task(engine.drain_turns(1.0))
    await quick.send("Whole.")
    await quick.end()
    await draining
    assert first is not None
    assert second is not None
    assert (first.result().state, second.result().state) == (State.DONE, State.INTERRUPTED)
    assert [list(screen.messages.values())[-1].note for screen in screens] == ["", texts.ENDINGS[State.INTERRUPTED]]
