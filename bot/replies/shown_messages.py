"""The messages of one answer as they stand on the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import takewhile

import structlog

from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page, State
from bot.domain.ports import Channel
from bot.pacing.pacer import Urgency
from bot.runtime.tasks import complete, run_beside
from bot.texts import REPLACED

TRIES = 12
"""How often a message that cannot be deleted is edited where the platform does not take that for now."""
log = structlog.get_logger(__name__)


class Shown:
    """Changes the messages, and knows which one shows which page, as far as the platform took it.

    `posts` are the ids of the messages, in their order; `surplus` those that were posted anew and are to be deleted;
    `standing` are both, the oldest first. A call goes to its end and is known here, even if the caller is cancelled.
    What the messages of an earlier attempt show is not known. `begun` is when the first text stood there, by the event
    loop's clock.
    """

    def __init__(self, channel: Channel, posts: Sequence[str]) -> None:
        self.begun: float | None = None
        self._channel = channel
        self.posts: list[str] = list(posts)
        self.surplus: list[str] = []
        self.standing: list[str] = list(posts)
        self._pages: list[Page | None] = [None] * len(posts)

    @property
    def text(self) -> str:
        """The text that stands there."""
        return "\n".join(page.text for page in self._pages if page and page.text)

    @property
    def length(self) -> int:
        """Its characters, message by message."""
        return sum(len(page.text) for page in self._pages if page)

    @property
    def accepted(self) -> list[str]:
        """The texts that stand there, up to the first message whose text is not known."""
        return [page.text for page in takewhile(bool, self._pages) if page and page.text]

    def __contains__(self, page: Page) -> bool:
        return page.part < len(self._pages) and self._pages[page.part] == page

    def has_text(self, page: Page | None) -> bool:
        """Tell whether all the text of a page stands there and goes on behind it, so that only its look may differ."""
        old = self._pages[page.part] if page and page.part < len(self._pages) else None
        return bool(page and old and not page.last and old.text == page.text)

    def is_newest(self, page: Page | None) -> bool:
        """Tell whether a page is the last one that stands there."""
        return page is not None and page.part == sum(map(bool, self._pages)) - 1

    async def post(self, page: Page) -> None:
        """Post a page behind all others. Raises PlatformError."""
        await complete(self._put(page, len(self.posts)))

    async def edit(self, page: Page) -> None:
        """Make the message of a page show it. Raises PlatformError."""
        await complete(self._change(page))

    async def replace(self, page: Page) -> None:
        """Post a page anew; its message and all that follow are surplus: the order stays. Raises PlatformError."""
        await complete(self._put(page, page.part))

    async def _change(self, page: Page) -> None:
        await self._channel.edit(self.posts[page.part], page)
        self._pages[page.part] = page
        self._note_beginning(page)

    async def _put(self, page: Page, place: int) -> None:
        """Post a page as the message at this place, behind all that stand there."""
        new = await self._channel.post(page)
        self.surplus += [post for post in self.posts[place:] if post != new]
        self.posts[place:] = [new]
        self._pages[place:] = [page]
        self.standing = [*(post for post in self.standing if post != new), new]
        self._note_beginning(page)

    async def drop(self) -> None:
        """Delete the next of the surplus, else the last message, or have it say that it is replaced.

        That is said beside the answer, as soon as edits are free. Raises PlatformError.
        """
        post = self.surplus[-1] if self.surplus else self.posts[-1]
        try:
            await self._channel.delete(post)
        except PlatformError as error:
            if error.fault is PlatformFault.FORBIDDEN:
                run_beside(mark_replaced(self._channel, post))
            elif error.fault is not PlatformFault.GONE:
                raise
        self.standing.remove(post)
        if self.surplus:
            self.surplus.pop()
        else:
            del self.posts[-1], self._pages[-1]

    async def withdraw_drafts(self) -> None:
        """Delete each message that shows that it grows, as far as the platform lets it be; what is deleted is gone."""
        kept: list[tuple[str, Page | None]] = []
        for post, page in zip(self.posts, self._pages, strict=True):
            if not page or page.state is not State.GROWING or not await self._delete(post):
                kept.append((post, page))
        self.posts, self._pages = [post for post, _ in kept], [page for _, page in kept]

    async def _delete(self, post: str) -> bool:
        """Delete a message; tell whether it is gone."""
        try:
            await self._channel.delete(post)
        except PlatformError as error:
            return error.fault is PlatformFault.GONE
        return True

    def _note_beginning(self, page: Page) -> None:
        if page.text and self.begun is None:
            self.begun = asyncio.get_running_loop().time()


async def mark_replaced(channel: Channel, post: str) -> None:
    """Have a message say that it is replaced; never raises for what the platform does."""
    seat = channel.edits.seat(lambda: 0.0)
    error = None
    try:
        for _ in range(TRIES):
            await seat.turn(Urgency.FINAL)
            try:
                await channel.edit(post, Page("", note=REPLACED))
                return
            except PlatformError as refusal:
                error = refusal
                if refusal.fault not in (PlatformFault.RATE, PlatformFault.NETWORK):
                    break
    finally:
        seat.leave()
    log.error("a message could not be closed", post=post, error=str(error))
