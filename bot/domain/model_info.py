"""What is known of a model: how much it can read, what it can see, what it costs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.domain.messages import Usage

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens: read, written by the model, read from the provider's cache, written to it."""

    input: float
    output: float
    cached: float
    written: float

    def cost(self, usage: Usage) -> float:
        """What an answer cost, in US dollars."""
        fresh = usage.input - usage.cached - usage.written
        parts = (
            (fresh, self.input),
            (usage.cached, self.cached),
            (usage.written, self.written),
            (usage.output, self.output),
        )
        return sum(tokens * rate for tokens, rate in parts) / MILLION


@dataclass(frozen=True, slots=True)
class Bill:
    """What an attempt that failed may cost: its tokens as far as the provider said them, and the model's price."""

    usage: Usage | None = None
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Cache:
    """A provider's prompt cache: what reading and writing cost, as parts of the price of input, and its memory.

    `seconds` is how long a prefix stays after it was last used.
    """

    read: float = 0.1
    write: float = 1.25
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Facts:
    """A model's limits and price. `context` is in tokens, for prompt and answer together.

    `images` and `documents` (PDF) say what it can be shown besides text. No price: not known, or none.
    """

    context: int = 4096
    images: bool = False
    documents: bool = False
    price: Price | None = None
    cache: Cache = field(default_factory=Cache)
