"""Getting an answer although a model fails: further tries, other models, and a circuit that spares all the wait."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

import structlog

from bot.domain.deadline import Deadline
from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import State
from bot.domain.model_info import Bill, Facts
from bot.domain.ports import Model, Piece, Prompt
from bot.models.wrappers.circuit_breaker import Circuit

TRIES = 3
"""How often one model is asked before the next one is."""
BACK_OFF = 0.5
"""Seconds before the second try, doubled for each further one; a random part of up to half is added."""
PASSING = {ModelFault.RATE, ModelFault.OVERLOAD, ModelFault.NETWORK, ModelFault.CUT, ModelFault.EMPTY}
"""What may be gone at the next try. A time-out may too, but has taken the time that there was."""
OWN = {ModelFault.CONTEXT, ModelFault.REQUEST, ModelFault.REFUSED}
"""What lies in the question, so that no other model is asked."""

log = structlog.get_logger(__name__)


class Resilient:
    """A model, and others in its place where it fails; itself a `Model`.

    One deadline holds for the question; each model that is worth asking has its share of it. Before the first words a
    passing failure is tried again after what the provider says, or a growing pause; then the next model is asked, and
    `replaced` told the first one's name and its own. After the first words the answer is begun afresh, once: a piece
    with `anew` says so. Every further attempt is announced by a piece with the failure of the one before.
    """

    def __init__(self, models: Sequence[Model], replaced: Callable[[str, str], None] = lambda _, __: None) -> None:
        self._replaced = replaced
        self.trial = models[0].trial
        self._models = models
        self._circuits = [Circuit(model.name) for model in models]

    @property
    def name(self) -> str:
        """The name of the first model; the last piece of an answer says which one wrote it."""
        return self._models[0].name

    @property
    def facts(self) -> Facts:
        """What is known of the first model: prompts are made for it."""
        return self._models[0].facts

    @property
    def reader(self) -> str:
        """Who may read what people write: all of them."""
        return " or ".join(dict.fromkeys(model.reader for model in self._models))

    async def warm(self) -> None:
        """Make the models ready that have to be."""
        for model in self._models:
            if warm := getattr(model, "warm", None):
                await warm()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Answer the prompt with the first model that does. Raises the last one's ModelError."""
        chances = _Chances(Deadline())
        prompt = replace(prompt, deadline=chances.deadline)
        asked = [pair for pair in zip(self._models, self._circuits, strict=True) if not pair[1].open]
        failure = None if asked else self._circuits[-1].refuse()
        for others, (model, circuit) in zip(range(len(asked) - 1, -1, -1), asked, strict=True):
            if failure:
                log.warning("the model failed; asking the next", model=failure.model, error=str(failure))
                yield Piece(failed=failure)
            chances.deadline.divide(others)
            circuit.enter()
            try:
                async with aclosing(_insist(model, prompt, chances)) as pieces:
                    async for piece in pieces:
                        yield _sign(piece, model) if piece.end else piece
            except ModelError as error:
                circuit.fail(prompt, error)
                if error.fault in OWN or chances.spoken:
                    raise
                failure = error
            else:
                circuit.succeed()
                if model is not self._models[0]:
                    self._replaced(self._models[0].name, model.name)
                return
        raise failure or ModelError(ModelFault.UNSET, "There is no model.")

    async def close(self) -> None:
        """Close every model."""
        for model in self._models:
            await model.close()


def _sign(piece: Piece, model: Model) -> Piece:
    """Say on the last piece who wrote the answer, and what it cost there where the provider does not say it."""
    price, usage = model.facts.price, piece.usage
    if price and usage and usage.cost is None:
        usage = replace(usage, cost=price.cost(usage))
    return replace(piece, model=model.name, usage=usage)


class _Chances:
    """What is left for one question: time, and one fresh start after the first words."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.spoken = False
        self.fresh = True

    def allow(self, tries: int, fault: ModelFault, pause: float) -> bool:
        """Whether the model that failed in this way is asked once more, after such a pause."""
        if self.spoken and self.fresh and fault in PASSING | {ModelFault.TIMEOUT}:
            self.deadline.extend()
            return self.deadline.allows(pause)
        return not self.spoken and fault in PASSING and tries < TRIES and self.deadline.allows(pause)


async def _insist(model: Model, prompt: Prompt, chances: _Chances) -> AsyncGenerator[Piece, None]:
    """One model's answer, asked for again where that may help."""
    tries = 0
    while True:
        tries += 1
        said = False
        try:
            async with aclosing(model.stream(prompt)) as pieces:
                async for piece in pieces:
                    chances.spoken = chances.spoken or bool(piece.text)
                    said = (said and not piece.withdrawn) or bool(piece.text.strip())
                    if piece.end is State.CUT and not said:
                        raise _exhaust(piece, model)
                    yield piece
            return
        except ModelError as error:
            failure = _explain(error, model)
        pause = failure.retry_after or BACK_OFF * 2 ** (tries - 1) * random.uniform(1, 1.5)  # noqa: S311
        if not chances.allow(tries, failure.fault, pause):
            raise failure
        if chances.spoken:
            chances.spoken, chances.fresh = False, False
            yield Piece(anew=failure)
        else:
            yield Piece(failed=failure)
        log.warning("the model failed; asking again", fault=failure.fault.value, error=str(failure), seconds=pause)
        await asyncio.sleep(pause)


def _exhaust(piece: Piece, model: Model) -> ModelError:
    """The failure of an answer that reached its limit without a word: asked again it would end the same."""
    detail = f"{model.name}: all of bot.max_tokens was used without a word. Raise bot.max_tokens."
    error = ModelError(ModelFault.LENGTH, detail)
    error.bill = Bill(piece.usage)
    return error


def _explain(error: ModelError, model: Model) -> ModelError:
    """Say on a failure whose it is, and at which price."""
    error.model = model.name
    if error.bill:
        error.bill = replace(error.bill, price=model.facts.price)
    return error
