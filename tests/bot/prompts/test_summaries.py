"""A long conversation: what the model is shown of it, what it is told in short, and what both cost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.config.settings import BotSettings
from bot.domain.messages import Place, State
from bot.domain.model_info import Cache, Facts, Price
from bot.domain.records import Record
from bot.engine import Engine
from bot.models.protocols.openai import OpenAIModel
from bot.prompts.compose import BEFORE, CONDENSE
from bot.prompts.history_window import GRACE, widest
from bot.runtime.metrics import Metrics
from storage.sqlite import SqliteMemory
from tests.bot.turns.test_engine import say
from tests.loopback.openai import FakeOpenAI
from tests.support.screen import Screen

HERE = Place("discord:7", shared=True)
LOW = 4
HIGH = widest(LOW, Cache())
PRICE = Price(1.0, 2.0, 0.1, 1.25)
Json = dict[str, Any]


def reply(messages: list[Json]) -> str:
    """An answer of a few words; a summary that says how much it is of."""
    asked = [message["content"] for message in messages if message["role"] == "user"]
    return f"Summary of {len(messages) - 1}." if asked[-1] == CONDENSE else f"Answer {len(asked)}."


def is_summary(request: Json) -> bool:
    """Whether a request asks for a summary."""
    return bool(request["messages"][-1]["content"] == CONDENSE)


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[FakeOpenAI]:
    """A server that answers shortly."""
    async with FakeOpenAI(reply) as server:
        yield server


class House:
    """Engines over one memory and one provider."""

    def __init__(self, memory: SqliteMemory, provider: FakeOpenAI) -> None:
        self.memory = memory
        self.provider = provider
        self.engines: list[Engine] = []

    def engine(self, facts: Facts | None = None, **settings: Any) -> Engine:
        """An engine with this model and these settings."""
        model = OpenAIModel(
            "openai/test-model",
            "test-model",
            SecretStr("test-key"),
            self.provider.base_url,
            timeout=60,
            reader="OpenAI",
            facts=facts or Facts(context=128_000),
        )
        settings = {"history": LOW, "timezone": "UTC", **settings}
        self.engines.append(Engine(model, self.memory, BotSettings(**settings), Metrics()))
        return self.engines[-1]

    async def talk(self, engine: Engine, first: int, last: int, text: str = "question {}") -> None:
        """Turns of these numbers, each with the summaries that come of it."""
        for number in range(first, last + 1):
            answer = await engine.respond(say(text.format(number), str(number)), Screen(trip=0))
            assert answer is not None
            assert answer.state is State.DONE
            await engine._summaries.settle()

    async def record(self) -> Record:
        """What the model would be shown now."""
        return await self.memory.review(HERE.key, 1000)

    def asked(self) -> list[Json]:
        """The requests for answers."""
        return [request for request in self.provider.requests if not is_summary(request)]

    def summaries(self) -> list[Json]:
        """The requests for summaries."""
        return [request for request in self.provider.requests if is_summary(request)]


@pytest_asyncio.fixture
async def house(tmp_path: Path, provider: FakeOpenAI) -> AsyncIterator[House]:
    """A house with a new memory."""
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    here = House(memory, provider)
    yield here
    for engine in here.engines:
        await engine.drain_turns(5)
        await engine.model.close()
    await memory.close()


async def ticks(seconds: float) -> AsyncIterator[None]:
    """Turns of the event loop; TimeoutError after so long."""
    async with asyncio.timeout(seconds):
        while True:
            await asyncio.sleep(0)
            yield


def extends(later: Json, earlier: Json) -> bool:
    """Whether a request begins with all of another one, to the byte."""
    return json.dumps(later["messages"]).startswith(json.dumps(earlier["messages"])[:-1])


async def test_each_request_begins_with_the_one_before_until_a_summary(house: House) -> None:
    """So the provider's cache serves every turn but those after a summary, which are few."""
    await house.talk(house.engine(), 1, 40)
    asked = house.asked()
    breaks = [number for number in range(1, 40) if not extends(asked[number], asked[number - 1])]
    assert len(breaks) == len(house.summaries())
    assert len(breaks) <= 40 * 2 // (HIGH - LOW) + 1
    shown = [len(request["messages"]) for request in asked]
    assert max(shown) <= HIGH + 2


async def test_a_summary_is_asked_for_as_the_next_question_would_be(house: House) -> None:
    """It begins with all of the last request, so that it is read from the cache."""
    await house.talk(house.engine(), 1, 40)
    requests = house.provider.requests
    for number, request in enumerate(requests):
        if is_summary(request):
            assert extends(request, requests[number - 1])


async def test_what_is_no_longer_shown_is_in_the_summary(house: House) -> None:
    """No turn is missing at any time: the window and the summary meet; the next summary has the one before."""
    engine = house.engine()
    for number in range(1, 41):
        await house.talk(engine, number, number)
        record = await house.record()
        assert not record.gap
        first = record.messages[0].number
        assert first <= record.until + 1 or first == 2
    assert record.since == 2
    assert (await house.memory.recall(HERE.key, 1000))[0].content == "question 1"
    [*_, last] = house.summaries()
    assert last["messages"][1]["content"].startswith(f"{BEFORE}\nSummary of ")
    assert house.asked()[-1]["messages"][1]["content"].startswith(f"{BEFORE}\n{record.summary}\n\n[")


async def test_no_answer_waits_for_a_summary(house: House) -> None:
    """While one is being written the next question is answered, with the longer window."""
    engine = house.engine()
    await house.talk(engine, 1, HIGH // 2 - 1)
    answer = house.provider.script()
    summary = house.provider.script()
    asking = asyncio.create_task(engine.respond(say("and", "a"), Screen(trip=0)))
    await answer.send("Yes.")
    await answer.end()
    await asking
    await summary.asked()
    said = await engine.respond(say("more", "b"), Screen(trip=0))
    assert said is not None
    assert said.state is State.DONE
    assert len(house.asked()[-1]["messages"]) == HIGH + 2
    await summary.send("All.")
    await summary.end()
    await engine._summaries.settle()
    assert (await house.record()).summary


async def test_a_failed_summary_is_tried_again_and_loses_nothing(house: House, provider: FakeOpenAI) -> None:
    """The window is longer meanwhile; after the next answer it is made."""
    engine = house.engine()
    await house.talk(engine, 1, HIGH // 2 - 1)
    answer = provider.script()
    provider.refuse(400, "", "No.")
    asking = asyncio.create_task(engine.respond(say("and", "a"), Screen(trip=0)))
    await answer.send("Yes.")
    await answer.end()
    await asking
    await engine._summaries.settle()
    record = await house.record()
    assert (record.summary, record.gap, len(record.messages)) == ("", False, HIGH)
    await house.talk(engine, 100, 100)
    record = await house.record()
    assert (record.gap, len(record.messages)) == (False, LOW)
    assert record.summary.startswith("Summary of ")


async def test_a_window_whose_summary_never_comes_is_cut_all_the_same(house: House) -> None:
    """What falls out is summarised as soon as that works again."""
    engine = house.engine(summaries=False)
    await house.talk(engine, 1, 20)
    assert max(len(request["messages"]) for request in house.asked()) <= HIGH + 2
    assert (await house.record()).gap
    await house.talk(house.engine(), 21, 21)
    record = await house.record()
    assert not record.gap
    assert record.since == 2
    assert len(record.messages) < HIGH + GRACE


@pytest.mark.parametrize("how", ["amend", "retract"])
async def test_a_summary_of_what_was_changed_is_made_anew(house: House, how: str) -> None:
    """With the next answer, of what there is now; until then there is none."""
    engine = house.engine()
    await house.talk(engine, 1, 20)
    before = (await house.record()).summary
    if how == "amend":
        await engine.message_edited(say("corrected", "2"))
    else:
        await engine.message_deleted("discord", "7", "2")
    assert (await house.record()).summary == ""
    await house.talk(engine, 21, 21)
    record = await house.record()
    assert record.summary
    assert not record.gap
    last = json.dumps(house.summaries()[-1])
    assert before not in last
    assert 'question 2"' not in last
    assert ("corrected" in last) is (how == "amend")


async def test_a_long_window_is_summarised_before_the_cache_forgets_it(house: House) -> None:
    """So that the next question, which is paid in full, is a short one; the summary itself is read from the cache."""
    engine = house.engine(Facts(context=128_000, price=PRICE, cache=Cache(seconds=0.01)))
    turns = LOW // 2 + 2
    for number in range(1, turns + 1):
        await engine.respond(say(f"question {number}", str(number)), Screen(trip=0))
    async for _ in ticks(20):
        if len((await house.record()).messages) <= LOW:
            break
    assert (await house.record()).summary
    assert not (await house.record()).gap


async def test_without_history_each_question_stands_alone(house: House) -> None:
    """Nothing of before is shown, and nothing summarised."""
    await house.talk(house.engine(history=0), 1, 5)
    assert {len(request["messages"]) for request in house.provider.requests} == {2}
    assert house.summaries() == []
