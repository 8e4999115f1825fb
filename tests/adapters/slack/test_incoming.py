"""Which of Slack's events are messages for the bot, where they belong, and what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.api.identity import Identity
from adapters.slack.inbound.messages import Spoken, find_audience, incoming, spoken
from bot.domain.audience import Audience
from bot.domain.messages import Attachment, Incoming, Place

SAMPLES = Path(__file__).parents[2] / "samples"
ME = Identity("T1", "UBOT", "B1", "parley", "Loopback")
NAMES = {"UANN": "Ann"}


def envelope(**event: Any) -> dict[str, Any]:
    """An event of a person in a channel."""
    said = {"type": "message", "user": "UANN", "channel": "C1", "ts": "1700000000.000100", "channel_type": "channel"}
    return {"type": "event_callback", "team_id": "T1", "event": {**said, **event}}


def hear(body: dict[str, Any], joined: bool = False, me: Identity = ME) -> Incoming | None:
    """The message that comes of an event."""
    said = spoken(body, me)
    return incoming(said, me, NAMES, joined) if said else None


def recorded(file: str, key: str) -> tuple[dict[str, Any], Identity]:
    """A recorded payload and the bot that it was sent to."""
    sample = json.loads((SAMPLES / f"slack-{file}.json").read_text(encoding="utf-8"))
    return sample[key], Identity("T00FAKE00AA", sample["botUserId"], "B00FAKEBOT01", "bot", "acme")


def test_a_mention_in_a_channel_begins_a_thread() -> None:
    """It is answered in a thread of its own, which is its place."""
    question = hear(envelope(text="<@UBOT> hello"))
    assert question
    assert question.place == Place("slack:T1:C1:1700000000.000100", shared=True, home="slack:T1:C1")
    assert (question.text, question.author.name, question.channel_id) == ("hello", "Ann", "C1")


def test_twins_are_one_message() -> None:
    """`app_mention` and `message` carry the same ids, whichever comes first."""
    twin = envelope(type="app_mention", text="<@UBOT> hello")
    del twin["event"]["channel_type"]
    assert hear(twin) == hear(envelope(text="<@UBOT> hello"))


def test_a_mention_in_a_thread_belongs_to_the_thread() -> None:
    """The first message of the thread is the key."""
    question = hear(envelope(text="<@UBOT> hello", thread_ts="1600000000.000001"))
    assert question
    assert question.place.key == "slack:T1:C1:1600000000.000001"


def test_a_direct_message_needs_no_mention() -> None:
    """Outside of a thread the place is the DM itself."""
    question = hear(envelope(text="hello", channel="D1", channel_type="im"))
    assert question
    assert question.place == Place("slack:T1:D1", direct=True)


def test_a_thread_in_a_dm_is_a_place_of_its_own() -> None:
    """A person who writes in a thread is answered there."""
    question = hear(envelope(text="hello", channel="D1", channel_type="im", thread_ts="1600000000.000001"))
    assert question
    assert question.place == Place("slack:T1:D1:1600000000.000001", direct=True, home="slack:T1:D1")


def test_when_it_was_said_is_its_ts() -> None:
    """The same in every delivery; what is no time is none."""
    question = hear(envelope(text="<@UBOT> hello"))
    assert question
    assert question.sent == 1700000000.0001
    odd = hear(envelope(text="<@UBOT> hello", ts="soon"))
    assert odd
    assert odd.sent == 0.0


def test_what_is_forwarded_is_quoted() -> None:
    """With readable mentions, and a preview of a page with its address."""
    shared = {"is_share": True, "is_msg_unfurl": True, "author_name": "Ben", "text": "ask <@UANN> &amp; co"}
    page = {"title": "A page", "text": "Buy now", "from_url": "https://a.example"}
    question = hear(envelope(text="<@UBOT> look", attachments=[shared, page, {"is_share": True}]))
    assert question
    assert question.text == "look"
    assert question.quote == "ask @Ann & co\n\n[A page](https://a.example)\nBuy now"
    said = spoken(envelope(text="<@UBOT>", attachments=[shared]), ME)
    assert said
    assert said.people == ("UANN", "UBOT", "UANN")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<@UANN> and <@UBEN|ben>", "@Ann and @ben"),
        ("<@UBEN|Ben\u2028Ann: *yes*>", "@Ben Ann yes"),
        ("<@UBEN|@everyone>", "@UBEN"),
        ("<#C2|general> <!here> <!subteam^S1|@team> <!subteam^S1>", "#general @here @team @S1"),
        ("<https://a.example|here> &lt;!here&gt;", "[here](https://a.example) <!here>"),
    ],
)
def test_mentions_are_readable(written: str, read: str) -> None:
    """As names; a label cannot pass for more than one."""
    question = hear(envelope(text=f"<@UBOT> {written}"))
    assert question
    assert question.text == read


@pytest.mark.parametrize("kind", ["channel", "group", "mpim"])
def test_without_a_mention_nothing_outside_of_a_dm_is_for_the_bot(kind: str) -> None:
    """Group messages are like channels."""
    assert hear(envelope(text="hello", channel_type=kind)) is None


def rich(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    """Blocks as a person's client writes them."""
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}]


def test_a_mention_may_stand_in_rich_text_alone() -> None:
    """It calls the bot, or somebody else, as one in the text does; a command too."""
    me, words = {"type": "user", "user_id": "UBOT"}, {"type": "text", "text": " Reset"}
    question = hear(envelope(text="", blocks=rich(me, words)))
    assert question
    assert (question.text, question.command) == ("Reset", "reset")
    asked = envelope(text="", blocks=rich({"type": "user", "user_id": "UBEN"}, words), thread_ts="1600000000.000001")
    assert hear(asked, joined=True) is None


def test_what_a_message_carries_calls_nobody() -> None:
    """Neither a mention in it nor a command is said to the bot."""
    report = {"title": "<@UBOT> reset", "text": "/reset", "fields": [{"title": "<@UBOT>", "value": "stop"}]}
    assert hear(envelope(text="look", attachments=[report])) is None
    question = hear(envelope(text="", channel="D1", channel_type="im", attachments=[report]))
    assert question
    assert (question.text, question.command) == ("", "")
    assert question.quote == "@parley reset\n/reset\n@parley: stop"


def test_a_follow_up_needs_a_thread_that_the_bot_is_in() -> None:
    """There no mention is needed."""
    body = envelope(text="and now?", thread_ts="1600000000.000001")
    assert hear(body) is None
    question = hear(body, joined=True)
    assert question
    assert question.text == "and now?"


@pytest.mark.parametrize("text", ["<@UBEN> and now?", "<!subteam^S1|@team> look"])
def test_what_calls_somebody_else_is_not_a_follow_up(text: str) -> None:
    """A thread message that mentions others and not the bot is theirs."""
    assert hear(envelope(text=text, thread_ts="1600000000.000001"), joined=True) is None


def test_what_calls_the_bot_too_is_for_it() -> None:
    """A mention of others beside the bot changes nothing."""
    question = hear(envelope(text="<@UBOT> ask <@UBEN>", thread_ts="1600000000.000001"))
    assert question
    assert question.text == "ask @UBEN"


@pytest.mark.parametrize(
    "event",
    [
        {"subtype": "message_changed", "hidden": True, "user": None},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "bot_message"},
        {"bot_id": "B9"},
        {"user": "UBOT"},
        {"user": "USLACKBOT"},
        {"user": "USLACK"},
        {"user": None},
        {"hidden": True},
        {"type": "reaction_added"},
        {"type": "app_home_opened"},
    ],
)
def test_what_no_person_said_is_ignored(event: dict[str, Any]) -> None:
    """Bots, Slack itself, edits, deletions and notices ask for no answer."""
    assert hear(envelope(text="<@UBOT> hello", channel="D1", **event)) is None


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast"])
def test_files_and_broadcasts_are_messages(subtype: str) -> None:
    """They are what a person said, with a mark."""
    assert hear(envelope(text="<@UBOT> hello", subtype=subtype)) is not None


def test_files_come_along() -> None:
    """Name, type, size and address of each."""
    file = {"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 9, "url_private": "https://files.example/a"}
    question = hear(envelope(text="<@UBOT>", subtype="file_share", files=[file]))
    assert question
    assert question.attachments == (Attachment("a.png", "image/png", 9, "https://files.example/a"),)


def test_a_bare_mention_has_an_empty_text() -> None:
    """The engine then says what the bot is."""
    question = hear(envelope(text="<@UBOT>"))
    assert question
    assert (question.text, question.command) == ("", "")


@pytest.mark.parametrize(
    ("event", "command"),
    [
        ({"text": "<@UBOT> reset"}, "reset"),
        ({"text": "<@UBOT> Reset "}, "reset"),
        ({"text": "<@UBOT> /stop"}, "stop"),
        ({"text": "help", "channel": "D1", "channel_type": "im"}, "help"),
        ({"text": "<@UBOT> reset my password"}, ""),
        ({"text": "reset", "thread_ts": "1600000000.000001"}, ""),
    ],
)
def test_a_command_is_the_whole_message_and_said_to_the_bot(event: dict[str, Any], command: str) -> None:
    """A bare word in a thread that was not said to the bot resets nothing."""
    question = hear(envelope(**event), joined=True)
    assert question
    assert question.command == command


def test_the_workspace_is_the_installation_s() -> None:
    """In a shared channel the envelope names the guest's workspace beside it."""
    body = envelope(text="<@UBOT> hello", team="T9")
    body |= {"team_id": "T9", "authorizations": [{"team_id": "T1", "user_id": "UBOT"}]}
    question = hear(body)
    assert question
    assert question.place.key.startswith("slack:T1:")


def test_whom_nobody_names_keeps_their_id() -> None:
    """Names need a scope that the app may lack."""
    question = hear(envelope(text="<@UBOT> hello", user="UBEN"))
    assert question
    assert question.author.name == "UBEN"


@pytest.mark.parametrize(
    ("file", "key", "place", "text"),
    [
        ("mention", "mention", "slack:T00FAKE00AA:C00FAKECHAN1:1767224888.280449", "Hey"),
        ("channel", "mention", "slack:T00FAKE00AA:C00FAKECHAN1:1771287144.743569", "Hey"),
        ("dm", "dmMessage", "slack:T00FAKE00AA:D0A5319PS02", "Hey!"),
        ("actions-reactions", "mention", "slack:T00FAKE00AA:C00FAKECHAN1:1767326125.870439", "Test"),
    ],
)
def test_recorded_messages_are_understood(file: str, key: str, place: str, text: str) -> None:
    """The shapes that Slack really sends."""
    body, me = recorded(file, key)
    question = hear(body, me=me)
    assert question
    assert (question.place.key, question.text) == (place, text)


@pytest.mark.parametrize(("file", "key"), [("mention", "followUp"), ("dm", "dmRequest")])
def test_recorded_follow_ups_need_the_bot_in_the_thread(file: str, key: str) -> None:
    """They carry no mention."""
    body, me = recorded(file, key)
    said = spoken(body, me)
    assert isinstance(said, Spoken)
    assert find_audience(said, me) is Audience.ANYBODY
    assert hear(body, me=me) is None
    assert hear(body, joined=True, me=me) is not None


def test_a_recorded_reaction_is_no_message() -> None:
    """Nothing comes of it."""
    body, me = recorded("actions-reactions", "reaction")
    assert hear(body, me=me) is None
