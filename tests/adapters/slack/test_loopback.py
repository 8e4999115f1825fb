"""The loopback Slack is as strict as the real one: what these tests hold, the adapter's tests rest on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.loopback.slack import ANN, BOT, CHANNEL, DM, ELSEWHERE, FakeSlack, Limits
from tests.loopback.slack.state import Version


class Client:
    """Calls methods by hand."""

    def __init__(self, slack: FakeSlack, session: aiohttp.ClientSession) -> None:
        self._slack = slack
        self._session = session

    async def __call__(self, method: str, token: str = "", **args: Any) -> dict[str, Any]:
        """The answer, with its status and Retry-After."""
        headers = {"Authorization": f"Bearer {token or self._slack.bot_token}"}
        url = self._slack.api_base_url + method
        async with self._session.post(url, json=args, headers=headers) as answer:
            data: dict[str, Any] = await answer.json()
            return {**data, "status": answer.status, "retry_after": answer.headers.get("Retry-After")}

    async def error(self, method: str, **args: Any) -> str:
        """Slack's word for the refusal; empty where it took the call."""
        return str((await self(method, **args)).get("error", ""))


@asynccontextmanager
async def calling() -> AsyncIterator[tuple[FakeSlack, Client]]:
    """A Slack and somebody to call it."""
    async with FakeSlack() as slack, aiohttp.ClientSession() as session:
        yield slack, Client(slack, session)


def markdown(text: str) -> list[dict[str, Any]]:
    """A block."""
    return [{"type": "markdown", "text": text}]


async def test_updates_are_limited_in_the_workspace_a_minute() -> None:
    """The 51st is refused, with the time to wait."""
    async with calling() as (slack, call):
        ts = (await call("chat.postMessage", channel=CHANNEL, text="a"))["ts"]
        for _ in range(50):
            assert (await call("chat.update", channel=CHANNEL, ts=ts, text="b"))["ok"]
        refused = await call("chat.update", channel=CHANNEL, ts=ts, text="c")
        assert (refused["status"], refused["error"]) == (429, "ratelimited")
        assert 1 <= int(refused["retry_after"]) <= 60
        assert ("chat.update", "ratelimited") in slack.refusals
        slack.limits.generous = True
        assert (await call("chat.update", channel=CHANNEL, ts=ts, text="c"))["ok"]


def test_a_channel_takes_a_burst_and_then_a_post_a_second() -> None:
    """Each channel for itself."""
    now = 100.0
    limits = Limits(lambda: now)
    assert [limits.refuse("chat.postMessage", 0, "C1") for _ in range(5)] == [0, 0, 0, 0, 1]
    assert limits.refuse("chat.postMessage", 0, "C2") == 0
    now += 1
    assert [limits.refuse("chat.postMessage", 0, "C1") for _ in range(2)] == [0, 1]


def test_calls_of_a_minute_ago_do_not_count() -> None:
    """The window slides."""
    now = 0.0
    limits = Limits(lambda: now)
    assert [limits.refuse("chat.update", 2, "") for _ in range(3)] == [0, 0, 60]
    now = 59.5
    assert limits.refuse("chat.update", 2, "") == 1
    now = 60.0
    assert limits.refuse("chat.update", 2, "") == 0


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x" * 4001}, "msg_too_long"),
        ({"blocks": markdown("x" * 12_001)}, "msg_too_long"),
        ({"blocks": markdown("x" * 7_000) * 2}, "msg_blocks_too_long"),
        ({"blocks": markdown("x") * 51}, "invalid_blocks"),
        ({"blocks": markdown(" ")}, "invalid_blocks"),
        ({"blocks": markdown("| a |\n|---|\n" + "| b |\n" * 100)}, "invalid_blocks"),
        ({"blocks": markdown("|" + "a|" * 21 + "\n|" + "-|" * 21)}, "invalid_blocks"),
        ({"blocks": markdown("| a |\n|---|\n\n" * 25)}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": []}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [{"type": "button"}]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "context", "elements": []}]}, "invalid_blocks"),
        ({"blocks": [{"type": "unheard"}]}, "invalid_blocks"),
        ({"text": "x", "nonsense": 1}, "invalid_arguments"),
        ({"text": "x", "ts": "1.1"}, "message_not_found"),
        ({"text": "x", "channel": "C9"}, "channel_not_found"),
        ({"text": "x", "channel": ELSEWHERE}, "not_in_channel"),
    ],
)
async def test_what_slack_does_not_take_is_refused(args: dict[str, Any], error: str) -> None:
    """With Slack's own word."""
    async with calling() as (_, call):
        ts = (await call("chat.postMessage", channel=CHANNEL, text="a"))["ts"]
        assert await call.error("chat.update", **{"channel": CHANNEL, "ts": ts, **args}) == error


async def test_only_what_is_the_bot_s_own_and_there_can_be_changed() -> None:
    """And nothing in an archived channel, or without the scope."""
    async with calling() as (slack, call):
        theirs = await slack.say(CHANNEL, "hello")
        assert await call.error("chat.update", channel=CHANNEL, ts=theirs.ts, text="x") == "cant_update_message"
        assert await call.error("chat.postMessage", channel=CHANNEL, text="x", thread_ts="1.1") == "thread_not_found"
        mine = (await call("chat.postMessage", channel=CHANNEL, text="a"))["ts"]
        assert (await call("chat.delete", channel=CHANNEL, ts=mine))["ok"]
        assert await call.error("chat.update", channel=CHANNEL, ts=mine, text="x") == "message_not_found"
        slack.workspace.conversations[CHANNEL].archived = True
        assert await call.error("chat.postMessage", channel=CHANNEL, text="x") == "is_archived"
        slack.workspace.scopes.remove("chat:write")
        assert await call.error("chat.postMessage", channel=DM, text="x") == "missing_scope"


async def test_tokens_are_looked_at() -> None:
    """Each method has its own kind."""
    async with calling() as (slack, call):
        assert await call.error("auth.test", token="xoxb-wrong") == "invalid_auth"
        assert await call.error("apps.connections.open") == "invalid_auth"
        assert (await call("apps.connections.open", token=slack.app_token))["url"].startswith("ws://127.0.0.1")


async def test_a_mention_is_delivered_twice_and_the_bot_s_own_messages_come_back() -> None:
    """Twins with one `ts`; posts and edits are echoed, marked as the bot's."""
    async with calling() as (slack, call):
        said = await slack.say(CHANNEL, f"<@{BOT}> hello")
        ts = (await call("chat.postMessage", channel=CHANNEL, text="a"))["ts"]
        await call("chat.update", channel=CHANNEL, ts=ts, text="b")
        events = [sent.payload["event"] for sent in slack.courier.deliveries]
        assert [(event["type"], event["ts"]) for event in events[:2]] == [
            ("app_mention", said.ts),
            ("message", said.ts),
        ]
        assert events[2]["bot_id"]
        assert (events[3]["subtype"], events[3]["message"]["text"]) == ("message_changed", "b")


async def test_reactions_are_counted() -> None:
    """Once each."""
    async with calling() as (slack, call):
        said = await slack.say(CHANNEL, "hello")
        args = {"channel": CHANNEL, "name": "eyes", "timestamp": said.ts}
        assert await call.error("reactions.remove", **args) == "no_reaction"
        assert await call.error("reactions.add", **args) == ""
        assert await call.error("reactions.add", **args) == "already_reacted"


@pytest.mark.parametrize(
    ("text", "pings"),
    [
        ("<!here> <!subteam^S1|x> <@U0ANN|ann>", ("!here", "!subteam^S1", "@U0ANN")),
        ("&lt;!here&gt;", ()),
        ("`<!channel>`", ("!channel",)),
        ("@here", ("@here",)),
        ("me@here", ()),
    ],
)
def test_pings_are_told(text: str, pings: tuple[str, ...]) -> None:
    """Tokens notify in text and blocks, in code too; their escaped form does not."""
    assert Version(text).pings == pings
    assert Version("", tuple(markdown(text))).pings == pings


async def test_faults_come_when_they_are_asked_for() -> None:
    """Refused, delayed, or done and the answer lost."""
    async with calling() as (slack, call):
        slack.fail("chat.postMessage", status=429, retry_after=9)
        assert (await call("chat.postMessage", channel=CHANNEL, text="a"))["retry_after"] == "9"
        gate = asyncio.Event()
        slack.fail("chat.postMessage", gate=gate)
        waiting = asyncio.create_task(call("chat.postMessage", channel=CHANNEL, text="b"))
        await slack.until(lambda: len(slack.called("chat.postMessage")) == 2)
        assert not slack.answers()
        gate.set()
        assert (await waiting)["ok"]
        slack.fail("chat.postMessage", lose=True)
        with pytest.raises(aiohttp.ClientError):
            await call("chat.postMessage", channel=CHANNEL, text="c")
        assert [answer.shown for answer in slack.answers()] == ["b", "c"]


async def test_history_and_people_can_be_read() -> None:
    """As far as the scopes go."""
    async with calling() as (slack, call):
        said = await slack.say(CHANNEL, "hello")
        await call("chat.postMessage", channel=CHANNEL, text="hi", thread_ts=said.ts)
        replies = await call("conversations.replies", channel=CHANNEL, ts=said.ts)
        assert [message["text"] for message in replies["messages"]] == ["hello", "hi"]
        assert len((await call("conversations.history", channel=CHANNEL))["messages"]) == 1
        assert (await call("users.info", user=ANN))["user"]["profile"]["display_name"] == "Ann"
        (listed,) = (await call("users.conversations"))["channels"]
        assert listed["id"] == CHANNEL
        assert await call.error("users.conversations", types="im") == "missing_scope"
        slack.workspace.scopes.remove("channels:read")
        assert await call.error("conversations.info", channel=CHANNEL) == "missing_scope"
        assert await call.error("users.conversations", types="public_channel") == "missing_scope"
        assert await call.error("chat.nonsense") == "unknown_method"
