"""What an answer cost is on record, whole or not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.config.settings import BotSettings
from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import State, Usage
from bot.domain.model_info import Bill, Facts, Price
from bot.domain.ports import Piece
from bot.domain.records import Spent
from bot.engine import Engine
from bot.models.protocols.openai import OpenAIModel
from bot.models.wrappers.fallback import Resilient
from bot.prompts.history_window import Ratios
from bot.prompts.usage_tally import Tally
from bot.runtime.health import Host
from bot.runtime.metrics import Metrics
from tests.bot.models.test_resilience import Scripted
from tests.bot.prompts.test_summaries import HERE, HIGH, PRICE, House, house, is_summary, provider
from tests.bot.turns.test_engine import say
from tests.loopback.openai import FakeOpenAI, chunk
from tests.loopback.script import Script
from tests.support.screen import Screen

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
    assert await engine.stop_turns(HERE)
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


OTHER = Price(10.0, 20.0, 1.0, 12.5)
PROVIDED = b'data: {"choices": [], "usage": {"prompt_tokens": 1000, "completion_tokens": 200}}\n\n'


def models(house: House, provider: FakeOpenAI, *prices: Price) -> Resilient:
    """Models behind the same provider, one in place of the other, each with a price of its own."""
    return Resilient(
        [
            OpenAIModel(
                f"openai/{number}", "test-model", SecretStr("test-key"), provider.base_url, 60, "OpenAI",
                facts=Facts(context=128_000, price=price),
            )
            for number, price in enumerate(prices)
        ]
    )  # fmt: skip


async def fail(script: Script, end: str) -> None:
    """An answer without a word that ends so, and is counted."""
    await script.raw(chunk({}, end) + PROVIDED + b"data: [DONE]\n\n")
    script.close()


async def test_every_attempt_that_came_to_nothing_is_on_record(house: House, provider: FakeOpenAI) -> None:
    """What the provider counted for empty answers stands in the books of the day, beside the last attempt's."""
    engine = Engine(models(house, provider, PRICE), house.memory, BotSettings(history=0), Metrics())
    scripts = [provider.script() for _ in range(3)]
    asking = asyncio.create_task(engine.respond(say("one", "1"), Screen(trip=0)))
    for script in scripts:
        await fail(script, "stop")
    answer = await asking
    assert answer is not None
    assert answer.fault == "empty"
    toll = await house.memory.toll(0)
    assert toll.tokens == 3 * 1200
    assert toll.dollars == pytest.approx(3 * PRICE.cost(Usage(1000, 200)))
    assert engine.metrics.export(Host()).count(b'parley_tokens_total{kind="input"} 3000.0') == 1
    await engine.model.close()


async def test_an_answer_that_was_all_thinking_is_asked_for_once(house: House, provider: FakeOpenAI) -> None:
    """The same again would end the same: it is paid for once, and the person and the operator hear what it was."""
    engine = Engine(models(house, provider, PRICE), house.memory, BotSettings(history=0), Metrics())
    script, screen = provider.script(), Screen(trip=0)
    asking = asyncio.create_task(engine.respond(say("one", "1"), screen))
    await fail(script, "length")
    answer = await asking
    assert answer is not None
    assert (answer.fault, provider.asked) == ("length", 1)
    assert (await house.memory.spent("discord:u1", 0)).output == 200
    assert "bot.max_tokens" in screen.last.note
    await engine.model.close()


async def test_what_a_model_took_that_another_replaced_is_on_record_as_its_own(
    house: House, provider: FakeOpenAI
) -> None:
    """Each at its own price, by its own name."""
    engine = Engine(models(house, provider, PRICE, OTHER), house.memory, BotSettings(history=0), Metrics())
    script = provider.script()
    asking = asyncio.create_task(engine.respond(say("one", "1"), Screen(trip=0)))
    await fail(script, "length")
    answer = await asking
    assert answer is not None
    assert (answer.state, answer.model) == (State.DONE, "openai/1")
    lost = Spent("openai/0", Usage(1000, 200, cost=pytest.approx(PRICE.cost(Usage(1000, 200)))))  # type: ignore[arg-type]
    assert answer.others == (lost,)
    assert (await house.memory.toll(0)).tokens == 1200 + answer.usage.input + answer.usage.output
    await engine.model.close()


async def test_what_was_refused_costs_nothing(house: House, provider: FakeOpenAI) -> None:
    """A provider asks no money for a request that it did not take."""
    engine = Engine(models(house, provider, PRICE), house.memory, BotSettings(history=0), Metrics())
    for _ in range(3):
        provider.refuse(500, "server_error", "Oops")
    answer = await engine.respond(say("one", "1"), Screen(trip=0))
    assert answer is not None
    assert answer.fault == "overload"
    assert (await house.memory.toll(0)).tokens == 0
    await engine.model.close()


async def test_a_break_is_counted_by_what_the_stream_said_and_what_was_read() -> None:
    """Anthropic says the input at the start of a stream: where it breaks, the output is guessed."""
    tally = Tally(Resilient([Scripted("a", ["-"])]), Ratios())
    tally.send(300)
    tally.take(Piece("word " * 60))
    error = ModelError(ModelFault.CUT, "")
    error.bill = Bill(Usage(5000, 1, 4000))
    tally.fail(error)
    assert tally.usage == Usage(5000, 100, 4000)


async def test_a_summary_that_came_to_nothing_is_on_record(house: House, provider: FakeOpenAI) -> None:
    """A refused, an empty and a broken one were paid for as well."""
    engine = house.engine(Facts(context=128_000, price=PRICE))
    await house.talk(engine, 1, HIGH // 2 - 1)
    before = (await house.memory.toll(0)).tokens
    said = provider.script()
    summary = provider.script()
    asking = asyncio.create_task(engine.respond(say("more", "99"), Screen(trip=0)))
    await said.send("Yes.")
    await said.end()
    answer = await asking
    assert answer is not None
    assert is_summary(await summary.asked())
    await fail(summary, "stop")
    await engine._summaries.settle()
    assert (await house.memory.toll(0)).tokens == before + answer.usage.input + answer.usage.output + 1200
