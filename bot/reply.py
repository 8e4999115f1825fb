"""An answer as the reader sees it: posted once, edited while it grows, whole at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import takewhile
from typing import NamedTuple

import structlog

from bot.errors import PlatformError, PlatformFault
from bot.markdown import Cut, split
from bot.messages import Page, State
from bot.notes import THINKING, withheld
from bot.pacing import Seat, Urgency
from bot.ports import Channel
from bot.tasks import report

LONGEST_PAUSE = 30.0
"""Seconds between two tries of a call that the network lost, at most."""
TRIES = 12
"""How often a final text is sent again after the network lost it: about five minutes in all."""
FATAL = (PlatformFault.GONE, PlatformFault.FORBIDDEN)
REFUSALS = (PlatformFault.REJECTED, PlatformFault.MODERATED)
"""Said of what a page holds: another try with the same words is refused again."""
FINAL_PATIENCE = 5.0
"""Seconds that a final text waits for an edit where posts are free, until settings say otherwise."""

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
    posted anew in its place, also where edits are refused for `patience` seconds while posts are free. Where its words
    are refused in every form, what stands there is closed with a sentence, and `closed` is the refusal. `posts` of an
    earlier attempt are written over.
    """

    def __init__(
        self,
        channel: Channel,
        turn: int = 0,
        posted: Posted = unrecorded,
        posts: Sequence[str] = (),
        attempt: int = 0,
        patience: float = FINAL_PATIENCE,
    ) -> None:
        self.posts: list[str] = list(posts)
        self.begun: float | None = None  # when the first text was on the screen, by the loop's clock
        self.limited = 0
        self.closed: PlatformError | None = None
        self._accepted: list[str] = []  # what stays of a closed answer
        self._patience = patience
        self._impatient: asyncio.TimerHandle | None = None
        self._channel = channel
        self._turn = turn
        self._attempt = attempt
        self._posted = posted
        self._text = ""
        self._state = State.GROWING
        self._note = ""
        self._shown: list[Page | None] = [None] * len(posts)
        self._cuts: tuple[Cut, ...] = ()
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self._surplus: list[str] = []  # messages that were posted anew and are to be taken away
        self._failures = 0
        self._post_seat = channel.posts.seat(self._backlog)
        self._edit_seat = self._post_seat if channel.edits is channel.posts else channel.edits.seat(self._backlog)

    async def grow(self, text: str) -> None:
        """Add a piece; never waits for the platform."""
        self._text += text
        self._changed.set()

    def restart(self) -> None:
        """The answer begins afresh, over the same messages; they stay as they are until there is new text."""
        self._text, self._cuts = "", ()

    def think(self) -> None:
        """Show that the model reasons, until there is text."""
        self._note = THINKING
        self._changed.set()

    def end(self, state: State, note: str) -> None:
        """The text is whole; this is how it ended and what is said about it. A closed answer stays as it is."""
        if not self.closed:
            self._finish(state, note)

    def follow(self) -> Reply:
        """Return a reply that goes on over the same messages, where this one is not written any more."""
        return Reply(self._channel, self._turn, self._posted, self.posts, self._attempt, self._patience)

    @property
    def shown(self) -> str:
        """The text that stands there, as far as the platform took it."""
        return "\n".join(page.text for page in self._shown if page and page.text)

    @property
    def note(self) -> str:
        """What is said about how it ended."""
        return self._note

    @property
    def whole(self) -> bool:
        """Whether every page stands there as it should."""
        step = self._step()
        return self._ended.is_set() and (step is None or step.page is None)

    def _finish(self, state: State, note: str) -> None:
        self._state, self._note = state, note
        self._ended.set()
        self._changed.set()
        for seat in self._seats:
            seat.hurry()
        if self._edit_seat is not self._post_seat and self._impatient is None:
            self._impatient = asyncio.get_running_loop().call_later(self._patience, self._edit_seat.give_up)

    async def write(self) -> None:
        """Make the channel equal to the newest text until it is whole and shown; PlatformError when it cannot be."""
        sign = asyncio.create_task(self._channel.typing(), name="the sign of typing")
        sign.add_done_callback(report)
        try:
            while True:
                if step := self._step():
                    granted = await self._seat(step).turn(self._urgency)
                    _withdraw(sign)
                    await self._take(self._step(), granted)
                elif self._ended.is_set():
                    return
                else:
                    self._changed.clear()
                    await self._changed.wait()
        except PlatformError as error:
            if error.fault in (PlatformFault.FORBIDDEN, *REFUSALS):
                await self._withdraw_drafts()
            raise
        finally:
            if self._impatient:
                self._impatient.cancel()
            for seat in self._seats:
                seat.leave()
            _withdraw(sign)
            await asyncio.wait((sign,))

    @property
    def _seats(self) -> set[Seat]:
        return {self._post_seat, self._edit_seat}

    @property
    def _urgency(self) -> Urgency:
        if not any(page and page.text for page in self._shown):
            return Urgency.FIRST
        return Urgency.FINAL if self._ended.is_set() else Urgency.GROWING

    def _seat(self, step: _Step) -> Seat:
        edited = step.page is not None and step.page.part < len(self.posts)
        return self._edit_seat if edited else self._post_seat

    def _backlog(self) -> float:
        return len(self._text) - sum(len(page.text) for page in self._shown if page)

    def _step(self) -> _Step | None:
        """What differs from what is shown: the first such page, and at the end the posts too many."""
        pages, cuts = self._pages()
        for page in pages:
            if page.part >= len(self._shown) or self._shown[page.part] != page:
                return _Step(page, cuts) if page.text or page.note else None
        over = self._surplus or len(self.posts) > len(pages)
        return _Step(None, cuts) if self._ended.is_set() and over else None

    def _pages(self) -> tuple[list[Page], tuple[Cut, ...]]:
        growing = self._state is State.GROWING
        if self.closed:
            texts, cuts = self._accepted, self._cuts
        else:
            texts, cuts = split(self._text, self._measure, self._channel.page_size, self._cuts, growing)
        *whole, last = texts or [""]
        pages = [self._page(text, part, State.DONE, last=False) for part, text in enumerate(whole)]
        noted = self._page(last, len(whole), self._state, self._note if self._ended.is_set() or not texts else "")
        if not noted.note or self._channel.measure(noted) <= self._channel.page_size:
            return [*pages, noted] if texts or noted.note else [], cuts
        bare = self._page(last, len(whole), State.DONE, last=False)
        return [*pages, bare, self._page("", len(whole) + 1, self._state, self._note)], cuts

    def _page(self, text: str, part: int, state: State, note: str = "", last: bool = True) -> Page:
        return Page(text, state, note, part, last, self._turn, self._attempt)

    def _measure(self, text: str) -> int:
        """A page's size with room for its cursor, so that the final text needs no page fewer than the draft."""
        return self._channel.measure(Page(text, State.GROWING))

    async def _take(self, step: _Step | None, granted: bool) -> None:
        """Make one call, and live with its refusal; an edit that was not granted in time is a post."""
        if step is None:
            return
        self._cuts = step.cuts
        try:
            if step.page is None:
                await self._drop()
            elif step.page.part >= len(self.posts):
                await self._post(step.page)
            elif granted:
                await self._edit(step.page)
            else:
                await self._replace(step.page)
            self._failures = 0
            await self._posted([*self.posts, *self._surplus], self.shown if self.closed else self._text)
        except PlatformError as error:
            await self._endure(error)

    async def _edit(self, page: Page) -> None:
        try:
            await self._channel.edit(self.posts[page.part], page)
        except PlatformError as error:
            if error.fault is not PlatformFault.REJECTED or not self._ended.is_set():
                raise
            await self._replace(page)
        else:
            self._show(page)

    async def _post(self, page: Page) -> None:
        self.posts.append(await self._channel.post(page))
        self._shown.append(None)
        self._show(page)

    async def _replace(self, page: Page) -> None:
        """Post a final page that its message does not take, and after it all that follow, which keep their order.

        The messages that they had are taken away in the end.
        """
        if self._edit_seat is not self._post_seat:
            await self._post_seat.turn(Urgency.FINAL)
        new = await self._channel.post(page)
        self._surplus += self.posts[page.part :]
        self.posts[page.part :] = [new]
        self._shown[page.part :] = [None]
        self._show(page)

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
        """Live with a refusal: limits are the pacer's to know, a lost call waits a little, the rest ends the answer.

        Refused words may pass when more of them are there, so that only a final text is given up for them.
        """
        log.info("the platform refused a call", fault=error.fault.value, error=str(error), turn=self._turn)
        if error.fault is PlatformFault.RATE:
            self.limited += 1
            return
        self._failures += 1
        if error.fault is PlatformFault.FORBIDDEN or (error.fault in REFUSALS and self._ended.is_set()):
            self._close(error)
            return
        if error.fault is PlatformFault.GONE or (error.fault is PlatformFault.NETWORK and self._failures > TRIES):
            raise error
        pause = min(LONGEST_PAUSE, 0.5 * 2**self._failures)
        if self._ended.is_set():
            await asyncio.sleep(pause)
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), pause)

    def _close(self, error: PlatformError) -> None:
        """Keep what was accepted, with a sentence below it; then the sentence alone; then give up and raise."""
        accepted = [page.text for page in takewhile(bool, self._shown) if page and page.text]
        if (self.closed and not self._accepted) or (error.fault is PlatformFault.FORBIDDEN and not accepted):
            raise error
        if self.closed and len(self._pages()[0]) > len(self._accepted):  # the sentence needs a message that is refused
            self._note = ""
            return
        self._accepted = [] if self.closed else accepted
        self.closed = self.closed or error
        log.warning("the platform refused an answer", fault=error.fault.value, error=str(error), turn=self._turn)
        self._finish(State.FAILED, withheld(self.closed.fault, begun=bool(self._accepted)))

    async def _withdraw_drafts(self) -> None:
        """Leave no message with a cursor where nothing more can be written."""
        for post, page in zip(self.posts, self._shown, strict=True):
            if page and page.state is State.GROWING:
                with suppress(PlatformError):
                    await self._channel.delete(post)


def _withdraw(sign: asyncio.Task[None]) -> None:
    """Let a sign take itself away; cancelled a second time it would leave that undone."""
    if not sign.cancelling():
        sign.cancel()
