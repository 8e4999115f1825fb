"""One deadline for a question: every model has its share, signs of life move it, a failure is told in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from bot.domain.deadline import PATIENCE
from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import Message, Role
from bot.domain.model_info import Facts
from bot.domain.ports import Model, Piece, Prompt
from bot.models.protocols.http_model import RemoteModel
from bot.models.protocols.openai_events import ChatReading
from bot.models.protocols.read_deadline import QUIET
from bot.models.wrappers.concurrency import Parallel
from bot.models.wrappers.fallback import Resilient
from bot.models.wrappers.lazy import Deferred
from tests.loopback.openai import chunk
from tests.support.clock import run

PROMPT = Prompt("", (Message(Role.USER, "Why?"),), 100)
YES = chunk({"content": "Yes."}, "stop") + b"data: [DONE]\n\n"
HANG = 10_000.0
COMMENT = b": still here\n\n"
ROLE = chunk({"role": "assistant", "content": ""})
THOUGHT = chunk({"content": None, "reasoning_content": "Hm."})

Step = float | bytes


class Client:
    """Nothing is behind it."""

    async def close(self) -> None:
        """Nothing is open."""


class Wire(RemoteModel[Client]):
    """A model at the other end of a connection whose bytes come after so many seconds; `asked` are the moments.

    Of each answer the first step is the time to the head of the response, an error what comes in its place.
    """

    home = "https://api.openai.com/v1"
    variable = "OPENAI_API_KEY"
    failures = (ModelError,)

    def __init__(self, *answers: Sequence[Step] | ModelError, name: str = "openai/m", **options: Any) -> None:
        super().__init__(name, "m", SecretStr(""), "", **{"timeout": PATIENCE, "reader": "Somebody", **options})
        self.asked: list[float] = []
        self._answers = answers
        assert self.client  # made now: a thread knows nothing of virtual time

    def connect(self, key: str) -> Client:
        """Nothing is sent."""
        return Client()

    def reading(self) -> ChatReading:
        """A reading of the answer."""
        return ChatReading(self.faults)

    async def ask(self, stack: AsyncExitStack, prompt: Prompt) -> Any:
        """Give the next answer; the last again and again."""
        self.asked.append(asyncio.get_running_loop().time())
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        if isinstance(answer, ModelError):
            raise answer
        first, *steps = answer
        assert isinstance(first, float | int)
        await asyncio.sleep(first)
        return SimpleNamespace(headers=httpx2.Headers(), http_response=SimpleNamespace(aiter_raw=lambda: _body(steps)))

    def _told(self, error: Exception) -> ModelError:
        assert isinstance(error, ModelError)
        return error


async def _body(steps: Sequence[Step]) -> AsyncIterator[bytes]:
    for step in steps:
        if isinstance(step, bytes):
            yield step
        else:
            await asyncio.sleep(step)


def every(seconds: float, sign: bytes, count: int) -> list[Step]:
    """A sign of life every few seconds."""
    return [step for _ in range(count) for step in (seconds, sign)]


async def listen(model: Model) -> str:
    """The whole answer."""
    async with aclosing(model.stream(PROMPT)) as pieces:
        return "".join([piece.text async for piece in pieces])


def ask(*models: Model) -> tuple[str, float]:
    """Ask a question in virtual time: the answer, or the fault, and the seconds that it took."""

    async def main() -> tuple[str, float]:
        try:
            answer = await listen(Resilient(models))
        except ModelError as error:
            answer = error.fault.value
        return answer, asyncio.get_running_loop().time()

    return run(main())


@pytest.mark.parametrize("others", [1, 2, 5])
@pytest.mark.parametrize("hang", [[HANG], [0, HANG], [0, ROLE, HANG], [0, COMMENT, HANG], [0, THOUGHT, HANG]])
def test_the_last_fallback_model_is_asked_while_there_is_time(hang: list[Step], others: int) -> None:
    """However many models hang before it, and wherever: before the head, the first byte, or the first words."""
    last = Wire([1, YES])
    answer, seconds = ask(*(Wire(hang) for _ in range(others)), last)
    assert answer == "Yes."
    assert len(last.asked) == 1
    assert seconds < 20 or bytes in map(type, hang)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    "answer", [[HANG], [0, HANG], ModelError(ModelFault.RATE, "", 16), ModelError(ModelFault.OVERLOAD, "", 2)]
)
def test_a_failure_is_told_within_twenty_seconds(answer: list[Step] | ModelError, count: int) -> None:
    """Whatever wait a provider asks for, and whatever comes after it."""
    _, seconds = ask(*(Wire(answer, [HANG]) for _ in range(count)))
    assert seconds < 20


def test_connections_that_hang_count_under_the_same_deadline() -> None:
    """Each try of an address that takes no connection ends with the question's time, not with its own."""

    class Unreachable(Wire):
        async def ask(self, stack: AsyncExitStack, prompt: Prompt) -> Any:
            self.asked.append(asyncio.get_running_loop().time())
            await asyncio.sleep(10)
            raise ModelError(ModelFault.NETWORK, "no connection")

    model = Unreachable([0])
    _, seconds = ask(model)
    assert len(model.asked) == 2
    assert seconds < 20


def test_a_wait_is_kept_where_there_is_time_for_it() -> None:
    """And given up for the next model where there is none."""
    busy = ModelError(ModelFault.RATE, "", 6.5)
    assert ask(Wire(busy, [0, YES])) == ("Yes.", 6.5)
    assert ask(Wire(ModelError(ModelFault.RATE, "", 12), [0, YES]), Wire([0, YES])) == ("Yes.", 0)


@pytest.mark.parametrize("sign", [COMMENT, ROLE, THOUGHT])
@pytest.mark.parametrize("others", [0, 1])
def test_signs_of_life_move_the_deadline(sign: bytes, others: int) -> None:
    """Comments, chunks without text and thoughts: a model that thinks for minutes is waited for."""
    assert ask(Wire([0, *every(5, sign, 20), YES]), *[Wire([0, YES])] * others) == ("Yes.", 100)


def test_signs_of_life_without_an_answer_end_some_time() -> None:
    """A gateway that sends comments for ever has nothing behind it; the next model is asked."""
    other = Wire([0, YES])
    answer, _ = ask(Wire([0, *every(5, COMMENT, 1000)]), other)
    assert (answer, other.asked) == ("Yes.", [QUIET])


def test_an_answer_that_goes_on_may_pause() -> None:
    """Between its words a model has all of its time, also with another one behind it."""
    words = chunk({"content": "Well… "})
    assert ask(Wire([0, words, 17, YES]), Wire([0, YES])) == ("Well… Yes.", 17)


def test_an_answer_that_stands_still_is_begun_afresh_with_time_of_its_own() -> None:
    """The fresh attempt does not inherit a deadline that is over."""
    model = Wire([0, chunk({"content": "Well… "}), HANG], [5, YES])
    answer, seconds = ask(model)
    assert (answer, len(model.asked)) == ("Well… Yes.", 2)
    assert seconds < PATIENCE + 7


def test_a_slow_model_has_the_time_that_it_needs_where_it_is_the_last() -> None:
    """A model on the own network may have to be loaded; with another one behind it, it has its share."""
    assert ask(Wire([250, YES], last_timeout=300)) == ("Yes.", 250)
    assert ask(Wire([250, YES], last_timeout=300), Wire([0, YES])) == ("Yes.", 9)
    assert ask(Wire([HANG]), Wire([250, YES], last_timeout=300)) == ("Yes.", 259)


def test_the_models_after_a_slow_one_keep_their_shares() -> None:
    """A time-out that is set longer than any question waits is meant so, and takes nothing from the others."""
    assert ask(Wire([HANG], timeout=60), Wire([17, YES])) == ("timeout", 69)
    assert ask(Wire([HANG], timeout=60), Wire([8, YES])) == ("Yes.", 68)
    assert ask(Wire([50, YES], timeout=60), Wire([0, YES])) == ("Yes.", 50)


def test_waiting_in_line_takes_no_time_of_the_deadline() -> None:
    """A model on this machine writes one answer at a time: whoever waits is asked for later, and as patiently."""

    async def main() -> list[str]:
        model = Resilient([Parallel(Wire([15, YES]), 1)])
        return await asyncio.gather(*(listen(model) for _ in range(4)))

    assert run(main()) == ["Yes."] * 4


def test_making_a_model_counts_under_the_deadline() -> None:
    """One that does not get ready leaves the others their shares; a slow one is waited for."""

    async def make() -> Model:
        await asyncio.sleep(100)
        return Wire([50, YES], timeout=300)

    async def quickly() -> Model:
        await asyncio.sleep(15)
        return Wire([HANG])

    assert ask(Deferred("a", "Somebody", make, patience=PATIENCE), Wire([0, YES])) == ("Yes.", 9)
    assert ask(Deferred("a", "Somebody", make, patience=300)) == ("Yes.", 150)
    assert ask(Deferred("a", "Somebody", quickly, patience=PATIENCE)) == ("timeout", PATIENCE)


def test_what_waited_for_nobody_is_asked_without_a_deadline() -> None:
    """A model by itself keeps its own time-outs."""

    async def main() -> float:
        with pytest.raises(ModelError, match="there was no answer for 40 seconds"):
            await listen(Wire([HANG], timeout=40))
        return asyncio.get_running_loop().time()

    assert run(main()) == 40


def test_a_model_that_is_not_asked_has_no_share() -> None:
    """What an open circuit leaves out takes no time from the rest."""

    class Dead:
        name, reader, trial, facts = "a", "Somebody", False, Facts()

        async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
            raise ModelError(ModelFault.TIMEOUT, "")
            yield Piece()

        async def close(self) -> None:
            """Nothing is open."""

    async def main() -> str:
        model = Resilient([Dead(), Wire([16, YES])])
        for number in range(5):
            prompt = Prompt("", (Message(Role.USER, str(number)),), 100)
            async with aclosing(model.stream(prompt)) as pieces:
                assert [piece.text async for piece in pieces if piece.text] == ["Yes."]
        return await listen(model)

    assert run(main()) == "Yes."
