"""Names in an answer become mentions of those who take part, and notify nobody."""

from __future__ import annotations

import pytest

from adapters.discord.outbound.mentions import caller
from adapters.discord.outbound.payload import content
from bot.domain.messages import Author, Page, State
from tests.loopback.discord import ANN, BEN, BOT, FakeDiscord
from tests.support.discord_app import answered, connected

PEOPLE = (
    Author("1", "Ann"),
    Author("2", "Ann Smith"),
    Author("3", "ben_b"),
    Author("4", "Zoë (she/her)"),
    Author("5", "Twin"),
    Author("6", "Twin"),
    Author("1", "Ann"),
)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Hello @Ann!", "Hello <@1>!"),
        ("@Ann, @Ann Smith and @ben_b.", "<@1>, <@2> and <@3>."),
        ("**@Ann** (@Ann)", "**<@1>** (<@1>)"),
        ("- @Ann: one\n> @ben\\_b", "- <@1>: one\n> <@3>"),
        ("@Zoë (she/her) knows", "<@4> knows"),
        ("@Anna and @ann and Ann", "@Anna and @ann and Ann"),
        ("@Twin", "@Twin"),
        ("mail x@Ann, https://a.example/@Ann", "mail x@Ann, https://a.example/@Ann"),
        ("`@Ann` and ``a ` @Ann``", "`@Ann` and ``a ` @Ann``"),
        ("```py\n@Ann\n```\n@Ann", "```py\n@Ann\n```\n<@1>"),
        ("[@Ann](https://a.example) <@9>", "[@Ann](https://a.example) <@9>"),
        ("a lone ` and @Ann", "a lone ` and <@1>"),
        ("@everyone @here", "@everyone @here"),
        ("\\@Ann", "\\@Ann"),
    ],
)
def test_a_name_is_a_mention(written: str, shown: str) -> None:
    """The longest one that fits; not in code, links and addresses, and not where two have it."""
    assert content(Page(written), 44, caller(PEOPLE)) == shown


def test_names_that_look_like_patterns_are_names() -> None:
    """Nobody's name reads more than itself; ids that are none are left alone."""
    call = caller((Author("1", ".*"), Author("2", "a+b"), Author("x", "Eve")))
    assert call("@Ann @.* @a+b @aab @Eve") == "@Ann <@1> <@2> @aab @Eve"


def test_without_people_and_while_it_grows() -> None:
    """The cursor and the note are no part of it."""
    assert content(Page("@Ann"), 44) == "@Ann"
    growing = Page("@Ann", State.GROWING, note="@Ann waits")
    assert content(growing, 44, caller(PEOPLE)) == "<@1> ▌\n-# @Ann waits"


async def test_who_takes_part_is_shown_as_a_mention_and_not_notified() -> None:
    """The asker is notified by the reply alone, posted and edited; the length that counts is the one that is sent."""
    async with FakeDiscord() as discord, connected(discord) as app:
        discord.say(content=f"<@{BOT}> greet <@{BEN}>, I am @Ann")
        await answered(discord, app, 1)
        assert discord.answers()[0].shown == f"echo: greet <@{BEN}>, I am <@{ANN}>"
        told = [notice for notice in discord.notifications if discord.message(notice.message).author.id == BOT]
        assert [(notice.who, notice.how) for notice in told] == [(ANN, "reply")]
        allowed = [call.body["allowed_mentions"] for route in ("post", "edit") for call in discord.called(route)]
        assert allowed == [{"parse": [], "replied_user": True}] * 2
        channel = app.engine.openers["discord"](app.engine.received[0])
        assert channel.measure(Page("@Ann")) == len(f"<@{ANN}>")
