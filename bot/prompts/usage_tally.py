"""What the attempts at one answer took, for the books: as the provider counted it, else guessed."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.errors import ModelError
from bot.domain.messages import Usage
from bot.domain.model_info import Bill, Price
from bot.domain.ports import Model, Piece
from bot.domain.records import Spent
from bot.prompts.history_window import Ratios


class Tally:
    """Counts the tokens of every attempt, by the model that was asked; what was refused costs nothing.

    `model` is the name of the one that answered, or failed last.
    """

    def __init__(self, model: Model, ratios: Ratios) -> None:
        self.model = model.name
        self.heard = 0  # bytes of the attempt that runs
        self._first = model
        self._ratios = ratios
        self._sent = 0
        self._asked = False
        self._usage: Usage | None = None
        self._lost: dict[str, Usage] = {}

    @property
    def usage(self) -> Usage:
        """What the model that answered took in all its attempts."""
        last = self._price(self._usage or self._guess(), self._first.facts.price)
        return _add(last, self._lost.get(self.model))

    @property
    def others(self) -> tuple[Spent, ...]:
        """What other models took that failed before it."""
        return tuple(Spent(model, usage) for model, usage in self._lost.items() if model != self.model)

    def send(self, size: int) -> None:
        """Take in that a prompt of so many bytes is about to be sent."""
        self._sent, self._asked = size, True

    def take(self, piece: Piece) -> None:
        """Take in a piece of the answer, or that an attempt failed and another one follows."""
        if failure := piece.anew or piece.failed:
            self._lose(failure)
            return
        self._asked = True
        self.heard += len((piece.text + piece.reasoning).encode(errors="replace"))
        if piece.end:
            self.model, self._usage = piece.model or self.model, piece.usage

    def fail(self, error: ModelError) -> None:
        """Take in that the last attempt failed."""
        self.model = error.model or self.model
        self._lose(error)

    def _lose(self, error: ModelError) -> None:
        model = error.model or self.model
        if error.bill or self.heard:
            bill = error.bill or Bill()
            guess = self._guess()
            usage = guess if bill.usage is None else replace(bill.usage, output=max(bill.usage.output, guess.output))
            usage = self._price(usage, bill.price or (self._first.facts.price if model == self._first.name else None))
            self._lost[model] = _add(usage, self._lost.get(model))
        self.heard, self._asked = 0, False

    def _guess(self) -> Usage:
        """What was sent and came in the attempt that runs, as tokens."""
        ratio = self._ratios[self._first.name]
        return Usage(int(self._sent / ratio), int(self.heard / ratio)) if self._asked else Usage()

    def _price(self, usage: Usage, price: Price | None) -> Usage:
        return usage if usage.cost is not None or not price else replace(usage, cost=price.cost(usage))


def _add(usage: Usage, more: Usage | None) -> Usage:
    """The sum; its cost is what is known of it."""
    if more is None:
        return usage
    costs = [cost for cost in (usage.cost, more.cost) if cost is not None]
    return Usage(
        usage.input + more.input,
        usage.output + more.output,
        usage.cached + more.cached,
        usage.written + more.written,
        sum(costs) if costs else None,
    )
