"""A chat platform in virtual time: what its readers see, what it counts and what it refuses."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass

from benchmarks.platform import Server
from bot.domain.errors import ModelError, PlatformError, PlatformFault
from bot.domain.messages import Page, State
from bot.domain.ports import Piece
from bot.pacing.pacer import Pacer

CURSOR = "▌"


@dataclass(frozen=True)
class Seen:
    """One call that was applied: when, to which message, and how that looked then."""

    time: float
    id: str
    page: Page


class Screen:
    """A `Channel` with a limit of five calls in five seconds and a round trip of 0.1 s.

    `faults` are given to the next calls, one each: None for none. `calls` are all that arrived, refused ones too.
    """

    def __init__(self, page_size: int = 10_000, trip: float = 0.1, sliding: bool = True) -> None:
        self.page_size = page_size
        self.posts = self.edits = Pacer(5, 5)
        self.server = Server(5, 5, sliding)
        self.trip = trip
        self.faults: deque[PlatformError | None] = deque()
        self.seen: list[Seen] = []
        self.messages: dict[str, Page] = {}
        self.deleted: list[str] = []
        self.typed = 0
        self.types = False
        self.flying = 0
        self.overlapped = False
        self._count = 0
        self.changed = asyncio.Event()

    async def post(self, page: Page) -> str:
        """Post a page; ids count from m1."""
        await self._call()
        self._count += 1
        self._show(f"m{self._count}", page)
        return f"m{self._count}"

    async def edit(self, id: str, page: Page) -> None:
        """Edit a message that exists."""
        await self._call()
        if id not in self.messages:
            raise PlatformError(PlatformFault.GONE, "unknown message")
        self._show(id, page)

    async def delete(self, id: str) -> None:
        """Take a message away."""
        if self.messages.pop(id, None) is None:
            raise PlatformError(PlatformFault.GONE, "unknown message")
        self.deleted.append(id)

    async def typing(self) -> None:
        """Show the sign until cancelled."""
        self.typed, self.types = self.typed + 1, True
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.types = False

    def measure(self, page: Page) -> int:
        """Count characters, the cursor and the note."""
        cursor = CURSOR if page.state is State.GROWING and page.last else ""
        return len(page.text + cursor) + len(page.note)

    @property
    def texts(self) -> list[str]:
        """What stands there now, message by message."""
        return [page.text for page in self.messages.values()]

    @property
    def last(self) -> Page:
        """The newest message as it stands there now."""
        return list(self.messages.values())[-1]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until what stands there is so."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    def _show(self, id: str, page: Page) -> None:
        self.messages[id] = page
        self.changed.set()
        self.seen.append(Seen(asyncio.get_running_loop().time(), id, page))

    async def _call(self) -> None:
        loop = asyncio.get_running_loop()
        self.flying += 1
        self.overlapped = self.overlapped or self.flying > 1
        try:
            await asyncio.sleep(self.trip)
        finally:
            self.flying -= 1
        allowed, remaining, reset, retry = self.server.take(loop.time())
        if not allowed:
            self.posts.back_off(retry)
            raise PlatformError(PlatformFault.RATE, "429", retry)
        self.posts.observe(self.server.limit, remaining, reset)
        fault = self.faults.popleft() if self.faults else None
        if fault and fault.fault is PlatformFault.RATE:
            self.posts.back_off(fault.retry_after or 0)
        if fault:
            raise fault


def refuse(fault: PlatformFault, retry_after: float | None = None) -> PlatformError:
    """What a platform says no with."""
    return PlatformError(fault, "no", retry_after)


async def write(
    tokens: Iterable[str], rate: float = 50, end: State = State.DONE, error: ModelError | None = None
) -> AsyncGenerator[Piece, None]:
    """A model that writes so many tokens a second and then ends, or fails."""
    for token in tokens:
        await asyncio.sleep(1 / rate)
        yield Piece(token)
    if error:
        raise error
    yield Piece(end=end)
