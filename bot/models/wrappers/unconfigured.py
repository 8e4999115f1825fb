"""The model that is not there: it says so, and what to do, whenever it is asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from bot.domain.errors import ModelError, ModelFault
from bot.domain.model_info import Facts
from bot.domain.ports import Piece, Prompt


class Unset:
    """Fails every question with ModelError(UNSET); `mend` is one sentence or two for the operator."""

    name = "none"
    reader = "nobody yet: my owner has not chosen a model"
    trial = False
    facts = Facts()

    def __init__(self, mend: str) -> None:
        self.mend = mend

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:  # noqa: ARG002
        """Raise ModelError(UNSET) with the mend."""
        raise ModelError(ModelFault.UNSET, self.mend)
        yield Piece()

    async def close(self) -> None:
        """There is nothing to let go of."""
