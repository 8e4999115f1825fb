"""Nobody is notified but the asker: by no text of a model, no name of a person, on no post and no edit."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.api.client import connect as connect_discord
from adapters.discord.inbound.text import call as discord_name
from adapters.discord.outbound.channel import DiscordChannel
from adapters.discord.outbound.dialect import TABLE_WIDTH
from adapters.discord.outbound.mentions import caller
from adapters.discord.outbound.payload import bare as discord_bare
from adapters.discord.outbound.payload import content, flags
from adapters.discord.outbound.payload import form as discord_form
from adapters.shared.quotes import plain
from adapters.slack.api.client import connect as connect_slack
from adapters.slack.api.identity import introduce
from adapters.slack.api.workspace import Workspace
from adapters.slack.interactions import thread_picker
from adapters.slack.outbound import dialect
from adapters.slack.outbound.channel import SlackChannel
from adapters.slack.outbound.payload import bare as slack_bare
from adapters.slack.outbound.payload import form as slack_form
from adapters.slack.outbound.payload import measure
from bot.domain.messages import Author, Incoming, Page, Place, State
from bot.domain.ports import Channel
from bot.replies.reply import Reply
from tests.loopback import discord, slack
from tests.loopback.discord.rules import mentioned
from tests.loopback.slack.app import settings as slack_settings
from tests.support import discord_app
from tests.support.clock import run
from tests.support.screen import Screen
from tests.support.tries import tries

MENTIONS = (
    "<@1>", "<@!1>", "<@&2>", "@everyone", "@here", "<@U012ABC>", "<@U012ABC|ann>", "<@W012ABC>", "<!channel>",
    "<!here|@here>", "<!everyone>", "<!subteam^S012ABC>", "<!subteam^S012ABC|@team>", "@channel", "@Channel", "@HERE",
    "<#C012ABC>", "<#1>", "@Ann", "@ann.b", "@helpers", "<!date^1^{date}|<!here>>", "</reset:1>", "<id:customize>",
)  # fmt: skip
ODD = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u2066"
"""Characters that are not seen."""
WIDE = {ord(letter): ord(letter) + 0xFEE0 for letter in "<>@!#&|^everyonhrcla"}
"""To fullwidth forms, which some normalise back."""
SCRAPS = (
    "<", ">", "!", "@", "#", "&", "|", "^", "&lt;", "&gt;", "&amp;", "&#60;", "&#x3c;", "\\", "`", "``", "```", "~~~",
    "\n", "\n\n", "> ", "- ", "| a |\n|---|\n| ", " |", "*", "**", "_", "||", "[", "](https://a.example/", ")",
    "channel", "here", "everyone", "subteam", "U012ABC", "word ", " ",
)  # fmt: skip
CALL = re.compile(r"(?<![\w/])@(channel|here|everyone)\b", re.IGNORECASE)


def hide(mention: str, odd: str, at: int) -> str:
    """A mention with an invisible character in it."""
    at %= len(mention) + 1
    return mention[:at] + odd + mention[at:]


mentions = st.sampled_from(MENTIONS)
tricky = st.one_of(
    mentions,
    st.builds(hide, mentions, st.sampled_from(ODD), st.integers(0, 30)),
    mentions.map(lambda mention: mention.translate(WIDE)),
    st.sampled_from(SCRAPS),
    st.builds(lambda word, times: f"{word} " * times, st.sampled_from(("filling", "fülling")), st.integers(1, 40)),
)
texts = st.lists(tricky, min_size=1, max_size=25).map("".join)
cuts = st.lists(st.integers(1, 9), min_size=1, max_size=5)
names = st.lists(st.one_of(mentions, tricky), min_size=1, max_size=4).map("".join)


class Small(Screen):
    """A screen whose pages are short, and as long as an adapter says they are; it keeps no page but a form."""

    def __init__(self, channel: str, people: Sequence[Author] = ()) -> None:
        super().__init__(page_size=160)
        self._discord = channel == "discord"
        self._mentions = caller(people)

    def measure(self, page: Page) -> int:
        """The adapter's own measure."""
        return len(content(page, TABLE_WIDTH, self._mentions)) if self._discord else measure(page)


def pieces(text: str, cuts: Sequence[int]) -> Iterator[str]:
    """A text in pieces of these lengths, again and again."""
    at = turn = 0
    while at < len(text):
        size = cuts[turn % len(cuts)]
        yield text[at : at + size]
        at, turn = at + size, turn + 1


def shown(screen: Screen, text: str, cuts: Sequence[int], note: str) -> list[Page]:
    """Every page that an answer ever posts or edits, written piece by piece in virtual time."""

    async def main() -> None:
        reply = Reply(screen, turn=7)
        writing = asyncio.create_task(reply.write())
        for piece in pieces(text, cuts):
            await reply.grow(piece)
            await asyncio.sleep(0.2)
        reply.end(State.DONE, note)
        await writing

    run(main())
    return [seen.page for seen in screen.seen]


def spoken(found: Any) -> list[str]:
    """Every text of a payload for Slack, wherever it stands."""
    if isinstance(found, dict):
        return [text for key, value in found.items() if key != "type" for text in spoken(value)]
    if isinstance(found, list):
        return [text for value in found for text in spoken(value)]
    return [found] if isinstance(found, str) else []


def call_nobody(payload: dict[str, Any]) -> None:
    """Assert that nothing that Slack is sent is one of its tokens, or asks it to look for names itself."""
    assert not {"link_names", "parse"} & payload.keys()
    for text in spoken(payload):
        assert "<" not in text
        assert not CALL.search(text)


def tell_nobody(payload: dict[str, Any], asker: bool) -> None:
    """Assert that what Discord is sent notifies nobody, but perhaps by being a reply to the asker."""
    assert payload["allowed_mentions"] == {"parse": [], "replied_user": asker}
    found = mentioned(payload["content"], payload["allowed_mentions"])
    assert (found.users, found.roles, found.everyone) == ((), (), ())


@tries(60)
@given(texts, cuts, texts)
def test_in_slack_nothing_that_a_model_writes_calls_anybody(text: str, cuts: list[int], note: str) -> None:
    """Each page of a growing answer, in either form, first or edited, with its note."""
    for page in shown(Small("slack"), text, cuts, note[:40]):
        call_nobody(slack_form(page))
        call_nobody(slack_bare(page))


@tries(60)
@given(texts, cuts, texts, st.booleans())
def test_in_discord_nothing_that_a_model_writes_calls_anybody(
    text: str, cuts: list[int], note: str, ping: bool
) -> None:
    """Each page says whom it may notify: the asker, by the first page alone and only where that is set."""
    people = (Author("1", "Ann"), Author("3", "channel"), Author("4", "helpers"))
    screen = Small("discord", people)
    for page in shown(screen, text, cuts, note[:40]):
        written = content(page, TABLE_WIDTH, caller(people))
        for words in (written, discord_bare(page)):
            tell_nobody(discord_form(page, words, ping), ping and not page.part)
        assert bool(flags(page) & 1 << 12) == bool(page.part)


@tries(100)
@given(names)
def test_a_name_is_no_mention(name: str) -> None:
    """What a person calls themselves reaches the model, and comes back in an answer, without a sign of a mention."""
    kept = plain(name)
    assert not set(kept) & set("@<>#|\n")
    assert kept.casefold() not in ("everyone", "here", "channel")
    for said in (f"@{kept}", f"{kept}: hi", f"<@{kept}>", f"@{name}", name):
        call_nobody(slack_form(Page(said)))
        text = content(Page(said), TABLE_WIDTH, caller((Author("1", kept),)) if kept else str)
        tell_nobody(discord_form(Page(said), text, ping=True), asker=True)


@tries(100)
@given(texts)
def test_words_beside_an_answer_call_nobody(text: str) -> None:
    """An alert for admins, and the latest question of a thread where threads are picked from."""
    call_nobody({"text": dialect.escape(text)})
    for block in thread_picker.rows("reset", [("slack:T1:C1:no-time", text)]):
        call_nobody({"blocks": [{**block, "accessory": {}}]})


@tries(100)
@given(names, st.sampled_from(["", "global_name", "nick"]))
def test_names_of_discord_are_plain(name: str, kind: str) -> None:
    """Whichever of a person's names is shown: their nickname, their display name or their account's."""
    heard = discord_app.Heard()
    said = heard.say("hello")
    if kind == "nick":
        said.author.nick = name  # type: ignore[union-attr]
    elif kind:
        said.author._user.global_name = name  # type: ignore[union-attr]
    assert not set(discord_name(said.author)) & set("@<>#|\n")


HARD = "\n\n".join(f"{mention} and {hide(mention, ODD[0], 1)}, `{mention}`\n> {mention}" for mention in MENTIONS)


async def write(channel: Channel, text: str) -> None:
    """Answer with a text, in two growing states and the whole."""
    reply = Reply(channel, turn=7)
    writing = asyncio.create_task(reply.write())
    for piece in pieces(text, [len(text) // 3 + 1]):
        await reply.grow(piece)
    reply.end(State.DONE, "<!here> @everyone")
    await writing


@pytest.mark.parametrize("ping", [True, False])
async def test_discord_notifies_the_asker_alone(ping: bool) -> None:
    """Everything that reached the server: by its own reading nobody else was told, and the asker where it is set."""
    async with discord.FakeDiscord() as server:
        question = server.say(discord.GENERAL, "a question")
        chosen = discord_app.settings(server, ping_asker=ping)
        async with connect_discord(chosen) as rest:
            people = (Author(discord.BEN, "Ann"),)
            channel = DiscordChannel(rest, chosen, discord.GENERAL, question.id, people=people)
            await write(channel, HARD * 2)
            await channel.attach("@everyone.md", HARD)
        told = [(notice.who, notice.how) for notice in server.notifications if notice.message != question.id]
        assert told == ([(discord.ANN, "reply")] if ping else [])
        assert len(server.called("post")) >= 3


async def test_slack_notifies_nobody() -> None:
    """Everything that reached the server, in every version of every message."""
    async with slack.FakeSlack() as server:
        server.limits.generous = True
        said = await server.say(slack.CHANNEL, "a question")
        async with connect_slack(slack_settings(server)) as client:
            me, _ = await introduce(client)
            place = Place(f"slack:{slack.TEAM}:{slack.CHANNEL}:{said.ts}", shared=True)
            question = Incoming(place, Author(slack.ANN, "Ann"), "a question", slack.CHANNEL, said.ts)
            await write(SlackChannel(Workspace(client, me), question), HARD * 5)
        answers = server.answers()
        assert len(answers) >= 1
        assert [ping for answer in answers for ping in answer.pings] == []
        assert "ann" in json.dumps([answer.shown for answer in answers])
