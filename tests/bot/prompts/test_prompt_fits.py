"""Every prompt fits the model, however long the record, a question or a message."""

from __future__ import annotations

from bot import texts
from bot.domain.errors import ModelFault
from bot.domain.messages import State
from bot.domain.model_info import Facts
from tests.bot.prompts.test_summaries import House, extends, house, provider
from tests.bot.turns.test_engine import say
from tests.loopback.openai import FakeOpenAI
from tests.support.screen import Screen

__all__ = ["house", "provider"]


async def test_a_prompt_that_is_too_long_is_asked_with_less(house: House, provider: FakeOpenAI) -> None:
    """The older half is left out, and stays out; the person sees nothing of it."""
    engine = house.engine()
    await house.talk(engine, 1, 6)
    provider.refuse(400, "context_length_exceeded", "This model's maximum context length is 10 tokens.")
    await house.talk(engine, 7, 7)
    assert [len(request["messages"]) for request in house.asked()[-2:]] == [14, 8]
    await house.talk(engine, 8, 8)
    assert extends(house.asked()[-1], house.asked()[-2]) or len(house.summaries()) == 1


async def test_every_prompt_fits_a_small_model(house: House) -> None:
    """With room for the answer, whatever was said before: by the bytes that a token has at least."""
    engine = house.engine(Facts(context=4096), max_tokens=2000)
    await house.talk(engine, 1, 30, text="word {0} " * 60)
    for request in house.provider.requests:
        size = sum(len(message["content"].encode()) for message in request["messages"])
        assert size / 3 + request["max_tokens"] <= 4096
    assert not (await house.record()).gap


async def test_a_model_of_the_least_context_leaves_half_for_the_question(house: House) -> None:
    """The answer is no longer than half of what it holds."""
    engine = house.engine(Facts(context=512))
    await house.talk(engine, 1, 1)
    assert house.asked()[0]["max_tokens"] == 256


async def test_a_question_longer_than_the_model_is_not_sent(house: House, provider: FakeOpenAI) -> None:
    """Some servers would cut it without a word; the person is told."""
    engine = house.engine(Facts(context=512))
    screen = Screen(trip=0)
    answer = await engine.respond(say("word " * 2000, "1"), screen)
    assert answer is not None
    assert (answer.state, answer.fault, provider.asked) == (State.FAILED, "context", 0)
    assert texts.FAULTS[ModelFault.CONTEXT] in screen.last.note


async def test_a_summary_of_long_messages_fits_too(house: House) -> None:
    """They lose their middles."""
    engine = house.engine(Facts(context=2048))
    await house.talk(engine, 1, 3, text="word {0} " * 400)
    assert house.summaries()
    for request in house.summaries():
        assert sum(len(message["content"].encode()) for message in request["messages"]) / 3 <= 2048
