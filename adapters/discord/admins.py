"""The people who run the bot, told of trouble in a direct message."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.discord.channel import PAGE
from adapters.discord.direct import write
from adapters.discord.form import content
from adapters.discord.rest import connect
from adapters.discord.settings import Settings
from bot.errors import PlatformError
from bot.messages import Page


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
