"""The Web API's rate limits, and the faults that a test asks for."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

BURST, SECOND = 4, 1.0
"""Posts that a channel takes at once, and the seconds until one more is free."""
MINUTE = 60.0


class Limits:
    """Counts calls as Slack does: each method a minute, posts for each channel a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.generous = False
        self._clock = clock
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self._full: dict[str, float] = {}

    def refuse(self, method: str, tier: int, channel: str) -> int:
        """Seconds to wait where the call is one too many; 0 where it counts."""
        if self.generous:
            return 0
        if method == "chat.postMessage":
            return self._refuse_post(channel)
        calls, now = self._calls[method], self._clock()
        while calls and calls[0] <= now - MINUTE:
            calls.popleft()
        if len(calls) >= tier:
            return math.ceil(calls[0] + MINUTE - now) or 1
        calls.append(now)
        return 0

    def _refuse_post(self, channel: str) -> int:
        now = self._clock()
        full = max(self._full.get(channel, now), now) + SECOND
        if full - now > BURST * SECOND + 1e-9:
            return math.ceil(full - now - BURST * SECOND) or 1
        self._full[channel] = full
        return 0


@dataclass
class Fault:
    """What goes wrong with one call of a method.

    `gate` holds the call back until it is set. Then it is refused with `error`, or with the HTTP `status`, or it is
    done and its answer lost (`lose`) or without a word beside `ok` (`bare`), or it simply goes on. Of a file
    ("url_private", and "upload_url" for one that is sent) the `status` comes with `body` and `headers`, `lose` and
    `late` concern its second half, which comes when that is set, and an `endless` one never ends.
    """

    error: str = ""
    status: int = 0
    retry_after: int = 1
    lose: bool = False
    bare: bool = False
    endless: bool = False
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    late: asyncio.Event | None = None
    gate: asyncio.Event | None = None


class Faults:
    """Faults waiting for their calls, for each method in turn."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def add(self, method: str, fault: Fault, times: int) -> None:
        """Let the next calls of a method go wrong."""
        self._waiting[method].extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """The fault of this call, if there is one."""
        waiting = self._waiting[method]
        return waiting.popleft() if waiting else None
