"""A page whose form Slack does not take is shown all the same, by its words alone."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.outbound.channel import UNFIT
from adapters.slack.outbound.payload import SECTION, bare
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page, State
from tests.adapters.slack.test_channel import talking
from tests.loopback.slack import CHANNEL, FakeSlack
from tests.loopback.slack.rules import check_content
from tests.loopback.slack.state import Version, texts, unescape

METHODS = {"post": "chat.postMessage", "edit": "chat.update"}


@pytest.mark.parametrize("error", UNFIT)
@pytest.mark.parametrize("verb", METHODS)
async def test_an_unfit_page_is_sent_once_more_by_its_words(verb: str, error: str) -> None:
    """With its note and its button."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        ts = await channel.post(Page("one"))
        slack.fail(METHODS[verb], error=error)
        page = Page("**two** <!here>", State.FAILED, "It broke.", turn=7)
        if verb == "post":
            ts = await channel.post(page)
        else:
            await channel.edit(ts, page)
        shown = slack.message(ts).versions[-1]
        assert [block["type"] for block in shown.blocks] == ["section", "context", "actions"]
        assert shown.shown == "**two** @here\nIt broke."
        assert shown.pings == ()


@pytest.mark.parametrize("verb", METHODS)
async def test_words_that_are_refused_too_are_rejected(verb: str) -> None:
    """There is no third try."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        ts = await channel.post(Page("one"))
        calls = len(slack.called(METHODS[verb]))
        slack.fail(METHODS[verb], times=2, error="invalid_blocks")
        with pytest.raises(PlatformError) as caught:
            await (channel.post(Page("two")) if verb == "post" else channel.edit(ts, Page("two")))
        assert caught.value.fault is PlatformFault.REJECTED
        assert len(slack.called(METHODS[verb])) == calls + 2


async def test_an_unfit_page_grows_by_its_words_and_is_tried_in_form_when_it_is_whole() -> None:
    """One refusal a page is enough while it grows; the pages after it are fit until they are refused."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        slack.fail("chat.postMessage", error="invalid_blocks")
        ts = await channel.post(Page("one", State.GROWING))
        await channel.edit(ts, Page("one two", State.GROWING))
        assert slack.message(ts).versions[-1].blocks[0]["type"] == "section"
        await channel.edit(ts, Page("one two three"))
        assert slack.message(ts).versions[-1].blocks[0]["type"] == "markdown"
        more = await channel.post(Page("four", State.GROWING, part=1))
        assert slack.message(more).versions[-1].blocks[0]["type"] == "markdown"
        assert len(slack.refusals) == 1


async def test_a_lost_post_of_words_alone_is_found_again() -> None:
    """The text beside the blocks is the same."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        slack.fail("chat.postMessage", error="invalid_blocks")
        slack.fail("chat.postMessage", lose=True)
        with pytest.raises(PlatformError):
            await channel.post(Page("one", State.GROWING))
        ts = await channel.post(Page("one two"))
        assert [said.ts for said in slack.answers(CHANNEL)] == [ts]


@pytest.mark.parametrize("letter", ["x", "&", "<", "a\n", "\n\nab", "`", "> q\n", "&lt;"])
async def test_the_largest_page_fits_by_its_words_too(letter: str) -> None:
    """No word is lost, no escape is cut, each section is one that Slack takes."""
    async with FakeSlack() as slack, talking(slack) as (channel, _):
        text = letter * (channel.page_size // len(letter))
        while channel.measure(Page(text)) > channel.page_size - 50:
            text = text[: -len(letter) * 50]
        content: dict[str, Any] = bare(Page(text, State.STOPPED, "Stopped.", turn=7))
        check_content(content)
        sections = [block["text"]["text"] for block in content["blocks"] if block["type"] == "section"]
        assert max(map(len, sections)) <= SECTION
        assert len(sections) > 1
        assert "".join(map(unescape, sections)).split() == unescape("".join(sections)).split()
        assert Version("", tuple(content["blocks"])).pings == ()
        assert len(texts(content["blocks"])) == len(sections) + 1
