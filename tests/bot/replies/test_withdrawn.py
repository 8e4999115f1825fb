"""What a model broke off or only thought aloud is no part of the answer: on no screen, in no memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from adapters.terminal import WITHDRAWN, Terminal
from adapters.web.transcripts import Sign, Silence, Wire
from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import State
from bot.domain.ports import Piece, Transcript
from bot.domain.records import Answer
from bot.replies.reply import Reply
from bot.replies.streaming import Halt, deliver
from bot.texts import ENDINGS, THOUGHT_ONLY
from tests.support.clock import run
from tests.support.screen import Screen

PLAN = "a plan of many words " * 20
DONE = Piece(end=State.DONE)


async def stream(*parts: Piece | ModelError) -> AsyncGenerator[Piece, None]:
    """A model that says this."""
    for part in parts:
        if isinstance(part, ModelError):
            raise part
        yield part


def show(screen: Screen | Transcript, *parts: Piece | ModelError) -> Answer:
    """Deliver an answer in virtual time."""

    async def main() -> Answer:
        return await deliver(stream(*parts), Reply(screen) if isinstance(screen, Screen) else screen, Halt())

    return run(main())


def test_thoughts_that_were_shown_are_written_over() -> None:
    """The message shows the answer alone in the end, and so does what is remembered."""
    screen = Screen()
    answer = show(screen, Piece(PLAN), Piece(withdrawn=True), Piece("Yes."), DONE)
    assert (answer.text, answer.state, screen.texts) == ("Yes.", State.DONE, ["Yes."])


def test_thoughts_do_not_come_back_when_the_answer_breaks() -> None:
    """Of an answer that breaks off, the longer part is shown; thoughts are no part of it."""
    screen = Screen()
    broken = ModelError(ModelFault.CUT, "x")
    answer = show(screen, Piece(PLAN), Piece("Yes, ", withdrawn=True), broken)
    assert (answer.text, answer.state) == ("Yes, ", State.FAILED)
    assert screen.texts == ["Yes,"]


async def test_a_reader_of_the_page_is_told_that_the_pieces_are_void() -> None:
    """Between the pieces, in their order; the memory has the answer alone."""
    wire = Wire()
    answer = await deliver(stream(Piece(PLAN), Piece("Yes.", withdrawn=True), DONE), wire, Halt())
    wire.close()
    assert [piece async for piece in wire.pieces()] == [PLAN, Sign.WITHDRAWN, "Yes."]
    assert answer.text == "Yes."


def test_the_terminal_says_what_was_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """It cannot take it away; no line is written over by a lone carriage return."""
    answer = show(Terminal(), Piece("a plan"), Piece("Ye\rs.\r\n", withdrawn=True), DONE)
    assert capsys.readouterr().out == f"a plan{WITHDRAWN}Ye\ns.\n"
    assert answer.text == "Ye\rs.\r\n"


def test_a_withdrawal_before_the_first_word_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody has seen anything."""
    show(Terminal(), Piece(reasoning="Hm.", withdrawn=True), Piece("Yes."), DONE)
    assert capsys.readouterr().out == "Yes."


def test_an_answer_that_nobody_reads_along_is_begun_afresh() -> None:
    """POST /chat has shown nothing yet; where somebody reads along the answer ends with its failure."""
    anew = ModelError(ModelFault.CUT, "x")
    parts = (Piece("One "), Piece(anew=anew), Piece("Two."), DONE)
    answer = show(Silence(), *parts)
    assert (answer.text, answer.state) == ("Two.", State.DONE)
    answer = show(Wire(), *parts)
    assert (answer.text, answer.state) == ("One ", State.FAILED)


def test_controls_reach_no_screen() -> None:
    """Also where a sequence is split; what is remembered is what was shown."""
    screen = Screen()
    answer = show(screen, Piece("a\0b\x1b[3"), Piece("1mc\u202e"), Piece("d\x1b"), DONE)
    assert (answer.text, screen.texts) == ("abcd", ["abcd"])


def test_an_answer_that_is_cut_before_its_first_word_says_why() -> None:
    """It is not told to go on, for there is nothing to go on from."""
    screen = Screen()
    answer = show(screen, Piece(reasoning="Hm."), Piece(end=State.CUT))
    assert (answer.state, answer.note, answer.text) == (State.CUT, THOUGHT_ONLY, "")
    assert show(Screen(), Piece("a"), Piece(end=State.CUT)).note == ENDINGS[State.CUT]
