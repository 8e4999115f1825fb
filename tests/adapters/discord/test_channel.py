"""Discord as a channel: what a page looks like there, what refusals mean, and that each call is made once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from adapters.discord.api.client import connect
from adapters.discord.outbound.channel import DiscordChannel
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page, State
from bot.domain.ports import Queue
from tests.loopback.discord import ANN, ANN_DM, BEN, GENERAL, HELPERS, TALK, FakeDiscord
from tests.support.discord_app import settings, talking

SUPPRESS_EMBEDS, SILENT = 1 << 2, 1 << 12


def body(discord: FakeDiscord, route: str) -> dict[str, Any]:
    """What the last call of a route brought."""
    return discord.called(route)[-1].body


@pytest.mark.parametrize("where", [GENERAL, TALK, ANN_DM])
async def test_an_answer_is_a_reply_that_grows(where: str) -> None:
    """The cursor stands only while it grows."""
    async with FakeDiscord() as discord, talking(discord, where) as (channel, said):
        posted = await channel.post(Page("one", State.GROWING))
        await channel.edit(posted, Page("one two"))
        assert [version.shown for version in discord.message(posted).versions] == ["one ▌", "one two"]
        assert discord.message(posted).reference == said.id


async def test_only_the_last_page_has_the_cursor() -> None:
    """A page before it is whole already."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        posted = await channel.post(Page("one", State.GROWING, last=False))
        assert discord.shown(posted) == "one"


async def test_nobody_but_the_asker_is_notified() -> None:
    """By posts and by edits, whatever the model writes."""
    loud = f"@everyone @here <@{BEN}> <@&{HELPERS}>"
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        posted = await channel.post(Page(loud, State.GROWING))
        await channel.edit(posted, Page(f"{loud} again"))
        assert [(notice.who, notice.how) for notice in discord.notifications] == [(ANN, "reply")]
        for route in ("post", "edit"):
            assert body(discord, route)["allowed_mentions"] == {"parse": [], "replied_user": True}


async def test_the_asker_is_not_notified_where_the_settings_say_so() -> None:
    """The reference stays."""
    async with FakeDiscord() as discord, talking(discord, ping_asker=False) as (channel, said):
        posted = await channel.post(Page("one"))
        assert discord.message(posted).reference == said.id
        assert discord.notifications == []


async def test_a_continuation_comes_silently() -> None:
    """Without a reference, without a sound, without a ping."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        posted = await channel.post(Page("two", State.GROWING, part=1))
        await channel.edit(posted, Page("two three", part=1))
        assert discord.message(posted).reference == ""
        assert discord.message(posted).versions[0].flags & SILENT
        assert body(discord, "post")["allowed_mentions"] == {"parse": [], "replied_user": False}
        assert discord.notifications == []


async def test_links_do_not_unfold() -> None:
    """Neither while the page grows nor when it is whole."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        posted = await channel.post(Page("https://a.example", State.GROWING))
        await channel.edit(posted, Page("https://a.example https://b.example", State.GROWING))
        await channel.edit(posted, Page("https://a.example and https://b.example"))
        versions = discord.message(posted).versions
        assert all(version.flags & SUPPRESS_EMBEDS and not version.embeds for version in versions)


async def test_buttons_ride_on_the_page() -> None:
    """Stop while it grows, Try again afterwards, none where the page has no turn or is not the last."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        posted = await channel.post(Page("one", State.GROWING, turn=7))
        assert discord.message(posted).buttons == ["parley:stop:7"]
        for state in (State.DONE, State.STOPPED, State.FAILED, State.CUT, State.REFUSED, State.INTERRUPTED):
            await channel.edit(posted, Page("one two", state, turn=7))
            assert discord.message(posted).buttons == ["parley:again:7"]
        await channel.edit(posted, Page("one two", turn=7, last=False))
        assert discord.message(posted).buttons == []
        assert discord.message(await channel.post(Page("one"))).buttons == []


async def test_a_note_is_small_print_under_the_page() -> None:
    """Or stands alone, where the page has no text; then there is no cursor either."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        posted = await channel.post(Page("half", State.FAILED, "It broke. Try again."))
        assert discord.shown(posted) == "half\n-# It broke. Try again."
        alone = await channel.post(Page("", State.GROWING, "Thinking…"))
        assert discord.shown(alone) == "-# Thinking…"


@pytest.mark.parametrize("letter", ["x", "*", "\\", "界", "🙂", "👩‍👩‍👧"])
async def test_the_largest_page_is_taken(letter: str) -> None:
    """Whatever it is made of: posted and edited, with a cursor and with a note."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        note = "It broke. " * 5
        text = letter * (channel.page_size // len(letter))
        while channel.measure(Page(text, State.FAILED, note)) > channel.page_size:
            text = text[: -len(letter)]
        posted = await channel.post(Page(text, State.GROWING))
        await channel.edit(posted, Page(text, State.FAILED, note))
        assert not discord.refusals


async def test_the_measure_counts_what_is_sent() -> None:
    """The dialect, the cursor and the note, in UTF-16 units."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        assert channel.measure(Page("ab", State.GROWING)) == len("ab ▌")
        assert channel.measure(Page("ab", State.FAILED, "why")) == len("ab\n-# why")
        assert channel.measure(Page("🙂")) == 2
        assert channel.measure(Page("#### deep")) == len("**deep**")


async def test_a_table_s_width_is_a_setting() -> None:
    """A wider one becomes a list."""
    table = "| name | meaning |\n|---|---|\n| alpha | the first letter of all |"
    async with FakeDiscord() as discord:
        async with talking(discord) as (channel, _):
            assert "```" in discord.shown(await channel.post(Page(table)))
        async with talking(discord, table_width=20) as (channel, _):
            assert "```" not in discord.shown(await channel.post(Page(table)))


async def test_an_answer_to_a_question_that_is_gone_has_no_reference() -> None:
    """It is posted all the same."""
    async with FakeDiscord() as discord, talking(discord) as (channel, said):
        discord.delete(said.id)
        posted = await channel.post(Page("#### one", turn=3))
        assert (discord.message(posted).reference, discord.shown(posted)) == ("", "**one**")
        assert len(discord.called("post")) == 1


async def test_where_the_history_may_not_be_read_there_is_no_reference() -> None:
    """Everything else of the page stays."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        discord.people.deny(GENERAL, "history")
        posted = await channel.post(Page("**one**", turn=3))
        assert (discord.message(posted).reference, discord.shown(posted)) == ("", "**one**")
        assert discord.message(posted).buttons == ["parley:again:3"]
        discord.world.channels[GENERAL].denied.clear()
        discord.fail("post", status=403, body={"code": 160002, "message": "Cannot reply"})
        assert discord.shown(await channel.post(Page("**two**", turn=3))) == "**two**"


async def test_a_form_that_is_refused_becomes_plain_text() -> None:
    """Once, on posts and on edits."""
    invalid = {"code": 50035, "message": "Invalid Form Body"}
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        discord.fail("post", status=400, body=invalid)
        posted = await channel.post(Page("#### one", State.FAILED, "It broke.", turn=3))
        assert discord.shown(posted) == "#### one\nIt broke."
        assert discord.message(posted).buttons == []
        discord.fail("edit", status=400, body=invalid)
        await channel.edit(posted, Page("#### one two", turn=3))
        assert discord.shown(posted) == "#### one two"
        discord.fail("edit", 2, status=400, body=invalid)
        with pytest.raises(PlatformError) as caught:
            await channel.edit(posted, Page("three"))
        assert caught.value.fault is PlatformFault.REJECTED
        assert len(discord.called("edit")) == 4


async def test_a_post_whose_answer_was_lost_stands_there_once() -> None:
    """And shows the newest text when it is sent again."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        discord.fail("post", lose=True)
        with pytest.raises(PlatformError):
            await channel.post(Page("one", State.GROWING, turn=3))
        posted = await channel.post(Page("one two", turn=3))
        assert [(said.id, said.shown) for said in discord.answers()] == [(posted, "one two")]


async def test_posts_are_told_apart_by_a_nonce() -> None:
    """By question, page and attempt, and by how many there were: nothing that is posted swallows another."""
    pages = [Page("hello"), Page("hello"), Page("one", turn=3), Page("two", turn=3, part=1), Page("one", attempt=1)]
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        for page in pages:
            await channel.post(page)
        nonces = {call.body["nonce"] for call in discord.called("post")}
        assert len(nonces) == len(discord.answers()) == len(pages)
        assert all(len(nonce) <= 25 for nonce in nonces)


async def test_after_a_restart_the_same_post_is_not_made_again() -> None:
    """The nonce rests on nothing but what is on record."""
    async with FakeDiscord() as discord, talking(discord) as (channel, said):
        first = await channel.post(Page("one", State.GROWING, turn=3))
        async with connect(settings(discord)) as rest:
            again = DiscordChannel(rest, settings(discord), GENERAL, said.id)
            assert await again.post(Page("one two", turn=3)) == first
        assert discord.shown(first) == "one two"


async def test_a_message_can_be_taken_away() -> None:
    """Once."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        posted = await channel.post(Page("one"))
        await channel.delete(posted)
        assert discord.answers() == []
        with pytest.raises(PlatformError) as caught:
            await channel.delete(posted)
        assert caught.value.fault is PlatformFault.GONE


async def test_the_typing_sign_is_there_until_it_is_cancelled() -> None:
    """And a refusal of it is no failure."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        discord.fail("typing", status=403, body={"code": 50013, "message": "no"})
        for _ in range(2):
            sign = asyncio.create_task(channel.typing())
            count = len(discord.called("typing"))
            await discord.until(lambda before=count: len(discord.called("typing")) > before)  # type: ignore[misc]
            sign.cancel()
            with suppress(asyncio.CancelledError):
                await sign
        assert discord.channels[GENERAL].typed


async def test_a_question_that_waits_has_an_hourglass() -> None:
    """Taken away when it is cancelled."""
    async with FakeDiscord() as discord, talking(discord) as (channel, said):
        assert isinstance(channel, Queue)
        sign = asyncio.create_task(channel.waiting())
        await discord.until(lambda: said.reactions.get("⏳"))
        sign.cancel()
        with suppress(asyncio.CancelledError):
            await sign
        assert not said.reactions["⏳"]


@pytest.mark.parametrize("route", ["react", "unreact"])
async def test_an_hourglass_that_is_refused_is_no_failure(route: str) -> None:
    """The answer can do without it."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        discord.fail(route, status=403, body={"code": 50013, "message": "no"})
        sign = asyncio.create_task(channel.waiting())
        await discord.until(lambda: discord.called("react"))
        sign.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sign
