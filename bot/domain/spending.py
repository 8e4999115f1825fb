"""Use of the bot and its bounds, as values: what was spent, which limit is reached, why somebody is turned away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

UNKNOWN_COST = "?"
"""How a cost is written whose price is not known."""


class DenialReason(StrEnum):
    """Why a person is turned away."""

    BLOCKED = "blocked"
    PAUSED = "paused"
    DIRECT = "direct"
    EXTERNAL = "external"
    PERSON = "person"
    PLACE = "place"
    BOT = "bot"
    UNWRITABLE = "unwritable"


class Limit(StrEnum):
    """Which limit is reached."""

    MINUTE = "minute"
    DAY = "day"
    PERSON = "person"
    PLACE = "place"
    BOT = "bot"


@dataclass(frozen=True, slots=True)
class Spending:
    """Tokens, read and written; US dollars; and the tokens among them that have no known price."""

    tokens: int = 0
    dollars: float = 0.0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What belongs to `name`: questions, tokens as in `Usage`, US dollars.

    `unpriced` counts requests to a model that had no known price; `cost` is without them.
    """

    name: str = ""
    turns: int = 0
    input: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0
    cost: float = 0.0
    unpriced: int = 0
    requests: int = 0

    @property
    def money(self) -> str:
        """The cost in dollars and cents; with a question mark for what is not known of it."""
        if self.requests and self.unpriced == self.requests:
            return UNKNOWN_COST
        return f"{self.cost:,.2f}" + (f" + {UNKNOWN_COST}" if self.unpriced else "")


def start_of_days(days: int, now: float) -> float:
    """Return when the first of so many days began, the last of them today, in this machine's time zone."""
    today = datetime.fromtimestamp(now, UTC).astimezone().replace(tzinfo=None).date()
    first = datetime.combine(today - timedelta(days - 1), datetime.min.time())
    return first.timestamp()
