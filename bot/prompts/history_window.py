"""How much of the record a model is shown: a window that is cut seldom, so that the provider's cache serves. Pure.

A prompt costs a tenth or less where it begins like the one before. So the window grows at its end from `low` messages
to `high`, and only then loses its beginning, all at once. The best block weighs what a long window costs at each
reading against what a cut costs in writing: 2·√((write − read)·low / read) messages, in which `read` and `write` are
the prices of the cache as parts of that of input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from bot.domain.messages import Message
from bot.domain.model_info import Cache, Facts

FIRST_RATIO = 3.0
"""UTF-8 bytes to a token before anything was measured: English has about 4, most other text 2.5 to 3.5."""
LEARNING = 0.2
"""The weight of one more measurement of that ratio."""
MARGIN = 0.9
"""The part of the context that is used: the ratio is an average."""
PICTURE, DOCUMENT = 1600, 6000
"""Tokens that a picture of the largest size counts for (width × height / 750, as Anthropic counts), and a document of
a few pages."""
FRAME = 16
"""Bytes that a message costs beside its text, for its role and its time."""
GRACE = 10
"""Messages beyond `high` for which the window waits until its beginning has been summarised."""


@dataclass(frozen=True, slots=True)
class Span:
    """What a window may hold: from `low` to `high` messages, and `room` bytes."""

    low: int
    high: int
    room: int

    @property
    def idle(self) -> int:
        """Messages that stay as they are when nobody talks: the next prompt is not in the cache, so it is short."""
        return max(2, self.low // 4 * 2)


def span(low: int, facts: Facts, answer: int, ratio: float) -> Span:
    """The window of a model; `answer` is the longest answer in tokens, `ratio` how many bytes a token has."""
    room = max(0, int((facts.context - answer) * MARGIN * ratio))
    low += low % 2
    return Span(low, widest(low, facts.cache), room)


def widest(low: int, cache: Cache) -> int:
    """The best high mark, an even number of messages; at least eight above the low one."""
    best = 2 * sqrt(max(0.0, cache.write - cache.read) * low / max(cache.read, 0.01))
    return low and max(low + 8, round(best / 2) * 2)


def weigh(message: Message, ratio: float) -> int:
    """What a message takes of the room, in bytes."""
    seen = sum(DOCUMENT if file.media_type == "application/pdf" else PICTURE for file in message.files)
    return FRAME + len(message.content.encode(errors="replace")) + int(seen * ratio)


def cut(
    messages: Sequence[Message], span: Span, used: int, ratio: float, *, waits: bool, cold: bool = False
) -> list[Message]:
    """The messages that are shown, of those in the window, after `used` bytes for everything else.

    The window is cut when it has more than `high` messages, to `low`, and when it is `cold`, no longer in the
    provider's cache; or when it has more bytes than there is room, to half of that. One that `waits` for a summary is
    cut later, and not for being cold: what it would lose is in no summary yet.
    """
    shown = list(messages)
    if len(shown) > (span.high + GRACE if waits else span.low if cold else span.high):
        shown = shown[len(shown) - span.low :]
    weights = [weigh(message, ratio) for message in shown]
    room = span.room - used
    if sum(weights) > room:
        while shown and sum(weights) > room // 2:
            del shown[:2], weights[:2]
    return shown


def due(messages: Sequence[Message], span: Span, ratio: float, *, idle: bool) -> int:
    """Where the window is to begin after a summary, as an index; 0 where none is due.

    One is due when the next question would not fit any more, and when nobody talks and it makes the window shorter.
    """
    weights = [weigh(message, ratio) for message in messages]
    full = len(messages) >= span.high or sum(weights) > span.room * 3 // 4
    if not full and not (idle and len(messages) > span.low):
        return 0
    start = max(0, len(messages) - (span.idle if idle else span.low))
    while start < len(messages) and sum(weights[start:]) > span.room // 2:
        start += 2
    return start


class Ratios:
    """How many bytes a token has, for each model: learned from what providers count."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}

    def __getitem__(self, model: str) -> float:
        return self._known.get(model, FIRST_RATIO)

    def learn(self, model: str, size: int, tokens: int) -> None:
        """Take in that so many bytes were so many tokens."""
        if size > 0 and tokens > 0:
            measured = min(max(size / tokens, 1.0), 8.0)
            self._known[model] = self[model] + LEARNING * (measured - self[model])
