"""Discord's rate limits with their headers, and the faults that a test asks for."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LIMIT, PERIOD = 5, 5.0
"""Posts and edits of a channel, together, and the seconds that they come back in."""


@dataclass(frozen=True)
class Verdict:
    """What a limit says to a call: the headers, and how long to wait where it is one too many."""

    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    everywhere: bool = False


class Bucket:
    """One limit: "sliding" gives a call back every `period / limit` seconds, "fixed" all at the window's end."""

    def __init__(self, kind: str, limit: int, period: float) -> None:
        self.kind, self.limit, self.period = kind, limit, period
        self._full = float("-inf")  # sliding: when all is back
        self._ends = float("-inf")  # fixed: when the window ends
        self._used = 0

    def take(self, now: float) -> float:
        """Count a call; gives the seconds to wait where it is one too many."""
        return self._slide(now) if self.kind == "sliding" else self._step(now)

    def left(self, now: float) -> int:
        """Calls that could start now."""
        if self.kind == "sliding":
            return max(0, math.floor(self.limit - (max(0.0, self._full - now)) * self.limit / self.period + 1e-6))
        return self.limit - self._used if now < self._ends else self.limit

    def reset(self, now: float) -> float:
        """Seconds until all are back."""
        return max(0.0, (self._full if self.kind == "sliding" else self._ends) - now)

    def _slide(self, now: float) -> float:
        one = self.period / self.limit
        full = max(self._full, now) + one
        if full - now > self.period + 1e-6:
            return full - now - self.period
        self._full = full
        return 0.0

    def _step(self, now: float) -> float:
        if now >= self._ends:
            self._ends, self._used = now + self.period, 0
        if self._used >= self.limit:
            return self._ends - now
        self._used += 1
        return 0.0


class Limits:
    """Counts calls as Discord does. `kind` is "sliding", "fixed", or "" for generous limits that nobody reaches."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.kind = ""
        self.limit, self.period = LIMIT, PERIOD
        self.everywhere = 0
        """Calls in a second for the whole bot, answers to interactions aside (Discord's is 50); 0 for no such limit."""
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._global: Bucket | None = None

    def judge(self, route: str, channel: str, exempt: bool = False) -> Verdict:
        """Count a call of a route with its major parameter."""
        now = self._clock()
        if self.everywhere and not exempt:
            self._global = self._global or Bucket("fixed", self.everywhere, 1.0)
            if wait := self._global.take(now):
                return self._refuse({"X-RateLimit-Global": "true"}, wait, True)
        name = "posts-and-edits" if route in ("post", "edit") else route
        bucket = self._bucket(name, channel)
        wait = bucket.take(now)
        headers = {
            "X-RateLimit-Limit": str(bucket.limit),
            "X-RateLimit-Remaining": str(bucket.left(now)),
            "X-RateLimit-Reset": f"{time.time() + bucket.reset(now):.3f}",
            "X-RateLimit-Reset-After": f"{bucket.reset(now):.3f}",
            "X-RateLimit-Bucket": hashlib.md5(name.encode()).hexdigest(),
        }
        return self._refuse(headers, wait) if wait else Verdict(headers)

    def _bucket(self, name: str, channel: str) -> Bucket:
        key = name, channel
        if key not in self._buckets:
            tight = self.kind and name == "posts-and-edits"
            made = Bucket(self.kind, self.limit, self.period) if tight else Bucket("sliding", 1000, 1.0)
            self._buckets[key] = made
        return self._buckets[key]

    def tighten(self, kind: str, limit: int = LIMIT, period: float = PERIOD) -> None:
        """Limit posts and edits from now on, every channel beginning anew."""
        self.kind, self.limit, self.period = kind, limit, period
        self._buckets.clear()

    def _refuse(self, headers: dict[str, str], wait: float, everywhere: bool = False) -> Verdict:
        scope = "global" if everywhere else "user"
        more = {"Retry-After": str(math.ceil(wait)), "X-RateLimit-Scope": scope, "Via": "1.1 google"}
        return Verdict({**headers, **more}, wait, everywhere)


@dataclass
class Fault:
    """What goes wrong with one call of a route.

    `gate` holds the call back until it is set. Then it is answered with `status` and `body` (JSON, or text where that
    is a str; at 429 without a body a limit's own answer with `retry_after`), or it is done and its answer lost
    (`lose`), or the connection is cut before it is done (`cut`), or it simply goes on.
    `done` makes the call take effect although it is answered with an error; `late` keeps its answer back, though it is
    done, until it is set. Of a file (the route "download") `late` and `lose` concern its second half, and an `endless`
    one never ends; `body` may be bytes there.
    """

    status: int = 0
    body: Any = None
    retry_after: float = 1.0
    headers: dict[str, str] = field(default_factory=dict)
    lose: bool = False
    cut: bool = False
    done: bool = False
    endless: bool = False
    gate: asyncio.Event | None = None
    late: asyncio.Event | None = None


class Faults:
    """Faults waiting for their calls, for each route in turn."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def add(self, route: str, fault: Fault, times: int) -> None:
        """Let the next calls of a route go wrong."""
        self._waiting[route].extend([fault] * times)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._waiting.clear()

    def take(self, route: str) -> Fault | None:
        """The fault of this call, if there is one."""
        waiting = self._waiting[route]
        return waiting.popleft() if waiting else None
