"""The people who run the bot are told of trouble in a direct message."""

from __future__ import annotations

import pytest

from adapters.discord.admins import Admins
from bot.domain.errors import PlatformError, PlatformFault
from tests.loopback.discord import ANN, ANN_DM, BEN, BEN_DM, OWNER, FakeDiscord
from tests.support.discord_app import connected, settings

SENTENCE = "The key of openai/gpt is refused, so I cannot answer."


def direct(discord: FakeDiscord, person: str) -> list[str]:
    """What the bot said to a person."""
    return [said.shown for said in discord.answers(discord.world.direct(person).id)]


async def test_owners_and_admins_are_told() -> None:
    """Those of the settings and the application's own; nobody else, and nobody is mentioned."""
    async with FakeDiscord() as discord, connected(discord, admins=(BEN,)) as app:
        app.engine.alerts.tell("key", SENTENCE)
        await discord.until(lambda: direct(discord, OWNER) and direct(discord, BEN))
        assert direct(discord, OWNER) == direct(discord, BEN) == [SENTENCE]
        assert not direct(discord, ANN)


async def test_they_are_told_though_the_adapter_is_down() -> None:
    """That is what one of the sentences is about."""
    async with FakeDiscord() as discord:
        async with connected(discord) as app:
            pass
        app.engine.alerts.tell("down discord", SENTENCE)
        await discord.until(lambda: direct(discord, OWNER))


async def test_who_takes_no_messages_keeps_nobody_from_it() -> None:
    """The rest is told before the error is raised."""
    async with FakeDiscord() as discord:
        discord.world.users[ANN].closed = True
        with pytest.raises(PlatformError) as caught:
            await Admins(settings(discord), frozenset({ANN, BEN})).tell(SENTENCE)
        assert caught.value.fault is PlatformFault.FORBIDDEN
        assert (len(discord.answers(ANN_DM)), len(discord.answers(BEN_DM))) == (0, 1)


async def test_a_sentence_is_cut_where_discord_would_refuse_it() -> None:
    """At two thousand characters."""
    async with FakeDiscord() as discord:
        await Admins(settings(discord), frozenset({ANN})).tell("trouble " * 400)
        assert len(discord.answers(ANN_DM)[0].shown) in range(1990, 2001)
