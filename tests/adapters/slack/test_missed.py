"""What was said while the bot was away is found and answered once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from bot.config.settings import PlaceSettings
from bot.domain.messages import Author, Incoming, Place
from bot.engine import Engine
from bot.runtime.health import Host
from tests.loopback.slack import ANN, BEN, BOT, CHANNEL, DM, ELSEWHERE, GROUP, PRIVATE, TEAM, FakeSlack
from tests.loopback.slack.app import App, Echo, start
from tests.loopback.slack.state import Message, Version

MENTION = f"<@{BOT}>"
LISTING = {"channels:read", "groups:read", "mpim:read"}


@asynccontextmanager
async def away(
    slack: FakeSlack, *known: str, places: Mapping[str, PlaceSettings] | None = None, **changes: Any
) -> AsyncIterator[App]:
    """The adapter, connected after what was said before; its memory has a turn in each of the known places."""
    engine, host = Echo(), Host()
    engine.have_places(places or {})
    for number, key in enumerate(known):
        place = Place(f"slack:{TEAM}:{key}")
        await engine.memory.claim(Incoming(place, Author(ANN, "Ann"), "before", "C", f"{number}.1"))
    slack.courier.deaf = False
    app = App(engine, host, start(slack, cast(Engine, engine), host, **changes))
    try:
        await slack.until(lambda: app.ready or app.task.done())
        yield app
    finally:
        await engine.close()
        await app.stop()
        await host.close()


def texts(app: App) -> list[str]:
    """What was answered, in its order."""
    return [question.text for question in app.engine.answered]


def old(slack: FakeSlack, text: str, seconds: float, channel: str = CHANNEL) -> Message:
    """A message from so long ago."""
    ts = f"{float(slack.clock.ts()) - seconds:.6f}"
    said = Message(ts, channel, ANN, [Version(text)])
    slack.workspace.conversations[channel].messages[ts] = said
    return said


async def looked(slack: FakeSlack, app: App) -> None:
    """Wait until everything that can be read was read: the last channel of the list comes last."""
    await slack.until(lambda: any(call["channel"] == GROUP for call in slack.called("conversations.history")))
    await slack.until(lambda: all(question in app.engine.answered for question in app.engine.received))


async def test_mentions_and_direct_messages_are_found_at_the_start() -> None:
    """In every channel that the bot is in, and in known direct messages; what is for others is not touched."""
    async with FakeSlack() as slack:
        slack.courier.deaf = True
        mention = await slack.say(CHANNEL, f"{MENTION} one")
        await slack.say(CHANNEL, "among us", user=BEN)
        await slack.say(PRIVATE, f"{MENTION} two")
        await slack.say(GROUP, f"{MENTION} three")
        await slack.say(ELSEWHERE, f"{MENTION} unseen")
        direct = await slack.say(DM, "four")
        async with away(slack, DM) as app:
            await slack.until(lambda: len(app.engine.answered) == 4)
            assert sorted(texts(app)) == ["four", "one", "three", "two"]
            assert slack.answers()[0].thread == mention.ts
            assert [answer.shown for answer in slack.answers(DM)] == ["echo: four"]
            assert app.engine.answered[0].message_id == direct.ts, "the known places go first"


async def test_colleagues_of_another_workspace_are_no_strangers() -> None:
    """The list of channels says whether one is shared with other organisations, as the event does."""
    for shared in (False, True):
        async with FakeSlack() as slack:
            slack.workspace.conversations[CHANNEL].shared = shared
            old(slack, f"<@{BOT}> hello", 30).extra["user_team"] = "T0ELSE"
            async with away(slack, CHANNEL) as app:
                await slack.until(lambda app=app: app.engine.answered)  # type: ignore[misc]
                assert app.engine.answered[0].external is shared
                assert app.engine.answered[0].late


async def test_nobody_is_a_stranger_in_their_direct_messages() -> None:
    """No list says whether those are shared."""
    async with FakeSlack() as slack:
        old(slack, "hello", 30, DM).extra["user_team"] = "T0ELSE"
        async with away(slack, DM) as app:
            await slack.until(lambda: app.engine.answered)
            assert not app.engine.answered[0].external


async def test_what_was_said_in_threads_is_found() -> None:
    """In a known one that began long ago, and in one that began meanwhile; quiet and strangers' threads stay so."""
    async with FakeSlack() as slack:
        slack.courier.deaf = True
        root = old(slack, f"{MENTION} long ago", 5000)
        await slack.say(CHANNEL, "and now?", thread=root.ts)
        fresh = await slack.say(CHANNEL, "a talk among people")
        await slack.say(CHANNEL, "among us", thread=fresh.ts)
        await slack.say(CHANNEL, f"{MENTION} what do you think?", thread=fresh.ts, user=BEN)
        async with away(slack, f"{CHANNEL}:{root.ts}") as app:
            await slack.until(lambda: len(app.engine.answered) == 2)
            await looked(slack, app)
            assert sorted(texts(app)) == ["and now?", "what do you think?"]
            assert {answer.thread for answer in slack.answers()} == {root.ts, fresh.ts}


async def test_what_nobody_answered_in_a_listening_channel_is_found() -> None:
    """Though it was never asked there and no list of channels is to be had; not what was for others."""
    async with FakeSlack() as slack:
        slack.workspace.scopes -= LISTING
        slack.courier.deaf = True
        said = await slack.say(CHANNEL, "one")
        await slack.say(CHANNEL, "and two?", thread=said.ts, user=BEN)
        await slack.say(CHANNEL, f"<@{BEN}> among us")
        listening = {f"slack:{TEAM}:{CHANNEL}": PlaceSettings(answer="all")}
        async with away(slack, DM, places=listening) as app:
            await slack.until(lambda: len(app.engine.answered) == 2)
            assert texts(app) == ["one", "and two?"]
            assert all(question.late and question.follows for question in app.engine.answered)


async def test_conversations_of_one_person_are_no_threads() -> None:
    """Their channel and their thread are looked through, nothing is asked about a person."""
    async with FakeSlack() as slack:
        slack.workspace.scopes -= LISTING
        slack.courier.deaf = True
        root = old(slack, f"{MENTION} long ago", 5000)
        await slack.say(CHANNEL, f"{MENTION} one", thread=root.ts)
        await slack.say(CHANNEL, f"{MENTION} two")
        async with away(slack, f"{CHANNEL}:{ANN}", f"{CHANNEL}:{root.ts}:{ANN}", f"{CHANNEL}:{root.ts}:{BEN}") as app:
            await slack.until(lambda: len(app.engine.answered) == 2)
            assert sorted(texts(app)) == ["one", "two"]
            assert [call["ts"] for call in slack.called("conversations.replies")] == [root.ts]


async def test_what_arrives_by_an_event_as_well_is_answered_once() -> None:
    """Slack delivers again what was not acknowledged."""
    async with FakeSlack() as slack:
        await slack.say(CHANNEL, f"{MENTION} one")
        async with away(slack, CHANNEL) as app:
            await slack.until(lambda: len(app.engine.received) == 3)
            await looked(slack, app)
            assert [answer.shown for answer in slack.answers()] == ["echo: one"]


async def test_only_the_time_of_the_setting_is_looked_through() -> None:
    """What is older is left alone."""
    async with FakeSlack() as slack:
        old(slack, f"{MENTION} too old", 130)
        old(slack, f"{MENTION} in time", 60)
        async with away(slack, CHANNEL, catch_up=120) as app:
            await looked(slack, app)
            assert texts(app) == ["in time"]


async def test_behind_http_it_looks_at_the_start() -> None:
    """There is no connection that could be lost."""
    async with FakeSlack() as slack:
        slack.courier.deaf = True
        await slack.say(CHANNEL, f"{MENTION} one")
        async with away(slack, CHANNEL, app_token="", signing_secret=slack.signing_secret) as app:
            await slack.until(lambda: app.engine.answered)
            assert texts(app) == ["one"]


async def test_zero_looks_for_nothing() -> None:
    """No call is made for it."""
    async with FakeSlack() as slack:
        slack.courier.deaf = True
        await slack.say(CHANNEL, f"{MENTION} one")
        async with away(slack, CHANNEL, catch_up=0) as app:
            await slack.say(DM, "hello")
            await slack.until(lambda: app.engine.answered)
            assert texts(app) == ["hello"]
            assert not slack.called("conversations.history")


async def test_an_empty_memory_has_missed_nothing() -> None:
    """A bot that was just made, or has known another platform alone, answers nothing from before."""
    async with FakeSlack() as slack:
        slack.courier.deaf = True
        await slack.say(CHANNEL, f"{MENTION} one")
        async with away(slack) as app:
            await slack.say(DM, "hello")
            await slack.until(lambda: app.engine.answered)
            assert texts(app) == ["hello"]
            assert not slack.called("conversations.history")


async def test_without_the_scope_only_known_channels_are_read() -> None:
    """The list of channels is not asked for then."""
    async with FakeSlack() as slack:
        slack.workspace.scopes -= LISTING
        slack.courier.deaf = True
        await slack.say(PRIVATE, f"{MENTION} unknown")
        await slack.say(CHANNEL, f"{MENTION} known")
        async with away(slack, f"{CHANNEL}:1.1") as app:
            await slack.until(lambda: app.engine.answered and slack.called("conversations.replies"))
            assert texts(app) == ["known"]
            assert not slack.called("users.conversations")
            assert {call["channel"] for call in slack.called("conversations.history")} == {CHANNEL}


async def test_channels_that_may_not_be_read_are_passed_over() -> None:
    """The others are read all the same."""
    async with FakeSlack() as slack:
        slack.workspace.scopes -= {"channels:history"}
        slack.courier.deaf = True
        await slack.say(GROUP, f"{MENTION} three")
        async with away(slack, CHANNEL) as app:
            await slack.until(lambda: app.engine.answered)
            assert ("conversations.history", "missing_scope") in slack.refusals


async def test_a_refusal_for_the_rate_is_waited_for() -> None:
    """And what is answered meanwhile does not wait for it."""
    async with FakeSlack() as slack:
        slack.courier.deaf = True
        await slack.say(CHANNEL, f"{MENTION} one")
        slack.fail("conversations.history", status=429, retry_after=2)
        async with away(slack, CHANNEL) as app:
            await slack.until(lambda: slack.called("conversations.history"))
            await slack.say(DM, "hello")
            await slack.until(lambda: len(app.engine.answered) == 2)
            assert texts(app) == ["hello", "one"]


async def test_long_lists_are_read_page_by_page() -> None:
    """The oldest message goes first."""
    async with FakeSlack() as slack:
        slack.api.longest, slack.limits.generous = 2, True
        slack.courier.deaf = True
        for number in range(5):
            await slack.say(CHANNEL, f"{MENTION} {number}")
        async with away(slack, CHANNEL) as app:
            await slack.until(lambda: len(app.engine.answered) == 5)
            assert [question.text for question in app.engine.received] == ["0", "1", "2", "3", "4"]


async def test_a_thread_that_rested_is_not_read_again() -> None:
    """On a new connection only what was said since the last one is looked through, and a thread that has more."""
    async with FakeSlack() as slack:
        root = await slack.say(CHANNEL, "a talk among people")
        await slack.say(CHANNEL, "among us", thread=root.ts)
        async with away(slack, CHANNEL) as app:
            await looked(slack, app)
            assert [call["ts"] for call in slack.called("conversations.replies")] == [root.ts]
            slack.courier.deaf = True
            await slack.say(GROUP, f"{MENTION} meanwhile")
            slack.courier.deaf = False
            await slack.courier.disconnect()
            await slack.until(lambda: "meanwhile" in texts(app), 15)
            first, second = (call for call in slack.called("conversations.history") if call["channel"] == CHANNEL)
            assert root.ts > second["oldest"] > first["oldest"]
            assert len(slack.called("conversations.replies")) == 1


async def test_an_entry_of_no_shape_keeps_nothing_else_from_being_found() -> None:
    """What is no message is left out; one that breaks the intake is skipped with its kind."""
    async with FakeSlack() as slack:
        slack.courier.deaf = True
        await slack.say(CHANNEL, f"{MENTION} one")
        whole = slack.api.methods["conversations.history"]

        def spoiled(args: Any) -> dict[str, Any]:
            answer = whole(args)
            odd: list[Any] = [
                None,
                [],
                "x",
                {},
                {"ts": 5},
                {"ts": "1.1", "user": [], "files": [5]},
                {"ts": "1.2", "blocks": 7},
            ]
            return {**answer, "messages": [*odd, *answer["messages"]]}

        slack.api.methods["conversations.history"] = spoiled
        async with away(slack, CHANNEL) as app:
            await slack.until(lambda: app.engine.answered)
            assert [question.text for question in app.engine.answered] == ["one"]


async def test_a_memory_that_fails_does_not_end_the_looking() -> None:
    """The next connection looks again."""
    async with FakeSlack() as slack:
        slack.courier.deaf = True
        await slack.say(CHANNEL, f"{MENTION} one")
        engine, host = Echo(), Host()
        engine.memory.broken = True
        engine.memory.known[f"slack:{TEAM}:{CHANNEL}"] = "before"
        slack.courier.deaf = False
        app = App(engine, host, start(slack, cast(Engine, engine), host))
        await slack.until(lambda: app.ready)
        engine.memory.broken = False
        await slack.courier.disconnect()
        await slack.until(lambda: engine.answered, 15)
        await engine.close()
        await app.stop()
        await host.close()


async def test_a_question_in_rich_text_alone_is_found() -> None:
    """Its mention stands there too."""
    elements = [{"type": "user", "user_id": BOT}, {"type": "text", "text": " what is this?"}]
    async with FakeSlack() as slack:
        slack.courier.deaf = True
        said = await slack.say(CHANNEL)
        inner = {"type": "rich_text_section", "elements": elements}
        said.extra["blocks"] = [{"type": "rich_text", "elements": [inner]}]
        async with away(slack, DM) as app:
            await slack.until(lambda: app.engine.answered)
            assert texts(app) == ["what is this?"]
