"""A model on this machine writes a few answers at a time: the others wait in line, and may leave it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import Message, Role, State
from bot.domain.model_info import Facts
from bot.domain.ports import Model, Piece, Prompt
from bot.models.wrappers.concurrency import Parallel
from bot.models.wrappers.fallback import Resilient
from tests.support import clock


class Slow:
    """Takes ten seconds for an answer; notes who began when, and how many it wrote at once at most.

    One that is asked to "fail" does so at once.
    """

    name = "local/slow"
    reader = "a snail"
    trial = False
    facts = Facts(context=777)

    def __init__(self) -> None:
        self.begun: list[tuple[float, str]] = []
        self.writing = self.most = 0
        self.closed = False

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        question = prompt.messages[0].content
        self.begun.append((asyncio.get_running_loop().time(), question))
        self.writing += 1
        self.most = max(self.most, self.writing)
        try:
            if question == "fail":
                raise ModelError(ModelFault.NETWORK, "It is gone.")
            await asyncio.sleep(5)
            yield Piece(f"re: {question}")
            await asyncio.sleep(5)
            yield Piece(end=State.DONE)
        finally:
            self.writing -= 1

    async def close(self) -> None:
        self.closed = True


def prompt(question: str, background: bool = False) -> Prompt:
    return Prompt("", (Message(Role.USER, question),), max_tokens=10, background=background)


async def ask(model: Model, question: str, background: bool = False) -> str:
    return "".join([piece.text async for piece in model.stream(prompt(question, background))])


def asking(model: Model, *questions: str, background: bool = False) -> list[asyncio.Task[str]]:
    return [asyncio.create_task(ask(model, question, background)) for question in questions]


@pytest.mark.parametrize(("most", "seconds"), [(1, 60), (2, 30), (6, 10), (64, 10)])
def test_at_most_so_many_answers_are_written_at_a_time(most: int, seconds: float) -> None:
    """All are answered, in the order in which they were asked, and no place is left empty while somebody waits."""

    async def story() -> None:
        slow = Slow()
        model = Parallel(slow, most)
        assert (model.name, model.reader, model.trial, model.facts.context) == ("local/slow", "a snail", False, 777)
        answers = await asyncio.gather(*asking(model, *"abcdef"))
        assert answers == [f"re: {question}" for question in "abcdef"]
        assert "".join(question for _, question in slow.begun) == "abcdef"
        assert (slow.most, asyncio.get_running_loop().time()) == (min(most, 6), seconds)
        await model.close()
        assert slow.closed

    clock.run(story())


def test_replies_go_before_what_nobody_waits_for() -> None:
    """Of each kind the first comes first; an answer that is being written is not broken off."""

    async def story() -> None:
        slow = Slow()
        model = Parallel(slow, 1)
        tasks = asking(model, "b1", "b2", "b3", background=True)
        await asyncio.sleep(1)
        tasks += asking(model, "r1", "r2")
        await asyncio.sleep(11)
        tasks += asking(model, "r3")
        await asyncio.gather(*tasks)
        assert [question for _, question in slow.begun] == ["b1", "r1", "r2", "r3", "b2", "b3"]

    clock.run(story())


def test_who_stops_waiting_leaves_the_line() -> None:
    """Nobody waits for a question that was taken back, and the model is never asked it."""

    async def story() -> None:
        slow = Slow()
        model = Parallel(slow, 1)
        first, second, third = asking(model, "a", "b", "c")
        await asyncio.sleep(1)
        second.cancel()
        assert [await first, await third] == ["re: a", "re: c"]
        assert slow.begun == [(0, "a"), (10, "c")]
        assert await ask(model, "d") == "re: d"

    clock.run(story())


def test_a_place_that_was_given_to_one_who_left_goes_on() -> None:
    """Taken back in the very moment of its turn, a question does not keep the place."""

    async def story() -> None:
        slow = Slow()
        model = Parallel(slow, 1)
        first, second, third = asking(model, "a", "b", "c")
        await asyncio.sleep(1)
        first.cancel()  # its end gives the place to the second ...
        await asyncio.sleep(0)
        second.cancel()  # ... which is gone before it notices
        assert await third == "re: c"
        assert [question for _, question in slow.begun] == ["a", "c"]
        assert await ask(model, "d") == "re: d"

    clock.run(story())


def test_an_answer_that_is_closed_early_gives_its_place_away() -> None:
    """A reader who has enough lets the next one begin at once."""

    async def story() -> None:
        slow = Slow()
        model = Parallel(slow, 1)
        async with aclosing(model.stream(prompt("a"))) as pieces:
            async for piece in pieces:
                assert piece.text == "re: a"
                break
            waiting = asking(model, "b")[0]
            await asyncio.sleep(1)
            assert len(slow.begun) == 1
        assert await waiting == "re: b"
        assert slow.begun[1] == (6, "b")

    clock.run(story())


def test_an_answer_that_fails_gives_its_place_away() -> None:
    """The failure is told to its own asker alone."""

    async def story() -> None:
        model = Parallel(Slow(), 1)
        failing, waiting = asking(model, "fail", "b")
        with pytest.raises(ModelError, match="It is gone"):
            await failing
        assert await waiting == "re: b"

    clock.run(story())


def test_a_generator_that_was_never_begun_takes_no_place() -> None:
    """It may be closed, or forgotten."""

    async def story() -> None:
        model = Parallel(Slow(), 1)
        unused = model.stream(prompt("a"))
        await unused.aclose()
        assert await ask(model, "b") == "re: b"

    clock.run(story())


def test_waiting_is_no_failure() -> None:
    """However long the line, what stands before the models to try them again has nothing to try."""

    async def story() -> None:
        model = Resilient([Parallel(Slow(), 1)])
        assert await asyncio.gather(*asking(model, *"abcdefgh")) == [f"re: {question}" for question in "abcdefgh"]

    clock.run(story())
