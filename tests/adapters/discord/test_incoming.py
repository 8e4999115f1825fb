"""From Discord's messages to questions: whom they are for, and what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.discord.inbound.audience import find_audience, unreadable
from adapters.discord.inbound.messages import incoming, locate
from bot.domain.audience import Audience
from bot.domain.messages import Attachment, Author, Incoming, Place
from tests.loopback.discord import (
    ANN,
    ANN_DM,
    BEN,
    BOT,
    BOT_ROLE,
    GENERAL,
    GUILD,
    HELPERS,
    RANDOM,
    ROBOT,
    TALK,
    payloads,
)
from tests.support.discord_app import Heard

ME = int(BOT)
MENTION = f"<@{BOT}>"
SAMPLES = json.loads((Path(__file__).parents[2] / "samples" / "discord-messages.json").read_text(encoding="utf-8"))


def test_a_mention_is_a_question() -> None:
    """Without the mention that addresses the bot, in the channel's place."""
    gateway = Heard()
    said = gateway.say(f"{MENTION} hello, <@!{BOT}> you")
    assert incoming(said, ME) == Incoming(
        place=Place(f"discord:{GENERAL}", shared=True),
        author=Author(ANN, "Ann"),
        text="hello, @parley you",
        channel_id=GENERAL,
        message_id=str(said.id),
        sent=said.created_at.timestamp(),
        marks=(ANN, GUILD, GENERAL),
    )


def test_what_is_said_to_nobody_is_not_for_the_bot() -> None:
    """Nor what is said to others, to everybody, or is a reply to a person."""
    gateway = Heard()
    theirs = gateway.say("a thought", author=BEN)
    assert gateway.ask("talk among people") is None
    assert gateway.ask(f"<@{BEN}> hello") is None
    assert gateway.ask(f"<@&{HELPERS}> hello") is None
    assert gateway.ask("@everyone hello") is None
    assert gateway.ask("why?", reference=str(theirs.id)) is None


def test_the_bot_s_own_role_is_the_bot() -> None:
    """People pick it from the list."""
    question = Heard().ask(f"<@&{BOT_ROLE}> hello")
    assert question is not None
    assert question.text == "hello"


def test_a_role_whose_text_is_kept_back_is_known_as_such() -> None:
    """And nothing else is: not a bare mention, not a readable one."""
    gateway = Heard()
    assert unreadable(gateway.say(f"<@&{BOT_ROLE}> hello", readable=False), ME)
    assert not unreadable(gateway.say(f"<@&{BOT_ROLE}> hello"), ME)
    assert not unreadable(gateway.say(MENTION, readable=False), ME)
    assert not unreadable(gateway.say("hello", readable=False), ME)


def test_a_direct_message_needs_no_mention() -> None:
    """It is a place of one person."""
    gateway = Heard()
    question = gateway.ask("hello", channel=ANN_DM)
    assert question is not None
    assert (question.place, question.text) == (Place(f"discord:{ANN_DM}", direct=True), "hello")
    again = gateway.ask(f"{MENTION} hello", channel=ANN_DM)
    assert again is not None
    assert again.text == "hello"


def test_a_thread_is_a_place_of_its_own() -> None:
    """Named by its id, in the channel that it is in."""
    question = Heard().ask(f"{MENTION} hello", channel=TALK)
    assert question is not None
    assert question.place == Place(f"discord:{TALK}", shared=True, home=f"discord:{GENERAL}")
    assert question.place == locate(int(TALK), direct=False, home=int(GENERAL))


def test_when_it_was_said_is_the_same_in_every_delivery() -> None:
    """Its id says so, to the millisecond."""
    said = Heard().say(MENTION, id=str((1_500_000_000_123 - 1_420_070_400_000) << 22))
    question = incoming(said, ME)
    assert question is not None
    assert question.sent == 1_500_000_000.123


def test_those_who_are_mentioned_come_along() -> None:
    """By id and name, without the bot, so that their names can be made mentions again."""
    question = Heard().ask(f"{MENTION} ask <@{BEN}> and <@{BEN}>")
    assert question is not None
    assert question.people == (Author(BEN, "Ben"),)


@pytest.mark.parametrize("ping", [True, False])
def test_a_reply_to_the_bot_is_a_question(ping: bool) -> None:
    """With its ping or without, and it quotes what it answers."""
    gateway = Heard()
    mine = gateway.say("an answer", author=BOT)
    question = gateway.ask("why?", reference=str(mine.id), ping=ping)
    assert question is not None
    assert (question.text, question.quote) == ("why?", "an answer")


def test_a_reply_to_the_bot_without_ping_and_text_is_nothing() -> None:
    """Without the intent Discord keeps the text back, and nobody asked for an answer."""
    gateway = Heard()
    mine = gateway.say("an answer", author=BOT)
    assert gateway.ask("why?", reference=str(mine.id), ping=False, readable=False) is None
    assert gateway.ask("why?", reference=str(mine.id), ping=True, readable=False) is not None


def test_a_bare_mention_has_no_text() -> None:
    """As a reply it means: look at that."""
    gateway = Heard()
    bare = gateway.ask(MENTION)
    assert bare is not None
    assert (bare.text, bare.quote, bare.command) == ("", "", "")
    theirs = gateway.say(f"a thought of <@{BEN}>", author=BEN)
    look = gateway.ask(MENTION, reference=str(theirs.id), ping=False)
    assert look is not None
    assert (look.text, look.quote) == ("", "a thought of @Ben")


def test_a_reply_to_what_is_gone_has_no_quote() -> None:
    """It is a question all the same."""
    gateway = Heard()
    theirs = gateway.say("a thought", author=BEN)
    gateway.world.find(str(theirs.id)).deleted = True
    question = gateway.ask(f"{MENTION} why?", reference=str(theirs.id))
    assert question is not None
    assert question.quote == ""


def test_what_bots_webhooks_and_discord_say_is_not_answered() -> None:
    """Nor what the bot says itself, even where it mentions itself."""
    gateway = Heard()
    assert gateway.ask(f"{MENTION} hello", author=ROBOT) is None
    assert gateway.ask(f"{MENTION} hello", author=BOT) is None
    assert gateway.ask(f"{MENTION} hello", webhook_id="700000000000000001") is None
    assert gateway.ask(f"{MENTION} hello", type=6) is None
    assert gateway.ask("hello", channel=ANN_DM, type=3) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (f"ask <@{BEN}> or <@!{BEN}>", "ask @Ben or @Ben"),
        ("ask <@999>", "ask @999"),
        (f"<@&{HELPERS}> know", "@helpers know"),
        ("<@&999> know", "@role know"),
        (f"in <#{RANDOM}> or <#{TALK}>", "in #random or #a talk"),
        ("in <#999>", "in #channel"),
        ("<:wave:123> <a:dance:456>", ":wave: :dance:"),
        ("</reset:123> </parley help:123>", "/reset /parley help"),
        ("see <id:customize> and <id:guide>", "see #customize and #guide"),
        ("at <t:0:F>, <t:86400>", "at 1970-01-01 00:00 UTC, 1970-01-02 00:00 UTC"),
        ("at <t:99999999999>", "at 5138-11-16 09:46 UTC"),
        ("if a<b and c>d", "if a<b and c>d"),
        ("def f():\n    return 1", "def f():\n    return 1"),
    ],
)
def test_mentions_and_emoji_are_readable(written: str, read: str) -> None:
    """As people see them."""
    question = Heard().ask(f"{MENTION} {written}")
    assert question is not None
    assert question.text == read


def test_people_are_called_what_the_server_calls_them() -> None:
    """By their nickname there."""
    gateway = Heard()
    gateway.world.guilds[GUILD].members[ANN].nick = "Annie"
    gateway.world.guilds[GUILD].members[BEN].nick = "Benny"
    question = gateway.ask(f"{MENTION} greet <@{BEN}>")
    assert question is not None
    assert (question.author.name, question.text) == ("Annie", "greet @Benny")


@pytest.mark.parametrize(
    ("content", "channel", "command"),
    [
        (f"{MENTION} reset", GENERAL, "reset"),
        (f"{MENTION} /stop", GENERAL, "stop"),
        ("help", ANN_DM, "help"),
        ("/reset", ANN_DM, "reset"),
        (f"{MENTION} reset my password", GENERAL, ""),
    ],
)
def test_a_command_is_the_whole_message(content: str, channel: str, command: str) -> None:
    """Bare, where the bot was addressed."""
    question = Heard().ask(content, channel=channel)
    assert question is not None
    assert question.command == command


def test_files_come_with_the_question() -> None:
    """Name, kind, size, address."""
    file = {"id": "1", "filename": "a.png", "size": 5, "url": "https://cdn.example/a.png", "proxy_url": "https://p"}
    question = Heard().ask(MENTION, attachments=[{**file, "content_type": "image/png"}, {**file, "filename": "b"}])
    assert question is not None
    assert question.attachments == (
        Attachment("a.png", "image/png", 5, "https://cdn.example/a.png"),
        Attachment("b", "", 5, "https://cdn.example/a.png"),
    )


def test_what_is_forwarded_is_quoted() -> None:
    """With its files."""
    file = {"id": "1", "filename": "a.png", "size": 5, "url": "https://cdn.example/a.png", "proxy_url": "https://p"}
    inner = {"type": 0, "content": "<:wave:1> from afar", "embeds": [], "attachments": [file], "flags": 0}
    snapshot = {"message": {**inner, "timestamp": "2026-01-05T00:49:53+00:00", "edited_timestamp": None}}
    reference = {"type": 1, "channel_id": "1", "message_id": "2"}
    question = Heard().ask("", channel=ANN_DM, message_snapshots=[snapshot], message_reference=reference)
    assert question is not None
    assert (question.text, question.quote) == ("", ":wave: from afar")
    assert [file.name for file in question.attachments] == ["a.png"]


def test_a_follow_up_is_to_nobody_in_particular() -> None:
    """In a thread, and readable."""
    gateway = Heard()
    mine, theirs = gateway.say("an answer", TALK, author=BOT), gateway.say("a thought", TALK, author=BEN)
    assert find_audience(gateway.say("and then?", TALK), ME) is Audience.ANYBODY
    for others in (
        gateway.say("and then?", TALK, readable=False),
        gateway.say(f"<@{BEN}> and then?", TALK),
        gateway.say(f"<@&{HELPERS}> and then?", TALK),
        gateway.say("@here and then?", TALK),
        gateway.say("and then?", TALK, reference=str(theirs.id), ping=False),
    ):
        assert find_audience(others, ME) is Audience.OTHERS
    assert find_audience(gateway.say("and then?", TALK, reference=str(mine.id), ping=False), ME) is Audience.BOT


def test_a_follow_up_is_a_question_where_the_bot_takes_part() -> None:
    """A bare word is no command there."""
    gateway = Heard()
    said = gateway.say("help", TALK)
    assert incoming(said, ME) is None
    question = incoming(said, ME, unasked=True)
    assert question is not None
    assert (question.text, question.command) == ("help", "")
    assert incoming(gateway.say(f"<@{BEN}> help", TALK), ME, unasked=True) is None


@pytest.mark.parametrize(
    ("name", "text", "addressed"),
    [
        ("gatewayMention", "Hey", True),
        ("gatewayRoleMention", "AI Still there?", True),
        ("gatewaySubscribedMessage", "", False),
        ("gatewayBotWelcome", "", False),
    ],
)
def test_recorded_messages_are_understood(name: str, text: str, addressed: bool) -> None:
    """As the real gateway brought them."""
    gateway = Heard()
    ids = SAMPLES["metadata"]
    guild = gateway.world.guild(ids["guildId"], "Recorded")
    role = next(role for role in guild.roles.values() if role.bot)
    drawn = payloads.guild(guild, gateway.world)
    for given in drawn["roles"]:
        if given["id"] == role.id:
            given |= {"id": ids["roleId"], "tags": {"bot_id": ids["botId"]}}
    gateway.state.user.id = int(ids["botId"])  # type: ignore[union-attr]
    gateway.state._add_guild_from_data(drawn)  # type: ignore[arg-type]
    question = incoming(gateway.read(SAMPLES[name]["data"]), int(ids["botId"]))
    assert (question is not None) is addressed
    assert question is None or question.text == text
