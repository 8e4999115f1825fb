"""Whom a message is for, on both platforms, and how the bot's name is taken off."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.inbound import audience as on_discord
from adapters.discord.inbound.messages import incoming
from adapters.slack.api.identity import Identity
from adapters.slack.inbound import messages as in_slack
from bot.domain.audience import Audience, is_for_bot, take_off_name
from bot.domain.messages import Incoming
from tests.loopback.discord import ANN_DM, BEN, BOT, BOT_ROLE, GENERAL, HELPERS, RANDOM, ROBOT, TALK
from tests.support.discord_app import Heard

ME = int(BOT)
US = Identity("T1", "UBOT", "B1", "parley", "Loopback")
NAMES = ("parley", "Polly Jones")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("parley", ""),
        ("Parley, why?", "why?"),
        ("  PARLEY:why?", "why?"),
        ("parley why?", "why?"),
        ("parley\nwhy?", "why?"),
        ("@parley why?", "why?"),
        ("hey parley, why?", "why?"),
        ("Hi, parley: why?", "why?"),
        ("polly  jones, why?", "why?"),
        ("parley?", ""),
        ("Hey, Parley!", ""),
        ("Parley! Why?", "Why?"),
        ("Parley… why?", "why?"),
        ("parley .env?", ".env?"),
    ],
)
def test_a_name_that_a_message_begins_with_is_taken_off(text: str, rest: str) -> None:
    """In any case, perhaps after a greeting, with what parts it from the rest."""
    assert take_off_name(text, NAMES) == rest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "parleys fly",
        "parley's nice",
        "parley-vous",
        "I asked parley",
        "heyparley, why?",
        "polly, why?",
        "hey",
        "parley.toml?",
    ],
)
def test_what_only_looks_like_a_name_is_none(text: str) -> None:
    """A name is a word by itself at the beginning."""
    assert take_off_name(text, NAMES) is None


def test_without_names_nothing_is_one() -> None:
    """As by default."""
    assert take_off_name("parley, why?", ()) is None


@given(text=st.text(), name=st.text(min_size=1).filter(lambda name: any(map(str.isalnum, name))))
def test_a_name_is_compared_as_it_is(text: str, name: str) -> None:
    """Whatever signs it has, it finds itself before a comma and never adds to the text."""
    assert take_off_name(f"{name.strip()}, {text}", [name]) is not None
    assert (take_off_name(text, [name]) or "") in text


def test_what_is_said_to_nobody_in_particular_is_for_the_bot_where_it_answers_that() -> None:
    """What is said to others never is; what is said to the bot always."""
    assert [is_for_bot(one, unasked=True) for one in Audience] == [True, True, False]
    assert [is_for_bot(one, unasked=False) for one in Audience] == [True, False, False]


def test_whom_a_message_on_discord_is_for() -> None:
    """The bot, nobody in particular, or somebody else: people, roles, all, who is replied to; also what nobody says."""
    gateway = Heard()
    mine, theirs = gateway.say("an answer", author=BOT), gateway.say("a thought", author=BEN)
    bot = [
        gateway.say(f"<@{BOT}> why?"),
        gateway.say(f"<@{BEN}> and <@{BOT}>, why?"),
        gateway.say(f"<@&{BOT_ROLE}> why?"),
        gateway.say("why?", reference=str(mine.id)),
        gateway.say("why?", channel=ANN_DM),
        gateway.say("parley, why?"),
        gateway.say(f"parley, ask <@{BEN}>"),
        gateway.say("parley, why?", reference=str(theirs.id)),
    ]
    own, gone = gateway.say("a thought"), gateway.say("a slip", author=BEN)
    gateway.world.find(str(gone.id)).deleted = True
    anybody = [gateway.say("why?"), gateway.say("why?", channel=TALK), gateway.say("I asked parley")]
    anybody += [gateway.say("and why?", reference=str(own.id), ping=ping) for ping in (True, False)]
    others = [
        gateway.say(f"<@{BEN}> why?"),
        gateway.say(f"<@&{HELPERS}> why?"),
        gateway.say("@everyone why?"),
        gateway.say("why?", reference=str(theirs.id), ping=False),
        gateway.say("why?", reference=str(gone.id)),
        gateway.say("why?", author=ROBOT),
        gateway.say("parley, why?", author=ROBOT),
        gateway.say("why?", author=BOT),
        gateway.say("why?", readable=False),
        gateway.say(""),
        gateway.say("why?", webhook_id="1"),
        *(gateway.say("why?", type=kind) for kind in (6, 7, 18, 20, 21)),
    ]
    for wanted, messages in ((Audience.BOT, bot), (Audience.ANYBODY, anybody), (Audience.OTHERS, others)):
        for message in messages:
            assert on_discord.find_audience(message, ME, NAMES) is wanted, message.content


def test_a_name_is_taken_off_as_the_mention_is_on_discord() -> None:
    """Then the rest may be a command. In a reply too; where the bot is mentioned, a name is a word like any other."""
    gateway = Heard()
    mine = gateway.say("an answer", author=BOT)

    def ask(text: str, **more: Any) -> Incoming:
        question = incoming(gateway.say(text, **more), ME, names=NAMES)
        assert question
        return question

    assert (ask("Parley, why?").text, ask("Parley, why?").follows) == ("why?", False)
    assert ask("parley reset", channel=RANDOM).command == "reset"
    assert ask("parley: go on", reference=str(mine.id)).text == "go on"
    assert ask("parley: go on", channel=ANN_DM).text == "go on"
    assert ask(f"<@{BOT}> parley is French").text == "parley is French"
    assert incoming(gateway.say("parleys"), ME, names=NAMES) is None


def test_who_may_set_what_holds_for_all_is_known_of_a_message_with_a_command_on_discord() -> None:
    """By the permissions of its author in the channel, or in its thread's."""
    gateway = Heard()
    guild = gateway.client.guilds[0]
    for channel in (GENERAL, TALK):
        said = gateway.say(f"<@{BOT}> listen on", channel=channel)
        question = incoming(said, ME)
        assert question
        assert (question.command, question.manages) == ("listen on", False)
        guild.owner_id = said.author.id
        again = incoming(said, ME)
        assert again
        assert again.manages
        guild.owner_id = int(BEN)


def slack(text: str, thread: str = "", **more: Any) -> in_slack.Spoken:
    """What Ann says in a channel."""
    event = {"type": "message", "user": "UANN", "channel": "C1", "ts": "1700000000.000100", "channel_type": "channel"}
    said = in_slack.spoken({"team_id": "T1", "event": {**event, "text": text, "thread_ts": thread, **more}}, US, ["B9"])
    assert said
    return said


@pytest.mark.parametrize(
    ("text", "more", "wanted"),
    [
        ("<@UBOT> why?", {}, Audience.BOT),
        ("<@UBEN> and <@UBOT>, why?", {}, Audience.BOT),
        ("why?", {"channel": "D1", "channel_type": "im"}, Audience.BOT),
        ("parley, why?", {}, Audience.BOT),
        ("parley, ask <@UBEN>", {}, Audience.BOT),
        ("why?", {}, Audience.ANYBODY),
        ("why?", {"thread": "1600000000.000100"}, Audience.ANYBODY),
        ("", {"files": [{"id": "F1"}], "subtype": "file_share"}, Audience.ANYBODY),
        ("<@UBEN> why?", {}, Audience.OTHERS),
        ("<!subteam^S1> why?", {}, Audience.OTHERS),
        ("<!here> why?", {}, Audience.OTHERS),
        ("<!channel|channel> why?", {}, Audience.OTHERS),
        (" ", {}, Audience.OTHERS),
        ("why?", {"bot_id": "B9"}, Audience.OTHERS),
        ("parley, why?", {"bot_id": "B9"}, Audience.OTHERS),
    ],
)
def test_whom_a_message_in_slack_is_for(text: str, more: dict[str, Any], wanted: Audience) -> None:
    """The bot, nobody in particular, or somebody else: people, groups, all who are there; bots have to mention it."""
    assert in_slack.find_audience(slack(text, **more), US, NAMES) is wanted


def test_a_name_is_taken_off_as_the_mention_is_in_slack() -> None:
    """With Slack's signs unescaped; the rest may be a command."""
    asked = in_slack.incoming(slack("Hey parley, is 1 &lt; 2?"), US, {}, called=NAMES)
    assert asked
    assert (asked.text, asked.follows) == ("is 1 < 2?", False)
    odd = in_slack.incoming(slack("R&amp;D: listen off"), US, {}, called=["r&d"])
    assert odd
    assert (odd.text, odd.command) == ("listen off", "listen off")
