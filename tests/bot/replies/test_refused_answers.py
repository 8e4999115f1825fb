"""What becomes of an answer that a platform does not take: at every moment, at every kind of refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from adapters.discord.api import errors as discord
from adapters.slack.api import calls as slack
from bot import texts
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page, State
from bot.domain.ports import Piece
from bot.engine import Engine
from bot.pacing.pacer import Pacer
from bot.replies.reply import FINAL_PATIENCE, Reply
from bot.replies.streaming import tell
from bot.texts import withheld
from tests.bot.replies.test_reply import show
from tests.bot.turns.test_engine import engine, find, provider, say
from tests.loopback.openai import FakeOpenAI
from tests.support.clock import run
from tests.support.screen import Screen, refuse, write

__all__ = ["engine", "provider"]

GONE, FORBIDDEN, REJECTED = PlatformFault.GONE, PlatformFault.FORBIDDEN, PlatformFault.REJECTED
MODERATED, RATE, NETWORK = PlatformFault.MODERATED, PlatformFault.RATE, PlatformFault.NETWORK
WORDS = [f"item{number} " for number in range(100)]


class Filter(Screen):
    """A platform whose rules refuse a page that holds `word`."""

    def __init__(self, word: str, fault: PlatformFault = MODERATED, page_size: int = 10_000) -> None:
        super().__init__(page_size)
        self.word = word
        self.fault = fault
        self.drafts = 0

    async def post(self, page: Page) -> str:
        self._judge(page)
        return await super().post(page)

    async def edit(self, id: str, page: Page) -> None:
        self._judge(page)
        await super().edit(id, page)

    def _judge(self, page: Page) -> None:
        self.drafts += page.state is State.GROWING
        if self.word in page.text or self.word in page.note:
            raise PlatformError(self.fault, "200000 Message was blocked")


@pytest.mark.parametrize(
    ("code", "status", "fault"),
    [
        (discord.GONE_CHANNEL, 404, GONE),
        (10004, 404, GONE),
        (10008, 404, GONE),
        *[(code, 403, FORBIDDEN) for code in sorted(discord.FORBIDDEN)],
        *[(code, 400, MODERATED) for code in sorted(discord.MODERATED)],
        (discord.TOO_OLD, 429, REJECTED),
        (discord.NO_HISTORY, 400, REJECTED),
        (50035, 400, REJECTED),
        (0, 400, REJECTED),
        (0, 401, FORBIDDEN),
        (0, 403, FORBIDDEN),
        (0, 404, GONE),
        (0, 408, NETWORK),
        (0, 429, RATE),
        (0, 500, NETWORK),
        (130000, 503, NETWORK),
    ],
)
def test_each_of_discords_codes_has_its_kind(code: int, status: int, fault: PlatformFault) -> None:
    """The kind decides what becomes of an answer; the code is what the operator reads."""
    error = discord.explain(status, {"code": code, "message": "no"}, {})
    assert error.fault is fault
    assert str(code or status) in str(error)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        *[(code, RATE) for code in slack.RATE],
        *[(code, GONE) for code in slack.GONE],
        *[(code, FORBIDDEN) for code in (*slack.FORBIDDEN, *slack.DEAD)],
        *[(code, NETWORK) for code in slack.PASSING],
        *[(code, REJECTED) for code in slack.FROZEN],
        ("restricted_action", MODERATED),
        ("restricted_action_of_a_kind_to_come", MODERATED),
        ("message_limit_exceeded", MODERATED),
        ("dlp_policy_violation", MODERATED),
        ("invalid_blocks", REJECTED),
        ("msg_too_long", REJECTED),
        ("an_error_to_come", REJECTED),
    ],
)
def test_each_of_slacks_codes_has_its_kind(code: str, fault: PlatformFault) -> None:
    """One that nobody knows is taken for a refusal of the form: another form is tried, then a sentence stands there."""
    assert slack.classify(code, 200) is fault


def test_words_that_are_refused_at_the_end_leave_what_was_accepted_with_a_sentence() -> None:
    """No cursor stays, the answer has failed, and the memory gets what stands there."""
    screen = Filter("forbidden")
    answer = show(screen, write([*WORDS, "forbidden ", "end"]))
    (page,) = screen.messages.values()
    assert (page.state, page.note) == (State.FAILED, withheld(MODERATED, begun=True))
    assert page.text.startswith("item0 item1")
    assert (answer.state, answer.text, answer.note) == (State.FAILED, page.text, page.note)
    assert answer.fault == "moderated"


def test_a_refused_draft_may_pass_once_more_of_it_is_there() -> None:
    """Half a word can be what a rule looks for: the final text alone decides."""

    class Half(Filter):
        def _judge(self, page: Page) -> None:
            if page.text.endswith("item5"):
                raise PlatformError(MODERATED, "200000 Message was blocked")

    screen = Half("")
    answer = show(screen, write(WORDS))
    assert screen.texts == ["".join(WORDS).rstrip()]
    assert answer.state is State.DONE


@pytest.mark.parametrize("fault", [MODERATED, REJECTED])
def test_where_nothing_is_accepted_the_sentence_stands_alone(fault: PlatformFault) -> None:
    """In one message, though the answer was long."""
    screen = Filter("item", fault, page_size=300)
    answer = show(screen, write(WORDS))
    (page,) = screen.messages.values()
    assert (page.text, page.note, page.state) == ("", withheld(fault, begun=False), State.FAILED)
    assert (answer.text, answer.state, answer.fault) == ("", State.FAILED, fault.value)


def test_pages_before_the_refused_one_stay() -> None:
    """The sentence stands under what was accepted last, and no page after it is left."""
    screen = Filter("item70", page_size=300)
    answer = show(screen, write(WORDS))
    *whole, last = screen.messages.values()
    assert len(whole) >= 1
    assert all(page.state is State.DONE and not page.note for page in whole)
    assert (last.state, last.note) == (State.FAILED, withheld(MODERATED, begun=True))
    assert "item70" not in answer.text
    assert answer.text.split() == "".join(WORDS).split()[: len(answer.text.split())]


def test_what_was_accepted_once_and_is_refused_now_goes() -> None:
    """A rule that came meanwhile: the sentence alone stays."""
    screen = Filter("forbidden")

    async def main() -> None:
        reply = Reply(screen, turn=7)
        writing = asyncio.create_task(reply.write())
        await reply.grow("Hello there")
        await screen.until(lambda: bool(screen.messages))
        screen.word = "Hello"
        reply.end(State.DONE, "")
        await writing

    run(main())
    (page,) = screen.messages.values()
    assert (page.text, page.note) == ("", withheld(MODERATED, begun=False))


def test_a_draft_goes_where_not_even_a_sentence_is_taken() -> None:
    """Nothing with a cursor stays, and the answer has failed."""
    screen = Filter("")
    screen.word = "nothing is refused yet"

    async def main() -> None:
        reply = Reply(screen, turn=7)
        writing = asyncio.create_task(reply.write())
        await reply.grow("Hello there")
        await screen.until(lambda: bool(screen.messages))
        screen.word = ""
        reply.end(State.DONE, "")
        with pytest.raises(PlatformError):
            await writing

    run(main())
    assert not screen.messages


def test_a_right_to_write_that_is_lost_ends_the_answer() -> None:
    """The model is not read on; where its message can still be edited, that says so."""

    class Closing(Screen):
        async def post(self, page: Page) -> str:
            if page.part:
                raise refuse(FORBIDDEN)
            return await super().post(page)

    screen = Closing(page_size=300)
    read = 0

    async def pieces() -> AsyncGenerator[Piece, None]:
        nonlocal read
        async for piece in write(WORDS * 50):
            read += 1
            yield piece

    answer = show(screen, pieces())
    (page,) = screen.messages.values()
    assert page.text.startswith("item0 item1")
    assert page.note in ("", withheld(FORBIDDEN, begun=True))  # it may not fit below the text
    assert (page.state, answer.state, answer.fault) == (State.FAILED, State.FAILED, "forbidden")
    assert read < len(WORDS) * 10


@pytest.mark.parametrize("fault", [FORBIDDEN, MODERATED, REJECTED, GONE])
def test_an_answer_of_which_nothing_is_shown_is_never_done(fault: PlatformFault) -> None:
    """Nor has it a text for the memory, or posts."""
    screen = Filter("", fault)
    answer = show(screen, write(["All ", "of ", "it."], rate=1000))
    assert answer.state in (State.FAILED, State.STOPPED)
    assert (answer.text, answer.posts, answer.fault) == ("", (), fault.value)


@pytest.mark.parametrize("fault", [FORBIDDEN, MODERATED, REJECTED, GONE])
def test_a_notice_that_is_refused_raises_nothing(fault: PlatformFault) -> None:
    """What the bot says itself is tried, and its failure is in what it returns."""
    screen = Filter("", fault)

    async def main() -> str:
        return (await tell("Please wait.", Reply(screen))).fault

    assert run(main()) == fault.value


def test_a_final_text_whose_edits_are_refused_long_is_posted_anew() -> None:
    """Where posts are free: after the patience, over a message that is then taken away."""

    class Split(Screen):
        """Edits count under a limit of their own, which is blocked after the first one."""

        async def edit(self, id: str, page: Page) -> None:
            self.edits.back_off(40.0)
            raise refuse(RATE, 40.0)

    screen = Split()
    screen.posts, screen.edits = Pacer(5, 5), Pacer(5, 5)
    answer = show(screen, write(["All ", "of ", "it."], rate=2))
    assert (screen.texts, screen.deleted) == (["All of it."], ["m1"])
    assert (answer.state, answer.posts) == (State.DONE, ("m2",))
    assert answer.lag is not None
    assert FINAL_PATIENCE <= answer.lag < FINAL_PATIENCE + 1


def test_pages_that_are_posted_anew_keep_their_order() -> None:
    """All that follow the refused one are posted again behind it."""

    class Frozen(Screen):
        async def edit(self, id: str, page: Page) -> None:
            if page.state is not State.GROWING and id == "m1":
                raise refuse(REJECTED)
            await super().edit(id, page)

    screen = Frozen(page_size=300)

    async def main() -> None:
        reply = Reply(screen, turn=7, posts=("m1", "m2"))
        screen.messages = {"m1": Page("old"), "m2": Page("old")}
        screen._count = 2
        await reply.grow("".join(WORDS[:60]))
        reply.end(State.DONE, "")
        await reply.write()

    run(main())
    assert " ".join(screen.texts).split() == "".join(WORDS[:60]).split()
    assert set(screen.deleted) == {"m1", "m2"}


async def test_a_break_in_our_own_code_ends_the_answer_where_it_stands(engine: Engine, provider: FakeOpenAI) -> None:
    """Over the same message, with an apology and no cursor; the turn is over, and the place answers on."""

    class Brittle(Screen):
        def measure(self, page: Page) -> int:
            if "boom" in page.text:
                raise ValueError("a bug")
            return super().measure(page)

    screen, script = Brittle(trip=0), provider.script()
    asking = asyncio.create_task(engine.respond(say("one", "1"), screen))
    await script.send("See ")
    await screen.until(lambda: bool(screen.messages))
    await script.send("boom")
    answer = await asking
    (page,) = screen.messages.values()
    assert (page.text, page.state, page.note) == ("See", State.FAILED, texts.BROKEN)
    assert answer is not None
    assert (answer.state, answer.fault) == (State.FAILED, "bug")
    assert (await find(engine, 1)).state is State.FAILED
    await engine.respond(say("two", "2"), screen)
    assert "two" in screen.texts[1]
