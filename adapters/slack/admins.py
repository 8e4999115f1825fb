"""The people who run the bot, told of trouble in a direct message."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.slack.api.calls import call
from adapters.slack.api.workspace import Workspace
from adapters.slack.outbound import dialect
from bot.domain.errors import PlatformError, PlatformFault


@dataclass(frozen=True, slots=True)
class Admins:
    """The people of `slack.admins`, by their ids."""

    workspace: Workspace
    ids: tuple[str, ...]

    async def tell(self, sentence: str) -> None:
        """Write to each of them; raises PlatformError if somebody could not be reached, after trying all."""
        fault: PlatformError | None = None
        for user in self.ids:
            try:
                await self._write(user, dialect.escape(sentence))
            except PlatformError as error:
                fault = error
        if fault:
            raise fault

    async def _write(self, user: str, text: str) -> None:
        """A post to a person's id goes into their direct messages with the bot (docs.slack.dev, chat.postMessage)."""
        session = self.workspace.client.session
        if session is None or session.closed:
            raise PlatformError(PlatformFault.NETWORK, "not connected")
        await call(self.workspace.client.chat_postMessage(channel=user, text=text, mrkdwn=False))
