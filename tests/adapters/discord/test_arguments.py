"""Commands with an argument on Discord: who may set what holds in a place, who sees it, what is suggested."""

from __future__ import annotations

import pytest

from tests.loopback.discord import ANN, ANN_DM, BEN, OWNER, FakeDiscord
from tests.loopback.discord.interactions import CHOICES, DEFERRED
from tests.loopback.discord.world import ADMINISTRATOR, GUILD, HELPERS, MANAGE_CHANNELS, MANAGE_GUILD
from tests.support.discord_app import connected

MANAGE_MESSAGES = 1 << 13
NEW = {"model": {"name": "openai/other"}, "persona": {"text": "You are Nora."}}
"""An argument for each command that takes one."""


@pytest.mark.parametrize("name", list(NEW))
@pytest.mark.parametrize(
    ("rights", "admin"),
    [
        (0, False),
        (MANAGE_MESSAGES, False),
        (MANAGE_CHANNELS, True),
        (MANAGE_GUILD, True),
        (ADMINISTRATOR, True),
    ],
)
async def test_who_manages_the_channel_or_the_server_may_set_what_holds_there(
    name: str, rights: int, admin: bool
) -> None:
    """By the permissions that come with the command. What changed is seen by all, a refusal by the person alone."""
    async with FakeDiscord() as discord, connected(discord) as app:
        discord.world.guilds[GUILD].roles[HELPERS].permissions = rights
        discord.world.guilds[GUILD].members[ANN].roles.append(HELPERS)
        one = discord.slash(name, options=NEW[name])
        await discord.until(lambda: one.shown)
        assert app.engine.commands[0][3] is admin
        assert app.engine.arguments == list(NEW[name].values())
        assert one.private is not admin
        assert (one.callback, one.shown) == (DEFERRED, [f"{name}: done"])


@pytest.mark.parametrize("user", [BEN, OWNER])
async def test_admins_of_the_bot_may_set_it_everywhere(user: str) -> None:
    """Also without any right in the server."""
    async with FakeDiscord() as discord, connected(discord, admins=(BEN,)) as app:
        discord.world.guilds[GUILD].owner = ANN
        one = discord.slash("model", user=user, options=NEW["model"])
        await discord.until(lambda: one.shown)
        assert app.engine.commands[0][3] is True
        assert not one.private


async def test_everybody_sets_their_own_direct_messages() -> None:
    """Nobody else is there."""
    async with FakeDiscord() as discord, connected(discord) as app:
        one = discord.slash("persona", ANN_DM, options=NEW["persona"])
        await discord.until(lambda: one.shown)
        assert app.engine.commands[0][3] is True


async def test_to_ask_what_is_set_shows_it_to_the_person_alone() -> None:
    """Admins too; a right over the channel is none over other people's answers."""
    async with FakeDiscord() as discord, connected(discord) as app:
        discord.world.guilds[GUILD].owner = ANN
        for name in ("model", "persona", "usage", "stop"):
            one = discord.slash(name)
            await discord.until(lambda one=one: one.shown)  # type: ignore[misc]
            assert one.private
        assert [admin for *_, admin in app.engine.commands] == [True, True, False, False]


async def test_what_is_said_of_a_persona_notifies_nobody() -> None:
    """Though all see it, and its text may name everybody; what is too long for a message goes on in further ones."""
    async with FakeDiscord() as discord, connected(discord, admins=(ANN,)) as app:
        app.engine.said = f"I am told: @everyone and <@{BEN}> {'are friends. ' * 300}"
        for user, private in ((ANN, False), (BEN, True)):
            one = discord.slash("persona", user=user, options=NEW["persona"])
            await discord.until(lambda one=one: len(one.shown) == 2)  # type: ignore[misc]
            assert " ".join(one.shown).split() == app.engine.said.split()
            assert [bool(said.viewer) for said in one.messages] == [private, private]
        assert not discord.world.notifications


async def test_the_names_of_models_are_suggested_while_they_are_typed() -> None:
    """At once, best first; what Discord takes neither in number nor in length is left out."""
    async with FakeDiscord() as discord, connected(discord) as app:
        names = [f"openai/model-{number}" for number in range(30)]
        app.engine.suggestions = ["openai/" + "x" * 94, *names]
        app.engine.gate.clear()
        one = discord.complete("model", "name", " openai ")
        await discord.until(lambda: one.answered)
        assert app.engine.typed == [("model", "openai")]
        assert (one.callback, one.choices) == (CHOICES, [{"name": name, "value": name} for name in names[:25]])
        assert not discord.refusals
        app.engine.suggestions = []
        none = discord.complete("model", "name", "")
        await discord.until(lambda: none.answered)
        assert (app.engine.typed[1], none.choices) == (("model", ""), [])


async def test_suggestions_that_come_too_late_break_nothing() -> None:
    """The next ones are shown."""
    async with FakeDiscord() as discord, connected(discord) as app:
        app.engine.suggestions = ["a"]
        discord.fail("callback", status=404, body={"code": 10062, "message": "Unknown interaction"})
        discord.complete("model", "name", "a")
        await discord.until(lambda: app.engine.typed)
        two = discord.complete("model", "name", "a")
        await discord.until(lambda: two.choices)
