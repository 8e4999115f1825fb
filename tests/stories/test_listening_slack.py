"""A channel of its own in Slack: `parley` as a process that answers there without being mentioned, in threads or in
the channel, and remembers each person apart where that is set.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from bot import texts
from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import ANN, BEN, BOT, CHANNEL, PRIVATE, TEAM, FakeSlack
from tests.stories.test_listening import heard, set_up
from tests.stories.test_slack import PATIENCE, environ, whole
from tests.support.program import Program, call

MENTION = f"<@{BOT}>"
HERE = f'[places."slack:{TEAM}:{CHANNEL}"]'


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    """A Slack."""
    async with FakeSlack() as server:
        yield server


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    """A model that shows what it was told."""
    async with FakeOpenAI() as server:
        yield server


async def talk_among_people(slack: FakeSlack) -> None:
    """Say what is for others, or nobody's words."""
    to_ben = await slack.say(CHANNEL, f"<@{BEN}> for-another")
    await slack.say(CHANNEL, "for-the-person-of-the-thread", user=BEN, thread=to_ben.ts)
    await slack.say(CHANNEL, "<!here> for-all")
    await slack.say(CHANNEL, "from-a-bot", subtype="bot_message")
    await slack.say(CHANNEL, "a-notice", subtype="channel_join")
    await slack.say(CHANNEL, " ")


async def test_a_channel_where_everything_is_answered_in_threads(
    slack: FakeSlack, model: FakeOpenAI, tmp_path: Path
) -> None:
    """Without a mention; not what is for others; `listen` overrides it, by command and message, over a restart.

    Elsewhere a message that begins with a name is a mention.
    """
    set_up(tmp_path, f'[bot]\nnames = ["parley"]\n[slack]\nthread_follow_ups = false\n{HERE}\nanswer = "all"\n')
    async with Program(tmp_path, **environ(slack, model)) as parley:
        await parley.logged("slack is connected")
        ann = await slack.say(CHANNEL, "My cat is called Tom.")
        assert (await whole(slack, 1)).thread == ann.ts
        await slack.say(CHANNEL, "What is it called?", user=BEN, thread=ann.ts)
        assert "My cat is called Tom." in (await whole(slack, 2)).shown
        await talk_among_people(slack)
        await slack.say(PRIVATE, "elsewhere parley")
        named = await slack.say(PRIVATE, "Parley, named-there")
        assert (await whole(slack, 1, PRIVATE)).thread == named.ts

        slack.slash("/parley", CHANNEL, "listen off", user=BEN)
        assert (await slack.until(lambda: slack.ephemerals, PATIENCE))[0].shown == texts.ADMINS_ONLY
        slack.workspace.ranks[BEN] = {"is_admin": True}
        slack.slash("/parley", CHANNEL, "listen off", user=BEN)
        await slack.until(lambda: slack.answers()[-1].shown == texts.LISTEN[False], PATIENCE)
        assert await parley.stop() == 0

        await parley.start()
        await parley.logged("slack is connected")
        await slack.say(CHANNEL, "still-off")
        await slack.say(CHANNEL, f"{MENTION} listen")
        await slack.until(lambda: slack.answers()[-1].shown == texts.LISTENS[False], PATIENCE)
        await slack.say(CHANNEL, f"{MENTION} listen on")
        await slack.until(lambda: slack.answers()[-1].shown == texts.ADMINS_ONLY, PATIENCE)
        await slack.say(CHANNEL, f"{MENTION} listen on", user=BEN)
        await slack.until(lambda: slack.answers()[-1].shown == texts.LISTEN[True], PATIENCE)
        slack.slash("/parley", CHANNEL, "help")
        listed = await slack.until(
            lambda: [one.shown for one in slack.ephemerals if "listen [on" in one.shown], PATIENCE
        )
        assert texts.LISTENS[True] in listed[0]
        again = await slack.say(CHANNEL, "on-again")
        await slack.until(lambda: slack.answers(CHANNEL, again.ts), PATIENCE)
        assert await parley.stop() == 0
    everything = heard(model)
    assert "on-again" in everything
    for text in ("for-another", "for-the", "for-all", "from-a-bot", "a-notice", "elsewhere", "still-off", "Parley"):
        assert text not in everything


async def test_a_channel_that_is_one_conversation_and_one_of_each_person(
    slack: FakeSlack, model: FakeOpenAI, tmp_path: Path
) -> None:
    """With `reply_in = "channel"` answers stand there, and threads below are asked into; what each person says is told
    in their own conversation alone, in threads too; `/reset` is one's own.
    """
    own = f'[places."slack:{TEAM}:{PRIVATE}"]\nanswer = "all"\nmemory = "person"\n'
    set_up(tmp_path, f'[slack]\nreply_in = "channel"\n{HERE}\nanswer = "all"\n{own}')
    async with Program(tmp_path, **environ(slack, model)) as parley:
        await parley.logged("slack is connected")
        await slack.say(CHANNEL, "My cat is called Tom.")
        first = await whole(slack, 1)
        await slack.say(CHANNEL, "What is it called?", user=BEN)
        second = await whole(slack, 2)
        assert (first.thread, second.thread, "My cat is called Tom." in second.shown) == ("", "", True)
        await slack.say(CHANNEL, "below an answer", user=BEN, thread=second.ts)
        assert (await whole(slack, 3)).thread == second.ts
        slack.slash("/reset", CHANNEL)
        await slack.until(lambda: slack.answers()[-1].shown == texts.RESET_BY.format(name="ann"), PATIENCE)
        await slack.say(CHANNEL, "What do you know?")
        assert "Tom" not in (await whole(slack, 5)).shown
        common = len(model.requests)

        held = model.script()
        opening = await slack.say(PRIVATE, "ann-one", user=ANN)
        await held.send("ann-an", "swer")
        await slack.until(lambda: slack.answers(PRIVATE), PATIENCE)
        await slack.say(PRIVATE, "ben-one", user=BEN)
        await whole(slack, 2, PRIVATE)
        await held.end()
        await whole(slack, 1, PRIVATE)
        await slack.say(PRIVATE, "ben-below", user=BEN, thread=opening.ts)
        assert (await whole(slack, 3, PRIVATE)).thread == opening.ts
        await slack.say(PRIVATE, "ann-below", user=ANN, thread=opening.ts)
        await whole(slack, 4, PRIVATE)
        slack.slash("/reset", PRIVATE, user=ANN)
        shown = await slack.until(lambda: slack.ephemerals, PATIENCE)
        assert shown[-1].shown == texts.RESET_OWN
        await slack.say(PRIVATE, "ann-two", user=ANN)
        await whole(slack, 5, PRIVATE)
        assert "ann-one" not in json.dumps(model.requests[-1])
        await slack.say(PRIVATE, "ben-two", user=BEN)
        assert "ben-one" in (await whole(slack, 6, PRIVATE)).shown
        assert await parley.stop() == 0
    for request in model.requests[common:]:
        text = json.dumps(request["messages"])
        assert ("ann-" in text) != ("ben-" in text)


async def test_the_manifest_has_what_the_settings_need(slack: FakeSlack, model: FakeOpenAI, tmp_path: Path) -> None:
    """The events and scopes of what does not mention the bot, also without follow-ups."""
    set_up(tmp_path, f'[slack]\nthread_follow_ups = false\n{HERE}\nanswer = "all"\n')
    printed = json.loads((await call(tmp_path, "manifest", **environ(slack, model))).out)
    assert {"channels:history", "groups:history"} <= set(printed["oauth_config"]["scopes"]["bot"])
    assert {"message.channels", "message.groups"} <= set(printed["settings"]["event_subscriptions"]["bot_events"])
