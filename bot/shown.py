"""The messages of one answer as they stand on the screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from bot.messages import Page, State


class Shown:
    """Knows which message shows which page, as far as the platform took it.

    `posts` are the ids of the messages, in their order; `surplus` those that were posted anew and are to be deleted.
    What the messages of an earlier attempt show is not known.
    """

    def __init__(self, posts: Sequence[str]) -> None:
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

    @property
    def drafts(self) -> Iterator[str]:
        """The messages that still show that they grow."""
        shown = zip(self.posts, self._pages, strict=True)
        return (post for post, page in shown if page and page.state is State.GROWING)

    def __contains__(self, page: Page) -> bool:
        return page.part < len(self._pages) and self._pages[page.part] == page

    def has_text(self, page: Page | None) -> bool:
        """Tell whether all the text of a page stands there and goes on behind it, so that only its look may differ."""
        old = self._pages[page.part] if page and page.part < len(self._pages) else None
        return bool(page and old and not page.last and old.text == page.text)

    def is_newest(self, page: Page | None) -> bool:
        """Tell whether a page is the last one that stands there."""
        return page is not None and page.part == sum(map(bool, self._pages)) - 1

    def put(self, page: Page) -> None:
        """Take in that the message of this page shows it."""
        self._pages[page.part] = page

    def append(self, post: str, page: Page) -> None:
        """Take in that a page was posted behind all others."""
        self.posts.append(post)
        self._pages.append(page)

    def replace(self, post: str, page: Page) -> None:
        """Take in that a page was posted anew: its message and all that follow it are surplus."""
        self.surplus += self.posts[page.part :]
        self.posts[page.part :] = [post]
        self._pages[page.part :] = [page]

    def pop(self) -> None:
        """Take in that the next of the surplus, else the last message, is deleted."""
        if self.surplus:
            self.surplus.pop()
        else:
            del self.posts[-1], self._pages[-1]

    @property
    def next_to_delete(self) -> str:
        """The message that `pop` is about."""
        return self.surplus[-1] if self.surplus else self.posts[-1]
