"""Whatever a server does with Anthropic's protocol: the answer is whole, or its failure is known."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import State, Usage
from tests.support.streams import END, START, STOP, Json, blocks, read, said

ANTHROPIC: dict[str, tuple[list[Any], str, State]] = {
    "an unknown event": ([START, {"type": "new", "text": "No."}, said("Yes."), END, STOP], "Yes.", State.DONE),
    "an event without a type": ([START, {"text": "No."}, said("Yes."), END, STOP], "Yes.", State.DONE),
    "a type that is no text": ([START, {"type": 5}, {"type": None}, said("Yes."), END, STOP], "Yes.", State.DONE),
    "pings": (
        [{"type": "ping"}, START, {"type": "ping"}, said("Yes."), {"type": "ping"}, END, STOP],
        "Yes.",
        State.DONE,
    ),
    "no start": ([said("Yes."), END, STOP], "Yes.", State.DONE),
    "a start without a message": ([{"type": "message_start"}, said("Yes."), END, STOP], "Yes.", State.DONE),
    "a start without usage": ([{"type": "message_start", "message": {}}, said("Yes."), END, STOP], "Yes.", State.DONE),
    "a start with null usage": (
        [{"type": "message_start", "message": {"usage": None}}, said("Yes."), END, STOP],
        "Yes.",
        State.DONE,
    ),
    "null usage at the end": ([START, said("Yes."), {**END, "usage": None}, STOP], "Yes.", State.DONE),
    "usage as text": ([START, said("Yes."), {**END, "usage": {"output_tokens": "3"}}, STOP], "Yes.", State.DONE),
    "usage as a list": ([START, said("Yes."), {**END, "usage": [3]}, STOP], "Yes.", State.DONE),
    "an unknown block": (
        [
            START,
            {"type": "content_block_start", "content_block": {"type": "new", "data": "x"}},
            said("Yes."),
            END,
            STOP,
        ],
        "Yes.",
        State.DONE,
    ),
    "a block without content": ([START, {"type": "content_block_start"}, said("Yes."), END, STOP], "Yes.", State.DONE),
    "a block that begins with text": (
        [START, {"type": "content_block_start", "content_block": {"text": "Ye"}}, said("s."), END, STOP],
        "Yes.",
        State.DONE,
    ),
    "no block starts": ([START, said("Ye", 0), said("s.", 7), END, STOP], "Yes.", State.DONE),
    "a piece without delta": ([START, {"type": "content_block_delta"}, said("Yes."), END, STOP], "Yes.", State.DONE),
    "a piece that is null": (
        [
            START,
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": None}},
            said("Yes."),
            END,
            STOP,
        ],
        "Yes.",
        State.DONE,
    ),
    "an unknown piece": (
        [START, {"type": "content_block_delta", "delta": {"type": "citations_delta"}}, said("Yes."), END, STOP],
        "Yes.",
        State.DONE,
    ),
    "tool input": (
        [
            START,
            {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "{}"}},
            said("Yes."),
            END,
            STOP,
        ],
        "Yes.",
        State.DONE,
    ),
    "text in parts": (
        [START, {"type": "content_block_delta", "delta": {"text": [{"type": "text", "text": "Yes."}]}}, END, STOP],
        "Yes.",
        State.DONE,
    ),
    "a new reason": (
        [START, said("Yes."), {"type": "message_delta", "delta": {"stop_reason": "something_new"}}, STOP],
        "Yes.",
        State.DONE,
    ),
    "a null reason, then one": (
        [START, said("Yes."), {"type": "message_delta", "delta": {"stop_reason": None}}, END, STOP],
        "Yes.",
        State.DONE,
    ),
    "the context's end": (
        [START, said("Ye"), {"type": "message_delta", "delta": {"stop_reason": "model_context_window_exceeded"}}, STOP],
        "Ye",
        State.CUT,
    ),
    "a refusal": (
        [START, said("No"), {"type": "message_delta", "delta": {"stop_reason": "refusal"}}],
        "No",
        State.REFUSED,
    ),
    "no delta in the last": ([START, said("Yes."), {"type": "message_delta", "usage": {}}, STOP], "Yes.", State.DONE),
    "no message_delta": ([START, said("Yes."), STOP], "Yes.", State.DONE),
    "no message_stop": ([START, said("Yes."), END], "Yes.", State.DONE),
    "OpenAI's end": ([START, said("Yes."), END, b"[DONE]"], "Yes.", State.DONE),
    "an error after the end": (
        [START, said("Yes."), END, {"type": "error", "error": {"type": "overloaded_error"}}, STOP],
        "Yes.",
        State.DONE,
    ),
    "damage after the end": ([START, said("Yes."), END, b"{oops", STOP], "Yes.", State.DONE),
    "a null error": ([START, {"type": "ping", "error": None}, said("Yes."), END, STOP], "Yes.", State.DONE),
    "thoughts in the text": ([START, said("<think>Hm."), said("</think>Yes."), END, STOP], "Yes.", State.DONE),
    "a whole message without a type": (
        [{"role": "assistant", "content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn"}],
        "Yes.",
        State.DONE,
    ),
    "a whole message": (
        [{"type": "message", "content": [{"type": "text", "text": "Yes."}, {"type": "new"}, 5], "stop_reason": None}],
        "Yes.",
        State.DONE,
    ),
}


@pytest.mark.parametrize("name", ANTHROPIC)
def test_every_oddity_of_anthropics_protocol_is_borne(name: str) -> None:
    """Unknown events and blocks, null or odd usage, new reasons, a missing end: the answer is whole."""
    events, text, state = ANTHROPIC[name]
    assert read(blocks(), events)[:2] == (text, state)


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, ModelFault.OVERLOAD),
        ({"type": "error", "error": "Overloaded"}, ModelFault.OVERLOAD),
        ({"type": "error", "message": "Overloaded"}, ModelFault.OVERLOAD),
        ({"error": {"message": "Overloaded"}}, ModelFault.OVERLOAD),
        ({"type": "error"}, ModelFault.CUT),
    ],
)
def test_an_error_of_anthropics_protocol_is_known_in_every_shape(event: Json, fault: ModelFault) -> None:
    """With and without an object for it."""
    with pytest.raises(ModelError) as caught:
        read(blocks(), [START, said("Half"), event])
    assert caught.value.fault is fault


def test_a_count_that_never_came_is_guessed_from_what_was_written() -> None:
    """The start of Anthropic's stream counts one token; without the count of the end it would stand in the books."""
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}}
    assert read(blocks(), [start, said("word " * 60), STOP])[2] == Usage(9, 50)
