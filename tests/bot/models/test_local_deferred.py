"""A model that has to be made ready first: questions wait for it, and a failure is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from structlog.testing import capture_logs

from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import Message, Role, State
from bot.domain.model_info import Facts
from bot.domain.ports import Model, Piece, Prompt
from bot.models.wrappers.lazy import Deferred
from tests.support import clock

PROMPT = Prompt("", (Message(Role.USER, "Hello"),), max_tokens=10)


class Parrot:
    """A model that answers with one word, and notes that it was closed."""

    name = "local/parrot"
    reader = "a parrot"
    trial = False
    facts = Facts()
    closed = False

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        yield Piece("squawk")
        yield Piece(end=State.DONE)

    async def close(self) -> None:
        self.closed = True


class Workshop:
    """Makes a parrot after `seconds`; the first `failures` times it fails instead."""

    def __init__(self, seconds: float = 0.0, failures: int = 0) -> None:
        self.seconds = seconds
        self.failures = failures
        self.begun = 0
        self.parrot = Parrot()

    async def make(self) -> Model:
        self.begun += 1
        await asyncio.sleep(self.seconds)
        if self.begun <= self.failures:
            raise ModelError(ModelFault.NETWORK, "There is no network.")
        return self.parrot


async def ask(model: Model) -> str:
    return "".join([piece.text async for piece in model.stream(PROMPT)])


def deferred(workshop: Workshop) -> Deferred:
    return Deferred("local/later", "somebody", workshop.make, patience=100, trial=True)


def test_questions_wait_for_one_making() -> None:
    """Two questions at once and `warm` make the model once; its name and reader are then the model's own."""

    async def story() -> None:
        workshop = Workshop(seconds=50)
        model = deferred(workshop)
        assert (model.name, model.reader, model.trial) == ("local/later", "somebody", True)
        _, one, two = await asyncio.gather(model.warm(), ask(model), ask(model))
        assert (one, two, workshop.begun) == ("squawk", "squawk", 1)
        assert (model.name, model.reader, model.trial) == ("local/parrot", "a parrot", True)
        await model.close()
        assert workshop.parrot.closed

    clock.run(story())


def test_a_question_gives_up_but_the_making_goes_on() -> None:
    """After its patience a question ends with TIMEOUT; a later one finds the model ready."""

    async def story() -> None:
        workshop = Workshop(seconds=150)
        model = deferred(workshop)
        with pytest.raises(ModelError) as caught:
            await ask(model)
        assert caught.value.fault is ModelFault.TIMEOUT
        assert await ask(model) == "squawk"
        assert workshop.begun == 1

    clock.run(story())


def test_a_stopped_question_does_not_stop_the_making() -> None:
    """Somebody who takes a question back takes nothing from the others."""

    async def story() -> None:
        workshop = Workshop(seconds=50)
        model = deferred(workshop)
        asking = asyncio.create_task(ask(model))
        await asyncio.sleep(1)
        asking.cancel()
        assert await ask(model) == "squawk"
        assert workshop.begun == 1

    clock.run(story())


def test_a_failure_is_logged_with_its_mend_and_tried_again() -> None:
    """`warm` never raises; the next question makes the model anew."""

    async def story() -> None:
        model = deferred(Workshop(failures=2))
        with capture_logs() as logs:
            await model.warm()
        assert logs == [
            {
                "event": "the model is not ready",
                "log_level": "error",
                "model": "local/later",
                "fault": "network",
                "reason": "There is no network.",
            }
        ]
        with pytest.raises(ModelError, match="There is no network"):
            await ask(model)
        assert await ask(model) == "squawk"
        await model.close()

    clock.run(story())


def test_closing_stops_the_making() -> None:
    """A program that ends does not wait for a download."""

    async def story() -> None:
        model = deferred(Workshop(seconds=10_000))
        warming = asyncio.create_task(model.warm())
        await asyncio.sleep(1)
        await model.close()
        with pytest.raises(asyncio.CancelledError):
            await warming
        assert asyncio.get_running_loop().time() < 2

    clock.run(story())


def test_closing_what_was_never_made_is_nothing() -> None:
    """Neither an unused model nor a failed one has anything to close."""

    async def story() -> None:
        workshop = Workshop(failures=1)
        model = deferred(workshop)
        await model.close()
        await model.warm()
        await model.close()
        assert workshop.begun == 1

    clock.run(story())


def test_the_facts_are_looked_at_when_the_model_is_made_and_after_each_answer() -> None:
    """A server may load a model differently meanwhile; no answer waits for that, however long the server takes."""

    async def story() -> None:
        found = iter([Facts(2000), Facts(3000), Facts(4000)])

        async def look() -> Facts:
            await asyncio.sleep(4)
            return next(found)

        model = Deferred("local/x", "somebody", Workshop().make, patience=100, facts=Facts(1000), look=look)
        assert model.facts == Facts(1000)
        await model.warm()
        assert model.facts == Facts(2000)
        await ask(model)
        assert (model.facts, asyncio.get_running_loop().time()) == (Facts(2000), 4)
        await asyncio.sleep(5)
        assert model.facts == Facts(3000)
        async with aclosing(model.stream(PROMPT)) as pieces:  # one that is broken off says nothing
            await anext(pieces)
        await asyncio.sleep(5)
        assert model.facts == Facts(3000)

    clock.run(story())


def test_without_a_look_the_facts_are_those_of_the_model_whatever_it_learns_later() -> None:
    """They are not a copy: what stands behind may be one that is not made yet itself."""

    async def story() -> None:
        workshop = Workshop()
        model = Deferred("local/x", "somebody", workshop.make, patience=100, facts=Facts(1000))
        assert model.facts == Facts(1000)
        await model.warm()
        assert model.facts == Parrot.facts
        workshop.parrot.facts = Facts(5000)
        assert model.facts == Facts(5000)

    clock.run(story())
