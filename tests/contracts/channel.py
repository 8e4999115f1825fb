"""What every `Channel` that edits messages holds to; an implementation brings `channel` and `screen` and runs this."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Control, Page, State
from bot.domain.ports import Channel, Queue
from bot.pacing.pacer import Pacer, Urgency
from tests.contracts.screen import Screen

VERBS = ("post", "edit", "delete")
PIECES = ("a", "word ", "\n", "\n\n", "界", "é", "🙂", "👩\u200d🚀", "*", "**", "_", "__", "~~", "||", "`", "```py\n",
    "```\n", "~~~\n", "# ", "#### ", "> ", ">>> ", "- ", "1. ", "-# ", "\\", "\\*", "&", "&amp;", "&lt;", "<", ">",
    "[a](b)", "<https://a.example/x?y=1&z=2>", "https://a.example/_x_", "| a | b |\n|---|---|\n| 1 | 界 |\n", "---\n",
    "$x$", "@everyone ", "@here ", "@channel ", "<@1234>", "<@!1234>", "<@&1234>", "<!here>", "<!channel>",
    "<!subteam^S1>", "<@U0ANN>", "<@U0ANN|Ann>", "<#C1>", "<@100000000000000003>", "<@&200000000000000002>",
    "\u200b", "\u202e",
)  # fmt: skip
"""What texts are made of here: letters of every width, marks of every dialect, and every way to call somebody."""
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=30).map("".join)
CALLS = ("@everyone", "@here", "@channel", "<!here>", "<!channel>", "<!everyone>", "<!subteam^S1>", "<@U0ANN>",
    "<@U0ANN|Ann>", "<@100000000000000003>", "<@!100000000000000003>", "<@&200000000000000002>", "`@everyone`",
    "```\n<!here> @here <@100000000000000003>\n```", "\\@everyone", "&lt;!here&gt;", "@\\here", "**@**everyone",
    "[@here](https://a.example)",
)  # fmt: skip
SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
"""All examples of a test go to one channel, and each platform runs the same tests."""
PATIENCE = 0.05
"""Seconds for which something is seen not to happen."""


class ChannelContract:
    """The facts, a test each; `channel` answers one question, `screen` is the platform that it stands on."""

    @pytest.fixture
    def channel(self, screen: Screen) -> Channel:
        """A channel in which the test may post; an implementation brings it."""
        raise NotImplementedError

    @pytest.fixture
    def screen(self) -> Screen:
        """The platform; an implementation brings it."""
        raise NotImplementedError

    async def test_a_page_is_posted_changed_and_taken_away(self, channel: Channel, screen: Screen) -> None:
        """What was posted shows, then what it was changed to, then nothing."""
        posted, other = await channel.post(Page("one")), await channel.post(Page("other", part=1))
        assert (screen.shown(posted), screen.shown(other)) == ("one", "other")
        await channel.edit(posted, Page("one and two"))
        assert (screen.shown(posted), screen.shown(other)) == ("one and two", "other")
        await channel.delete(posted)
        assert (screen.shown(posted), screen.shown(other)) == (None, "other")

    async def test_what_is_gone_is_gone(self, channel: Channel, screen: Screen) -> None:
        """An edit of it says GONE; taking it away again says GONE or nothing."""
        posted = await channel.post(Page("one"))
        await channel.delete(posted)
        with pytest.raises(PlatformError) as caught:
            await channel.edit(posted, Page("two"))
        assert caught.value.fault is PlatformFault.GONE
        (second,) = await asyncio.gather(channel.delete(posted), return_exceptions=True)
        assert second is None or (isinstance(second, PlatformError) and second.fault is PlatformFault.GONE)

    @pytest.mark.parametrize("letter", ["x", "界", "🙂", "*", "<", "&", "`", "\\"])
    async def test_the_largest_page_is_taken(self, channel: Channel, screen: Screen, letter: str) -> None:
        """Whatever it is made of, with a cursor and with a note, posted and edited at the first try."""
        growing = fill(channel, "x" + letter * channel.page_size, State.GROWING, "")
        failed = fill(channel, "x" + letter * channel.page_size, State.FAILED, "It broke. Try again. " * 5)
        for page in (growing, failed):
            assert channel.page_size * 0.98 - 10 < channel.measure(page) <= channel.page_size
        posted = await channel.post(growing)
        await channel.edit(posted, failed)
        assert (screen.calls("post"), screen.calls("edit")) == (1, 1)

    async def test_a_page_is_about_as_large_as_the_platform_takes(self, channel: Channel, screen: Screen) -> None:
        """No room is given away, and what is too large says REJECTED."""
        assert screen.limit * 0.95 <= channel.page_size <= screen.limit
        with pytest.raises(PlatformError) as caught:
            await channel.post(Page("x" * (screen.limit * 2)))
        assert caught.value.fault is PlatformFault.REJECTED

    @settings(max_examples=60, deadline=None, suppress_health_check=SHARED)
    @given(text=TEXTS, state=st.sampled_from(State), note=st.sampled_from(["", "It broke <here>. @here"]))
    async def test_any_page_that_measures_right_is_taken(
        self, channel: Channel, screen: Screen, text: str, state: State, note: str
    ) -> None:
        """At the first try, and it notifies nobody."""
        page = fill(channel, "x" + text * (channel.page_size // len(text) + 1), state, note)
        posts, edits = screen.calls("post"), screen.calls("edit")
        posted = await channel.post(page)
        await channel.edit(posted, page)
        assert (screen.calls("post"), screen.calls("edit")) == (posts + 1, edits + 1)
        assert not screen.notified()

    async def test_the_cursor_shows_while_the_last_page_grows(self, channel: Channel, screen: Screen) -> None:
        """Behind its text; not on an earlier page, not on a whole one, not without text."""
        growing = await channel.post(Page("one", State.GROWING))
        shown = screen.shown(growing)
        assert shown
        assert shown.startswith("one")
        assert len(shown) > len("one")
        assert channel.measure(Page("one", State.GROWING)) > channel.measure(Page("one"))
        for page in (Page("one", State.GROWING, last=False), Page("one"), Page("one", State.STOPPED)):
            await channel.edit(growing, page)
            assert screen.shown(growing) == "one"

    async def test_the_note_shows_under_the_text(self, channel: Channel, screen: Screen) -> None:
        """In every state, or alone; and it is gone with the page that had it."""
        posted = await channel.post(Page("", State.GROWING, "Thinking"))
        assert "Thinking" in (screen.shown(posted) or "")
        for state in State:
            await channel.edit(posted, Page("half", state, "It broke off."))
            shown = screen.shown(posted) or ""
            assert shown.startswith("half")
            assert "It broke off." in shown
        assert channel.measure(Page("half", note="It broke off.")) > channel.measure(Page("half"))
        await channel.edit(posted, Page("half"))
        assert screen.shown(posted) == "half"

    @pytest.mark.parametrize("text", CALLS)
    async def test_nobody_is_notified_by_a_text(self, channel: Channel, screen: Screen, text: str) -> None:
        """By no post, edit, continuation or note."""
        posted = await channel.post(Page(text, State.GROWING))
        await channel.edit(posted, Page(f"Hello {text}, and {text}!", State.FAILED, text))
        await channel.post(Page(text, part=1))
        assert not screen.notified()

    async def test_continuations_come_silently(self, channel: Channel, screen: Screen) -> None:
        """Without a sound, and without pointing at the question again."""
        await channel.post(Page("one", last=False))
        for part in (1, 2):
            assert not screen.intrudes(await channel.post(Page("more", part=part)))

    async def test_controls_ride_on_the_last_page_of_a_turn(self, channel: Channel, screen: Screen) -> None:
        """Stop while it grows, Try again after that; none on an earlier page, none without a turn."""
        posted = await channel.post(Page("one", State.GROWING, turn=7))
        assert screen.controls(posted) == [(Control.STOP, 7)]
        for state in set(State) - {State.GROWING}:
            await channel.edit(posted, Page("one", state, turn=7))
            assert screen.controls(posted) == [(Control.AGAIN, 7)]
        for page in (Page("one", turn=7, last=False), Page("one"), Page("one", State.GROWING)):
            await channel.edit(posted, page)
            assert screen.controls(posted) == []
        assert screen.calls("edit") == len(State) - 1 + 3

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize("fault", PlatformFault)
    async def test_a_refusal_says_what_to_do(
        self, channel: Channel, screen: Screen, verb: str, fault: PlatformFault
    ) -> None:
        """At once, and the call is made once; but a form that is refused is tried plainly before."""
        posted = await channel.post(Page("one"))
        calls = screen.calls(verb)
        screen.refuse(verb, fault, 5)
        async with asyncio.timeout(10):
            with pytest.raises(PlatformError) as caught:
                await act(channel, verb, posted)
        assert caught.value.fault is fault
        assert (caught.value.retry_after is not None) == (fault is PlatformFault.RATE)
        assert screen.calls(verb) - calls <= (2 if fault is PlatformFault.REJECTED else 1)
        assert screen.shown(posted) == "one"

    @pytest.mark.parametrize("verb", ["post", "edit"])
    async def test_a_form_that_is_refused_is_said_plainly(self, channel: Channel, screen: Screen, verb: str) -> None:
        """The same words, in the same call."""
        posted = await channel.post(Page("one"))
        screen.refuse(verb, PlatformFault.REJECTED)
        posted = await act(channel, verb, posted)
        assert screen.shown(posted) == "two"

    @pytest.mark.parametrize("verb", ["post", "edit"])
    async def test_a_refused_rate_holds_back_all_who_share_it(
        self, channel: Channel, screen: Screen, verb: str
    ) -> None:
        """The pacer is told how long; the call itself does not wait."""
        posted = await channel.post(Page("one"))
        screen.refuse(verb, PlatformFault.RATE)
        async with asyncio.timeout(10):
            with pytest.raises(PlatformError) as caught:
                await act(channel, verb, posted)
        assert 29 <= (caught.value.retry_after or 0) <= 31
        assert not await goes(channel.posts if verb == "post" else channel.edits)

    async def test_a_post_whose_answer_was_lost_stands_there_once(self, channel: Channel, screen: Screen) -> None:
        """It says NETWORK; the same post, made again, shows the page in the message that is there."""
        screen.lose("post")
        with pytest.raises(PlatformError) as caught:
            await channel.post(Page("one", State.GROWING))
        assert caught.value.fault is PlatformFault.NETWORK
        posted = await channel.post(Page("one"))
        assert screen.shown(posted) == "one"
        assert await channel.post(Page("more", part=1)) != posted

    @pytest.mark.parametrize("verb", ["edit", "delete"])
    async def test_a_call_whose_answer_was_lost_can_be_made_again(
        self, channel: Channel, screen: Screen, verb: str
    ) -> None:
        """It says NETWORK, and what it did stays done."""
        posted = await channel.post(Page("one"))
        screen.lose(verb)
        with pytest.raises(PlatformError) as caught:
            await act(channel, verb, posted)
        assert caught.value.fault is PlatformFault.NETWORK
        assert screen.shown(posted) == ("two" if verb == "edit" else None)

    @pytest.mark.parametrize("fault", [None, *PlatformFault])
    async def test_typing_goes_on_until_cancelled(
        self, channel: Channel, screen: Screen, fault: PlatformFault | None
    ) -> None:
        """Whatever the platform says to it, and ends when it is told to."""
        if fault:
            screen.refuse("typing", fault, 5)
        await hold(channel.typing, screen, "typing")

    @pytest.mark.parametrize("fault", [None, *PlatformFault])
    async def test_waiting_shows_until_cancelled(
        self, channel: Channel, screen: Screen, fault: PlatformFault | None
    ) -> None:
        """Then it is taken away; whatever the platform says. Held by channels that say that they can."""
        if not isinstance(channel, Queue):
            return
        if fault:
            screen.refuse("waiting", fault, 5)
        await hold(channel.waiting, screen, "waiting", shows=screen.waits if not fault else None)
        assert not screen.waits()


def fill(channel: Channel, text: str, state: State, note: str) -> Page:
    """The largest page that the channel's own measure lets begin with this text."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = channel.measure(Page(text[:middle], state, note)) <= channel.page_size
        low, high = (middle, high) if fits else (low, middle - 1)
    while channel.measure(Page(text[:low], state, note)) > channel.page_size:
        low -= 1
    return Page(text[:low], state, note)


async def act(channel: Channel, verb: str, id: str) -> str:
    """Make the call that the verb names; a post and an edit say "two"."""
    if verb == "post":
        return await channel.post(Page("two", part=1))
    await (channel.edit(id, Page("two")) if verb == "edit" else channel.delete(id))
    return id


async def goes(pacer: Pacer) -> bool:
    """Whether the pacer lets a call go now."""
    seat = pacer.seat(lambda: 1.0)
    turn = asyncio.ensure_future(seat.turn(Urgency.FIRST))
    done, _ = await asyncio.wait({turn}, timeout=PATIENCE)
    turn.cancel()
    seat.leave()
    return bool(done)


async def hold(
    show: Callable[[], Coroutine[Any, Any, None]], screen: Screen, verb: str, shows: Callable[[], bool] | None = None
) -> None:
    """Show a sign, see that it stays, and cancel it."""
    before = screen.calls(verb)
    task = asyncio.create_task(show())
    await screen.until(lambda: screen.calls(verb) > before)
    if shows:
        await screen.until(shows)
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    assert not done
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
