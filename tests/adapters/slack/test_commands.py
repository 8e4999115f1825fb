"""Commands in Slack: slash commands, the shortcut, the pick of a thread; answered in time, to the one person alone."""

from __future__ import annotations

import pytest

from adapters.slack.interactions.responder import RESTARTING
from bot.domain.commands import COMMANDS
from bot.domain.messages import Author, Place
from bot.texts import STORAGE
from tests.loopback.slack import ANN, BEN, BOT, CHANNEL, DM, GROUP, TEAM, FakeSlack
from tests.loopback.slack.app import App, connected
from tests.loopback.slack.rules import RefusalError

MENTION = f"<@{BOT}>"


async def converse(slack: FakeSlack, app: App, *questions: str) -> list[str]:
    """Threads in the channel, one for each question; their keys."""
    keys = []
    for number, question in enumerate(questions, start=len(app.engine.answered) + 1):
        said = await slack.say(CHANNEL, f"{MENTION} {question}")
        await slack.until(lambda count=number: len(app.engine.answered) == count)  # type: ignore[misc]
        keys.append(f"slack:{TEAM}:{CHANNEL}:{said.ts}")
    return keys


async def test_reset_in_a_dm_resets_it() -> None:
    """The answer is for the person alone."""
    async with FakeSlack() as slack, connected(slack) as app:
        sent = slack.slash("/reset", DM)
        await slack.until(lambda: slack.ephemerals)
        assert app.engine.commands == [("reset", Place(f"slack:{TEAM}:{DM}", direct=True), Author(ANN, "ann"))]
        assert (slack.ephemerals[0].user, slack.ephemerals[0].shown) == (ANN, "reset: done")
        await slack.until(sent.acked.is_set)


async def test_reset_in_a_channel_lets_the_person_pick_a_thread() -> None:
    """The newest first, with its own words, so that people recognise it."""
    async with FakeSlack() as slack, connected(slack) as app:
        keys = await converse(slack, app, "first &lt;b&gt; question", "second question " * 20)
        slack.slash("/reset", CHANNEL, user=BEN)
        shown = (await slack.until(lambda: slack.ephemerals))[0]
        assert shown.user == BEN
        assert shown.shown.index("second question") < shown.shown.index("first <b> question")
        assert shown.version.pings == ()
        slack.click(shown, "reset:1")
        done = (await slack.until(lambda: slack.ephemerals[1:]))[0]
        assert (done.shown, done.replaced) == ("reset: done", True)
        place = Place(keys[0], shared=True, home=f"slack:{TEAM}:{CHANNEL}")
        assert app.engine.commands == [("reset", place, Author(BEN, "ben"))]


@pytest.mark.parametrize("channel", [CHANNEL, GROUP])
async def test_where_there_is_no_thread_it_is_said(channel: str) -> None:
    """With what to do instead."""
    async with FakeSlack() as slack, connected(slack) as app:
        slack.slash("/reset", channel)
        shown = (await slack.until(lambda: slack.ephemerals))[0]
        assert "@parley reset" in shown.shown
        assert not app.engine.commands


async def test_slack_delivers_no_command_from_a_thread() -> None:
    """Which is why there are other ways."""
    async with FakeSlack() as slack:
        with pytest.raises(RefusalError, match="not supported in threads"):
            slack.slash("/reset", CHANNEL, thread="1.1")


async def test_the_shortcut_resets_the_thread_of_a_message() -> None:
    """On any message of it, the first one too; all there see that it was done."""
    async with FakeSlack() as slack, connected(slack) as app:
        (key,) = await converse(slack, app, "question")
        for number, said in enumerate(slack.workspace.conversations[CHANNEL].thread(key.rpartition(":")[2]), start=1):
            slack.shortcut(said)
            await slack.until(lambda count=number: len(slack.answers(CHANNEL)) == count + 1)  # type: ignore[misc]
        assert [place.key for _, place, _ in app.engine.commands] == [key, key]
        assert [said.shown for said in slack.answers(CHANNEL)[1:]] == ["reset: done"] * 2
        assert not slack.ephemerals


async def test_the_shortcut_in_a_dm_resets_the_dm_or_its_thread() -> None:
    """As the message stands."""
    async with FakeSlack() as slack, connected(slack) as app:
        flat = await slack.say(DM, "one")
        inner = await slack.say(DM, "two", thread=flat.ts)
        slack.shortcut(flat)
        await slack.until(lambda: len(slack.ephemerals) == 1)
        slack.shortcut(inner)
        await slack.until(lambda: len(slack.ephemerals) == 2)
        assert [place.key for _, place, _ in app.engine.commands] == [
            f"slack:{TEAM}:{DM}",
            f"slack:{TEAM}:{DM}:{flat.ts}",
        ]
        assert all(place.direct for _, place, _ in app.engine.commands)


@pytest.mark.parametrize(
    ("text", "name"),
    [*((name, name) for name in COMMANDS), (" Usage ", "usage"), ("", "help"), ("x", "help"), ("stop it", "help")],
)
async def test_parley_takes_every_command(text: str, name: str) -> None:
    """What it does not know gets the help."""
    async with FakeSlack() as slack, connected(slack) as app:
        slack.slash("/parley", DM, text)
        await slack.until(lambda: slack.ephemerals)
        assert [command for command, _, _ in app.engine.commands] == [name]


async def test_help_needs_no_thread() -> None:
    """In a channel it is shown at once, with a list of what can be said behind `/parley`."""
    async with FakeSlack() as slack, connected(slack) as app:
        await converse(slack, app, "question")
        slack.slash("/parley", CHANNEL, "help")
        first, _, *rest = (await slack.until(lambda: slack.ephemerals))[0].shown.splitlines()
        assert first == "help: done"
        assert len(rest) == len(COMMANDS)
        assert f"- `/parley model [name]`: {COMMANDS['model'].summary}" in rest


async def test_stop_in_a_channel_lets_the_person_pick_too() -> None:
    """Answers are written in threads."""
    async with FakeSlack() as slack, connected(slack) as app:
        (key,) = await converse(slack, app, "question")
        slack.slash("/parley", CHANNEL, "stop")
        slack.click((await slack.until(lambda: slack.ephemerals))[0], "stop:0")
        await slack.until(lambda: len(slack.ephemerals) == 2)
        assert [(name, place.key) for name, place, _ in app.engine.commands] == [("stop", key)]


async def test_admins_are_named_in_the_settings() -> None:
    """The engine is told of them with each command, and of nobody else."""
    async with FakeSlack() as slack, connected(slack, admins=[BEN]) as app:
        (key,) = await converse(slack, app, "question")
        slack.slash("/parley", CHANNEL, "stop", user=BEN)
        slack.click((await slack.until(lambda: slack.ephemerals))[0], "stop:0")
        await slack.until(lambda: len(slack.ephemerals) == 2)
        slack.slash("/reset", DM, user=ANN)
        await slack.until(lambda: len(slack.ephemerals) == 3)
        root = slack.message(key.rpartition(":")[2])
        slack.shortcut(root, user=BEN)
        await slack.until(lambda: len(app.engine.commands) == 3)
        assert [author.id for _, _, author in app.engine.commands] == [BEN, ANN, BEN]
        assert [author.id for author in app.engine.admins] == [BEN, BEN]


async def test_while_stopping_it_is_said() -> None:
    """What is asked for then would be lost."""
    async with FakeSlack() as slack, connected(slack) as app:
        app.host.closing.set()
        slack.slash("/reset", DM)
        assert (await slack.until(lambda: slack.ephemerals))[0].shown == RESTARTING
        assert not app.engine.commands


async def test_the_command_s_name_is_a_setting() -> None:
    """Names of slash commands collide between apps."""
    async with FakeSlack() as slack, connected(slack, reset_command="/parley-reset") as app:
        slack.slash("/parley-reset", DM)
        await slack.until(lambda: slack.ephemerals)
        assert app.engine.commands[0][0] == "reset"


@pytest.mark.parametrize("channel", [DM, CHANNEL])
async def test_a_memory_that_fails_is_told(channel: str) -> None:
    """In one plain sentence, acknowledged all the same."""
    async with FakeSlack() as slack, connected(slack) as app:
        app.engine.memory.broken = True
        sent = slack.slash("/reset", channel)
        assert (await slack.until(lambda: slack.ephemerals))[0].shown == STORAGE
        await slack.until(sent.acked.is_set)
