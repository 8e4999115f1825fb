"""Slack over Socket Mode: what comes in is answered once, in its place, and what is not for the bot is acknowledged."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack import run
from bot.domain.errors import PlatformError, PlatformFault, SettingsError
from bot.domain.messages import Page
from bot.runtime.health import Host
from tests.loopback.slack import ANN, BEN, BOT, CHANNEL, DM, ELSEWHERE, GROUP, PRIVATE, TEAM, FakeSlack
from tests.loopback.slack.app import Echo, connected, settings

MENTION = f"<@{BOT}>"


@pytest.mark.parametrize("channel", [CHANNEL, PRIVATE, GROUP])
async def test_a_mention_is_answered_in_its_thread(channel: str) -> None:
    """Once, though Slack sends two events for it."""
    async with FakeSlack() as slack, connected(slack) as app:
        said = await slack.say(channel, f"{MENTION} hello")
        await slack.until(lambda: app.engine.answered and all(sent.acked.is_set() for sent in slack.courier.deliveries))
        (answer,) = slack.answers(channel)
        assert (answer.thread, answer.shown) == (said.ts, "echo: hello")
        assert app.engine.answered[0].place.key == f"slack:{TEAM}:{channel}:{said.ts}"
        assert app.engine.answered[0].author.name == "Ann"


async def test_both_twins_reach_the_journal() -> None:
    """They are told apart by nothing but their claim."""
    async with FakeSlack() as slack, connected(slack) as app:
        await slack.say(CHANNEL, f"{MENTION} hello")
        await slack.until(lambda: len(app.engine.received) == 2)
        assert app.engine.received[0] == app.engine.received[1]


async def test_a_dm_is_answered_without_a_thread() -> None:
    """Or in one, if the person wrote in one."""
    async with FakeSlack() as slack, connected(slack) as app:
        said = await slack.say(DM, "hello")
        await slack.until(lambda: slack.answers(DM))
        await slack.say(DM, "and here", thread=said.ts)
        await slack.until(lambda: len(app.engine.answered) == 2)
        assert [answer.thread for answer in slack.answers(DM)] == ["", said.ts]


async def test_everything_is_acknowledged_in_time() -> None:
    """Joins, reactions, the bot's own edits and what is not for it: nothing is delivered twice."""
    async with FakeSlack() as slack, connected(slack) as app:
        where = slack.workspace.conversations[CHANNEL]
        await slack.say(CHANNEL, "talk among people")
        await slack.say(CHANNEL, f"<@{ANN}> has joined the channel", subtype="channel_join")
        slack.emit(where, {"type": "reaction_added", "user": ANN, "reaction": "+1", "event_ts": "1.1"})
        await slack.say(CHANNEL, f"{MENTION} hello")
        await slack.until(lambda: app.engine.answered)
        await slack.until(lambda: all(sent.acked.is_set() for sent in slack.courier.deliveries))
        assert {sent.attempts for sent in slack.courier.deliveries} == {1}
        assert len(app.engine.answered) == 1


async def test_a_redelivery_is_not_answered_again() -> None:
    """An acknowledgement may be lost on its way."""
    async with FakeSlack() as slack, connected(slack) as app:
        slack.courier.patience, slack.courier.lost_acks = 0.2, 1
        await slack.say(DM, "hello")
        await slack.until(lambda: slack.courier.deliveries)
        sent = slack.courier.deliveries[0]
        await slack.until(lambda: sent.attempts == 2 and sent.acked.is_set() and app.engine.answered)
        assert len(slack.answers(DM)) == 1


async def test_a_slow_model_does_not_hold_the_acknowledgement_back() -> None:
    """The turn goes on by itself."""
    async with FakeSlack() as slack, connected(slack) as app:
        app.engine.gate.clear()
        await slack.say(DM, "hello")
        await slack.until(lambda: app.engine.received and slack.courier.deliveries[0].acked.is_set())
        assert not slack.answers(DM)
        app.engine.gate.set()
        await slack.until(lambda: app.engine.answered)


async def test_a_connection_is_renewed_when_slack_asks() -> None:
    """What comes afterwards is answered too."""
    async with FakeSlack() as slack, connected(slack) as app:
        await slack.courier.disconnect()
        await slack.until(lambda: slack.courier.connections == 2 and len(slack.courier.sockets) == 1)
        await slack.say(DM, "hello")
        await slack.until(lambda: app.engine.answered)


async def test_a_lost_connection_is_said_and_mended() -> None:
    """The status tells it, and a message of that time arrives with the next connection."""
    async with FakeSlack() as slack, connected(slack) as app:
        slack.fail("apps.connections.open", status=500)
        await slack.courier.hang_up()
        await slack.until(lambda: not app.ready, 15)
        assert app.host.status("slack").reason
        await slack.say(DM, "hello")
        await slack.until(lambda: app.ready and app.engine.answered, 30)


async def test_a_message_while_stopping_is_left_for_later() -> None:
    """It is not acknowledged, so that Slack delivers it again."""
    async with FakeSlack() as slack, connected(slack) as app:
        slack.courier.patience = 0.2
        app.host.closing.set()
        await slack.say(DM, "hello")
        await slack.until(lambda: slack.courier.deliveries[0].attempts > 1)
        assert not slack.courier.deliveries[0].acked.is_set()
        assert not app.engine.received


async def test_calls_share_their_connections() -> None:
    """One session carries every call: an answer's edits open no new ones."""
    async with FakeSlack() as slack, connected(slack) as app:
        for number in range(3):
            await slack.say(DM, f"hello {number}")
            await slack.until(lambda count=number + 1: len(app.engine.answered) == count)  # type: ignore[misc]
        assert (
            slack.peers["chat.update"]
            <= slack.peers["chat.postMessage"] | slack.peers["auth.test"] | slack.peers["users.info"]
        )


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"bot_token": "xoxb-wrong"}, "slack.bot_token"),
        ({"app_token": "xapp-wrong"}, "slack.app_token"),
        ({"bot_token": "xoxp-user"}, "slack.bot_token"),
        ({"app_token": "nonsense"}, "slack.app_token"),
        ({"app_token": ""}, "slack.app_token"),
    ],
)
async def test_a_bad_token_is_explained_at_once(changes: dict[str, Any], key: str) -> None:
    """No retry mends it, so it is a mistake in the settings; the token itself is not shown."""
    async with FakeSlack() as slack:
        with pytest.raises(SettingsError) as caught:
            async with connected(slack, **changes):
                pass
        assert key in str(caught.value)
        assert all(value not in str(caught.value) for value in changes.values() if value)


async def test_a_slack_that_is_down_is_tried_again_by_whoever_runs_it() -> None:
    """That is no mistake in the settings."""
    async with FakeSlack() as slack:
        slack.fail("auth.test", status=503)
        with pytest.raises(PlatformError) as caught:
            async with connected(slack):
                pass
        assert caught.value.fault is PlatformFault.NETWORK


async def test_nothing_listens_where_slack_should_be() -> None:
    """A refused connection is a fault of the network."""
    async with FakeSlack() as slack:
        nowhere = settings(slack, api_base_url="http://127.0.0.1:9/api/")
    async with Host() as host:
        with pytest.raises(PlatformError):
            await run(Echo(), nowhere, host)  # type: ignore[arg-type]


async def test_it_stops_cleanly() -> None:
    """Cancelled, it closes its connection and says that it is down."""
    async with FakeSlack() as slack, connected(slack) as app:
        await app.stop()
        await slack.until(lambda: not slack.courier.sockets)
        assert not app.ready


async def test_a_turn_s_calls_work_until_the_end() -> None:
    """Answers that are still being written when the program begins to stop are finished."""
    async with FakeSlack() as slack, connected(slack) as app:
        app.engine.gate.clear()
        await slack.say(DM, "hello")
        await slack.until(lambda: app.engine.received)
        app.host.closing.set()
        app.engine.gate.set()
        await slack.until(lambda: app.engine.answered)
        assert slack.answers(DM)[0].shown == "echo: hello"


async def test_a_memory_that_fails_leaves_a_follow_up_for_later() -> None:
    """Whether it is for the bot cannot be known, so it is not acknowledged."""
    async with FakeSlack() as slack, connected(slack) as app:
        root = await slack.say(CHANNEL, f"{MENTION} hello", user=BEN)
        await slack.until(lambda: app.engine.answered)
        slack.courier.patience = 0.2
        app.engine.memory.broken = True
        await slack.say(CHANNEL, "and now?", thread=root.ts)
        await slack.until(lambda: slack.courier.deliveries[-1].attempts > 1)
        app.engine.memory.broken = False
        await slack.until(lambda: len(app.engine.answered) == 2)


async def test_a_turn_that_cannot_be_written_down_is_left_for_later() -> None:
    """A question is not acknowledged before it stands in the journal."""
    async with FakeSlack() as slack, connected(slack) as app:
        slack.courier.patience = 0.2
        app.engine.memory.broken = True
        await slack.say(DM, "hello")
        await slack.until(lambda: slack.courier.deliveries[0].attempts > 1)
        assert not slack.courier.deliveries[0].acked.is_set()
        app.engine.memory.broken = False
        await slack.until(lambda: app.engine.answered and slack.courier.deliveries[0].acked.is_set())
        assert len(slack.answers(DM)) == 1


async def test_the_engine_can_open_any_place_again() -> None:
    """A question out of the journal is answered where it was asked: thread, DM, thread of a DM."""
    async with FakeSlack() as slack, connected(slack) as app:
        root = await slack.say(CHANNEL, f"{MENTION} hello")
        flat = await slack.say(DM, "hello")
        inner = await slack.say(DM, "and here", thread=flat.ts)
        await slack.until(lambda: len(app.engine.answered) == 3)
        for question in app.engine.answered:
            await app.engine.openers["slack"](question).post(Page(f"again {question.message_id}"))
        anew = [said for where in (CHANNEL, DM) for said in slack.answers(where) if said.shown.startswith("again")]
        assert {said.shown: said.thread for said in anew} == {
            f"again {root.ts}": root.ts,
            f"again {flat.ts}": "",
            f"again {inner.ts}": flat.ts,
        }


async def test_where_the_bot_is_not_a_member_nothing_breaks() -> None:
    """A mention from outside is heard; the refusal of the answer is the engine's to tell."""
    async with FakeSlack() as slack, connected(slack) as app:
        await slack.say(ELSEWHERE, f"{MENTION} hello")
        await slack.until(lambda: ("chat.postMessage", "not_in_channel") in slack.refusals)
        await slack.say(DM, "still there?")
        await slack.until(lambda: app.engine.answered)
