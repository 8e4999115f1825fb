"""What a reader sees of an answer: each of the things that hold for it at every moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise

import pytest

from bot.domain.errors import ModelError, ModelFault, PlatformFault
from bot.domain.messages import State
from bot.domain.ports import Piece
from bot.domain.records import Answer
from bot.replies.reply import Reply
from bot.replies.streaming import Halt, deliver, tell
from bot.texts import ENDINGS, THINKING
from tests.support.clock import run
from tests.support.screen import Screen, refuse, write

WORDS = [f"word{number} " for number in range(200)]


def show(
    screen: Screen,
    pieces: AsyncGenerator[Piece, None],
    halt: Halt | None = None,
    posts: Sequence[str] = (),
    thinking: bool = False,
) -> Answer:
    """Deliver an answer in virtual time."""

    async def main() -> Answer:
        reply = Reply(screen, turn=7, posts=posts, attempt=int(bool(posts)))
        return await deliver(pieces, reply, halt or Halt(), thinking)

    return run(main())


def test_the_first_words_show_at_once_and_the_rest_grows() -> None:
    """The first post goes with the first token; each further state is a longer beginning of the answer."""
    screen = Screen()
    answer = show(screen, write(WORDS))
    assert screen.seen[0].time == pytest.approx(1 / 50 + screen.trip)
    texts = [seen.page.text for seen in screen.seen]
    assert len(texts) > 4
    assert all(later.startswith(earlier.rstrip()) for earlier, later in pairwise(texts))
    assert screen.texts == ["".join(WORDS).rstrip()]
    assert answer.posts == ("m1",)
    assert answer.first == pytest.approx(1 / 50 + screen.trip)


def test_the_final_text_follows_the_last_token_at_once() -> None:
    """A call is kept for it, so that it waits for the one in flight at most."""
    answer = show(Screen(), write(WORDS))
    assert answer.lag is not None
    assert answer.lag <= 2 * 0.1 + 1e-6


def test_one_call_is_in_flight_and_none_runs_into_the_limit() -> None:
    """Both kinds of window: nothing overlaps, nothing is refused."""
    for sliding in (True, False):
        screen = Screen(sliding=sliding)
        show(screen, write(WORDS * 5, rate=100))
        assert not screen.overlapped
        assert screen.server.refusals == 0


def test_only_the_growing_page_has_the_cursor() -> None:
    """The last state of every message is not a growing one."""
    screen = Screen(page_size=300)
    show(screen, write(WORDS))
    assert len(screen.messages) > 3
    assert all(page.state is State.DONE for page in screen.messages.values())
    assert [page.last for page in screen.messages.values()][:-1] == [False] * (len(screen.messages) - 1)


def test_the_sign_of_typing_stands_until_the_first_words() -> None:
    """Then it is taken away, and does not come back."""
    screen = Screen()
    signs: list[bool] = []

    async def pieces() -> AsyncGenerator[Piece, None]:
        await asyncio.sleep(3)
        signs.append(screen.types)
        yield Piece("Here. ")
        await asyncio.sleep(3)
        signs.append(screen.types)
        yield Piece(end=State.DONE)

    show(screen, pieces())
    assert signs == [True, False]
    assert screen.typed == 1


def test_a_cut_once_shown_never_moves() -> None:
    """A page that has a continuation keeps its text to the end."""
    screen = Screen(page_size=300)
    show(screen, write(WORDS))
    for before, after in pairwise(screen.messages):
        begun = next(seen.time for seen in screen.seen if seen.id == after)
        settled = {seen.page.text for seen in screen.seen if seen.id == before and seen.time >= begun}
        assert settled <= {screen.messages[before].text}
    assert " ".join(screen.texts).split() == "".join(WORDS).split()


@pytest.mark.parametrize("fault", [PlatformFault.RATE, PlatformFault.NETWORK, PlatformFault.REJECTED])
def test_a_refused_draft_is_dropped(fault: PlatformFault) -> None:
    """The model is read on, a newer draft follows, and nothing is missing at the end."""
    screen = Screen()
    screen.faults.extend([None, refuse(fault, 2.0), refuse(fault, 2.0)])
    answer = show(screen, write(WORDS))
    assert screen.texts == ["".join(WORDS).rstrip()]
    assert answer.fault == ""
    assert answer.limited == (2 if fault is PlatformFault.RATE else 0)


@pytest.mark.parametrize("fault", [PlatformFault.RATE, PlatformFault.NETWORK])
def test_a_refused_final_text_is_sent_again_until_it_lands(fault: PlatformFault) -> None:
    """Once, in the same message."""
    screen = Screen()
    screen.faults.extend([None, *[refuse(fault, 1.0)] * 3])
    answer = show(screen, write(["All ", "of ", "it."], rate=1000))
    assert screen.texts == ["All of it."]
    assert answer.state is State.DONE
    assert len(screen.messages) == 1


def test_a_final_text_that_its_message_does_not_take_is_posted_anew_once() -> None:
    """The message with the half answer is taken away, so that nothing stands there twice or with a cursor."""
    screen = Screen()
    screen.faults.extend([None, refuse(PlatformFault.REJECTED)])
    answer = show(screen, write(["All ", "of ", "it."], rate=1000))
    assert screen.texts == ["All of it."]
    assert screen.deleted == ["m1"]
    assert answer.posts == ("m2",)


def test_a_message_that_was_posted_anew_is_taken_away_in_the_end() -> None:
    """Also when the platform refuses that at first."""

    class Stubborn(Screen):
        refusals = 2

        async def delete(self, id: str) -> None:
            if self.refusals:
                self.refusals -= 1
                raise refuse(PlatformFault.NETWORK)
            await super().delete(id)

    screen = Stubborn()
    screen.faults.extend([None, refuse(PlatformFault.REJECTED)])
    answer = show(screen, write(["All ", "of ", "it."], rate=1000))
    assert (screen.texts, screen.deleted) == (["All of it."], ["m1"])
    assert answer.fault == ""


def test_a_message_deleted_while_it_grows_ends_the_answer_quietly() -> None:
    """The model is not read on, and nothing is posted any more."""
    screen = Screen()

    async def pieces() -> AsyncGenerator[Piece, None]:
        for word in WORDS:
            await asyncio.sleep(0.1)
            if word == WORDS[20]:
                await screen.delete("m1")
            yield Piece(word)

    answer = show(screen, pieces())
    assert answer.state is State.STOPPED
    assert answer.fault == "gone"
    assert screen.messages == {}
    assert len(answer.text.split()) < 60


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (State.DONE, None),
        (State.CUT, None),
        (State.REFUSED, None),
        (State.DONE, ModelError(ModelFault.OVERLOAD, "529")),
    ],
)
def test_every_ending_leaves_the_whole_text_and_its_sign(end: State, error: ModelError | None) -> None:
    """Done says nothing more; every other ending says what happened under the text that there is."""
    screen = Screen()
    show(screen, write(WORDS[:30], end=end, error=error))
    [page] = screen.messages.values()
    assert page.text == "".join(WORDS[:30]).rstrip()
    assert page.state is (State.FAILED if error else end)
    assert bool(page.note) is (error is not None or end is not State.DONE)


def test_a_failure_before_the_first_word_is_told_in_a_message() -> None:
    """With the sentence for people, not the operator's."""
    screen = Screen()
    show(screen, write([], error=ModelError(ModelFault.KEY, "401 sk-secret")))
    [page] = screen.messages.values()
    assert (page.text, page.state) == ("", State.FAILED)
    assert page.note
    assert "sk-secret" not in page.note


@pytest.mark.parametrize("state", [State.STOPPED, State.INTERRUPTED])
def test_a_halt_keeps_what_was_written(state: State) -> None:
    """Stopped and interrupted answers end with their text and their sign."""
    screen, halt = Screen(), Halt()

    async def pieces() -> AsyncGenerator[Piece, None]:
        for word in WORDS[:20]:
            yield Piece(word)
        asyncio.get_running_loop().call_later(1, halt, state)
        await asyncio.get_running_loop().create_future()

    answer = show(screen, pieces(), halt)
    [page] = screen.messages.values()
    assert page.text == "".join(WORDS[:20]).rstrip()
    assert (page.state, page.note) == (state, ENDINGS[state])
    assert answer.state is state


def test_a_note_that_does_not_fit_gets_a_message_of_its_own() -> None:
    """No page is over the limit for its note."""
    screen = Screen(page_size=len(WORDS[0]) + 1)
    show(screen, write(WORDS[:1], end=State.CUT))
    pages = list(screen.messages.values())
    assert [page.text for page in pages] == [WORDS[0].rstrip(), ""]
    assert (pages[0].last, pages[1].last, pages[1].note) == (False, True, ENDINGS[State.CUT])


def test_another_attempt_is_written_over_the_same_messages() -> None:
    """The old posts show the new answer; those too many are deleted; none is new."""
    screen = Screen(page_size=300)
    first = show(screen, write(WORDS[:100]))
    assert len(first.posts) > 2
    second = show(screen, write(["Shorter."]), posts=first.posts)
    assert second.posts == first.posts[:1]
    assert screen.texts == ["Shorter."]
    assert all(page.attempt == 1 for page in screen.messages.values())


def test_what_parley_says_itself_is_one_call() -> None:
    """No draft goes before it."""
    screen = Screen()

    async def main() -> Answer:
        return await tell("Done.", Reply(screen))

    assert run(main()).posts == ("m1",)
    assert [(seen.page.text, seen.page.state) for seen in screen.seen] == [("Done.", State.DONE)]


def test_that_a_model_thinks_can_be_shown() -> None:
    """A status until the first words, and never a part of the answer."""
    screen = Screen()

    async def pieces() -> AsyncGenerator[Piece, None]:
        for _ in range(50):
            await asyncio.sleep(0.1)
            yield Piece(reasoning="hm ")
        for word in WORDS[:50]:
            await asyncio.sleep(0.1)
            yield Piece(word)
        yield Piece(end=State.DONE)

    answer = show(screen, pieces(), thinking=True)
    assert (screen.seen[0].page.text, screen.seen[0].page.note) == ("", THINKING)
    assert all(not seen.page.note for seen in screen.seen[1:])
    assert screen.texts == ["".join(WORDS[:50]).rstrip()]
    assert answer.first is not None
    assert answer.first > 5
