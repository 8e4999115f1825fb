"""What Discord and Slack say of who asks and where, so that lists can name it; and what all see of a reset."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from adapters.discord.inbound.messages import incoming as heard
from adapters.discord.outbound.dms import MOST
from adapters.slack.api.identity import Identity
from adapters.slack.inbound.messages import find_audience, incoming, spoken
from adapters.slack.outbound.channel import SlackChannel
from bot import texts
from bot.config.settings import AccessSettings
from bot.domain.audience import Audience
from bot.domain.errors import PlatformError
from bot.domain.messages import Incoming, Page
from bot.domain.spending import DenialReason
from tests.adapters.slack.test_channel import asked, talking
from tests.adapters.slack.test_commands import converse
from tests.loopback.discord import ANN, ANN_DM, BEN, BOT, GENERAL, GUILD, ROBOT, TALK, FakeDiscord
from tests.loopback.discord.world import HELPERS
from tests.loopback.slack import ANN as SLACK_ANN
from tests.loopback.slack import BEN as SLACK_BEN
from tests.loopback.slack import BOT as SLACK_BOT
from tests.loopback.slack import CHANNEL, FakeSlack
from tests.loopback.slack.app import connected as on_slack
from tests.support.discord_app import Echo, Heard, answered
from tests.support.discord_app import connected as on_discord
from tests.support.discord_app import talking as talking_on_discord

ME = int(BOT)
MENTION = f"<@{BOT}>"
US = Identity("T1", "UBOT", "B1", "parley", "Loopback")


def test_discord_names_person_roles_channel_category_and_server() -> None:
    """In a thread also the channel that it is in; who runs the bot is marked."""
    gateway = Heard()
    gateway.world.guilds[GUILD].members[ANN].roles.append(HELPERS)
    said = gateway.say(f"{MENTION} hi", TALK)
    parent: Any = getattr(said.channel, "parent", None)
    parent.category_id = 4242
    question = heard(said, ME, admins={ANN})
    assert question
    assert {ANN, HELPERS, TALK, GENERAL, "4242", GUILD} <= {*question.marks}
    assert question.admin
    other = heard(gateway.say(f"{MENTION} hi", author=BEN), ME, admins={ANN})
    assert other
    assert not other.admin
    assert HELPERS not in other.marks


def test_a_bot_on_discord_has_to_be_listed_and_to_mention() -> None:
    """The ping of its reply is no mention; the bot never answers itself."""
    gateway = Heard()
    mine = gateway.say("an answer", author=BOT)
    said = gateway.say(f"{MENTION} hi", author=ROBOT)
    assert heard(said, ME) is heard(said, ME, bots=["1"]) is None
    for listed in (ROBOT, f"discord:{ROBOT}"):
        question = heard(said, ME, bots=[listed])
        assert question
        assert question.bot
    reply = gateway.say("thanks", author=ROBOT, reference=str(mine.id))
    assert BOT in {str(user.id) for user in reply.mentions}
    assert heard(reply, ME, bots=[ROBOT]) is None
    assert heard(gateway.say(f"{MENTION} me", author=BOT), ME, bots=[BOT]) is None


def test_a_bot_gives_no_commands() -> None:
    """Its words are a model's."""
    gateway = Heard()
    said = heard(gateway.say(f"{MENTION} reset", author=ROBOT), ME, bots=[ROBOT])
    assert said
    assert (said.command, said.text) == ("", "reset")
    person = heard(gateway.say(f"{MENTION} reset"), ME)
    assert person
    assert person.command == "reset"
    for body, command in ((event(text="<@UBOT> reset", bot_id="B9"), ""), (event(text="<@UBOT> reset"), "reset")):
        question = hear(body, "B9")
        assert question
        assert question.command == command


def test_a_follow_up_is_known_as_one() -> None:
    """It is said in a thread to nobody in particular."""
    gateway = Heard()
    for text, follows_up in (("and now?", True), (f"{MENTION} and now?", False)):
        said = heard(gateway.say(text, TALK), ME, unasked=True)
        assert said
        assert said.follows is follows_up
        body = event(text=text.replace(MENTION, "<@UBOT>"), thread_ts="1600000000.000100")
        spoke = spoken(body, US)
        assert spoke
        question = incoming(spoke, US, {}, unasked=True)
        assert question
        assert question.follows is follows_up


def event(**more: Any) -> dict[str, Any]:
    """A mention in a channel."""
    said = {"type": "message", "user": "UANN", "channel": "C1", "ts": "1700000000.000100", "channel_type": "channel"}
    return {"type": "event_callback", "team_id": "T1", "event": {**said, "text": "<@UBOT> hi", **more}}


def hear(body: dict[str, Any], *bots: str) -> Incoming | None:
    """What becomes of it."""
    said = spoken(body, US, bots)
    return incoming(said, US, {}, admins=("UANN",)) if said else None


def test_slack_names_person_channel_and_workspace() -> None:
    """Who runs the bot is marked."""
    question, other = hear(event()), hear(event(user="UBEN"))
    assert question
    assert other
    assert question.marks == ("UANN", "C1", "T1")
    assert (question.admin, other.admin) == (True, False)
    guest = hear(event(user_team="T2"))
    assert guest
    assert guest.marks == ("UANN", "C1", "T1", "T2")


@pytest.mark.parametrize(
    ("more", "shared", "external"),
    [
        ({}, True, False),
        ({"user_team": "T1", "team": "T1"}, True, False),
        ({"user_team": "T2", "team": "T1"}, True, True),
        ({"source_team": "T2"}, None, True),
        ({"team": "T2"}, True, True),
        ({"team": "T2"}, False, False),
    ],
)
def test_slack_marks_people_of_other_organisations(more: dict[str, str], shared: bool | None, external: bool) -> None:
    """By their own workspace; another workspace of one's own organisation is none, as the envelope says."""
    body = event(**more)
    if shared is not None:
        body["is_ext_shared_channel"] = shared
    question = hear(body)
    assert question
    assert question.external is external


def test_a_bot_in_slack_has_to_be_listed_and_to_mention() -> None:
    """By the id of its user or of its app; it is no follow-up, and the bot never answers itself."""
    body = event(bot_id="B9")
    assert hear(body) is hear(body, "B8") is None
    for listed in ("B9", "UANN", "slack:B9"):
        question = hear(body, listed)
        assert question
        assert question.bot
        assert "B9" in question.marks
    assert hear(event(bot_id="B9", text="hi", channel_type="im", channel="D1"), "B9") is None
    said = spoken(event(bot_id="B9", text="hi", thread_ts="1600000000.000100"), US, ["B9"])
    assert said
    assert find_audience(said, US) is Audience.OTHERS
    assert hear(event(bot_id="B1"), "B1", "UANN") is None


async def test_the_marks_reach_the_engine_on_discord() -> None:
    """And a listed bot does."""
    engine = Echo()
    engine.access = AccessSettings(bots=(ROBOT,))
    async with FakeDiscord() as discord, on_discord(discord, engine, admins=(BEN,)) as app:
        discord.say(content=f"{MENTION} hi", author=BEN)
        await answered(discord, app, 1)
        discord.say(content=f"{MENTION} hi", author=ROBOT)
        await answered(discord, app, 2)
        question, other = app.engine.answered
        assert other.bot
        assert {BEN, GENERAL, GUILD} <= {*question.marks}
        assert question.admin


async def test_the_marks_reach_the_engine_in_slack() -> None:
    """With who runs the bot, and who is of another organisation."""
    async with FakeSlack() as slack, on_slack(slack, admins=[SLACK_ANN]) as app:
        await slack.say(CHANNEL, f"<@{SLACK_BOT}> hi", user_team="T0ELSE")
        await slack.until(lambda: app.engine.answered)
        question = app.engine.answered[0]
        assert {SLACK_ANN, CHANNEL} <= {*question.marks}
        assert question.admin
        assert asdict(question)["bot"] is False


async def test_discord_tells_a_person_in_confidence() -> None:
    """In a direct message that names the channel; a few in ten minutes, and who takes none is a PlatformError."""
    async with FakeDiscord() as discord, talking_on_discord(discord) as (channel, _):
        for _ in range(MOST):
            await channel.confide("Not now, please.")
        told = discord.answers(ANN_DM)
        assert {said.content for said in told} == {f"<#{GENERAL}>: Not now, please."}
        assert len(told) == MOST
        assert not discord.answers(GENERAL)
        with pytest.raises(PlatformError):
            await channel.confide("Not now, please.")
        assert len(discord.answers(ANN_DM)) == MOST
    async with FakeDiscord() as discord, talking_on_discord(discord) as (channel, _):
        discord.world.users[ANN].closed = True
        with pytest.raises(PlatformError):
            await channel.confide("Not now, please.")


async def test_slack_tells_a_person_in_confidence() -> None:
    """Nobody else sees it; a refusal is a PlatformError."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        await channel.confide("Not now, please.")
        (told,) = slack.ephemerals
        assert (told.user, told.channel, told.shown) == (SLACK_ANN, CHANNEL, "Not now, please.")
        assert (told.thread, slack.answers(CHANNEL)) == ("", [])  # in a thread without an answer nobody would see it
        slack.fail("chat.postEphemeral", error="user_not_in_channel")
        with pytest.raises(PlatformError):
            await channel.confide("Not now, please.")


async def test_who_is_barred_sees_no_threads_to_pick_from_in_slack() -> None:
    """The rows quote what others asked."""
    async with FakeSlack() as slack, on_slack(slack) as app:
        await converse(slack, app, "the merger is on Friday")
        app.engine.shut = {SLACK_BEN}
        app.engine.said = "You may not."
        slack.slash("/reset", CHANNEL, user=SLACK_BEN)
        (shown,) = await slack.until(lambda: slack.ephemerals)
        assert shown.shown == "You may not."


async def test_slack_tells_a_person_in_confidence_in_the_thread_where_they_are() -> None:
    """Where somebody has answered there."""
    async with FakeSlack() as slack, talking(slack) as (channel, said):
        await channel.post(Page("an answer"))
        later = await slack.say(CHANNEL, "and now?", thread=said.ts)
        workspace = channel._workspace
        await SlackChannel(workspace, asked(CHANNEL, later.ts, said.ts)).confide("Not now, please.")
        assert [told.thread for told in slack.ephemerals] == [said.ts]


async def test_a_reset_that_is_not_done_is_nobody_elses_business_on_discord() -> None:
    """Where the person is barred, or there is nothing; else all see it."""
    async with FakeDiscord() as discord, on_discord(discord) as app:
        app.engine.shut = {BEN}
        for name, options in (("reset", {}), ("persona", {"text": "You are Nora."})):
            for user, private in ((ANN, False), (BEN, True)):
                discord.world.guilds[GUILD].owner = user
                one = discord.slash(name, user=user, options=options)
                await discord.until(lambda one=one: one.shown)  # type: ignore[misc]
                assert one.private is private
        app.engine.memory.empty = True
        one = discord.slash("reset", user=ANN)
        await discord.until(lambda: one.shown)
        assert one.private


async def test_a_reset_in_a_channel_of_slack_is_seen_by_all() -> None:
    """In the thread that was picked; where nothing was forgotten nobody hears of it."""
    async with FakeSlack() as slack, on_slack(slack) as app:
        await converse(slack, app, "question")
        count = len(slack.answers(CHANNEL))
        slack.slash("/reset", CHANNEL, user=SLACK_BEN)
        slack.click((await slack.until(lambda: slack.ephemerals))[0], "reset:0")
        await slack.until(lambda: len(slack.answers(CHANNEL)) == count + 1)
        assert slack.answers(CHANNEL)[-1].shown == "reset: done"
        assert slack.ephemerals[1].replaced
        for number, sentence in enumerate(
            ("There was nothing to forget here.", texts.NO_ENTRY[DenialReason.PERSON]), 3
        ):
            app.engine.said = sentence
            slack.click(slack.ephemerals[0], "reset:0")
            await slack.until(lambda number=number: len(slack.ephemerals) == number)  # type: ignore[misc]
        app.engine.said = "Forgotten."
        slack.click(slack.ephemerals[0], "reset:0")
        await slack.until(lambda: slack.answers(CHANNEL)[-1].shown == "Forgotten.")
        assert len(slack.answers(CHANNEL)) == count + 2


@pytest.mark.parametrize("name", ["block U0BEN", "unblock U0BEN", "pause", "resume"])
@pytest.mark.parametrize(("rank", "admin"), [({}, False), ({"is_admin": True}, True)])
async def test_who_runs_the_workspace_says_who_may_talk(name: str, rank: dict[str, Any], admin: bool) -> None:
    """Nobody else, not in their own direct messages either; what is said stays with them."""
    async with FakeSlack() as slack, on_slack(slack) as app:
        slack.workspace.ranks[SLACK_ANN] = rank
        for number, channel in enumerate((CHANNEL, "D0ANN"), start=1):
            slack.slash("/parley", channel, name)
            await slack.until(lambda count=number: len(slack.ephemerals) == count)  # type: ignore[misc]
        assert len(app.engine.commands) == 2
        assert len(app.engine.admins) == 2 * admin
        assert not slack.answers(CHANNEL)


@pytest.mark.parametrize("name", ["block", "unblock", "pause", "resume"])
async def test_who_manages_a_server_does_not_say_who_may_talk(name: str) -> None:
    """On Discord that is for the admins of the bot, who may run it on other servers too."""
    async with FakeDiscord() as discord, on_discord(discord, admins=(BEN,)) as app:
        discord.world.guilds[GUILD].owner = ANN
        options = {"user": BEN} if "block" in name else {}
        for user in (ANN, BEN):
            one = discord.slash(name, user=user, options=options)
            await discord.until(lambda one=one: one.shown)  # type: ignore[misc]
            assert one.private
        assert [admin for *_, admin in app.engine.commands] == [False, True]
        assert all({GENERAL, GUILD} <= {*caller.marks} for caller in app.engine.callers)
