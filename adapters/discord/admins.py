"""The people who run the bot, told of trouble in a direct message."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.discord.api.client import connect
from adapters.discord.outbound.channel import PAGE
from adapters.discord.outbound.dms import write
from adapters.discord.outbound.payload import content
from adapters.discord.settings import Settings
from bot.domain.errors import PlatformError
from bot.domain.messages import Page


@dataclass(frozen=True, slots=True)
class Admins:
    """The application's owners and the people of `discord.admins`, by their ids.

    They are written to over a connection made for it: the adapter's own may be what is down.
    """

    settings: Settings
    ids: frozenset[str]

    async def tell(self, sentence: str) -> None:
        """Write to each of them; raises PlatformError if somebody could not be reached, after trying all."""
        fault: PlatformError | None = None
        async with connect(self.settings) as rest:
            for user in sorted(self.ids):
                try:
                    await write(rest, user, content(Page(sentence), self.settings.table_width)[:PAGE])
                except PlatformError as error:
                    fault = error
        if fault:
            raise fault
