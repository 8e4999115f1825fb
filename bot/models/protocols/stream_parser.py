"""Understanding an answer event by event: what each provider's protocol has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import structlog

from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import State, Usage
from bot.domain.ports import Piece
from bot.models.protocols.error_mapper import Faults
from bot.models.protocols.finish_reasons import judge_end, name_end
from bot.models.protocols.json_shapes import parse_json, read_objects
from bot.models.protocols.length_limit import Length
from bot.models.protocols.server_features import Server
from bot.models.protocols.sse import ErrorData
from bot.models.protocols.surrogates import Halves
from bot.models.protocols.think_tags import Split, Thinking

DONE = b"[DONE]"
NOTHING = Split()

log = structlog.get_logger(__name__)


class Reading(ABC):
    """One answer, as far as it was read. A protocol brings `take`.

    `end` is how it ended, as soon as that is known; nothing that comes after takes it back. `over` says that nothing
    comes after, or that it failed, which `finish` raises. `length.limit` is how many tokens were asked for. What an
    event holds besides its text never costs the text: what has an unknown shape says nothing.
    """

    def __init__(self, faults: Faults, server: Server | None = None, model: str = "") -> None:
        self.faults = faults
        self.end: State | None = None
        self.over = False
        self.usage: Usage | None = None
        self.counted = False  # the usage is that of the whole answer
        self.begun = False
        self.goes_on = False  # text came after the end: only the server's own last word is the end
        self.length = Length()
        self._server = server or Server()
        self._model = model
        self._thinking = Thinking(model in self._server.thoughts_first)
        self._halves = Halves()
        self._heard: list[str] = []  # the text as it came
        self._failure: ModelError | None = None
        self._new = NOTHING
        self._spoke = False
        self._thought = False

    @abstractmethod
    def take(self, event: dict[str, Any]) -> None:
        """Take in one event: `say` and `think` what it brings, `stop` at its end, `fail` for its error."""

    def read(self, data: bytes) -> Piece | None:
        """Take in the data of one event; returns what it brings for the reader. Never raises."""
        if self.over or not data.strip():
            return None
        if data.strip(b' "') == DONE:
            self.end, self.over = self.end or State.DONE, True
            return None
        ended = self.end
        self._take(data)
        if self.length.over and (self._new.answer or self._new.thoughts) and (ended or not self.end):
            self._cut()
            return None
        self.goes_on = self.goes_on or bool(ended and self._new.answer)
        return self._piece()

    def rest(self) -> Piece | None:
        """What was held back, at the end of the answer."""
        held = self._halves.close()
        self._add(self._thinking.feed(held) if held else Split())
        self._add(self._thinking.close(self.end is State.DONE))
        (self._server.thoughts_first.add if self._thinking.lone else self._server.thoughts_first.discard)(self._model)
        return self._piece()

    def finish(self) -> Piece:
        """The last piece. Raises ModelError for an answer that is not whole, or is none."""
        if self._failure:
            raise self._failure
        if self.end is None:
            raise self.faults.broken("the answer ended before it was whole")
        if self._spoke or self.end is State.REFUSED:
            return Piece(end=self.end, usage=self._counted())
        what = "the model thought, but did not answer" if self._thought else "the model gave an empty answer"
        if self.end is State.CUT:  # asked again it would do the same, and be paid again
            log.warning(f"{what} within bot.max_tokens", model=self.faults.model, mend="Raise bot.max_tokens.")
            return Piece(end=State.CUT, usage=self._counted())
        raise self.faults.error(ModelFault.EMPTY, what, "If it happens often, take another model.")

    def say(self, text: str) -> None:
        """Take in a part of the answer, which may hold thoughts."""
        self._heard.append(text)
        if text := self._halves.feed(text):
            self._add(self._thinking.feed(text))

    def think(self, text: str) -> None:
        """Take in a part of the thoughts."""
        if text:
            self._thinking.reasoned = self._thinking.reasoned or bool(text.strip())
            self._add(Split(thoughts=text))

    def stop(self, reason: Any, other: State | None = None) -> None:
        """Take in why the answer ends, where that is said; `other` is what a reason means that is not known."""
        name = name_end(reason)
        if not name or self.end or self._failure:
            return
        self.end = judge_end(name, other)
        if self.end is None:
            self.fail(self.faults.broken(f"the model ended the answer with the reason “{name}”"))

    def fail(self, error: ModelError) -> None:
        """Take in that the answer failed; one that has ended is whole."""
        if self.end is None:
            self._failure, self.over = self._failure or error, True

    def _take(self, data: bytes) -> None:
        try:
            event = parse_json(data)
        except ValueError:
            if isinstance(data, ErrorData):
                self.fail(self.faults.refused(None, data.decode(errors="replace")))
            elif data.lstrip()[:1] in b"{[":
                self.fail(self.faults.broken("the answer holds something that is not JSON"))
            return
        if isinstance(data, ErrorData):
            self.fail(self.faults.refused(None, event))
            return
        for each in read_objects(event):
            self.take(each)

    def _add(self, new: Split) -> None:
        if self._new == NOTHING:
            self._new = new
            return
        before = Split(thoughts=self._new.thoughts) if new.withdrawn else self._new
        withdrawn = self._new.withdrawn or new.withdrawn
        self._new = Split(before.answer + new.answer, before.thoughts + new.thoughts, withdrawn)

    def _piece(self) -> Piece | None:
        """What is new, noted; None where there is nothing."""
        (answer, thoughts, withdrawn), self._new = self._new, NOTHING
        if not (answer or thoughts or withdrawn):
            return None
        if len(answer) > self.length.room:
            answer = answer[: self.length.room]
            self._cut()
        self.begun = True
        self._spoke = (self._spoke and not withdrawn) or bool(answer.strip())
        self._thought = self._thought or withdrawn or bool(thoughts.strip())
        self.length.add(answer, thoughts)
        return Piece(answer, thoughts, withdrawn=withdrawn)

    def _cut(self) -> None:
        """Leave what comes after the longest answer that was asked for."""
        self.end, self.over = State.CUT, True
        log.warning("the answer was longer than it may be; the rest is left", model=self.faults.model)

    def _counted(self) -> Usage | None:
        """The usage; where nothing was counted after the start, with what was written."""
        if self.usage and not self.counted and self.usage.output < self.length.tokens:
            return replace(self.usage, output=self.length.tokens)
        return self.usage
