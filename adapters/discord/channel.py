"""Discord as a channel: a text channel, thread or direct message that a question is answered in."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2s
from typing import Any

from adapters.discord import sign
from adapters.discord.faults import NO_HISTORY, number
from adapters.discord.form import bare, content, flags, form
from adapters.discord.rest import Rest
from adapters.discord.settings import Settings
from bot.errors import PlatformError, PlatformFault
from bot.messages import Page

PAGE = 2000
"""Characters of a message (Discord's documentation, create message)."""


class DiscordChannel:
    """Where one question is answered. Posts and edits count under one limit, the channel's."""

    page_size = PAGE

    def __init__(self, rest: Rest, settings: Settings, channel: str, question: str) -> None:
        self.posts = self.edits = rest.limits.pacer(channel)
        self._rest = rest
        self._ping = settings.ping_asker
        self._width = settings.table_width
        self._channel = channel
        self._path = f"/channels/{channel}/messages"
        self._question = question
        self._landed: Counter[str] = Counter()

    async def post(self, page: Page) -> str:
        """Post the page and return the message's id; a post whose answer was lost, made again, stands there once."""
        name = f"{self._question}:{page.turn}:{page.part}:{page.attempt}"
        text = content(page, self._width)
        once: dict[str, Any] = {"nonce": _nonce(f"{name}:{self._landed[name]}"), "enforce_nonce": True}
        whole = {**form(page, text, self._ping), **once, "flags": flags(page)}
        try:
            answer = await self._send("POST", self._path, whole if page.part else {**whole, **self._reference})
        except PlatformError as error:
            if error.fault is not PlatformFault.REJECTED:
                raise
            simple = whole if number(error) == NO_HISTORY else {**whole, **self._plain(page, text)}
            text = simple["content"]
            answer = await self._send("POST", self._path, simple)
        if not isinstance(answer, dict) or not answer.get("id"):
            raise PlatformError(PlatformFault.NETWORK, "Discord's answer to a post cannot be read")
        if answer.get("content", text).strip() != text.strip():  # the post that was lost before, with its older text
            await self.edit(str(answer["id"]), page)
        self._landed[name] += 1
        return str(answer["id"])

    async def edit(self, id: str, page: Page) -> None:
        """Make the message show the page."""
        text = content(page, self._width)
        whole = form(page, text, self._ping)
        try:
            await self._send("PATCH", f"{self._path}/{id}", whole)
        except PlatformError as error:
            if error.fault is not PlatformFault.REJECTED:
                raise
            await self._send("PATCH", f"{self._path}/{id}", {**whole, **self._plain(page, text)})

    async def delete(self, id: str) -> None:
        """Take the message away. Discord may tell of it before it answers, so that it is known as gone before."""
        self._rest.gone.append(id)
        try:
            await self._rest.call("DELETE", f"{self._path}/{id}")
        except PlatformError as error:
            if error.fault is not PlatformFault.NETWORK:
                self._rest.gone.remove(id)
            raise

    async def typing(self) -> None:
        """Show the typing sign until cancelled."""
        await sign.typing(self._rest, self._channel)

    async def waiting(self) -> None:
        """Show an hourglass on the question until cancelled."""
        await sign.waiting(self._rest, self._channel, self._question)

    def measure(self, page: Page) -> int:
        """The length of the message in UTF-16 units.

        Discord counts code points (its staff in discord-api-docs 1315), of which there are never more.
        """
        return len(content(page, self._width).encode("utf-16-le", "surrogatepass")) // 2

    @property
    def _reference(self) -> dict[str, Any]:
        """A reply to the question; Discord leaves it out where the question is gone."""
        return {"message_reference": {"message_id": self._question, "fail_if_not_exists": False}}

    def _plain(self, page: Page, text: str) -> dict[str, Any]:
        """What a page without any form says: its own words, or those of the dialect where they alone fit."""
        words = bare(page)
        return {"content": words if len(words) <= PAGE else text, "components": []}

    async def _send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        return await self._rest.call(method, path, body, self.posts)


def _nonce(name: str) -> str:
    """A name of at most 25 characters for a post: Discord answers a second one with the message that is there."""
    return blake2s(name.encode(), digest_size=12).hexdigest()
