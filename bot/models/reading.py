"""Understanding an answer event by event: what each provider's protocol has in common."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

from pydantic_core import from_json

from bot.errors import ModelError, ModelFault
from bot.messages import State, Usage
from bot.models.faults import Faults
from bot.ports import Piece


class Reading(ABC):
    """One answer, as far as it was read. A protocol brings `take`.

    `end` is how it ended, as soon as that is known; `over` says that nothing comes after.
    """

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.end: State | None = None
        self.over = False
        self.usage: Usage | None = None
        self.begun = False
        self._spoke = False
        self._thought = False

    @abstractmethod
    def take(self, event: dict[str, Any]) -> Piece | None:
        """Take in one event and give what it brings for the reader. Raises ModelError."""

    def read(self, data: bytes) -> Piece | None:
        """Take in the data of one event; damage after the end of the answer is passed over. Raises ModelError."""
        try:
            event = _parse(data)
        except ValueError:
            if self.end:
                return None
            raise self.faults.broken("the answer holds something that is not JSON") from None
        if not isinstance(event, dict):
            raise self.faults.broken("the answer holds JSON that is no event")
        try:
            return self.take(event)
        except (AttributeError, KeyError, TypeError, IndexError):
            raise self.faults.broken("the answer holds an event of an unknown shape") from None

    def rest(self) -> Piece | None:
        """What was held back, at the end of the answer."""
        return None

    def finish(self) -> Piece:
        """The last piece. Raises ModelError for an answer that is not whole, or is none."""
        if self.end is None:
            raise self.faults.broken("the answer ended before it was whole")
        if self.end in (State.REFUSED, State.CUT) or self._spoke:
            return Piece(end=self.end, usage=self.usage)
        raise self._empty()

    def piece(self, text: str, reasoning: str = "") -> Piece | None:
        """A piece, noted; None if there is nothing in it."""
        if not text and not reasoning:
            return None
        self.begun = True
        self._spoke = self._spoke or bool(text.strip())
        self._thought = self._thought or bool(reasoning.strip())
        return Piece(text, reasoning)

    def _empty(self) -> ModelError:
        what = "the model thought, but did not answer" if self._thought else "the model gave an empty answer"
        return self.faults.error(ModelFault.EMPTY, what, "If it happens often, take another model.")


def _parse(data: bytes) -> Any:
    """The JSON, by the quicker parser; only the other bears half characters, which then become question marks."""
    try:
        return from_json(data)
    except ValueError:
        return json.loads(json.dumps(json.loads(data), ensure_ascii=False).encode(errors="replace"))
