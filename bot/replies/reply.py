"""An answer as the reader sees it: posted once, edited while it grows, whole at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog

from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page, State
from bot.domain.ports import Channel
from bot.markdown import Cut
from bot.pacing.growth import Growth
from bot.pacing.pacer import Seat, Urgency
from bot.replies.draft import Draft
from bot.replies.shown_messages import Shown
from bot.runtime.tasks import report

LONGEST_PAUSE = 30.0
"""Seconds between two tries of a call that the network lost, at most."""
TRIES = 12
"""How often a final text is sent again after the network lost it: about five minutes in all."""
MOST = 0.7
"""Part of the unseen text that belongs to the next message, from which on that follows its predecessor at once."""
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
        self.limited = 0
        self.refused = ""  # the platform's own words for the last refusal
        self._patience = patience
        self._impatient: asyncio.TimerHandle | None = None
        self._channel = channel
        self._draft = Draft(channel, turn, attempt)
        self._posted = posted
        self._shown = Shown(channel, posts)
        self._follows = False  # most of what is not shown belongs to the next message
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self._failures = 0
        self._growth = Growth(channel.page_size)
        shared = channel.edits is channel.posts
        self._post_seat = channel.posts.seat(self._backlog, self._growth if shared else None)
        self._edit_seat = self._post_seat if shared else channel.edits.seat(self._backlog)

    async def grow(self, text: str) -> None:
        """Add a piece; never waits for the platform."""
        self._draft.text += text
        self._changed.set()
        if self._growth.add(len(text)):
            for seat in self._seats:
                seat.wake()

    def restart(self) -> None:
        """The answer begins afresh, over the same messages; they stay as they are until there is new text."""
        self._draft.restart()
        self._growth.restart()

    def think(self) -> None:
        """Show that the model reasons, until there is text."""
        self._draft.think()
        self._changed.set()

    def end(self, state: State, note: str) -> None:
        """The text is whole; this is how it ended and what is said about it. A closed answer stays as it is."""
        if not self.closed:
            self._draft.end(state, note)
            self._hurry()

    def follow(self) -> Reply:
        """Return a reply that goes on over the same messages, where this one is not written any more."""
        return Reply(self._channel, self._draft.turn, self._posted, self.posts, self._draft.attempt, self._patience)

    @property
    def closed(self) -> PlatformError | None:
        """The refusal of a closed answer."""
        return self._draft.refusal

    @property
    def begun(self) -> float | None:
        """When the first text was on the screen, by the event loop's clock."""
        return self._shown.begun

    @property
    def posts(self) -> list[str]:
        """The ids of its messages, in their order."""
        return self._shown.posts

    @property
    def shown(self) -> str:
        """The text that stands there, as far as the platform took it."""
        return self._shown.text

    @property
    def note(self) -> str:
        """What is said about how it ended."""
        return self._draft.note

    @property
    def whole(self) -> bool:
        """Whether every page stands there as it should."""
        step = self._step()
        return self._ended.is_set() and (step is None or step.page is None)

    def _hurry(self) -> None:
        """Let what is whole go before what grows."""
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
                    granted = await self._seat(step).turn(self._urgency(step))
                    _withdraw(sign)
                    await self._take(self._step(), granted)
                elif self._ended.is_set():
                    return
                else:
                    self._changed.clear()
                    await self._changed.wait()
        except PlatformError as error:
            if error.fault in (PlatformFault.FORBIDDEN, *REFUSALS):
                await self._shown.withdraw_drafts()
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

    def _urgency(self, step: _Step) -> Urgency:
        if not self._shown.text:
            return Urgency.FIRST
        if self._ended.is_set():
            return Urgency.FINAL
        return Urgency.FOLLOWING if self._follows or self._shown.has_text(step.page) else Urgency.GROWING

    def _seat(self, step: _Step) -> Seat:
        edited = step.page is not None and step.page.part < len(self.posts)
        return self._edit_seat if edited else self._post_seat

    def _backlog(self) -> float:
        return len(self._draft.text) - self._shown.length

    def _step(self) -> _Step | None:
        """What differs from what is shown: the first such page, and at the end the posts too many.

        A message that shows all its text and only has to lose its sign of growing waits for the next one.
        """
        pages, cuts = self._draft.make_pages()
        different = [page for page in pages if page not in self._shown]
        if different:
            page, *later = different
            if later and later[0].part == len(self.posts) and self._shown.has_text(page):
                page = later[0]
            return _Step(page, cuts) if page.text or page.note else None
        over = self._shown.surplus or len(self.posts) > len(pages)
        return _Step(None, cuts) if self._ended.is_set() and over else None

    async def _take(self, step: _Step | None, granted: bool) -> None:
        """Make one call, and live with its refusal; an edit that was not granted in time is a post."""
        if step is None:
            return
        self._draft.cuts = step.cuts
        if step.cuts:
            self._growth.turn_page(step.cuts[-1].start)
        length, unseen, final = len(self._draft.text), self._backlog(), self._ended.is_set()
        try:
            if step.page is None:
                await self._shown.drop()
            elif step.page.part >= len(self.posts):
                await self._shown.post(step.page)
            elif granted:
                await self._edit(step.page, final)
            else:
                await self._replace(step.page)
            self._failures = 0
            self._progress(step.page, length, unseen)
            await self._posted(self._shown.standing, self.shown if self.closed else self._draft.text)
        except PlatformError as error:
            await self._endure(error, final)
            if step.page is None and error.retry_after:  # no pacer knows the limit of deletions
                await asyncio.sleep(error.retry_after)

    def _progress(self, page: Page | None, length: int, unseen: float) -> None:
        """Know what the newest message shows after a call, and whether the next message follows it at once.

        Before the call the text had this length, of which so much was not seen.
        """
        newest = self._shown.is_newest(page)
        if page and newest:
            self._draft.seen = length if page.last else 0
        self._follows = bool(page and newest and not page.last and self._backlog() > MOST * unseen)

    async def _edit(self, page: Page, final: bool) -> None:
        try:
            await self._shown.edit(page)
        except PlatformError as error:
            if error.fault is not PlatformFault.REJECTED or not final:
                raise
            await self._replace(page)

    async def _replace(self, page: Page) -> None:
        """Post a final page anew that its message does not take."""
        if self._edit_seat is not self._post_seat:
            await self._post_seat.turn(Urgency.FINAL)
        await self._shown.replace(page)

    async def _endure(self, error: PlatformError, final: bool) -> None:
        """Live with a refusal: limits are the pacer's to know, a lost call waits a little, the rest ends the answer.

        Refused words may pass when more of them are there: only a text that was whole when it was sent is given up.
        """
        fault, self.refused, turn = error.fault.value, str(error), self._draft.turn
        log.info("the platform refused a call", fault=fault, error=self.refused, turn=turn)
        if error.fault is PlatformFault.RATE:
            self.limited += 1
            return
        self._failures += 1
        if error.fault is PlatformFault.FORBIDDEN or (error.fault in REFUSALS and final):
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
        """Give up the words that are refused; raises where nothing can be said at all."""
        accepted = self._shown.accepted
        if error.fault is PlatformFault.FORBIDDEN and not accepted:
            raise error
        if not self.closed:
            fault, turn = error.fault.value, self._draft.turn
            log.warning("the platform refused an answer", fault=fault, error=str(error), turn=turn)
        self._draft.close(accepted, error)
        self._hurry()


def _withdraw(sign: asyncio.Task[None]) -> None:
    """Let a sign take itself away; cancelled a second time it would leave that undone."""
    if not sign.cancelling():
        sign.cancel()
