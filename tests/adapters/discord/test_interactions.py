"""Slash commands and buttons on Discord: heard at once, answered to the one person alone unless it concerns all."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from adapters.discord.interactions.registration import payload
from bot.domain.commands import COMMANDS, PUBLIC
from bot.domain.messages import Author, Control, Place
from bot.texts import STORAGE
from tests.loopback.discord import ANN, ANN_DM, BEN, BOT, GENERAL, OWNER, TALK, FakeDiscord
from tests.loopback.discord.state import Message
from tests.support.discord_app import App, connected

MENTION = f"<@{BOT}>"
DEFERRED, DEFERRED_UPDATE = 5, 6


async def answer(discord: FakeDiscord, app: App) -> Message:
    """An answer with a button under it."""
    discord.say(GENERAL, f"{MENTION} hello")
    await discord.until(lambda: app.engine.answered)
    return discord.answers()[0]


async def test_the_commands_are_registered() -> None:
    """With one line on what each does, in servers and direct messages, before the gateway is opened."""
    async with FakeDiscord() as discord, connected(discord):
        known = discord.world.app.commands[""]
        assert {(command["name"], command["description"]) for command in known} == {
            (command.name, command.summary) for command in COMMANDS.values()
        }
        assert all((command["contexts"], command["integration_types"]) == ([0, 1], [0]) for command in known)
        options = {command["name"]: command["options"] for command in known if command["options"]}
        assert {
            name: [{key: value for key, value in one.items() if value} for one in options[name]] for name in options
        } == {
            "model": [
                {
                    "type": 3,
                    "name": "name",
                    "description": COMMANDS["model"].description,
                    "max_length": 4000,
                    "autocomplete": True,
                }
            ],
            "persona": [
                {"type": 3, "name": "text", "description": COMMANDS["persona"].description, "max_length": 4000}
            ],
            "listen": [
                {
                    "type": 3,
                    "name": "state",
                    "description": COMMANDS["listen"].description,
                    "choices": [{"name": one, "name_localizations": None, "value": one} for one in ("on", "off")],
                }
            ],
            "block": [{"type": 3, "name": "user", "description": COMMANDS["block"].description, "max_length": 4000}],
            "unblock": [{"type": 3, "name": "user", "description": COMMANDS["block"].description, "max_length": 4000}],
        }


async def test_the_commands_are_registered_once() -> None:
    """At the next start they are there already; another set is replaced."""
    async with FakeDiscord() as discord:
        for _ in range(2):
            async with connected(discord):
                assert len(discord.called("commands")) == 1
        first, *others = payload()
        model = next(command for command in others if command["name"] == "model")
        wordy = {**model, "options": [{**model["options"][0], "description": "another"}]}
        silent = {**model, "options": [{**model["options"][0], "autocomplete": False}]}
        for other in (
            [],
            [*payload(), {"name": "old", "description": "gone"}],
            [{**first, "description": "x"}, *others],
            [first, *({**command, "options": []} for command in others)],
            [{**first, "options": model["options"]}, *others],
            [first, *(wordy if command is model else command for command in others)],
            [first, *(silent if command is model else command for command in others)],
        ):
            count = len(discord.called("commands"))
            discord.world.app.commands[""] = [*other]
            async with connected(discord):
                assert len(discord.called("commands")) == count + 1
                assert len(discord.world.app.commands[""]) == len(COMMANDS)


async def test_without_its_commands_the_bot_answers_all_the_same() -> None:
    """A failure to register them is for the log."""
    async with FakeDiscord() as discord:
        discord.fail("commands.get", status=500)
        discord.fail("commands", status=403, body={"code": 50001, "message": "Missing Access"})
        async with connected(discord) as app:
            assert await answer(discord, app)


@pytest.mark.parametrize("name", list(COMMANDS))
@pytest.mark.parametrize("where", [GENERAL, TALK, ANN_DM])
async def test_a_slash_command_is_answered_to_the_person_alone(name: str, where: str) -> None:
    """It means the place where it was given, and knows which channel a thread is in."""
    async with FakeDiscord() as discord, connected(discord) as app:
        one = discord.slash(name, where)
        await discord.until(lambda: one.shown)
        assert (one.callback, one.shown, one.private) == (
            DEFERRED,
            [f"{name}: done"],
            name != "reset" or where == ANN_DM,
        )
        direct = where == ANN_DM
        home = f"discord:{GENERAL}" if where == TALK else ""
        place = Place(f"discord:{where}", shared=not direct, direct=direct, home=home)
        assert app.engine.commands == [(name, place, Author(ANN, "Ann"), direct and name in PUBLIC)]
        assert app.engine.arguments == [""]


async def test_a_slow_command_is_acknowledged_first() -> None:
    """Discord waits three seconds, a place that is busy takes longer."""
    async with FakeDiscord() as discord, connected(discord) as app:
        app.engine.gate.clear()
        one = discord.slash("reset")
        await discord.until(lambda: one.answered and app.engine.commands)
        assert not one.shown
        app.engine.gate.set()
        await discord.until(lambda: one.shown)


@pytest.mark.parametrize(("user", "admin"), [(ANN, False), (BEN, True), (OWNER, True)])
async def test_admins_are_named_by_the_settings_and_the_application(user: str, admin: bool) -> None:
    """Its owner always is one."""
    async with FakeDiscord() as discord, connected(discord, admins=(BEN,)) as app:
        mine = await answer(discord, app)
        one, two = discord.slash("stop", user=user), discord.click(mine.id, user=user)
        await discord.until(lambda: one.shown and two.answered and app.engine.presses)
        assert app.engine.commands[0][3] is app.engine.presses[0][3] is admin


async def test_a_press_is_acknowledged_and_told_to_the_engine() -> None:
    """With the turn that the button carries; where there is nothing to say nothing is said."""
    async with FakeDiscord() as discord, connected(discord) as app:
        one = discord.click((await answer(discord, app)).id)
        await discord.until(lambda: one.answered and app.engine.presses)
        assert app.engine.presses == [(Control.AGAIN, 1, Author(ANN, "Ann"), False)]
        two = discord.people.stale_click(discord.answers()[0].id, "parley:stop:1", BEN)
        await discord.until(lambda: two.answered and len(app.engine.presses) == 2)
        assert app.engine.presses[1] == (Control.STOP, 1, Author(BEN, "Ben"), False)
        assert (one.callback, one.messages, two.messages) == (DEFERRED_UPDATE, [], [])


async def test_what_a_press_comes_to_is_told_to_the_person_alone() -> None:
    """Beside the answer, which stays."""
    async with FakeDiscord() as discord, connected(discord) as app:
        app.engine.said = "Only the person who asked can do that."
        mine = await answer(discord, app)
        one = discord.click(mine.id, user=BEN)
        await discord.until(lambda: one.shown)
        assert (one.shown, one.private) == ([app.engine.said], True)
        assert mine.shown == "echo: hello"


async def test_a_press_is_heard_before_anything_is_done() -> None:
    """However long that takes."""
    async with FakeDiscord() as discord, connected(discord) as app:
        mine = await answer(discord, app)
        app.engine.gate.clear()
        one = discord.click(mine.id)
        await discord.until(lambda: one.answered)
        app.engine.gate.set()


async def test_buttons_of_others_are_left_alone() -> None:
    """Acknowledged, and nothing else."""
    async with FakeDiscord() as discord, connected(discord) as app:
        mine = await answer(discord, app)
        for foreign in ("other:1", "parley:again:0", "parley:dance:1", "parley:stop:1:2"):
            one = discord.people.stale_click(mine.id, foreign)
            await discord.until(lambda press=one: press.answered)  # type: ignore[misc]
        last = discord.click(mine.id)
        await discord.until(lambda: last.answered and app.engine.presses)
        assert len(app.engine.presses) == 1


async def test_a_memory_that_fails_is_told() -> None:
    """In a sentence."""
    async with FakeDiscord() as discord, connected(discord) as app:
        app.engine.memory.broken = True
        one = discord.slash("reset")
        await discord.until(lambda: one.shown)
        assert one.shown == [STORAGE]


@pytest.mark.parametrize("route", ["callback", "answer.edit"])
async def test_an_answer_that_cannot_be_shown_breaks_nothing(route: str) -> None:
    """The command is done, the log has Discord's code, and the next command is answered."""
    async with FakeDiscord() as discord, connected(discord) as app:
        discord.fail(route, status=404, body={"code": 10062, "message": "Unknown interaction"})
        with capture_logs() as log:
            discord.slash("reset")
            await discord.until(lambda: app.engine.commands)
            two = discord.slash("help")
            await discord.until(lambda: two.shown)
        assert "NotFound 10062" in [line.get("error") for line in log]
        assert [name for name, *_ in app.engine.commands] == ["reset", "help"]


async def test_while_the_program_stops_nothing_is_begun() -> None:
    """And the person is told."""
    async with FakeDiscord() as discord, connected(discord) as app:
        mine = await answer(discord, app)
        app.host.closing.set()
        one, two = discord.slash("reset"), discord.click(mine.id)
        await discord.until(lambda: one.shown and two.shown)
        assert "restarted" in one.shown[0]
        assert "restarted" in two.shown[0]
        assert not app.engine.commands
        assert not app.engine.presses


async def test_many_at_once_are_each_heard_in_time() -> None:
    """Nothing waits for another."""
    async with FakeDiscord() as discord, connected(discord) as app:
        app.engine.gate.clear()
        many = [discord.slash("reset") for _ in range(20)]
        await discord.until(lambda: all(one.answered for one in many))
        app.engine.gate.set()
        await discord.until(lambda: all(one.shown for one in many))
        await asyncio.sleep(0)
        assert not discord.refusals
