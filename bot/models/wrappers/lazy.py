"""A model that has to be made ready first: fetched, loaded, or asked which models it has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import structlog

from bot.domain.errors import ModelError, ModelFault
from bot.domain.model_info import Facts
from bot.domain.ports import Model, Piece, Prompt
from bot.runtime.tasks import report

log = structlog.get_logger(__name__)


class Deferred:
    """Stands in for a model that is made at `warm`, or at the first question, which waits for it.

    `make` is called once, and again after a ModelError, at the next question. A question waits `patience` seconds, or
    until its share of its deadline ends; the making goes on without it. `name`, `reader` and `facts` are those of the
    made model as soon as there is one. Where `look` is given, the facts are what it finds in the background, when the
    model is made and after each whole answer; only `warm` waits for it. It must not raise.
    """

    def __init__(
        self,
        name: str,
        reader: str,
        make: Callable[[], Awaitable[Model]],
        *,
        patience: float,
        trial: bool = False,
        facts: Facts | None = None,
        look: Callable[[], Awaitable[Facts]] | None = None,
    ) -> None:
        self.name = name
        self.reader = reader
        self.trial = trial
        self._facts = facts or Facts()
        self._look = look
        self._model: Model | None = None
        self._make = make
        self._patience = patience
        self._making: asyncio.Task[Model] | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def facts(self) -> Facts:
        """What is known of the model now."""
        return self._facts if self._look or not self._model else self._model.facts

    async def warm(self) -> None:
        """Make the model now; a failure is logged, with its mend, and tried again at the next question."""
        try:
            await self._ready()
            if self._looking:
                await asyncio.wait({self._looking})
            log.info("the model is ready", model=self.name, context=self.facts.context)
        except ModelError as error:
            log.error("the model is not ready", model=self.name, fault=error.fault.value, reason=str(error))

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Answer the prompt as soon as the model is ready."""
        start = asyncio.get_running_loop().time()
        until = prompt.deadline.limit(self._patience) if prompt.deadline else start + self._patience
        try:
            async with asyncio.timeout_at(until):
                model = await self._ready()
        except TimeoutError:
            seconds = round(until - start, 1)
            detail = f"{self.name} was not ready within {seconds:g} seconds; it is still being prepared."
            raise ModelError(ModelFault.TIMEOUT, detail) from None
        async with aclosing(model.stream(prompt)) as pieces:
            async for piece in pieces:
                yield piece
        self._start_looking()

    async def close(self) -> None:
        """Stop the making, or close what was made."""
        if self._looking:
            self._looking.cancel()
        if self._making is None:
            return
        self._making.cancel()
        await asyncio.wait({self._making})
        if not self._making.cancelled() and self._making.exception() is None:
            await self._making.result().close()

    async def _ready(self) -> Model:
        if self._making is None or (self._making.done() and _failed(self._making)):
            self._making = asyncio.create_task(self._made())
        return await asyncio.shield(self._making)

    async def _made(self) -> Model:
        model = self._model = await self._make()
        self.name, self.reader = model.name, model.reader
        self._start_looking()
        return model

    def _start_looking(self) -> None:
        if self._look and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._learn(self._look))
            self._looking.add_done_callback(report)

    async def _learn(self, look: Callable[[], Awaitable[Facts]]) -> None:
        self._facts = await look()


def _failed(task: asyncio.Task[Model]) -> bool:
    return task.cancelled() or task.exception() is not None
