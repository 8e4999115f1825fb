"""What a reader sees of an answer over several messages, and how its calls are spread: in both kinds of window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise

import pytest

from benchmarks.texts import write as write_text
from bot.domain.messages import State
from bot.domain.ports import Piece
from bot.domain.records import Answer
from bot.replies.reply import Reply
from bot.replies.streaming import Halt, deliver
from tests.support.clock import run
from tests.support.screen import Screen, write

PAGE = 2000
KINDS = pytest.mark.parametrize("sliding", [True, False])


def show(screen: Screen, pieces: AsyncGenerator[Piece, None], posts: Sequence[str] = ()) -> Answer:
    """Deliver an answer in virtual time, over these messages."""

    async def main() -> Answer:
        return await deliver(pieces, Reply(screen, turn=7, posts=posts, attempt=int(bool(posts))), Halt())

    return run(main())


async def spell(*parts: str | float) -> AsyncGenerator[Piece, None]:
    """A model that writes texts and pauses between them."""
    for part in parts:
        if isinstance(part, str):
            yield Piece(part)
        else:
            await asyncio.sleep(part)
    yield Piece(end=State.DONE)


def letters(text: str) -> str:
    """A text without white space, of which none is shown where messages meet."""
    return "".join(text.split())


def states(screen: Screen) -> list[str]:
    """All that stood there after each call, message by message."""
    shown: dict[str, str] = {}
    found = []
    for seen in screen.seen:
        shown[seen.id] = seen.page.text
        found.append(letters("".join(shown.values())))
    return found


def pauses(screen: Screen) -> list[float]:
    """Seconds between two calls that showed something."""
    return [later.time - earlier.time for earlier, later in pairwise(screen.seen)]


@KINDS
def test_a_growing_text_waits_after_the_first_words(sliding: bool) -> None:
    """The second call shows more than a dozen letters: it is no waste."""
    screen = Screen(sliding=sliding)
    show(screen, write(write_text(230, 0), rate=46))
    assert pauses(screen)[0] > 0.4


def test_a_fixed_window_is_spread_to_its_end() -> None:
    """No second half of it without a call; the last call is kept for the final text, which goes at once."""
    screen = Screen(sliding=False)
    answer = show(screen, write(write_text(230, 0), rate=46))
    assert max(pauses(screen)) < 1.5
    assert len(screen.seen) == 5
    assert answer.lag is not None
    assert answer.lag <= 2 * screen.trip + 1e-6


@KINDS
@pytest.mark.parametrize(("tokens", "rate"), [(400, 80), (300, 30), (900, 80), (900, 30)])
def test_nothing_that_is_seen_vanishes(sliding: bool, tokens: int, rate: float) -> None:
    """At every moment the messages, read in order, are a beginning of the answer, no shorter than the one before."""
    for seed in range(5):
        screen, text = Screen(page_size=PAGE, sliding=sliding), write_text(tokens, seed)
        show(screen, write(text, rate))
        whole = letters("".join(text))
        assert all(whole.startswith(state) for state in states(screen))
        assert [len(state) for state in states(screen)] == sorted(len(state) for state in states(screen))
        assert states(screen)[-1] == whole
        assert screen.server.refusals == 0


@KINDS
def test_no_call_only_takes_the_cursor_away(sliding: bool) -> None:
    """While the answer grows, each call shows text that was not there."""
    for seed in range(5):
        screen = Screen(page_size=PAGE, sliding=sliding)
        show(screen, write(write_text(900, seed), 80))
        shown = [len(state) for state in states(screen)]
        assert all(later - earlier > 50 for earlier, later in pairwise(shown[:-2]))


@KINDS
@pytest.mark.parametrize("rate", [30, 80])
def test_a_final_text_over_two_messages_goes_at_once(sliding: bool, rate: float) -> None:
    """Also where the answer ends about when its first message is full: a call is kept for each of the two."""
    for tokens in range(260, 420, 5):
        answer = show(Screen(page_size=PAGE, sliding=sliding), write(write_text(tokens, 0), rate))
        assert answer.lag is not None
        assert answer.lag <= 2 * 0.1 + 1e-6, tokens


def test_the_next_message_follows_at_once() -> None:
    """Where most of what is not seen yet belongs to it: the reader does not wait for it a second time."""
    screen = Screen(page_size=300)
    show(screen, spell("Begin. ", 2.0, "word " * 40, 2.0, "Word " * 60, 8.0, "End."))
    full, follower = (seen for seen in screen.seen[2:4])
    assert (full.id, follower.id) == ("m1", "m2")
    assert follower.time - full.time == pytest.approx(screen.trip)


def test_a_message_that_lacks_only_its_sign_waits_for_the_next() -> None:
    """Text that nobody has seen goes before the cursor is taken from a message that is whole; then that goes."""
    screen = Screen(page_size=300)
    more: list[str | float] = ["More ", 0.1] * 40
    show(screen, spell("Begin. ", 2.0, "word " * 50 + "word.", 2.0, "\n\n" + "More " * 20, *more, 8.0, "End."))
    assert [(seen.id, seen.page.last) for seen in screen.seen[1:4]] == [("m1", True), ("m2", True), ("m1", False)]
    assert screen.seen[1].page.text == screen.seen[3].page.text
    assert pauses(screen)[2] == pytest.approx(screen.trip)
    assert pauses(screen)[3] > 0.4


@KINDS
def test_another_attempt_is_paced_like_the_first(sliding: bool) -> None:
    """Over the messages that are there: they make no call hurry."""
    before, screen = Screen(page_size=PAGE), Screen(page_size=PAGE, sliding=sliding)
    posts = show(before, write(write_text(900, 1), 80)).posts
    screen.messages |= before.messages
    text = write_text(600, 0)
    show(screen, write(text, 80), posts)
    assert len(posts) == 3
    assert min(pauses(screen)[:-2]) > 0.4
    assert letters("".join(screen.texts)) == letters("".join(text))
