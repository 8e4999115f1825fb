"""How often the bot may touch a platform: one `Pacer` for each of the platform's rate limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import IntEnum
from math import inf

from bot.window import Kind, Window

HORIZON = 5.0
"""Seconds that an answer is expected to go on when it begins, and …"""
GROWTH = 0.3
"""… how much longer for each second that it has gone on: the lengths of answers are heavy-tailed.

Both minimise the mean wait for text over answers of 50 to 1,600 tokens; half or double costs under 5 %."""


RISK = 0.25
ROUND = 0.5
ALIGNED = 2
MARGIN = 0.3
"""Part of a call that is not kept where there are more live replies than calls: a full bucket gains nothing."""


class Urgency(IntEnum):
    """What a call is for, the most urgent first."""

    FIRST = 0
    FINAL = 1
    FOLLOWING = 2
    GROWING = 3


class Pacer:
    """One rate limit of a platform, shared by all who share the limit.

    It starts from `limit` calls in `period` seconds and follows the platform's own words: channels tell it what they
    read with `observe` and `back_off`; each live reply takes a `Seat` and asks for its turns. First and final texts
    go as soon as the limit allows; growing texts are spread over what is left, `reserve` calls being kept for finals
    (one more for each further live reply), and one reply alone gets at most 1/`share` of it.
    """

    def __init__(self, limit: int, period: float, reserve: int = 1, share: int = 1) -> None:
        self.window = Window(limit, period)
        self.reserve = reserve
        self.share = share
        self._seats: dict[Seat, None] = {}  # in the order of their coming, which decides between equals
        self._blocked = 0.0
        self._grown = float("-inf")  # when a growing text last went
        self._timer: asyncio.TimerHandle | None = None

    def seat(self, backlog: Callable[[], float], rest: Callable[[float], float] = lambda _: 1.0, full: Callable[[], float] = lambda: inf) -> Seat:
        seat = Seat(self, backlog, rest, full)
        self._seats[seat] = None
        return seat

    def observe(self, limit: int, remaining: int, reset_after: float) -> None:
        """Take in a response's headers: calls allowed, calls left, seconds until the platform's own reset."""
        self.window.observe(_now(), limit, remaining, reset_after)
        self.pump()

    def back_off(self, seconds: float) -> None:
        """Take in a refusal: nothing may go for so many seconds."""
        now = _now()
        self._blocked = max(self._blocked, now + seconds)
        self.window.exhaust(now, seconds)
        self.pump()

    def pump(self) -> None:
        """Give every turn that is due, the most urgent first, and wake again when the next one is."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while waiting := [seat for seat in self._seats if seat.waits]:
            now = _now()
            best = min(waiting, key=lambda seat: seat.rank(now))
            due = self._due(best, now)
            if due > now:
                self._timer = asyncio.get_running_loop().call_at(due, self.pump)
                return
            self.window.take(now)
            if best.urgency >= Urgency.FOLLOWING:
                self._grown = now
            best.grant(now)

    def leave(self, seat: Seat) -> None:
        """Give a seat back; what it kept for itself is free for others."""
        self._seats.pop(seat, None)
        self.pump()

    def _due(self, seat: Seat, now: float) -> float:
        if seat.urgency < Urgency.FOLLOWING:
            return max(self._blocked, self.window.when(1, now))
        live = [other for other in self._seats if other.started is not None]
        kept = self._keep(live, max(0.0, self.window.back(now) - RISK), whole=True)
        due = max(self._blocked, self.window.when(1 + kept, now))
        if seat.urgency is Urgency.FOLLOWING:
            return due
        last = max(self._grown, seat.shown)
        gap = self._gap(live, last, now)
        return max(due, last + self._align(seat, max(gap, 1e-3), last, now))

    def _align(self, seat: Seat, gap: float, last: float, now: float) -> float:
        left = min(now + seat.full() - last, 1000.0)
        count = int(left / gap + ROUND)
        return left / count if 1 <= count <= ALIGNED else gap

    def _keep(self, live: list[Seat], seconds: float, whole: bool = False) -> float:
        """Calls that are kept for final texts, if they come within so many seconds."""
        rests = [seat.rest(seconds) for seat in live]
        kept = self.reserve - 1 + sum(int(rest) if whole else rest for rest in rests)
        return kept if kept <= self.window.limit - 1 else self.window.limit - 1 - MARGIN

    def _gap(self, live: list[Seat], last: float, now: float) -> float:
        """Seconds between two growing texts that spread the spare calls evenly over the expected rest."""
        portion = min(len(live), self.share) / self.share
        elapsed = sum(now - seat.started for seat in live if seat.started is not None) / max(1, len(live))
        horizon = HORIZON + GROWTH * elapsed
        kept = self._keep(live, 0.0, True)
        if self.window.kind is Kind.FIXED:
            left = max(0.0, min(horizon, self.window.ends - last))
            return left / (max(0.0, self.window.level(now) - kept) * portion + 1)
        spare = self.window.ahead(now, horizon) - kept
        return horizon / (max(spare, horizon / self.window.interval) * portion)


class Seat:
    """One live reply's place in a pacer's queue. At most one turn is asked for at a time."""

    def __init__(self, pacer: Pacer, backlog: Callable[[], float], rest: Callable[[float], float], full: Callable[[], float]) -> None:
        self.urgency = Urgency.FIRST
        self.started: float | None = None
        self._pacer = pacer
        self._backlog = backlog
        self.rest = rest
        self.full = full
        self._asked = 0.0
        self.shown = 0.0
        self._turn: asyncio.Future[None] | None = None

    @property
    def waits(self) -> bool:
        """Whether a turn was asked for and not given yet."""
        return self._turn is not None and not self._turn.done()

    async def turn(self, urgency: Urgency) -> None:
        """Wait for the moment to make one call, and take it."""
        now = _now()
        self.urgency, self._asked = urgency, now
        if self.started is None:
            self.started = self.shown = now
        self._turn = asyncio.get_running_loop().create_future()
        self._pacer.pump()
        await self._turn

    def hurry(self) -> None:
        """The text is whole now: a turn that is being waited for has become a final one."""
        if self.waits and self.urgency >= Urgency.FOLLOWING:
            self.urgency = Urgency.FINAL
            self._pacer.pump()

    def wake(self) -> None:
        if self.waits:
            self._pacer.pump()

    def leave(self) -> None:
        """The reply is over."""
        self._pacer.leave(self)

    def rank(self, now: float) -> tuple[int, float]:
        """The order of service: by urgency, then who asked first, or whose reader has waited longest for most."""
        if self.urgency is Urgency.GROWING:
            return self.urgency, -self._backlog() * (now - self.shown)
        return self.urgency, self._asked

    def grant(self, now: float) -> None:
        """Give the turn."""
        self.shown = now
        if self._turn is not None:
            self._turn.set_result(None)


def _now() -> float:
    return asyncio.get_running_loop().time()
