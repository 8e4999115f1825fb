"""Channels of Slack where everything is answered, answers in the channel itself, conversations of one person each."""

from __future__ import annotations

from adapters.slack.api.ranks import UNSURE
from adapters.slack.listener import HUSHED
from bot.config.settings import PlaceSettings
from tests.adapters.slack.test_threads import settle
from tests.loopback.slack import ANN, BEN, BOT, CHANNEL, GROUP, PRIVATE, TEAM, FakeSlack
from tests.loopback.slack.app import App, connected

MENTION = f"<@{BOT}>"
KEY = f"slack:{TEAM}:{CHANNEL}"
LISTENING = {KEY: PlaceSettings(answer="all")}
OWN = {KEY: PlaceSettings(memory="person")}


async def answered(slack: FakeSlack, app: App, count: int) -> None:
    """Wait until so many questions are answered."""
    await slack.until(lambda: len(app.engine.answered) == count)


async def test_a_listening_channel_can_be_told_to_be_quiet() -> None:
    """A thread by itself; where answers stand in the channel, the channel: until the next mention."""
    for reply_in, quiet in (("thread", {"one", "two"}), ("channel", {"one"})):
        async with FakeSlack() as slack, connected(slack, reply_in=reply_in) as app:
            app.engine.have_places(LISTENING)
            one = await slack.say(CHANNEL, "one")
            await answered(slack, app, 1)
            thread = one.ts if reply_in == "thread" else ""
            await slack.say(CHANNEL, f"{MENTION} quiet", thread=thread)
            await slack.until(lambda slack=slack: slack.answers()[-1].shown == HUSHED)  # type: ignore[misc]
            await slack.say(CHANNEL, "among us", thread=thread)
            await slack.say(CHANNEL, "two")
            assert await settle(slack, app) == quiet
            await slack.say(CHANNEL, f"{MENTION} again", thread=thread)
            await slack.until(lambda app=app: any(one.text == "again" for one in app.engine.answered))  # type: ignore[misc]
            await slack.say(CHANNEL, "and on", thread=thread)
            assert await settle(slack, app) == {*quiet, "again", "and on"}


async def test_what_is_not_said_to_the_bot_is_known_as_that() -> None:
    """So that whoever may not ask is told nothing for it."""
    async with FakeSlack() as slack, connected(slack) as app:
        app.engine.have_places(LISTENING)
        await slack.say(CHANNEL, "one")
        await slack.say(CHANNEL, f"{MENTION} two")
        await answered(slack, app, 2)
        assert {one.text: one.follows for one in app.engine.received} == {"one": True, "two": False}


async def test_answers_can_stand_in_the_channel() -> None:
    """All there is one conversation; a thread is one of its own, also below a question or an answer of the channel."""
    async with FakeSlack() as slack, connected(slack, reply_in="channel") as app:
        one = await slack.say(CHANNEL, f"{MENTION} one")
        await answered(slack, app, 1)
        assert [said.thread for said in slack.answers()] == [""]
        await slack.say(CHANNEL, "among us")
        await slack.say(CHANNEL, "below a question", user=BEN, thread=one.ts)
        await answered(slack, app, 2)
        await slack.say(CHANNEL, "below an answer", thread=slack.answers()[0].ts)
        await answered(slack, app, 3)
        places = [question.place.key for question in app.engine.answered]
        assert places == [KEY, f"{KEY}:{one.ts}", f"{KEY}:{slack.answers()[0].ts}"]
        assert [said.thread for said in slack.answers()] == ["", one.ts, slack.answers()[0].ts]
        other = await slack.say(CHANNEL, "just us")
        await slack.say(CHANNEL, "yes", user=BEN, thread=other.ts)
        assert await settle(slack, app) == {"one", "below a question", "below an answer"}


async def test_a_reset_means_the_channel_where_answers_stand_there() -> None:
    """By command at once, and by the shortcut on what was said there; all see it."""
    async with FakeSlack() as slack, connected(slack, reply_in="channel") as app:
        said = await slack.say(CHANNEL, f"{MENTION} one")
        await answered(slack, app, 1)
        slack.slash("/reset", CHANNEL)
        await slack.until(lambda: len(slack.answers()) == 2)
        slack.shortcut(said)
        await slack.until(lambda: len(slack.answers()) == 3)
        assert [place.key for _, place, _ in app.engine.commands] == [KEY, KEY]
        assert not slack.ephemerals


async def test_an_edit_of_a_question_that_is_answered_in_the_channel_is_taken_in() -> None:
    """As it is known by its message, not by a thread."""
    async with FakeSlack() as slack, connected(slack, reply_in="channel") as app:
        said = await slack.say(CHANNEL, f"{MENTION} one")
        other = await slack.say(CHANNEL, "among us")
        await answered(slack, app, 1)
        slack.edit(other, "between us")
        slack.edit(said, f"{MENTION} two")
        await slack.until(lambda: app.engine.amended)
        assert [question.text for question in app.engine.amended] == ["two"]


async def test_each_person_picks_among_their_own_conversations() -> None:
    """What others asked in theirs is not shown; what is done to one's own is nobody else's business."""
    async with FakeSlack() as slack, connected(slack) as app:
        app.engine.have_places(OWN)
        said = await slack.say(CHANNEL, f"{MENTION} of Ann")
        await slack.say(CHANNEL, f"{MENTION} of Ben", user=BEN)
        await answered(slack, app, 2)
        slack.slash("/reset", CHANNEL, user=ANN)
        (shown,) = await slack.until(lambda: slack.ephemerals)
        assert "of Ann" in shown.shown
        assert "of Ben" not in shown.shown
        slack.click(shown, "reset:0")
        await slack.until(lambda: slack.ephemerals[1:])
        slack.shortcut(said, user=BEN)
        await slack.until(lambda: slack.ephemerals[2:])
        assert [(place.key, place.person) for _, place, _ in app.engine.commands] == [
            (f"{KEY}:{said.ts}:{ANN}", ANN),
            (f"{KEY}:{said.ts}:{BEN}", BEN),
        ]
        assert [one.shown for one in slack.ephemerals[1:]] == ["reset: done"] * 2
        assert len(slack.answers()) == 2


async def test_a_follow_up_in_a_thread_needs_one_who_asked_there() -> None:
    """Whoever it was: the bot takes part, and each goes on in a conversation of their own."""
    async with FakeSlack() as slack, connected(slack) as app:
        app.engine.have_places(OWN)
        root = await slack.say(CHANNEL, f"{MENTION} one")
        await answered(slack, app, 1)
        await slack.say(CHANNEL, "two", user=BEN, thread=root.ts)
        await answered(slack, app, 2)
        assert [question.place.key for question in app.engine.answered] == [
            f"{KEY}:{root.ts}:{ANN}",
            f"{KEY}:{root.ts}:{BEN}",
        ]
        assert [said.thread for said in slack.answers()] == [root.ts] * 2


async def test_who_switches_listening_by_a_message_has_to_run_the_workspace() -> None:
    """As for the command; where Slack does not say who does, that is told, once in spite of the twins."""
    async with FakeSlack() as slack, connected(slack) as app:
        slack.workspace.ranks[ANN] = {"is_owner": True}
        await slack.say(CHANNEL, f"{MENTION} listen on", user=ANN)
        await slack.say(CHANNEL, f"{MENTION} listen on", user=BEN)
        await answered(slack, app, 2)
        assert [(one.author.id, one.command, one.manages) for one in app.engine.answered] == [
            (ANN, "listen on", True),
            (BEN, "listen on", False),
        ]
        slack.fail("users.info", times=2, status=503)
        await slack.say(CHANNEL, f"{MENTION} listen off", user=ANN)
        await slack.until(lambda: len(slack.answers()) == 3)
        assert slack.answers()[-1].shown == UNSURE
        assert await settle(slack, app) == {"listen on"}


async def test_what_the_app_lacks_to_read_everything_is_known() -> None:
    """Each scope by its name; nothing where all are there."""
    for lacking in ({"channels:history"}, {"channels:history", "groups:history"}, set[str]()):
        async with FakeSlack() as slack:
            slack.workspace.scopes -= lacking
            async with connected(slack) as app:
                hindrance = app.engine.listening.hindrances.get("slack", "")
                assert {scope for scope in ("channels:history", "groups:history") if scope in hindrance} == lacking


async def test_another_channel_is_not_listened_to() -> None:
    """Nor a group message beside it."""
    async with FakeSlack() as slack, connected(slack) as app:
        app.engine.have_places(LISTENING)
        await slack.say(PRIVATE, "among us")
        await slack.say(GROUP, "among us")
        await slack.say(CHANNEL, "one")
        await answered(slack, app, 1)
        await settle(slack, app)
        assert {one.text for one in app.engine.received} == {"one", "the last one"}
