"""Discord as a channel: a text channel, thread or direct message that a question is answered in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2s
from typing import Any

from adapters.discord.api.client import Rest
from adapters.discord.api.errors import NO_HISTORY, number
from adapters.discord.api.permissions import Permissions
from adapters.discord.inbound.context import Past
from adapters.discord.outbound import files, indicators
from adapters.discord.outbound.dms import Direct
from adapters.discord.outbound.mentions import caller
from adapters.discord.outbound.payload import bare, content, flags, form
from adapters.discord.outbound.thread import Room
from adapters.discord.settings import Settings
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Attachment, Author, Incoming, Page, Quote, State

PAGE = 2000
"""Characters of a message (Discord's documentation, create message)."""


class DiscordChannel:
    """Where one question is answered. Posts and edits count under one limit, the channel's.

    `people` are those whom names in the answer mean, the asker first; with a `title` the answer has a thread of that
    name.
    """

    page_size = PAGE

    def __init__(
        self,
        rest: Rest,
        settings: Settings,
        channel: str,
        question: str,
        *,
        people: Sequence[Author] = (),
        title: str = "",
        past: Past | None = None,
        direct: Direct | None = None,
        permissions: Permissions | None = None,
    ) -> None:
        self._room = Room(rest, channel, question, title)
        self.posts = self.edits = rest.limits.pacer(self._room.id)
        self._rest = rest
        self._ping = settings.ping_asker
        self._width = settings.table_width
        self._call = caller(people)
        self._past = past
        self._asker = people[0].id if people else ""
        self._direct = direct or Direct(rest)
        self._permissions = permissions
        self._threaded = bool(title)
        self._channel = channel
        self.where = permissions.name(int(channel)) if permissions else channel
        self._question = question
        self._landed: Counter[str] = Counter()
        self._refused = ""  # the message that took no edit last: what is posted now takes its place

    async def post(self, page: Page) -> str:
        """Post the page and return the message's id; a post whose answer was lost, made again, stands there once."""
        await self._room.open(self.posts)
        name = f"{self._question}:{page.turn}:{page.part}:{page.attempt}:{self._refused}"
        text = self._content(page)
        once: dict[str, Any] = {"nonce": _nonce(f"{name}:{self._landed[name]}"), "enforce_nonce": True}
        whole = {**form(page, text, self._ping), **once, "flags": flags(page)}
        try:
            answer = await self._send("POST", "", whole if page.part else {**whole, **self._reference})
        except PlatformError as error:
            if error.fault is not PlatformFault.REJECTED:
                raise
            simple = whole if number(error) == NO_HISTORY else {**whole, **self._plain(page, text)}
            text = simple["content"]
            answer = await self._send("POST", "", simple)
        if not isinstance(answer, dict) or not answer.get("id"):
            raise PlatformError(PlatformFault.NETWORK, "Discord's answer to a post cannot be read")
        posted = str(answer["id"])
        if answer.get("content", text).strip() != text.strip():  # the post that was lost before, with its older text
            posted = await self._renew(posted, page)
        self._landed[name] += 1
        return posted

    async def _renew(self, id: str, page: Page) -> str:
        """Make a message of before show the page, or where it takes no edit any more, a new one in its place."""
        try:
            await self.edit(id, page)
        except PlatformError as error:
            if error.fault is not PlatformFault.REJECTED:
                raise
            self._refused = id
            await self.delete(id)
            return await self.post(page)
        return id

    async def edit(self, id: str, page: Page) -> None:
        """Make the message show the page."""
        text = self._content(page)
        whole = form(page, text, self._ping)
        try:
            await self._send("PATCH", f"/{id}", whole)
        except PlatformError as error:
            if error.fault is not PlatformFault.REJECTED:
                raise
            await self._edit_plainly(id, page, {**whole, **self._plain(page, text)})

    async def _edit_plainly(self, id: str, page: Page, body: dict[str, Any]) -> None:
        """Make the message show mere words; that one does not take a whole page either is known from then on."""
        try:
            await self._send("PATCH", f"/{id}", body)
        except PlatformError as error:
            if error.fault is PlatformFault.REJECTED and page.state is not State.GROWING:
                self._refused = id
            raise

    async def delete(self, id: str) -> None:
        """Take the message away. Discord may tell of it before it answers, so that it is known as gone before."""
        self._rest.gone.append(id)
        try:
            await self._rest.call("DELETE", f"/channels/{self._room.id}/messages/{id}")
        except PlatformError as error:
            if error.fault is not PlatformFault.NETWORK:
                self._rest.gone.remove(id)
            raise

    async def typing(self) -> None:
        """Show the typing sign until cancelled, where the answer is, or is to be."""
        await indicators.typing(self._rest, self._room.shown)

    async def waiting(self) -> None:
        """Show an hourglass on the question until cancelled."""
        await indicators.waiting(self._rest, self._channel, self._question)

    async def find_obstacle(self) -> str:
        """Say what keeps the bot from writing where it was asked, as far as the gateway tells."""
        if self._permissions is None:
            return ""
        return self._permissions.find_obstacle(int(self._channel), self._threaded)

    async def confide(self, text: str) -> None:
        """Tell the person who asked in a direct message, which says where they did."""
        await self._direct.whisper(self._asker, f"<#{self._channel}>: {text}")

    async def download(self, attachment: Attachment, most: int) -> bytes:
        """The content of a file that Discord keeps."""
        return await files.download(self._rest, attachment, most)

    async def attach(self, name: str, text: str) -> None:
        """Post a text file; it counts under the limit of the posts."""
        await files.attach(self._rest, self._room.id, self._question, name, text, self.posts)

    async def around(self, incoming: Incoming, first: bool) -> Sequence[Quote]:
        """What was said around the question."""
        return await self._past.around(incoming, first) if self._past else ()

    def measure(self, page: Page) -> int:
        """The length of the message in UTF-16 units.

        Discord counts code points (its staff in discord-api-docs 1315), of which there are never more.
        """
        return len(self._content(page).encode("utf-16-le", "surrogatepass")) // 2

    def _content(self, page: Page) -> str:
        return content(page, self._width, self._call)

    @property
    def _reference(self) -> dict[str, Any]:
        """A reply to the question, where that stands; Discord leaves it out where the question is gone."""
        if not self._room.beside:
            return {}
        return {"message_reference": {"message_id": self._question, "fail_if_not_exists": False}}

    def _plain(self, page: Page, text: str) -> dict[str, Any]:
        """What a page without any form says: its own words, or those of the dialect where they alone fit."""
        words = bare(page)
        return {"content": words if len(words) <= PAGE else text, "components": []}

    async def _send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Make a call of the room's messages; in the channel where there never was a thread."""
        try:
            return await self._rest.call(method, f"/channels/{self._room.id}/messages{path}", body, self.posts)
        except PlatformError as error:
            if not self._room.leave(error):
                raise
        return await self._rest.call(method, f"/channels/{self._room.id}/messages{path}", body, self.posts)


def _nonce(name: str) -> str:
    """A name of at most 25 characters for a post: Discord answers a second one with the message that is there."""
    return blake2s(name.encode(), digest_size=12).hexdigest()
