"""Getting an answer although a model fails: further tries, other models, and a circuit that spares all the wait."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

import structlog

from bot.errors import ModelError, ModelFault
from bot.facts import Facts
from bot.ports import Model, Piece, Prompt

PATIENCE = 18.0
"""Seconds from the question after which nothing more is tried, so that a failure is told within 20."""
TRIES = 3
"""How often one model is asked before the next one is."""
BACK_OFF = 0.5
"""Seconds before the second try, doubled for each further one; a random part of up to half is added."""
THRESHOLD = 5
"""Turns in a row that a model fails before it is left alone …"""
REST = 30.0
"""… for so many seconds; then one turn tries it again."""
PASSING = {ModelFault.RATE, ModelFault.OVERLOAD, ModelFault.NETWORK, ModelFault.CUT, ModelFault.EMPTY}
"""What may be gone at the next try. A time-out may too, but has taken the time that there was."""
OWN = {ModelFault.CONTEXT, ModelFault.REQUEST, ModelFault.REFUSED}
"""What lies in the question, so that it says nothing about the model."""

log = structlog.get_logger(__name__)


class Circuit:
    """Whether a model is worth asking: not for a while after it failed several turns in a row."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0
        self.error: ModelError | None = None

    @property
    def open(self) -> bool:
        """Whether the model is to be left alone; when it is not any more, the next turn alone finds it out."""
        if self._failures < THRESHOLD:
            return False
        if self._clock() < self._until:
            return True
        self._until = self._clock() + REST
        return False

    def succeed(self) -> None:
        """Take in that a turn was answered."""
        self._failures, self.error = 0, None

    def fail(self, error: ModelError) -> None:
        """Take in that a turn was not."""
        self._failures += 1
        self.error = error
        if self._failures >= THRESHOLD:
            self._until = self._clock() + REST


class Resilient:
    """A model, and others in its place where it fails; itself a `Model`.

    Before the first words a passing failure is tried again after what the provider says, or a growing pause; then the
    next model is asked, and `replaced` told the first one's name and its own. After the first words the answer is begun
    afresh, once: a piece with `anew` says so.
    """

    def __init__(self, models: Sequence[Model], replaced: Callable[[str, str], None] = lambda _, __: None) -> None:
        self._replaced = replaced
        self.trial = models[0].trial
        self._models = models
        clock = asyncio.get_running_loop().time
        self._circuits = [Circuit(clock) for _ in models]

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
        chances = _Chances()
        failure: ModelError | None = None
        for model, circuit in zip(self._models, self._circuits, strict=True):
            if circuit.open:
                failure = circuit.error
                continue
            try:
                async with aclosing(_insist(model, prompt, chances)) as pieces:
                    async for piece in pieces:
                        yield _sign(piece, model) if piece.end else piece
            except ModelError as error:
                error.model = model.name
                if error.fault in OWN:
                    raise
                circuit.fail(error)
                failure = error
                if chances.spoken or chances.over:
                    break
                log.warning("the model failed; asking the next", model=model.name, fault=error.fault.value)
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
    """Say on the last piece who wrote the answer, and what it cost there."""
    price, usage = model.facts.price, piece.usage
    if price and usage:
        usage = replace(usage, cost=price.cost(usage))
    return replace(piece, model=model.name, usage=usage)


class _Chances:
    """What is left for one question: time, and one fresh start after the first words."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._end = self._clock() + PATIENCE
        self.spoken = False
        self.fresh = True

    @property
    def over(self) -> bool:
        return self._clock() >= self._end

    def allow(self, pause: float) -> bool:
        """Whether there is time for such a pause."""
        return self._clock() + pause < self._end


async def _insist(model: Model, prompt: Prompt, chances: _Chances) -> AsyncGenerator[Piece, None]:
    """One model's answer, asked for again where that may help."""
    tries = 0
    while True:
        tries += 1
        try:
            async with aclosing(model.stream(prompt)) as pieces:
                async for piece in pieces:
                    chances.spoken = chances.spoken or bool(piece.text)
                    yield piece
            return
        except ModelError as error:
            if error.fault not in PASSING | ({ModelFault.TIMEOUT} if chances.spoken else set()):
                raise
            if chances.spoken and not chances.fresh:
                raise
            pause = error.retry_after or BACK_OFF * 2 ** (tries - 1) * random.uniform(1, 1.5)  # noqa: S311
            if not chances.spoken and (tries >= TRIES or not chances.allow(pause)):
                raise
            log.warning("the model failed; asking again", fault=error.fault.value, error=str(error), seconds=pause)
            if chances.spoken:
                chances.spoken, chances.fresh = False, False
                yield Piece(anew=error)
            await asyncio.sleep(min(pause, PATIENCE))
