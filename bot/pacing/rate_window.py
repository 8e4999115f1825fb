"""What a platform's rate limit still allows, learned from the platform's own words."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from math import ceil, inf


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

    Times are those of the event loop's clock, in seconds; a fixed window is over at `ends`.
    """

    def __init__(self, limit: int, period: float, kind: Kind = Kind.UNKNOWN) -> None:
        self.limit = limit
        self.period = period
        self.kind = kind
        self.ends = 0.0
        self._sent: deque[float] = deque()
        self._flying: deque[float] = deque()  # when the calls went whose responses have not come
        self._spent = 0.0  # calls that the sliding window has not given back at `_as_of`
        self._as_of = 0.0
        self._left = float(limit)  # calls left in the fixed window that ends at `ends`
        self._seen: tuple[float, float, int] | None = None

    @property
    def interval(self) -> float:
        """Seconds in which one call comes back, on average."""
        return self.period / self.limit

    def take(self, now: float) -> None:
        """Count a call that starts now."""
        if now >= self.ends:
            self._left, self.ends = self.level(now) if self.kind is Kind.FIXED else self.limit, now + self.period
        self._left -= 1
        self._decay(now)
        self._spent += 1
        for calls in (self._sent, self._flying):
            self._expire(calls, now)
            calls.append(now)

    def level(self, now: float) -> float:
        """How many calls may start now; a fraction is a call that has half come back."""
        if self.kind is Kind.SLIDING:
            return self.limit - max(0.0, self._spent - (now - self._as_of) / self.interval)
        if self.kind is Kind.FIXED:
            if now < self.ends:
                return self._left
            self._expire(self._flying, now)  # what still flies may arrive in the new window
            return self.limit - len(self._flying)
        self._expire(self._sent, now)
        return self.limit - len(self._sent)

    def when(self, wanted: float, now: float) -> float:
        """The moment at which the level reaches `wanted` (at most `limit`), if nothing is taken until then."""
        missing = wanted - self.level(now)
        if missing <= 0:
            return now
        if self.kind is Kind.SLIDING:
            return now + missing * self.interval
        if self.kind is Kind.FIXED and now < self.ends:
            return self.ends
        calls = self._flying if self.kind is Kind.FIXED else self._sent
        return calls[min(len(calls), ceil(missing)) - 1] + self.period

    def regain(self, now: float) -> float:
        """Seconds until a call that is made now is back."""
        if self.kind is Kind.SLIDING:
            return self.interval
        return max(0.0, self.ends - now) if self.kind is Kind.FIXED else self.period

    def ahead(self, now: float, horizon: float) -> float:
        """How many calls there will be from now until `horizon` seconds later."""
        if self.kind is Kind.SLIDING:
            back = horizon / self.interval
        elif self.kind is Kind.FIXED:
            back = max(0.0, horizon - max(0.0, self.ends - now)) / self.interval
        else:
            back = sum(1 for sent in self._sent if sent + self.period <= now + horizon)
            back += max(0.0, horizon - self.period) / self.interval
        return self.level(now) + back

    def observe(self, now: float, limit: int, remaining: int, reset_after: float) -> None:
        """Take in one response's headers: the first says which kind of window it seems to be, the next which it is."""
        self._land(now)
        if limit < 1 or remaining < 0 or not 0 <= reset_after < inf:
            return
        self.limit = limit
        self._learn(now, limit, remaining, reset_after)
        self._seen = (now, reset_after, remaining)
        self._decay(now)
        if self.kind is Kind.SLIDING:
            self._spent = max(self._spent, reset_after / self.interval + len(self._flying))
        left, ends = remaining - len(self._flying), now + reset_after
        self._left = left if ends > self.ends + self.interval / 2 else min(self._left, left)
        self.ends = ends

    def recent_calls(self, now: float) -> list[float]:
        """The moments of the calls of the last period, the oldest first."""
        self._expire(self._sent, now)
        return list(self._sent)

    def resume(self, calls: Sequence[float]) -> None:
        """Count calls that were made before this window was, the oldest first; their responses are known."""
        self._as_of = min([self._as_of, *calls])
        for moment in calls:
            self.take(moment)
        self._flying.clear()

    def exhaust(self, now: float, seconds: float) -> None:
        """Take in a refusal: the next call is back after `seconds`."""
        self._land(now)
        self._decay(now)
        self._spent = max(self._spent, self.limit - 1 + seconds / self.interval)
        self._left, self.ends = 0, max(self.ends, now + seconds)

    def _learn(self, now: float, limit: int, remaining: int, reset_after: float) -> None:
        """A reset that grows with each call is a bucket's; one that only runs down is a fixed window's."""
        if self._seen is None:
            self._presume(limit - remaining, limit, reset_after)
            return
        then, before, left = self._seen
        running_down = before - (now - then)
        if running_down <= 0 or remaining >= left or limit - remaining <= 0:
            return
        growth = (reset_after - running_down) / self.interval
        if abs(growth) < 0.25:
            self.kind = Kind.FIXED
        elif growth > 0.75:
            self.kind = Kind.SLIDING
            spent = limit - remaining  # rounded up: it may be almost one less
            self.period = max(self.period, limit * reset_after / spent)
            if spent > 1:
                self.period = min(self.period, limit * reset_after / (spent - 1))

    def _presume(self, spent: int, limit: int, reset_after: float) -> None:
        """Guess from the first response: after one call, a bucket is full again soon, a window ends much later."""
        interval = self.period / limit
        if self.kind is not Kind.UNKNOWN or spent != 1 or limit < 2:
            return
        if abs(reset_after - interval) < interval / 4:
            self.kind = Kind.SLIDING
        elif abs(reset_after - self.period) < interval / 4:
            self.kind = Kind.FIXED

    def _decay(self, now: float) -> None:
        self._spent = max(0.0, self._spent - (now - self._as_of) / self.interval)
        self._as_of = now

    def _land(self, now: float) -> None:
        if self._flying:
            self._flying.popleft()
        self._expire(self._flying, now)

    def _expire(self, calls: deque[float], now: float) -> None:
        while calls and calls[0] + self.period <= now:
            calls.popleft()
