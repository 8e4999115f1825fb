"""What an answer cost is on record, whole or not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.config import BotSettings
from bot.engine import Engine
from bot.facts import Facts
from bot.messages import State
from bot.metrics import Metrics
from bot.resilience import Resilient
from tests.loopback.openai import FakeOpenAI
from tests.screen import Screen
from tests.test_engine import say
from tests.test_summaries import HERE, PRICE, House, house, provider

__all__ = ["house", "provider"]


async def test_an_answer_costs_what_its_model_takes(house: House) -> None:
    """By the provider's own count."""
    engine = house.engine(Facts(context=128_000, price=PRICE))
    answer = await engine.respond(say("one", "1"), Screen(trip=0))
    assert answer is not None
    usage = answer.usage
    assert usage.cost == pytest.approx(PRICE.cost(replace(usage, cost=None)))
    assert usage.cost is not None
    assert usage.cost > 0
    spent = await house.memory.spent("discord:u1", 0)
    assert (spent.turns, spent.input, spent.cost) == (1, usage.input, usage.cost)


async def test_an_answer_that_was_stopped_is_counted_too(house: House, provider: FakeOpenAI) -> None:
    """The provider does not say how much that was, so it is guessed from what was sent and came."""
    engine = house.engine(Facts(context=128_000, price=PRICE))
    script, screen = provider.script(), Screen(trip=0)
    asking = asyncio.create_task(engine.respond(say("one " * 300, "1"), screen))
    await script.send("Some words")
    await screen.until(lambda: bool(screen.texts))
    assert await engine.stop(HERE)
    answer = await asking
    assert answer is not None
    assert answer.state is State.STOPPED
    assert answer.usage.input > 300
    assert answer.usage.output > 0
    assert answer.usage.cost


async def test_an_attempt_that_broke_off_is_counted_with_the_one_after_it(house: House, provider: FakeOpenAI) -> None:
    """Both were sent and paid for."""
    plain = house.engine(Facts(context=128_000, price=PRICE))
    once = await plain.respond(say("one " * 300, "1"), Screen(trip=0))
    model = Resilient([plain.model])
    engine = Engine(model, house.memory, BotSettings(history=0), Metrics())
    screen, script = Screen(trip=0), provider.script()
    asking = asyncio.create_task(engine.respond(say("one " * 300, "2"), screen))
    await script.send("Some words")
    await screen.until(lambda: bool(screen.texts))
    await script.drop()
    twice = await asking
    assert once is not None
    assert twice is not None
    assert twice.state is State.DONE
    assert twice.usage.input > once.usage.input * 1.5
    assert (twice.usage.cost or 0) > (once.usage.cost or 0) * 1.5
