"""Slack as a channel: a thread or a direct message that a question is answered in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from adapters.slack.api.calls import call
from adapters.slack.api.workspace import Workspace
from adapters.slack.inbound.context import Past
from adapters.slack.inbound.messages import thread_of
from adapters.slack.outbound import files
from adapters.slack.outbound.find_post import Search
from adapters.slack.outbound.indicators import Sign
from adapters.slack.outbound.payload import bare, form, measure
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Attachment, Incoming, Page, Quote, State
from bot.pacing.pacer import Pacer

PAGE = 11_500
"""The length of a page as it is sent. A `markdown` block takes 12,000 (docs.slack.dev, markdown block); all blocks of
a message about 13,200 (metabase pull request 79908)."""
UNFIT = ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long")
"""What Slack says of a page whose form it does not take; its words alone it may."""

log = structlog.get_logger(__name__)


class SlackChannel:
    """Where one question is answered: in its thread, or in the direct messages.

    `reopened` says that it may have been answered before, by a program that was killed: a post may stand there that
    nobody wrote down.
    """

    page_size = PAGE

    def __init__(
        self, workspace: Workspace, question: Incoming, reopened: bool = False, past: Past | None = None
    ) -> None:
        self.posts = workspace.posts(question.channel_id)
        self.edits = workspace.edits
        self._workspace = workspace
        self._past = past
        self._client = workspace.client
        self._deleted = workspace.deleted
        self._channel = question.channel_id
        self._asker = question.author.id
        self._question = question.message_id
        self._thread = thread_of(question)
        self._sign = Sign(workspace, self._channel, self._thread, question.message_id)
        self._search = Search(workspace, self._channel, self._thread, question.message_id)
        self._known: set[str] = set()
        self._unsure = reopened  # whether a post may stand there that is not known
        self._lost = ""  # its text, where this program made it
        self._unfit: set[int] = set()  # the parts that were refused for their form

    async def post(self, page: Page) -> str:
        """Post in the thread, or in the direct messages; returns the message's `ts`.

        A post that may stand there already, its answer lost, is looked for first and shows the page then: it never
        stands there twice.
        """
        if self._unsure and (found := await self._find(page)):
            await self._send(self._client.chat_update, self.posts, page, ts=found)
            return self._remember(found)
        thread = self._thread or None
        try:
            answer = await self._send(
                self._client.chat_postMessage,
                self.posts,
                page,
                thread_ts=thread,
                unfurl_links=False,
                unfurl_media=False,
            )
        except PlatformError as error:
            if error.fault is PlatformFault.NETWORK:
                self._unsure, self._lost = True, form(page)["text"]
            if error.fault in (PlatformFault.FORBIDDEN, PlatformFault.GONE):
                self._workspace.permissions.doubt(self._channel)
            raise
        if not (ts := answer.get("ts")):
            self._unsure, self._lost = True, form(page)["text"]
            raise PlatformError(PlatformFault.NETWORK, "Slack's answer to a post cannot be read")
        self._workspace.permissions.confirm(self._channel)
        return self._remember(str(ts))

    @property
    def where(self) -> str:
        """The channel's name, or its id where it is not known."""
        return self._workspace.permissions.name(self._channel)

    async def find_obstacle(self) -> str:
        """Say what keeps the bot from writing where it was asked, as far as Slack tells."""
        return await self._workspace.permissions.find_obstacle(self._channel)

    async def edit(self, id: str, page: Page) -> None:
        """Make the message show the page."""
        self._known.add(id)
        await self._send(self._client.chat_update, self.edits, page, ts=id)

    async def find_posts(self, turn: int, known: Sequence[str]) -> Sequence[str]:
        """Return the messages with the turn's button that are none of the known ones, the oldest first."""
        found: list[str] = []
        while ts := await self._search.find(turn, "", {*known, *found}, self.posts):
            found.append(ts)
        self._known.update(known, found)
        self._unsure = False
        return found

    async def confide(self, text: str) -> None:
        """Tell the person who asked, where they asked, for themselves alone; where that cannot be, directly.

        Slack shows nothing of it in a thread that nobody has answered in (its documentation, chat.postEphemeral).
        """
        words, thread = bare(Page(text)), None if self._thread == self._question else self._thread or None
        try:
            await call(
                self._client.chat_postEphemeral(channel=self._channel, user=self._asker, thread_ts=thread, **words),
                self.posts,
            )
        except PlatformError as error:
            if error.fault not in (PlatformFault.FORBIDDEN, PlatformFault.GONE):
                raise
            # a post to a person's id goes into their direct messages with the bot (docs.slack.dev, chat.postMessage)
            await call(self._client.chat_postMessage(channel=self._asker, **bare(Page(text))))

    async def delete(self, id: str) -> None:
        """Take the message away."""
        self._deleted.append((self._channel, id))
        await call(self._client.chat_delete(channel=self._channel, ts=id))

    async def typing(self) -> None:
        """Show a status in the thread, or eyes on the question, until cancelled."""
        await self._sign.show()

    async def waiting(self) -> None:
        """Show an hourglass on the question until cancelled."""
        await self._sign.wait()

    async def download(self, attachment: Attachment, most: int) -> bytes:
        """The content of a file that Slack keeps."""
        return await files.download(self._workspace, attachment, most)

    async def attach(self, name: str, text: str) -> None:
        """Share a text file where the question is answered."""
        await files.attach(self._workspace, self._channel, self._thread, name, text)

    async def around(self, incoming: Incoming, first: bool) -> Sequence[Quote]:
        """What was said around the question."""
        return await self._past.around(incoming, first) if self._past else ()

    def measure(self, page: Page) -> int:
        """The length of the page's blocks, its button left out."""
        return measure(page)

    async def _send(
        self, method: Callable[..., Awaitable[Any]], pacer: Pacer, page: Page, **where: Any
    ) -> Mapping[str, Any]:
        """Make the call; one that is refused for its form is made again with the page's words alone.

        A page that was refused while it grew goes on with its words alone, until it is whole.
        """
        if page.part not in self._unfit or page.state is not State.GROWING:
            try:
                return await call(method(channel=self._channel, **where, **form(page)), pacer)
            except PlatformError as error:
                if str(error) not in UNFIT:
                    raise
                log.info("slack does not take a page's form; sending its words alone", error=str(error))
            self._unfit.add(page.part)
        return await call(method(channel=self._channel, **where, **bare(page)), pacer)

    async def _find(self, page: Page) -> str:
        """The `ts` of the post that is not known: by the turn of its button, or by its words where it has none."""
        text = self._lost or ("" if page.turn else form(page)["text"])
        return await self._search.find(page.turn, text, self._known, self.posts)

    def _remember(self, ts: str) -> str:
        self._unsure, self._lost = False, ""
        self._known.add(ts)
        return ts
