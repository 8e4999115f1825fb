"""Slack as a channel: a thread or a direct message that a question is answered in."""

from __future__ import annotations

from typing import Any

from adapters.slack import dialect
from adapters.slack.calls import call
from adapters.slack.search import Search
from adapters.slack.sign import Sign
from adapters.slack.workspace import Workspace
from bot.errors import PlatformError, PlatformFault
from bot.messages import Page, State

PAGE = 11_500
"""Characters of a page as it is sent. A `markdown` block takes 12,000 (docs.slack.dev, markdown block); all blocks of
a message about 13,200 (metabase pull request 79908)."""


class SlackChannel:
    """Where one question is answered; `thread` is empty in a direct message outside of a thread."""

    page_size = PAGE

    def __init__(self, workspace: Workspace, channel: str, thread: str, question: str) -> None:
        self.posts = workspace.posts(channel)
        self.edits = workspace.edits
        self._client = workspace.client
        self._channel = channel
        self._thread = thread
        self._sign = Sign(workspace, channel, thread, question)
        self._search = Search(workspace, channel, thread, question)
        self._posted: set[str] = set()
        self._lost = ""  # the text of a post that may or may not have landed

    async def post(self, page: Page) -> str:
        """Post in the thread, or in the direct messages; returns the message's `ts`.

        After a post whose answer was lost it is looked for first, and shows the page then: it never stands there twice.
        """
        content = _content(page)
        if self._lost and (found := await self._search.find(self._lost, self._posted)):
            await self.edit(found, page)
            return self._remember(found)
        try:
            answer = await call(
                self._client.chat_postMessage(
                    channel=self._channel,
                    thread_ts=self._thread or None,
                    unfurl_links=False,
                    unfurl_media=False,
                    **content,
                ),
                self.posts,
            )
        except PlatformError as error:
            if error.fault is PlatformFault.NETWORK:
                self._lost = content["text"]
            raise
        return self._remember(str(answer["ts"]))

    async def edit(self, id: str, page: Page) -> None:
        """Make the message show the page."""
        await call(self._client.chat_update(channel=self._channel, ts=id, **_content(page)), self.edits)

    async def delete(self, id: str) -> None:
        """Take the message away."""
        await call(self._client.chat_delete(channel=self._channel, ts=id))

    async def typing(self) -> None:
        """Show a status in the thread, or eyes on the question, until cancelled."""
        await self._sign.show()

    def _remember(self, ts: str) -> str:
        self._lost = ""
        self._posted.add(ts)
        return ts

    def measure(self, page: Page) -> int:
        """The characters of the page's blocks."""
        return len(_markdown(page)) + len(dialect.escape(page.note))


def _content(page: Page) -> dict[str, Any]:
    """The page as blocks, and beside them a short text for notifications."""
    blocks: list[dict[str, Any]] = []
    if markdown := _markdown(page):
        blocks.append({"type": "markdown", "text": markdown})
    if page.note:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": dialect.escape(page.note)}]})
    return {"blocks": blocks, "text": dialect.plain(page.text.strip() or page.note or "…")}


def _markdown(page: Page) -> str:
    growing = page.state is State.GROWING and page.last
    text = dialect.render(page.text) if page.text.strip() else ""
    return text + dialect.cursor(text) if growing else text
