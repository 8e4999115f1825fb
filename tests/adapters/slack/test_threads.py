"""Follow-ups in threads, and the word that ends them: quiet."""

from __future__ import annotations

from adapters.slack.listener import HUSHED
from tests.loopback.slack import ANN, BEN, BOT, CHANNEL, DM, FakeSlack
from tests.loopback.slack.app import App, connected
from tests.loopback.slack.state import Message

MENTION = f"<@{BOT}>"


async def begin(slack: FakeSlack, app: App) -> Message:
    """A thread that the bot takes part in."""
    root = await slack.say(CHANNEL, f"{MENTION} hello")
    await slack.until(lambda: len(app.engine.answered) == 1)
    return root


async def settle(slack: FakeSlack, app: App) -> set[str]:
    """Wait until the app has dealt with everything that was sent; gives what reached the engine in the channel."""
    last = await slack.say(DM, "the last one")
    await slack.until(lambda: any(question.message_id == last.ts for question in app.engine.answered))
    return {question.text for question in app.engine.received if question.channel_id == CHANNEL}


async def test_a_follow_up_needs_no_mention() -> None:
    """It is answered in the same thread, as the same conversation."""
    async with FakeSlack() as slack, connected(slack) as app:
        root = await begin(slack, app)
        await slack.say(CHANNEL, "and now?", user=BEN, thread=root.ts)
        await slack.until(lambda: len(app.engine.answered) == 2)
        assert [answer.shown for answer in slack.answers(CHANNEL, root.ts)] == ["echo: hello", "echo: and now?"]
        assert len({question.place for question in app.engine.answered}) == 1


async def test_the_setting_switches_follow_ups_off() -> None:
    """Then a mention is needed each time."""
    async with FakeSlack() as slack, connected(slack, thread_follow_ups=False) as app:
        root = await begin(slack, app)
        await slack.say(CHANNEL, "and now?", thread=root.ts)
        assert await settle(slack, app) == {"hello"}


async def test_a_thread_without_the_bot_is_left_alone() -> None:
    """Threads of people are theirs, and so is what is said beside a thread."""
    async with FakeSlack() as slack, connected(slack) as app:
        await begin(slack, app)
        other = await slack.say(CHANNEL, "just us")
        await slack.say(CHANNEL, "yes", user=BEN, thread=other.ts)
        assert await settle(slack, app) == {"hello"}


async def test_a_message_to_somebody_else_is_left_alone() -> None:
    """In the thread, but not for the bot."""
    async with FakeSlack() as slack, connected(slack) as app:
        root = await begin(slack, app)
        await slack.say(CHANNEL, f"<@{BEN}> what do you think?", thread=root.ts)
        assert await settle(slack, app) == {"hello"}


async def test_quiet_is_kept_until_the_next_mention() -> None:
    """It is answered once, in spite of the twins; a mention ends it."""
    async with FakeSlack() as slack, connected(slack) as app:
        root = await begin(slack, app)
        await slack.say(CHANNEL, f"{MENTION} quiet", thread=root.ts)
        await slack.until(lambda: len(slack.answers()) == 2)
        await slack.say(CHANNEL, "among us", thread=root.ts)
        assert await settle(slack, app) == {"hello"}
        assert [answer.shown for answer in slack.answers()] == ["echo: hello", HUSHED]
        await slack.say(CHANNEL, f"{MENTION} again", thread=root.ts)
        await slack.until(lambda: any(question.text == "again" for question in app.engine.answered))
        await slack.say(CHANNEL, "and on", thread=root.ts)
        assert await settle(slack, app) == {"hello", "again", "and on"}


async def test_a_late_delivery_does_not_end_the_quiet() -> None:
    """A mention from before it may arrive again."""
    async with FakeSlack() as slack, connected(slack) as app:
        root = await begin(slack, app)
        first = slack.courier.deliveries[0].payload
        await slack.say(CHANNEL, f"{MENTION} quiet", thread=root.ts)
        await slack.until(lambda: len(slack.answers()) == 2)
        slack.courier.send("events_api", first)
        await slack.until(lambda: len(app.engine.received) == 3)
        await slack.say(CHANNEL, "among us", thread=root.ts)
        assert await settle(slack, app) == {"hello"}


async def test_who_may_not_ask_costs_no_call_and_changes_no_thread() -> None:
    """No name is asked for, a mention does not end the quiet, and the word does not begin it."""
    async with FakeSlack() as slack, connected(slack) as app:
        app.engine.shut = {BEN}
        root = await begin(slack, app)
        await slack.say(CHANNEL, f"{MENTION} quiet", user=BEN, thread=root.ts)
        await slack.say(CHANNEL, "and on", thread=root.ts)
        assert await settle(slack, app) == {"hello", "and on"}
        await slack.say(CHANNEL, f"{MENTION} quiet", thread=root.ts)
        await slack.until(lambda: slack.answers()[-1].shown == HUSHED)
        await slack.say(CHANNEL, f"{MENTION} ask <@{ANN}> and <@U0CLARA>", user=BEN, thread=root.ts)
        await slack.say(CHANNEL, "among us", thread=root.ts)
        assert await settle(slack, app) == {"hello", "and on"}
        assert {call["user"] for call in slack.called("users.info")} == {ANN}


async def test_names_are_asked_for_once() -> None:
    """Mentions become names, and a name is remembered."""
    async with FakeSlack() as slack, connected(slack) as app:
        root = await begin(slack, app)
        await slack.say(CHANNEL, f"{MENTION} ask <@{BEN}>", thread=root.ts)
        await slack.until(lambda: len(app.engine.answered) == 2)
        assert app.engine.answered[1].text == "ask @Ben"
        assert sorted(call["user"] for call in slack.called("users.info")) == ["U0ANN", "U0BEN"]


async def test_without_the_scope_people_are_known_by_their_ids() -> None:
    """It is not asked for at all then."""
    async with FakeSlack() as slack:
        slack.workspace.scopes.remove("users:read")
        async with connected(slack) as app:
            await begin(slack, app)
            assert app.engine.answered[0].author.name == "U0ANN"
            assert not slack.called("users.info")


async def test_a_command_in_a_thread_is_said_to_the_bot() -> None:
    """`@bot reset` resets the thread."""
    async with FakeSlack() as slack, connected(slack) as app:
        root = await begin(slack, app)
        await slack.say(CHANNEL, f"{MENTION} reset", thread=root.ts)
        await slack.until(lambda: len(app.engine.answered) == 2)
        assert app.engine.answered[1].command == "reset"
        assert app.engine.answered[1].place == app.engine.answered[0].place
