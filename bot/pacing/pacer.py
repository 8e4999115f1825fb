"""How often the bot may touch a platform: one `Pacer` for each of the platform's rate limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from math import ceil, inf

from bot.pacing.growth import Growth
from bot.pacing.rate_window import Kind, Window

HORIZON = 3.5
"""Seconds that an answer is expected to go on when it begins, and …"""
GROWTH = 0.6
"""… how much longer for each second that it has gone on: the lengths of answers are heavy-tailed.

The mean wait for text over answers of 50 to 1,600 tokens is flat there: half or double costs some per cent."""
WHOLE = 5.0
"""Seconds of a fixed window that is spread to its end, however short an answer may be."""
LATEST = 0.25
"""Seconds that a final text may wait at worst, where it ends just after its message was full."""
MARGIN = 0.3
"""Part of a call that is not kept where there are more live replies than calls: a full bucket gains nothing."""


class Urgency(IntEnum):
    """What a call is for, the most urgent first."""

    FIRST = 0
    FINAL = 1
    FOLLOWING = 2
    """A growing text that goes with the call before it: without a pause."""
    GROWING = 3


@dataclass(frozen=True, slots=True)
class Charges:
    """What a rate limit was charged: seconds since each call of its last period, the longest ago first.

    `blocked` is for how many seconds nothing may go. For `unknown` seconds since, calls may have been made that nobody
    wrote down: as many as the limit gave back meanwhile.
    """

    ages: tuple[float, ...] = ()
    blocked: float = 0.0
    unknown: float = 0.0


class Pacer:
    """One rate limit of a platform, shared by all who share the limit.

    It starts from `limit` calls in `period` seconds and follows the platform's own words: channels tell it what they
    read with `observe` and `back_off`; each live reply takes a `Seat` and asks for its turns. First and final texts
    go as soon as the limit allows; growing texts are spread over what is left, `reserve` calls being kept for finals
    (one more for each further live reply), and one reply alone gets at most 1/`share` of it. `kind` is the limit's,
    where that is known from another one of the same sort.
    """

    def __init__(self, limit: int, period: float, reserve: int = 1, share: int = 1, kind: Kind = Kind.UNKNOWN) -> None:
        self.window = Window(limit, period, kind)
        self.reserve = reserve
        self.share = share
        self._seats: dict[Seat, None] = {}  # in the order of their coming, which decides between equals
        self._blocked = 0.0
        self._grown = float("-inf")  # when a growing text last went
        self._timer: asyncio.TimerHandle | None = None

    def seat(self, backlog: Callable[[], float], growth: Growth | None = None) -> Seat:
        """A place in the queue for one live reply; `backlog` says how much text its reader has not seen yet.

        With its `growth`, calls go when messages are full, and as many are kept as its end takes.
        """
        seat = Seat(self, backlog, growth)
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

    def charges(self) -> Charges:
        """Tell what the limit was charged, for a pacer that goes on from it."""
        now = _now()
        return Charges(tuple(now - call for call in self.window.recent_calls(now)), max(0.0, self._blocked - now))

    def resume(self, charges: Charges) -> None:
        """Go on from what the same limit was charged before."""
        now = _now()
        lost = ceil(charges.unknown / self.window.interval)
        self.window.resume([now - age for age in charges.ages] + [now] * lost)
        self._blocked = max(self._blocked, now + charges.blocked)
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
            if best.growing:
                self._grown = now
            best.grant(now)

    def leave(self, seat: Seat) -> None:
        """Give a seat back; what it kept for itself is free for others."""
        self._seats.pop(seat, None)
        self.pump()

    def _due(self, seat: Seat, now: float) -> float:
        if not seat.growing:
            return max(self._blocked, self.window.when(1, now))
        live = [other for other in self._seats if other.started is not None]
        kept = self.reserve + len(live) - 1
        soon = max(0.0, self.window.regain(now) - LATEST)
        further = sum(other.growth.count_messages(soon) for other in live if other.growth)
        due = max(self._blocked, self.window.when(1 + self._cap(kept + further), now))
        if seat.urgency is Urgency.FOLLOWING:
            return due
        last = max(self._grown, seat.shown)
        pause = self._spread(live, self._cap(kept), last, now)
        return max(due, last + self._align(seat, pause, last, now))

    def _cap(self, kept: int) -> float:
        """What can be kept of the limit, so that something is left."""
        return kept if kept < self.window.limit else self.window.limit - 1 - MARGIN

    def _spread(self, live: list[Seat], kept: float, last: float, now: float) -> float:
        """Seconds between two growing texts that spread the spare calls evenly over the expected rest.

        A fixed window is spread to its end, where that comes before; `last` is when the call before went.
        """
        elapsed = sum(now - seat.started for seat in live if seat.started is not None) / max(1, len(live))
        horizon = HORIZON + GROWTH * elapsed
        portion = min(len(live), self.share) / self.share
        if self.window.kind is Kind.FIXED:
            spare = max(0.0, self.window.level(now) - kept)
            return max(0.0, min(max(horizon, WHOLE), self.window.ends - last)) / (spare * portion + 1)
        spare = self.window.ahead(now, horizon) - kept
        return horizon / (max(spare, horizon / self.window.interval) * portion)

    def _align(self, seat: Seat, pause: float, last: float, now: float) -> float:
        """The pause, shorter or longer by a half at most, so that the call goes when the message is full."""
        left = now + seat.growth.seconds_to_full() - last if seat.growth else inf
        return left if abs(left - pause) < min(pause, self.window.interval) / 2 else pause


class Seat:
    """One live reply's place in a pacer's queue. At most one turn is asked for at a time."""

    def __init__(self, pacer: Pacer, backlog: Callable[[], float], growth: Growth | None) -> None:
        self.urgency = Urgency.FIRST
        self.growth = growth
        self.started: float | None = None
        self.shown = 0.0
        self._pacer = pacer
        self._backlog = backlog
        self._asked = 0.0
        self._turn: asyncio.Future[bool] | None = None
        self._given_up = False

    @property
    def growing(self) -> bool:
        """Whether its turn is for a growing text."""
        return self.urgency >= Urgency.FOLLOWING

    @property
    def waits(self) -> bool:
        """Whether a turn was asked for and not given yet."""
        return self._turn is not None and not self._turn.done()

    async def turn(self, urgency: Urgency) -> bool:
        """Wait for the moment to make one call, and take it; False where waiting was given up."""
        now = _now()
        self.urgency, self._asked = urgency, now
        if self.started is None:
            self.started = self.shown = now
        self._turn = asyncio.get_running_loop().create_future()
        self._pacer.pump()
        if self._given_up:
            self.give_up()
        return await self._turn

    def give_up(self) -> None:
        """Wait no more, now or later: turns are given at once or not at all."""
        self._given_up = True
        if self.waits and self._turn:
            self._turn.set_result(False)

    def hurry(self) -> None:
        """The text is whole now: a turn that is being waited for has become a final one."""
        if self.waits and self.growing:
            self.urgency = Urgency.FINAL
            self._pacer.pump()

    def wake(self) -> None:
        """Its message is full: a turn that is being waited for may be due earlier."""
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
            self._turn.set_result(True)


def _now() -> float:
    return asyncio.get_running_loop().time()
