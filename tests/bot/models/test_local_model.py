"""A real model, run in this process: it streams, counts, refuses what is too long, and stops when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from bot.config.models import LocalSettings
from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import Message, Role, State, Usage
from bot.domain.ports import Piece, Prompt
from bot.models.trial import package
from bot.models.trial.hardware import Machine, obstacle
from bot.models.trial.llama import LocalModel, is_model

CACHE = Path("~/.cache/parley").expanduser()
"""Where the program keeps the file too: it is fetched once a machine."""
SETTINGS = LocalSettings(context=512)
LONGEST = 12
ENDLESS = "Tell me a long story about a lighthouse."

pytestmark = pytest.mark.skipif(bool(why := obstacle(Machine.here())), reason=why or "this machine runs model files")


@pytest_asyncio.fixture
async def file() -> Path:
    """The trial model's file."""
    try:
        return await package.take(CACHE)
    except ModelError as error:
        pytest.skip(f"The trial model's file is not to be had: {error}")


@pytest_asyncio.fixture
async def model(file: Path) -> AsyncIterator[LocalModel]:
    """The trial model, loaded."""
    loaded = await LocalModel.load(file, package.NAME, SETTINGS, trial=True, longest=LONGEST)
    yield loaded
    await loaded.close()


def prompt(text: str, tokens: int = 30) -> Prompt:
    return Prompt("You are a helpful assistant.", (Message(Role.USER, text),), max_tokens=tokens, temperature=0)


async def answer(model: LocalModel, asked: Prompt) -> tuple[str, Piece]:
    """The text, and the piece that ended it."""
    pieces = [piece async for piece in model.stream(asked)]
    return "".join(piece.text for piece in pieces), pieces[-1]


async def test_it_streams_words_with_their_count(model: LocalModel) -> None:
    """Text comes in pieces; the last one says how it ended and what it took."""
    asked = prompt("What is the capital of France?")
    pieces = [piece async for piece in model.stream(asked)]
    assert (model.name, model.reader, model.trial) == (package.NAME, "a model on this machine", True)
    assert len([piece for piece in pieces if piece.text.strip()]) > 2
    assert pieces[-1].end in (State.DONE, State.CUT)
    usage = pieces[-1].usage or Usage()
    assert usage.input > 10
    assert 0 < usage.output <= LONGEST


async def test_no_answer_is_longer_than_the_bound(model: LocalModel) -> None:
    """A small model does not know when to stop: whatever the question allows, it is cut at its own bound."""
    text, last = await answer(model, prompt(ENDLESS, tokens=400))
    assert text
    assert last.end is State.CUT
    assert (last.usage or Usage()).output == LONGEST


async def test_what_is_too_long_for_it_is_a_context_fault(model: LocalModel) -> None:
    """The person can do something about it: ask something shorter."""
    with pytest.raises(ModelError) as caught:
        await answer(model, prompt("word " * 2 * SETTINGS.context))
    assert caught.value.fault is ModelFault.CONTEXT
    text, _ = await answer(model, prompt("Hello"))
    assert text


async def test_a_stopped_answer_frees_the_model(model: LocalModel) -> None:
    """There is one slot: after an answer that was left early the next one is written, not queued behind it."""
    for _ in range(3):
        async with aclosing(model.stream(prompt(ENDLESS))) as pieces:
            async for piece in pieces:
                if piece.text:
                    break
    text, _ = await answer(model, prompt("Hello"))
    assert text


async def test_answers_at_once_all_come(model: LocalModel) -> None:
    """Questions that come together wait for each other."""
    answers = await asyncio.gather(*(answer(model, prompt(f"Say {word}.", tokens=8)) for word in ("yes", "no", "hm")))
    assert all(text for text, _ in answers)


async def test_closing_in_the_middle_of_an_answer_is_quick(file: Path) -> None:
    """A program that stops does not wait for the model to finish: the answer breaks off with an error that is known."""
    model = await LocalModel.load(file, "local/endless", SETTINGS)
    pieces = model.stream(prompt(ENDLESS, tokens=400))
    await anext(pieces)
    async with asyncio.timeout(20):
        await model.close()
    with pytest.raises(ModelError):
        [_ async for _ in pieces]


async def test_a_file_that_only_looks_like_a_model_is_one_sentence(tmp_path: Path) -> None:
    """It begins like one, but the rest is missing: the sentence names the file."""
    file = tmp_path / "half.gguf"
    file.write_bytes(b"GGUF\x03\x00\x00\x00")
    assert is_model(file)
    with pytest.raises(ModelError) as caught:
        await LocalModel.load(file, "local/half", SETTINGS)
    assert caught.value.fault is ModelFault.UNSET
    assert str(caught.value).startswith(f"{file} cannot be run")


def test_a_missing_file_is_no_model(tmp_path: Path) -> None:
    """Neither is a folder."""
    assert not is_model(tmp_path / "none.gguf")
    assert not is_model(tmp_path)


async def test_each_of_several_answers_at_once_has_the_whole_context(file: Path) -> None:
    """With `local.parallel` the model has a slot for each; what fits into one still fits, what does not is refused."""
    model = await LocalModel.load(file, "local/wide", SETTINGS.model_copy(update={"parallel": 2}))
    try:
        answers = await asyncio.gather(*(answer(model, prompt(f"{ENDLESS} " * 40, tokens=8)) for _ in range(2)))
        assert all((last.usage or Usage()).input > SETTINGS.context / 2 for _, last in answers)
        with pytest.raises(ModelError) as caught:
            await answer(model, prompt("word " * SETTINGS.context))
        assert caught.value.fault is ModelFault.CONTEXT
    finally:
        await model.close()
