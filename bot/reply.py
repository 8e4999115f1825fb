"""An answer as the reader sees it: posted once, edited while it grows, whole at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog

from bot.errors import PlatformError, PlatformFault
from bot.growth import Growth
from bot.markdown import Cut, split
from bot.messages import Page, State
from bot.notes import THINKING
from bot.pacing import Seat, Urgency
from bot.ports import Channel

LONGEST_PAUSE = 30.0
"""Seconds between two tries of a call that the network lost, at most."""
TRIES = 12
"""How often a final text is sent again after the network lost it: about five minutes in all."""
MOST = 0.7
"""Part of the unseen text that belongs to the next message, from which on that follows its predecessor at once."""
FATAL = (PlatformFault.GONE, PlatformFault.FORBIDDEN)

Posted = Callable[[Sequence[str], str], Awaitable[None]]
"""Told of the posts of an answer, and of its text so far."""
log = structlog.get_logger(__name__)


async def unrecorded(posts: Sequence[str], text: str) -> None:
    """For what is said beside a turn: nobody needs to find it again."""


class _Step(NamedTuple):
    """One call to make: the page to show, and the cuts that it rests on; without a page, a post too many."""

    page: Page | None
    cuts: tuple[Cut, ...]


class Reply:
    """One answer on the screen. `grow` and `end` say what it should be; `write`, its only writer, makes it so.

    At most one call is in flight; what is sent is the newest text at that moment; unchanged pages are not sent. A
    refused growing text is dropped, for a newer one follows; a refused final text is sent again until it lands, or
    posted anew in its place. `posts` of an earlier attempt are written over.
    """

    def __init__(
        self,
        channel: Channel,
        turn: int = 0,
        posted: Posted = unrecorded,
        posts: Sequence[str] = (),
        attempt: int = 0,
    ) -> None:
        self.posts: list[str] = list(posts)
        self.begun: float | None = None  # when the first text was on the screen, by the loop's clock
        self.limited = 0
        self._channel = channel
        self._turn = turn
        self._attempt = attempt
        self._posted = posted
        self._text = ""
        self._state = State.GROWING
        self._note = ""
        self._shown: list[Page | None] = [None] * len(posts)
        self._cuts: tuple[Cut, ...] = ()
        self._seen = 0  # the text up to this offset was shown on the newest message
        self._follows = False  # most of what is not shown belongs to the next message
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self._surplus: list[str] = []  # messages that were posted anew and are to be taken away
        self._failures = 0
        self._growth = Growth(channel.page_size)
        shared = channel.edits is channel.posts
        self._post_seat = channel.posts.seat(self._backlog, self._growth if shared else None)
        self._edit_seat = self._post_seat if shared else channel.edits.seat(self._backlog)

    async def grow(self, text: str) -> None:
        """Add a piece; never waits for the platform."""
        self._text += text
        self._changed.set()
        if self._growth.add(len(text)):
            for seat in self._seats:
                seat.wake()

    def restart(self) -> None:
        """The answer begins afresh, over the same messages; they stay as they are until there is new text."""
        self._text, self._cuts, self._seen = "", (), 0
        self._growth.restart()

    def think(self) -> None:
        """Show that the model reasons, until there is text."""
        self._note = THINKING
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
                    await self._seat(step).turn(self._urgency(step))
                    _withdraw(sign)
                    await self._take(self._step())
                elif self._ended.is_set():
                    return
                else:
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            for seat in self._seats:
                seat.leave()
            _withdraw(sign)
            with suppress(asyncio.CancelledError):
                await sign

    @property
    def _seats(self) -> set[Seat]:
        return {self._post_seat, self._edit_seat}

    def _urgency(self, step: _Step) -> Urgency:
        if not any(page and page.text for page in self._shown):
            return Urgency.FIRST
        if self._ended.is_set():
            return Urgency.FINAL
        return Urgency.FOLLOWING if self._follows or self._shows(step.page) else Urgency.GROWING

    def _seat(self, step: _Step) -> Seat:
        new = step.page is not None and step.page.part >= len(self.posts)
        return self._post_seat if new else self._edit_seat

    def _backlog(self) -> float:
        return len(self._text) - sum(len(page.text) for page in self._shown if page)

    def _step(self) -> _Step | None:
        """What differs from what is shown: the first such page, and at the end the posts too many.

        A message that shows all its text and only has to lose its sign of growing waits for the next one.
        """
        pages, cuts = self._pages()
        different = [page for page in pages if page.part >= len(self._shown) or self._shown[page.part] != page]
        if different:
            page, *later = different
            if later and later[0].part == len(self.posts) and self._shows(page):
                page = later[0]
            return _Step(page, cuts) if page.text or page.note else None
        over = self._surplus or len(self.posts) > len(pages)
        return _Step(None, cuts) if self._ended.is_set() and over else None

    def _shows(self, page: Page | None) -> bool:
        """Whether all the text of a message stands there, which the text has left behind."""
        old = self._shown[page.part] if page and page.part < len(self._shown) else None
        return bool(page and old and not page.last and old.text == page.text)

    def _pages(self) -> tuple[list[Page], tuple[Cut, ...]]:
        growing, size = self._state is State.GROWING, self._channel.page_size
        texts, cuts = split(self._text, self._measure, size, self._cuts, growing, self._seen)
        *whole, last = texts or [""]
        pages = [self._page(text, part, State.DONE, last=False) for part, text in enumerate(whole)]
        noted = self._page(last, len(whole), self._state, self._note if self._ended.is_set() or not texts else "")
        if not noted.note or self._channel.measure(noted) <= size:
            return [*pages, noted] if texts or noted.note else [], cuts
        bare = self._page(last, len(whole), State.DONE, last=False)
        return [*pages, bare, self._page("", len(whole) + 1, self._state, self._note)], cuts

    def _page(self, text: str, part: int, state: State, note: str = "", last: bool = True) -> Page:
        return Page(text, state, note, part, last, self._turn, self._attempt)

    def _measure(self, text: str) -> int:
        """A page's size with room for its cursor, so that the final text needs no page fewer than the draft."""
        return self._channel.measure(Page(text, State.GROWING))

    async def _take(self, step: _Step | None) -> None:
        """Make one call, and live with its refusal."""
        if step is None:
            return
        self._cuts = step.cuts
        if step.cuts:
            self._growth.turn_page(step.cuts[-1].start)
        length, unseen = len(self._text), self._backlog()
        try:
            if step.page is None:
                await self._drop()
            elif step.page.part < len(self.posts):
                await self._edit(step.page)
            else:
                await self._post(step.page)
            self._failures = 0
            self._progress(step.page, length, unseen)
            await self._posted(self.posts, self._text)
        except PlatformError as error:
            await self._endure(error)

    def _progress(self, page: Page | None, length: int, unseen: float) -> None:
        """Know what the newest message shows after a call, and whether the next message follows it at once.

        Before the call the text had this length, of which so much was not seen.
        """
        newest = page is not None and page.part == sum(map(bool, self._shown)) - 1
        if page and newest:
            self._seen = length if page.last else 0
        self._follows = bool(page and newest and not page.last and self._backlog() > MOST * unseen)

    async def _edit(self, page: Page) -> None:
        try:
            await self._channel.edit(self.posts[page.part], page)
        except PlatformError as error:
            if error.fault is not PlatformFault.REJECTED or not self._ended.is_set():
                raise
            await self._replace(page)
        self._show(page)

    async def _post(self, page: Page) -> None:
        self.posts.append(await self._channel.post(page))
        self._shown.append(None)
        self._show(page)

    async def _replace(self, page: Page) -> None:
        """Post a final page that its message does not take; that message is taken away in the end."""
        old, self.posts[page.part] = self.posts[page.part], await self._channel.post(page)
        self._surplus.append(old)

    async def _drop(self) -> None:
        """Take away a message that was posted anew, or the last one, of which an earlier attempt needed more."""
        try:
            await self._channel.delete(self._surplus[-1] if self._surplus else self.posts[-1])
        except PlatformError as error:
            if error.fault not in FATAL:
                raise
        if self._surplus:
            self._surplus.pop()
        else:
            del self.posts[-1], self._shown[-1]

    def _show(self, page: Page) -> None:
        self._shown[page.part] = page
        if page.text and self.begun is None:
            self.begun = asyncio.get_running_loop().time()

    async def _endure(self, error: PlatformError) -> None:
        """Live with a refusal: limits are the pacer's to know, a lost call waits a little, the rest is raised."""
        log.info("the platform refused a call", fault=error.fault.value, error=str(error), turn=self._turn)
        if error.fault is PlatformFault.RATE:
            self.limited += 1
            return
        self._failures += 1
        rejected = error.fault is PlatformFault.REJECTED and self._ended.is_set()
        if error.fault in FATAL or self._failures > TRIES or rejected:
            raise error
        pause = min(LONGEST_PAUSE, 0.5 * 2**self._failures)
        if self._ended.is_set():
            await asyncio.sleep(pause)
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), pause)


def _withdraw(sign: asyncio.Task[None]) -> None:
    """Let a sign take itself away; cancelled a second time it would leave that undone."""
    if not sign.cancelling():
        sign.cancel()
