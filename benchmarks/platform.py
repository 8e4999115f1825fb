"""A simulated platform: real limits, round trips and refusals in virtual time, and what the reader saw when."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page
from bot.pacing.pacer import Pacer


class Server:
    """The platform's own count of calls: one back every interval (sliding), or all at each period's end (fixed)."""

    def __init__(self, limit: int, period: float, sliding: bool) -> None:
        self.limit, self.period, self.sliding = limit, period, sliding
        self.calls = self.refusals = 0
        self._spent = self._as_of = 0.0
        self._ends = 0.0

    def take(self, now: float) -> tuple[bool, int, float, float]:
        """Count a call: whether it may go, calls left, seconds to the reset, seconds to the next free call."""
        self.calls += 1
        interval = self.period / self.limit
        if self.sliding:
            self._spent = max(0.0, self._spent - (now - self._as_of) / interval)
            self._as_of = now
        elif now >= self._ends - 1e-9:
            self._spent, self._ends = 0.0, now + self.period
        allowed = self._spent + 1 <= self.limit + 1e-9
        self._spent += allowed
        self.refusals += not allowed
        reset = self._spent * interval if self.sliding else self._ends - now
        retry = (self._spent + 1 - self.limit) * interval if self.sliding else self._ends - now
        return allowed, int(self.limit - self._spent + 1e-9), reset, max(0.0, retry)


@dataclass
class Screen:
    """What the reader of one answer sees: after each call that was applied, its time and how many words stand there."""

    seen: list[tuple[float, int]] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)

    def show(self, now: float, id: str, text: str) -> None:
        """Apply a page."""
        self.pages[id] = text
        self.seen.append((now, sum(len(page.split()) for page in self.pages.values())))


class SimulatedChannel:
    """A `Channel` with `trip` seconds there and back; calls within its `storms` are refused."""

    def __init__(
        self, posts: Pacer, edits: Pacer, servers: tuple[Server, Server], trip: float, page_size: int = 1_000_000
    ) -> None:
        self.posts, self.edits = posts, edits
        self.page_size = page_size
        self.screen = Screen()
        self.storms: list[tuple[float, float]] = []
        self.servers = servers
        self._trip = trip

    async def post(self, page: Page) -> str:
        """Post a page; its id is its part."""
        await self._call(self.servers[0], self.posts, str(page.part), page)
        return str(page.part)

    async def edit(self, id: str, page: Page) -> None:
        """Edit a page."""
        await self._call(self.servers[1], self.edits, id, page)

    async def delete(self, id: str) -> None:
        """Take a page away."""
        self.screen.pages.pop(id, None)

    async def typing(self) -> None:
        """Cost nothing."""

    def measure(self, page: Page) -> int:
        """Count characters."""
        return len(page.text)

    async def _call(self, server: Server, pacer: Pacer, id: str, page: Page) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._trip / 2)
        now = loop.time()
        allowed, remaining, reset, retry = server.take(now)
        storm = next((end - now for start, end in self.storms if start <= now < end), 0.0)
        if allowed and not storm:
            self.screen.show(now, id, page.text)
        await asyncio.sleep(self._trip / 2)
        if not allowed or storm:
            pacer.back_off(max(retry, storm))
            raise PlatformError(PlatformFault.RATE, "429", max(retry, storm))
        pacer.observe(server.limit, remaining, reset)
