"""A circuit breaker: a model that fails for everybody is left alone for a while."""

from __future__ import annotations

import asyncio

import structlog

from bot.domain.errors import ModelError, ModelFault
from bot.domain.ports import Prompt

THRESHOLD = 5
"""Different questions in a row that a model fails before it is left alone …"""
REST = 30.0
"""… for so many seconds; then one question tries it again."""
GENERAL = {ModelFault.TIMEOUT, ModelFault.NETWORK, ModelFault.OVERLOAD, ModelFault.RATE}
"""Faults that every question would meet. All others may lie in one question or one request, and are told at once."""

log = structlog.get_logger(__name__)


class Circuit:
    """Whether a model is worth asking: not for a while after it failed several different questions in a row."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._clock = asyncio.get_running_loop().time
        self._failed: set[int] = set()
        self._until = 0.0
        self._fault = ModelFault.TIMEOUT
        self._reason = ""

    @property
    def open(self) -> bool:
        """Whether the model is to be left alone at this moment."""
        return len(self._failed) >= THRESHOLD and self._clock() < self._until

    def enter(self) -> None:
        """Take in that the model is about to be asked; until it has answered, an open circuit lets nobody else in."""
        if len(self._failed) >= THRESHOLD:
            self._until = self._clock() + REST

    def succeed(self) -> None:
        """Take in that a question was answered."""
        if len(self._failed) >= THRESHOLD:
            log.info("circuit closed: the model answers again", model=self._model)
        self._failed.clear()

    def fail(self, prompt: Prompt, error: ModelError) -> None:
        """Take in that a question was not answered; the same one counts once."""
        if error.fault not in GENERAL:
            return
        before = len(self._failed)
        self._failed.add(hash((prompt.system, prompt.messages)))
        self._fault, self._reason = error.fault, str(error)
        if len(self._failed) >= THRESHOLD:
            self._until = self._clock() + REST
            if before < THRESHOLD:
                log.warning("circuit open: the model is left alone", model=self._model, seconds=REST, error=str(error))

    def refuse(self) -> ModelError:
        """Why the model is left alone, for whoever asks meanwhile."""
        error = ModelError(self._fault, self._reason)
        error.model = self._model
        return error
