"""Where the sentence about a refused answer is refused, too: what was accepted stays, and it is said elsewhere."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from adapters.discord.api import errors as discord
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page, State
from bot.replies.system_messages import is_unseen
from tests.bot.replies.test_refused_answers import Filter
from tests.bot.replies.test_reply import show
from tests.support.screen import Screen, refuse, write

MODERATED = PlatformFault.MODERATED
WORDS = ["we ", *[f"item{number} " for number in range(100)], "forbidden "]


class Mute(Filter):
    """A platform whose rules refuse a word, and every sentence of the bot's own."""

    def _judge(self, page: Page) -> None:
        if page.note:
            raise PlatformError(self.fault, "200000 Message was blocked")
        super()._judge(page)


def test_a_text_that_was_accepted_stays_where_its_sentence_is_refused() -> None:
    """Without a cursor, as failed; nobody was told there, so that it has to be said elsewhere."""
    screen = Mute("forbidden")
    answer = show(screen, write(WORDS))
    (page,) = screen.messages.values()
    assert (page.state, page.note, page.last) == (State.FAILED, "", True)
    assert page.text.startswith("we item0")
    assert (answer.text, answer.note, answer.state) == (page.text, "", State.FAILED)
    assert is_unseen(answer)


def test_a_draft_that_is_taken_away_is_no_part_of_the_answer() -> None:
    """Neither its text nor its message: the memory has what people see."""

    class Shut(Screen):
        """A platform that takes the first post and nothing after it."""

        async def edit(self, id: str, page: Page) -> None:
            raise PlatformError(MODERATED, "200000 Message was blocked")

    screen = Shut()
    answer = show(screen, write(WORDS))
    assert not screen.messages
    assert (answer.text, answer.posts, answer.note, answer.state) == ("", (), "", State.FAILED)
    assert is_unseen(answer)


def test_a_sentence_that_stands_there_is_not_said_elsewhere() -> None:
    """The person reads it where they asked."""
    assert not is_unseen(show(Filter("forbidden"), write(WORDS)))
    assert not is_unseen(show(Filter("item"), write(WORDS)))


@pytest.mark.parametrize(("seconds", "fault"), [(5.0, PlatformFault.RATE), (3600.0, PlatformFault.FORBIDDEN)])
def test_a_short_slow_mode_is_waited_for_and_a_long_one_is_not(seconds: float, fault: PlatformFault) -> None:
    """It holds for posts alone: to wait an hour for it would keep an answer from being ended by an edit."""
    body = {"code": 20016, "message": "slow mode", "retry_after": seconds}
    error = discord.explain(429, body, {})
    assert error.fault is fault
    assert error.retry_after == (seconds if fault is PlatformFault.RATE else None)
    assert "20016" in str(error)


def test_a_deletion_that_is_refused_for_its_rate_waits_as_long_as_the_platform_says() -> None:
    """It is tried once then, not with each post that the channel's own limit would allow."""

    class Slow(Screen):
        """Takes no edit of a whole text, and a deletion only after a minute."""

        tried: ClassVar[list[float]] = []

        async def edit(self, id: str, page: Page) -> None:
            if page.state is not State.GROWING:
                raise refuse(PlatformFault.REJECTED)
            await super().edit(id, page)

        async def delete(self, id: str) -> None:
            self.tried.append(asyncio.get_running_loop().time())
            if len(self.tried) == 1:
                raise refuse(PlatformFault.RATE, 60.0)
            await super().delete(id)

    screen = Slow()
    answer = show(screen, write(["we ", "are ", "whole"], rate=2))
    first, second = screen.tried
    assert second - first >= 60.0
    assert (screen.texts, answer.state) == (["we are whole"], State.DONE)
