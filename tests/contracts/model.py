"""What every `Model` holds to, whoever answers; an implementation brings the fixture `model` and runs this."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from bot.domain.messages import Message, Role, State, Usage
from bot.domain.ports import Model, Piece, Prompt

SYSTEM = "Be brief."


def prompt(*texts: str, tokens: int = 100, temperature: float | None = None, system: str = SYSTEM) -> Prompt:
    """What a user and the model said in turn, the user first and last."""
    roles = (Role.USER, Role.ASSISTANT)
    messages = tuple(Message(roles[turn % 2], text) for turn, text in enumerate(texts or ["Tell me a story."]))
    return Prompt(system, messages, tokens, temperature)


async def listen(model: Model, asked: Prompt | None = None) -> list[Piece]:
    """The whole answer."""
    async with aclosing(model.stream(asked or prompt())) as pieces:
        return [piece async for piece in pieces]


def text(pieces: list[Piece]) -> str:
    """What the reader sees of it."""
    return "".join(piece.text for piece in pieces)


class ModelContract:
    """The facts, a test each, that hold for any model that answers."""

    async def test_an_answer_is_text_in_pieces_and_then_its_end(self, model: Model) -> None:
        """More than one piece, nothing empty, and on the last piece only how it ended and what it took."""
        *pieces, last = await listen(model)
        assert len(pieces) > 1
        assert all((piece.text or piece.reasoning) and piece.end is None and piece.usage is None for piece in pieces)
        assert last.end in (State.DONE, State.CUT)
        assert (last.usage or Usage()).input > 0
        assert (last.usage or Usage()).output > 0

    async def test_an_answer_is_no_longer_than_it_may_be(self, model: Model) -> None:
        """At the bound it is cut, and says so."""
        *_, last = await listen(model, prompt(tokens=2))
        assert last.end is State.CUT
        assert (last.usage or Usage()).output <= 2

    async def test_an_answer_may_be_left_early(self, model: Model) -> None:
        """Whoever stops listening can ask again at once."""
        async with aclosing(model.stream(prompt())) as pieces:
            await anext(pieces)
        assert text(await listen(model))

    async def test_two_may_ask_at_once(self, model: Model) -> None:
        """Each gets an answer of its own, whole."""
        answers = await asyncio.gather(listen(model), listen(model))
        assert all(text(pieces) and pieces[-1].end for pieces in answers)

    async def test_it_says_who_it_is(self, model: Model) -> None:
        """`provider/model` for the log, and who reads for people."""
        assert "/" in model.name
        assert model.reader
        assert model.trial in (True, False)
