"""An answer although a model fails: tried again, by another model, begun afresh, or refused at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import Message, Role, State
from bot.domain.model_info import Facts
from bot.domain.ports import Piece, Prompt
from bot.domain.records import Answer
from bot.models.wrappers.circuit_breaker import GENERAL, REST, THRESHOLD
from bot.models.wrappers.fallback import Resilient
from bot.replies.reply import Reply
from bot.replies.streaming import Halt, deliver
from tests.support.clock import run
from tests.support.screen import Screen

PROMPT = Prompt("", (Message(Role.USER, "Why?"),), 100)
WORDS = [f"word{number} " for number in range(100)]
Told = list[str] | ModelError | tuple[list[str], ModelError]


class Scripted:
    """A model that does what it is told, one thing a question: words, a failure, or words and then a failure."""

    trial = False
    facts = Facts()

    def __init__(self, name: str, *told: Told, reader: str = "Somebody") -> None:
        self.name = name
        self.reader = reader
        self.asked: list[float] = []
        self.closed = False
        self._told = deque(told)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Do the next thing; the last again and again."""
        self.asked.append(asyncio.get_running_loop().time())
        told = self._told.popleft() if len(self._told) > 1 else self._told[0]
        words, error = (
            told if isinstance(told, tuple) else (([], told) if isinstance(told, ModelError) else (told, None))
        )
        for word in words:
            await asyncio.sleep(0.05)
            yield Piece(word)
        if error:
            raise error
        yield Piece(end=State.DONE)

    async def close(self) -> None:
        """Be closed."""
        self.closed = True


def fail(fault: ModelFault = ModelFault.OVERLOAD, retry_after: float | None = None) -> ModelError:
    """A failure."""
    return ModelError(fault, fault.value, retry_after)


def question(text: str) -> Prompt:
    """A question of somebody's."""
    return Prompt("", (Message(Role.USER, text),), 100)


async def listen(model: Resilient, text: str = "Why?") -> str:
    """The whole answer to a question."""
    async with aclosing(model.stream(question(text))) as pieces:
        return "".join([piece.text async for piece in pieces])


def show(*models: Scripted) -> tuple[Answer, Screen, float]:
    """Deliver one answer in virtual time: what came of it, the screen, the seconds that it took."""
    screen = Screen()

    async def main() -> tuple[Answer, float]:
        answer = await deliver(Resilient(models).stream(PROMPT), Reply(screen), Halt())
        return answer, asyncio.get_running_loop().time()

    answer, seconds = run(main())
    return answer, screen, seconds


def test_a_passing_failure_is_tried_again_after_a_growing_pause() -> None:
    """The reader sees nothing of it."""
    model = Scripted("a", fail(), fail(ModelFault.NETWORK), WORDS)
    answer, screen, _ = show(model)
    first, second, third = model.asked
    assert 0.5 <= second - first <= 0.75
    assert 1.0 <= third - second <= 1.5
    assert answer.state is State.DONE
    assert screen.texts == ["".join(WORDS).rstrip()]


def test_the_pause_is_what_the_provider_says() -> None:
    """Retry-After beats the back-off."""
    model = Scripted("a", fail(ModelFault.RATE, 7.0), WORDS)
    show(model)
    assert model.asked == [0.0, 7.0]


@pytest.mark.parametrize("fault", [ModelFault.KEY, ModelFault.QUOTA, ModelFault.MODEL, ModelFault.TIMEOUT])
def test_what_no_further_try_mends_goes_to_the_next_model(fault: ModelFault) -> None:
    """At once, and without a word to the reader."""
    models = Scripted("a", fail(fault)), Scripted("b", WORDS)
    answer, _, _ = show(*models)
    assert answer.state is State.DONE
    assert (len(models[0].asked), models[1].asked) == (1, [0.0])


@pytest.mark.parametrize("fault", [ModelFault.CONTEXT, ModelFault.REQUEST, ModelFault.REFUSED])
def test_what_lies_in_the_question_is_told_at_once(fault: ModelFault) -> None:
    """No other model is asked the same."""
    models = Scripted("a", fail(fault)), Scripted("b", WORDS)
    answer, _, _ = show(*models)
    assert (answer.state, answer.fault) == (State.FAILED, fault.value)
    assert models[1].asked == []


def test_a_failure_is_told_within_twenty_seconds() -> None:
    """However long the providers say to wait."""
    models = [Scripted(name, fail(ModelFault.RATE, pause)) for name, pause in (("a", 6.0), ("b", 6.0), ("c", 600.0))]
    answer, screen, seconds = show(*models)
    assert answer.state is State.FAILED
    assert len(screen.messages) == 1
    assert seconds < 20


def test_a_broken_answer_is_begun_afresh_over_the_same_message() -> None:
    """Once; the reader ends with one whole answer."""
    model = Scripted("a", (WORDS[:60], fail(ModelFault.CUT)), WORDS)
    answer, screen, _ = show(model)
    assert answer.text == "".join(WORDS)
    assert screen.texts == ["".join(WORDS).rstrip()]
    assert answer.posts == ("m1",)


def test_an_answer_that_breaks_twice_keeps_the_longer_part() -> None:
    """With an honest note; no third attempt."""
    model = Scripted("a", (WORDS[:60], fail(ModelFault.CUT)), (WORDS[:3], fail(ModelFault.CUT)), WORDS)
    answer, screen, _ = show(model)
    assert answer.state is State.FAILED
    assert answer.text == "".join(WORDS[:60])
    assert screen.texts == ["".join(WORDS[:60]).rstrip()]
    assert len(model.asked) == 2


def test_a_transcript_keeps_what_it_was_told() -> None:
    """What is written there cannot be taken back, so a broken answer ends there."""

    class Paper:
        """A transcript."""

        text = ""

        async def append(self, text: str) -> None:
            """Write it down."""
            self.text += text

    paper, model = Paper(), Scripted("a", (WORDS[:5], fail(ModelFault.CUT)), WORDS)

    async def main() -> Answer:
        return await deliver(Resilient([model]).stream(PROMPT), paper, Halt())

    answer = run(main())
    assert answer.state is State.FAILED
    assert paper.text == answer.text == "".join(WORDS[:5])


def later(main: Callable[[Resilient, Scripted], Coroutine[Any, Any, None]], *told: Told) -> None:
    """Run a story of several questions with one model that has failed often enough to be left alone."""

    async def story() -> None:
        model = Scripted("a", *[fail(ModelFault.TIMEOUT)] * THRESHOLD, *told)
        resilient = Resilient([model])
        for number in range(THRESHOLD):
            with pytest.raises(ModelError):
                await listen(resilient, str(number))
        await main(resilient, model)

    run(story())


def test_a_model_that_failed_often_is_left_alone_and_its_failure_told_at_once() -> None:
    """Nobody waits for what will not come."""

    async def main(resilient: Resilient, model: Scripted) -> None:
        with pytest.raises(ModelError) as told:
            await listen(resilient)
        assert told.value.fault is ModelFault.TIMEOUT
        assert len(model.asked) == THRESHOLD

    later(main, WORDS)


def test_a_model_that_is_left_alone_is_tried_again_by_itself() -> None:
    """After the rest by one turn; its success lets all others in."""

    async def main(resilient: Resilient, model: Scripted) -> None:
        await asyncio.sleep(REST)
        one = asyncio.create_task(listen(resilient))
        await asyncio.sleep(0.01)
        with pytest.raises(ModelError):
            await listen(resilient)
        assert await one == "".join(WORDS)
        assert await listen(resilient) == "".join(WORDS)

    later(main, WORDS)


@pytest.mark.parametrize("fault", sorted(set(ModelFault) - GENERAL))
def test_what_may_lie_in_one_question_opens_nothing(fault: ModelFault) -> None:
    """A flagged input, a model that one request names wrongly: however many, the next person is answered."""

    class Picky(Scripted):
        async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
            if prompt.messages[0].content != "harmless":
                raise fail(fault)
            yield Piece("Yes.")
            yield Piece(end=State.DONE)

    async def main() -> None:
        resilient = Resilient([Picky("a", WORDS)])
        for number in range(2 * THRESHOLD):
            with pytest.raises(ModelError):
                await listen(resilient, str(number))
        assert await listen(resilient, "harmless") == "Yes."

    run(main())


def test_the_same_question_counts_once() -> None:
    """One that crashes a server may be tried again any number of times: the others are answered."""

    async def main() -> None:
        model = Scripted("a", *[fail(ModelFault.TIMEOUT)] * (2 * THRESHOLD), WORDS)
        resilient = Resilient([model])
        for _ in range(2 * THRESHOLD):
            with pytest.raises(ModelError):
                await listen(resilient, "crash")
        assert await listen(resilient) == "".join(WORDS)

    run(main())


def test_the_log_says_when_a_circuit_opens_and_closes() -> None:
    """Once each, with the model and the reason."""

    async def main(resilient: Resilient, _: Scripted) -> None:
        await asyncio.sleep(REST)
        await listen(resilient)
        await listen(resilient)

    with capture_logs() as logs:
        later(main, WORDS)
    told = [(entry["event"].partition(":")[0], entry["model"]) for entry in logs if "circuit" in entry["event"]]
    assert told == [("circuit open", "a"), ("circuit closed", "a")]


def test_whom_an_open_circuit_turns_away_pays_nothing() -> None:
    """The bill of the failure that opened it is not sent again to those who were never asked for."""

    async def main(resilient: Resilient, model: Scripted) -> None:
        with pytest.raises(ModelError) as told:
            await listen(resilient)
        assert told.value.bill is None

    later(main, WORDS)


def test_whoever_may_read_along_is_named() -> None:
    """People are told of every provider that their words may go to, and all are closed."""

    async def main() -> None:
        models = [Scripted("a", WORDS, reader="OpenAI"), Scripted("b", WORDS, reader="Anthropic")]
        resilient = Resilient(models)
        assert resilient.reader == "OpenAI or Anthropic"
        await resilient.close()
        assert all(model.closed for model in models)

    run(main())


def test_an_answer_stopped_in_its_fresh_start_keeps_the_longer_part() -> None:
    """Stop takes no words away that stood there."""
    screen, halt = Screen(), Halt()

    class Halted(Scripted):
        async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
            if self.asked:
                asyncio.get_running_loop().call_later(0.12, halt, State.STOPPED)
            async for piece in super().stream(prompt):
                yield piece

    async def main() -> Answer:
        return await deliver(Resilient([Halted("a", (WORDS[:30], fail()), WORDS)]).stream(PROMPT), Reply(screen), halt)

    answer = run(main())
    assert answer.state is State.STOPPED
    assert screen.texts == ["".join(WORDS[:30]).rstrip()]
