"""The messages of one answer as they stand on the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import takewhile

from bot.errors import PlatformError, PlatformFault
from bot.messages import Page, State
from bot.ports import Channel


class Shown:
    """Changes the messages, and knows which one shows which page, as far as the platform took it.

    `posts` are the ids of the messages, in their order; `surplus` those that were posted anew and are to be deleted.
    What the messages of an earlier attempt show is not known. `begun` is when the first text stood there, by the event
    loop's clock.
    """

    def __init__(self, channel: Channel, posts: Sequence[str]) -> None:
        self.begun: float | None = None
        self._channel = channel
        self.posts: list[str] = list(posts)
        self.surplus: list[str] = []
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
        self.posts.append(await self._channel.post(page))
        self._pages.append(page)
        self._note_beginning(page)

    async def edit(self, page: Page) -> None:
        """Make the message of a page show it. Raises PlatformError."""
        await self._channel.edit(self.posts[page.part], page)
        self._pages[page.part] = page
        self._note_beginning(page)

    async def replace(self, page: Page) -> None:
        """Post a page anew; its message and all that follow are surplus: the order stays. Raises PlatformError."""
        new = await self._channel.post(page)
        self.surplus += [post for post in self.posts[page.part :] if post != new]
        self.posts[page.part :] = [new]
        self._pages[page.part :] = [page]
        self._note_beginning(page)

    async def drop(self) -> None:
        """Delete the next of the surplus, else the last message, if it can be reached. Raises PlatformError."""
        try:
            await self._channel.delete(self.surplus[-1] if self.surplus else self.posts[-1])
        except PlatformError as error:
            if error.fault not in (PlatformFault.GONE, PlatformFault.FORBIDDEN):
                raise
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
