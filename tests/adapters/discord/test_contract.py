"""Discord holds to what every channel holds to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from adapters.discord.api.client import connect
from adapters.discord.outbound.channel import DiscordChannel
from adapters.discord.outbound.payload import pressed
from bot.domain.errors import PlatformFault
from bot.domain.messages import Control
from tests.contracts.channel import ChannelContract
from tests.loopback.discord import BOT, GENERAL, FakeDiscord
from tests.loopback.discord.rules import CONTENT
from tests.loopback.discord.state import SILENT, Message
from tests.support.discord_app import settings

ROUTES = {"post": "post", "edit": "edit", "delete": "delete", "typing": "typing", "waiting": "react"}
ANSWERS = {
    PlatformFault.GONE: (404, 10008),
    PlatformFault.FORBIDDEN: (403, 50013),
    PlatformFault.REJECTED: (400, 50035),
    PlatformFault.MODERATED: (400, 200000),
}
HOURGLASS = "⏳"


class DiscordScreen:
    """What Discord shows of the answers to one question."""

    limit = CONTENT

    def __init__(self, discord: FakeDiscord, question: Message) -> None:
        self.discord = discord
        self.question = question

    def shown(self, id: str) -> str | None:
        """The content."""
        said = self.discord.message(id)
        return None if said.deleted else said.shown.strip()

    def notified(self) -> Sequence[str]:
        """Mentions in what the bot posted and edited."""
        notices = [notice for notice in self.discord.notifications if notice.how == "mention"]
        return [notice.who for notice in notices if self.discord.message(notice.message).author.id == BOT]

    def intrudes(self, id: str) -> bool:
        """A sound, or a reference."""
        said = self.discord.message(id)
        return not said.versions[0].flags & SILENT or bool(said.reference)

    def controls(self, id: str) -> list[tuple[Control, int]]:
        """The buttons."""
        return [found for custom_id in self.discord.message(id).buttons if (found := pressed(custom_id))]

    def waits(self) -> bool:
        """The hourglass."""
        return bool(self.question.reactions.get(HOURGLASS))

    def calls(self, verb: str) -> int:
        """Calls of the verb's route."""
        return len(self.discord.called(ROUTES[verb]))

    def refuse(self, verb: str, fault: PlatformFault, times: int = 1) -> None:
        """In Discord's own words."""
        if fault is PlatformFault.RATE:
            self.discord.fail(ROUTES[verb], times, status=429, retry_after=30.0)
        elif fault is PlatformFault.NETWORK:
            self.discord.fail(ROUTES[verb], times, status=503)
        else:
            status, code = ANSWERS[fault]
            self.discord.fail(ROUTES[verb], times, status=status, body={"code": code, "message": "no"})

    def lose(self, verb: str) -> None:
        """Cut the connection after it."""
        self.discord.fail(ROUTES[verb], lose=True)

    async def until(self, predicate: Callable[[], bool]) -> object:
        """As Discord's own."""
        return await self.discord.until(predicate)


class TestDiscord(ChannelContract):
    """In a channel of a server."""

    @pytest.fixture
    async def screen(self) -> AsyncIterator[DiscordScreen]:
        """A Discord with a question in it."""
        async with FakeDiscord() as discord:
            yield DiscordScreen(discord, discord.say(GENERAL, "a question"))

    @pytest.fixture
    async def channel(self, screen: DiscordScreen) -> AsyncIterator[DiscordChannel]:
        """A channel to answer it in."""
        chosen = settings(screen.discord)
        async with connect(chosen) as rest:
            yield DiscordChannel(rest, chosen, GENERAL, screen.question.id)
