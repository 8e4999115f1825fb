"""The loopback Discord's commands and buttons, with the real client, and the shape of its events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands

from tests.loopback.discord import ANN_DM, BEN, BOT, BOT_ROLE, TALK, FakeDiscord
from tests.loopback.discord.client import Bot, Caller, online, pointed

SAMPLES = Path(__file__).parents[2] / "samples"
NEEDLESS = {
    ".nonce",
    ".member.user.display_name",
    ".member.user.bot",
    ".message.components.id",
    ".message.components.components.id",
    ".channel.member",
    ".channel.member_ids_preview",
}
"""What a recorded payload has beside: numbers that Discord gives to components, and repetitions."""


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    """A Discord that discord.py is pointed at."""
    async with FakeDiscord() as fake:
        with pointed(fake):
            yield fake


@pytest.fixture
async def bot(fake: FakeDiscord) -> AsyncIterator[Bot]:
    """A client that is ready."""
    async with online(Bot(fake)) as bot:
        yield bot


@pytest.fixture
async def call(fake: FakeDiscord) -> AsyncIterator[Caller]:
    """Somebody to call it by hand."""
    async with aiohttp.ClientSession() as session:
        yield Caller(fake, session)


async def commanding(bot: Bot) -> None:
    """Register a command that the tests give."""

    @bot.tree.command(description="Forget.")
    async def reset(interaction: discord.Interaction, which: str = "this") -> None:
        if which == "later":
            await interaction.response.defer(ephemeral=True, thinking=True)
            await interaction.edit_original_response(content="thought about it")
        elif which != "nothing":
            await interaction.response.send_message(f"forgot {which}", ephemeral=True)
            await interaction.followup.send("and more", ephemeral=True)

    @reset.autocomplete("which")
    async def complete(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{typed}!", value=typed)]

    await bot.tree.sync()


async def test_a_command_is_answered_in_private(fake: FakeDiscord, bot: Bot) -> None:
    """At once, or after the sign that it thinks; nobody else sees it."""
    await commanding(bot)
    at_once = fake.slash("reset", options={"which": "all"})
    await fake.until(lambda: len(at_once.messages) == 2)
    assert at_once.shown == ["forgot all", "and more"]
    assert at_once.private
    later = fake.slash("reset", ANN_DM, options={"which": "later"})
    await fake.until(lambda: later.shown)
    assert later.shown == ["thought about it"]
    assert fake.answers() == fake.answers(ANN_DM) == []
    typed = fake.complete("reset", "which", "a")
    await fake.until(lambda: typed.answered)
    assert typed.choices == [{"name": "a!", "value": "a"}]
    with pytest.raises(AssertionError):
        fake.slash("unknown")


async def test_a_command_of_a_messages_menu_brings_the_message(fake: FakeDiscord, bot: Bot) -> None:
    """And is answered as any other."""

    @bot.tree.context_menu(name="Say again")
    async def again(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(message.content)

    await bot.tree.sync()
    said = fake.say(content="one")
    picked = fake.people.menu("Say again", said.id)
    await fake.until(lambda: picked.answered)
    assert [answer.content for answer in fake.answers()] == picked.shown == ["one"]
    assert not picked.private


async def test_an_interaction_is_acknowledged_once_and_in_time(fake: FakeDiscord, bot: Bot, call: Caller) -> None:
    """A second time is 40060; after three seconds it is unknown; what follows needs an answer first."""
    now = [0.0]
    fake.clock = lambda: now[0]
    await commanding(bot)
    one, late = [fake.slash("reset", options={"which": "nothing"}) for _ in range(2)]
    assert await call.code("POST", f"/webhooks/{BOT}/{one.token}", content="x") == (404, 10015)
    path = f"/interactions/{one.id}/{one.token}/callback"
    assert (await call("POST", path, type=4, data={"content": "x", "flags": 64})).status == 204
    assert await call.code("POST", path, type=4, data={"content": "y"}) == (400, 40060)
    now[0] = 3.1
    path = f"/interactions/{late.id}/{late.token}/callback"
    assert await call.code("POST", path, type=4, data={"content": "x"}) == (404, 10062)
    assert (await call("PATCH", f"/webhooks/{BOT}/{one.token}/messages/@original", content="z")).status == 200
    assert one.shown == ["z"]
    now[0] = 901.0
    assert await call.code("POST", f"/webhooks/{BOT}/{one.token}", content="x") == (401, 50027)


async def test_a_button_is_pressed(fake: FakeDiscord, bot: Bot) -> None:
    """It acknowledges without a word, or changes its message; one that is not shown cannot be pressed."""
    view = discord.ui.View(timeout=None)
    button: discord.ui.Button[discord.ui.View] = discord.ui.Button(label="Stop", custom_id="stop:1")

    async def pressed(interaction: discord.Interaction) -> None:
        if interaction.user.name == "ann":
            await interaction.response.edit_message(content="stopped", view=None)
        else:
            await interaction.response.defer()

    button.callback = pressed  # type: ignore[method-assign]
    view.add_item(button)
    message = str((await bot.at().send("x", view=view)).id)
    assert fake.message(message).buttons == ["stop:1"]
    quiet = fake.click(message, "stop:1", BEN)
    await fake.until(lambda: quiet.answered)
    assert (quiet.shown, fake.shown(message)) == ([], "x")
    loud = fake.click(message)
    await fake.until(lambda: loud.answered)
    assert (fake.shown(message), fake.message(message).buttons) == ("stopped", [])
    with pytest.raises(AssertionError):
        fake.click(message, "stop:1")


def recorded(name: str, key: str) -> dict[str, Any]:
    """A recorded payload."""
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))[key]
    return found.get("data", found) if "timestamp" in found else found


def missing(real: Any, ours: Any, path: str = "") -> list[str]:
    """What a recorded payload has and ours has not; lists are compared by their first elements."""
    if isinstance(real, dict) and isinstance(ours, dict):
        gone = [f"{path}.{key}" for key in real.keys() - ours.keys()]
        return gone + [
            one for key in real.keys() & ours.keys() for one in missing(real[key], ours[key], f"{path}.{key}")
        ]
    if isinstance(real, list) and isinstance(ours, list) and real and ours:
        return missing(real[0], ours[0], path)
    same = type(real) is type(ours) or None in (real, ours)
    return [] if same else [f"{path}: {type(real).__name__} is {type(ours).__name__}"]


async def test_events_have_the_recorded_shape(fake: FakeDiscord, bot: Bot) -> None:
    """Every key that Discord sent, and each of its kind, but for a few that no client needs."""
    await commanding(bot)
    said = fake.say(content=f"<@{BOT}> <@&{BOT_ROLE}>")
    fake.people.open_thread(said.id)
    view = discord.ui.View().add_item(discord.ui.Button(custom_id="a", label="b"))
    message, private = [str((await bot.at(where).send("x", view=view)).id) for where in (TALK, ANN_DM)]
    fake.people.react(message, "👍")
    fake.click(message)
    fake.click(private)
    events = fake.gateway.sessions[0].events
    heard = {event["t"]: event["d"] for event in reversed(events)}
    pressed = [event["d"] for event in events if event["t"] == "INTERACTION_CREATE"]
    for name, key, ours in (
        ("discord-messages", "gatewayMention", heard["MESSAGE_CREATE"]),
        ("discord-messages", "gatewayRoleMention", heard["MESSAGE_CREATE"]),
        ("discord-threads-reactions", "gatewayThreadCreate", heard["THREAD_CREATE"]),
        ("discord-threads-reactions", "gatewayReactionAdd", heard["MESSAGE_REACTION_ADD"]),
        ("discord-interactions", "buttonClickHello", pressed[0]),
        ("discord-interactions", "dmButtonClick", pressed[1]),
    ):
        assert set(missing(recorded(name, key), ours)) <= NEEDLESS
