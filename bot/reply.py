"""An answer as the reader sees it: posted once, edited while it grows, whole at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from bot.errors import PlatformError, PlatformFault
from bot.markdown import Cut, split
from bot.messages import Page, State
from bot.pacing import Seat, Urgency
from bot.ports import Channel

LONGEST_PAUSE = 30.0
"""Seconds between two tries of a call that the network lost, at most."""
TRIES = 12
"""How often a final text is sent again after the network lost it: about five minutes in all."""
FATAL = (PlatformFault.GONE, PlatformFault.FORBIDDEN)

Posted = Callable[[Sequence[str]], Awaitable[None]]
log = structlog.get_logger(__name__)


class Reply:
    """One answer on the screen. `grow` and `end` say what it should be; `write`, its only writer, makes it so.

    At most one call is in flight; what is sent is the newest text at that moment; unchanged pages are not sent. A
    refused growing text is dropped, for a newer one follows; a refused final text is sent again until it lands.
    """

    def __init__(self, channel: Channel, turn: int, posted: Posted) -> None:
        self.posts: list[str] = []
        self.begun: float | None = None  # when the first text was on the screen, by the loop's clock
        self._channel = channel
        self._turn = turn
        self._posted = posted
        self._text = ""
        self._state = State.GROWING
        self._note = ""
        self._shown: list[Page] = []
        self._cuts: tuple[Cut, ...] = ()
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self._failures = 0
        self._post_seat = channel.posts.seat(self._backlog)
        self._edit_seat = self._post_seat if channel.edits is channel.posts else channel.edits.seat(self._backlog)

    async def grow(self, text: str) -> None:
        """Add a piece; never waits for the platform."""
        self._text += text
        self._changed.set()

    def end(self, state: State, note: str) -> None:
        """The text is whole; this is how it ended and what is said about it."""
        self._state, self._note = state, note
        self._ended.set()
        self._changed.set()
        for seat in self._seats:
            seat.hurry()

    async def write(self) -> None:
        """Make the channel equal to the newest text until it is whole and shown; PlatformError when it cannot be."""
        sign = asyncio.create_task(self._channel.typing())
        try:
            while True:
                if step := self._step():
                    await self._seat(step[1]).turn(self._urgency)
                    sign.cancel()
                    await self._take(self._step())
                elif self._ended.is_set():
                    return
                else:
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            for seat in self._seats:
                seat.leave()
            sign.cancel()
            with suppress(asyncio.CancelledError):
                await sign

    @property
    def _seats(self) -> set[Seat]:
        return {self._post_seat, self._edit_seat}

    @property
    def _urgency(self) -> Urgency:
        if not self._shown:
            return Urgency.FIRST
        return Urgency.FINAL if self._ended.is_set() else Urgency.GROWING

    def _seat(self, page: Page) -> Seat:
        return self._edit_seat if page.part < len(self._shown) else self._post_seat

    def _backlog(self) -> float:
        return len(self._text) - sum(len(page.text) for page in self._shown)

    def _step(self) -> tuple[tuple[Cut, ...], Page] | None:
        """The first page that differs from what is shown, with the cuts that it rests on."""
        growing = self._state is State.GROWING
        texts, cuts = split(self._text, self._measure, self._channel.page_size, self._cuts, growing)
        pages = [
            Page(
                text, State.DONE if part < len(texts) - 1 else self._state, "", part, part == len(texts) - 1, self._turn
            )
            for part, text in enumerate(texts)
        ]
        for page in self._annotate(pages):
            if page.part >= len(self._shown) or self._shown[page.part] != page:
                return (cuts, page) if page.text or page.note else None
        return None

    def _annotate(self, pages: list[Page]) -> list[Page]:
        """Put the note under the last page, or on one of its own where it does not fit."""
        if not self._note:
            return pages
        last = pages.pop() if pages else Page("", self._state, part=0, turn=self._turn)
        noted = Page(last.text, self._state, self._note, last.part, True, self._turn)
        if self._channel.measure(noted) <= self._channel.page_size:
            return [*pages, noted]
        bare = Page(last.text, State.DONE, "", last.part, False, self._turn)
        return [*pages, bare, Page("", self._state, self._note, last.part + 1, True, self._turn)]

    def _measure(self, text: str) -> int:
        """A page's size with room for its cursor, so that the final text needs no page fewer than the draft."""
        return self._channel.measure(Page(text, State.GROWING))

    async def _take(self, step: tuple[tuple[Cut, ...], Page] | None) -> None:
        if step is None:
            return
        self._cuts, page = step
        try:
            if page.part < len(self._shown):
                await self._channel.edit(self.posts[page.part], page)
                self._shown[page.part] = page
            else:
                self.posts.append(await self._channel.post(page))
                self._shown.append(page)
                self.begun = self.begun or asyncio.get_running_loop().time()
                await self._posted(self.posts)
            self._failures = 0
        except PlatformError as error:
            await self._endure(error)

    async def _endure(self, error: PlatformError) -> None:
        """Live with a refusal: limits are the pacer's to know, a lost call waits a little, the rest is raised."""
        log.info("the platform refused a call", fault=error.fault.value, error=str(error), turn=self._turn)
        if error.fault is PlatformFault.RATE:
            return
        self._failures += 1
        if (
            error.fault in FATAL
            or self._failures > TRIES
            or (error.fault is PlatformFault.REJECTED and self._ended.is_set())
        ):
            raise error
        pause = min(LONGEST_PAUSE, 0.5 * 2**self._failures)
        if self._ended.is_set():
            await asyncio.sleep(pause)
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), pause)
