"""What a platform's rate limit still allows, learned from the platform's own words."""

from __future__ import annotations

from collections import deque
from enum import StrEnum

STALE = 0.5
"""Calls that may have come back while a response travelled: our own count is exact but for what others spend."""


class Kind(StrEnum):
    """How a limit gives calls back.

    UNKNOWN: never more than `limit` in any `period`, which is safe under both others. SLIDING: one back every
    `period / limit` seconds (a leaky bucket). FIXED: all back at the end of each period.
    """

    UNKNOWN = "unknown"
    SLIDING = "sliding"
    FIXED = "fixed"


class Window:
    """One rate limit: `limit` calls in `period` seconds, of a kind that its headers give away.

    Times are those of the event loop's clock, in seconds.
    """

    def __init__(self, limit: int, period: float) -> None:
        self.limit = limit
        self.period = period
        self.kind = Kind.UNKNOWN
        self._sent: deque[float] = deque()
        self._spent = 0.0  # calls that the sliding window has not given back at `_as_of`
        self._as_of = 0.0
        self._left = float(limit)  # calls left in the fixed window that ends at `_ends`
        self._ends = 0.0
        self._seen: tuple[float, float, int] | None = None

    @property
    def interval(self) -> float:
        """Seconds in which one call comes back, on average."""
        return self.period / self.limit

    def take(self, now: float) -> None:
        """Count a call that starts now."""
        self._sent.append(now)
        self._decay(now)
        self._spent += 1
        if now >= self._ends:
            self._left, self._ends = self.limit, now + self.period
        self._left -= 1

    def level(self, now: float) -> float:
        """How many calls may start now; a fraction is a call that has half come back."""
        if self.kind is Kind.SLIDING:
            return self.limit - max(0.0, self._spent - (now - self._as_of) / self.interval)
        if self.kind is Kind.FIXED:
            return self._left if now < self._ends else self.limit
        self._expire(now)
        return self.limit - len(self._sent)

    def when(self, wanted: float, now: float) -> float:
        """The moment at which the level reaches `wanted` (at most `limit`), if nothing is taken until then."""
        missing = wanted - self.level(now)
        if missing <= 0:
            return now
        if self.kind is Kind.SLIDING:
            return now + missing * self.interval
        if self.kind is Kind.FIXED:
            return self._ends
        return self._sent[min(len(self._sent), int(-(-missing // 1))) - 1] + self.period

    def ahead(self, now: float, horizon: float) -> float:
        """How many calls there will be from now until `horizon` seconds later."""
        if self.kind is Kind.SLIDING:
            back = horizon / self.interval
        elif self.kind is Kind.FIXED:
            back = max(0.0, horizon - max(0.0, self._ends - now)) / self.interval
        else:
            back = sum(1 for sent in self._sent if sent + self.period <= now + horizon)
            back += max(0.0, horizon - self.period) / self.interval
        return self.level(now) + back

    def observe(self, now: float, limit: int, remaining: int, reset_after: float) -> None:
        """Take in one response's headers; two that follow each other tell which kind of window it is."""
        if limit < 1 or reset_after < 0:
            return
        self._learn(now, limit, remaining, reset_after)
        self._seen = (now, reset_after, remaining)
        self._decay(now)
        if self.kind is Kind.SLIDING:
            self._spent = max(self._spent, reset_after / self.interval - STALE)
        elif self.kind is Kind.FIXED:
            self._left = min(self._left, remaining) if now < self._ends else remaining
            self._ends = now + reset_after
        self.limit = limit

    def exhaust(self, now: float, seconds: float) -> None:
        """Take in a refusal: the next call is back after `seconds`."""
        self._decay(now)
        self._spent = max(self._spent, self.limit - 1 + seconds / self.interval)
        self._left, self._ends = 0, max(self._ends, now + seconds)

    def _learn(self, now: float, limit: int, remaining: int, reset_after: float) -> None:
        """A reset that grows with each call is a bucket's; one that only runs down is a fixed window's."""
        if self._seen is None:
            return
        then, before, left = self._seen
        running_down = before - (now - then)
        if running_down <= 0 or remaining >= left or limit - remaining <= 0:
            return
        if abs(reset_after - running_down) < 0.25 * self.interval:
            self.kind = Kind.FIXED
        elif reset_after > running_down:
            self.kind = Kind.SLIDING
            least = limit * reset_after / (limit - remaining)  # `remaining` is rounded down
            if not 0.75 * self.period < least <= self.period:
                self.period = least

    def _decay(self, now: float) -> None:
        self._spent = max(0.0, self._spent - (now - self._as_of) / self.interval)
        self._as_of = now

    def _expire(self, now: float) -> None:
        while self._sent and self._sent[0] + self.period <= now:
            self._sent.popleft()
