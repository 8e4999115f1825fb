"""What is read of a stream whose parts are missing, of another kind, doubled or odd: no text is lost for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import State, Usage
from bot.models.protocols.openai_events import ChatReading
from bot.models.protocols.server_features import Server
from bot.models.protocols.sse import ErrorData
from bot.models.protocols.stream_parser import Reading
from tests.fuzz.mutation import GONE, ODD, change, mutated, values
from tests.support.streams import BLOCKS, CHAT, FAULTS, Json, blocks, chat, delta, read, said
from tests.support.tries import tries

STREAMS: list[tuple[Callable[[], Reading], list[Json]]] = [(chat, CHAT), (blocks, BLOCKS)]
METADATA = ("id", "model", "created", "system_fingerprint", "usage", "service_tier", "logprobs", "signature")


def ways_to_metadata(value: Any, here: tuple[Any, ...] = (), inside: bool = False) -> list[tuple[Any, ...]]:
    """The ways to all that is not of the answer."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for key, each in inner:
        known = inside or key in METADATA
        found += [(*here, key)] if known else []
        found += ways_to_metadata(each, (*here, key), known)
    return found


@pytest.mark.parametrize(("make", "stream"), STREAMS)
def test_a_plain_stream_is_read(make: Callable[[], Reading], stream: list[Json]) -> None:
    """Text, end and usage."""
    text, end, usage = read(make(), stream)
    assert (text, end, usage and usage.output) == ("One two three.", State.DONE, 3)


@pytest.mark.parametrize(("make", "stream"), STREAMS)
@tries(300)
@given(data=st.data())
def test_whatever_a_stream_holds_the_worst_is_a_fault(
    make: Callable[[], Reading], stream: list[Json], data: st.DataObject
) -> None:
    """Parts missing, doubled, of any other kind: an answer, or a ModelError at its end; never anything else."""
    events = data.draw(mutated([{"events": stream}])).get("events")
    events = events if isinstance(events, list) else [events]
    cut = data.draw(st.integers(0, len(events)))
    raw = json.dumps(events[cut - 1] if events else None).encode()
    events = [*events[:cut], raw[: data.draw(st.integers(0, len(raw)))], *events[cut:]]
    try:
        read(make(), events)
    except ModelError:
        return


@pytest.mark.parametrize(("make", "stream"), STREAMS)
@tries(300)
@given(data=st.data())
def test_no_text_is_lost_for_what_is_not_text(
    make: Callable[[], Reading], stream: list[Json], data: st.DataObject
) -> None:
    """Whatever stands in the metadata, and whatever other JSON comes between the events."""
    changed = json.loads(json.dumps(stream))
    for way in data.draw(st.lists(st.sampled_from(ways_to_metadata(changed)), max_size=4)):
        value = data.draw(st.one_of(st.just(GONE), values))
        try:
            change(changed, way, value)
        except (KeyError, IndexError, TypeError):  # what it is in was changed before
            continue
    others = [odd for odd in ODD if odd != {"": None}]
    for place in data.draw(st.lists(st.integers(0, len(changed)), max_size=4)):
        changed.insert(place, data.draw(st.sampled_from(others)))
    assert read(make(), changed)[:2] == ("One two three.", State.DONE)


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([delta(content=[{"type": "text", "text": "Yes"}, "."]), delta("stop")], "Yes."),
        ([delta(content={"type": "text", "text": "Yes."}), delta("stop")], "Yes."),
        ([delta(content=["Ye", {"text": ["s", {"text": "."}]}]), delta("stop")], "Yes."),
        (
            [delta(content=[{"type": "reasoning", "text": "Hm"}, {"type": "text", "text": "Yes."}]), delta("stop")],
            "Yes.",
        ),
        ([delta(content=4), delta("stop", content=2.5)], "42.5"),
        (
            [delta(content="Yes.", reasoning={"text": "Hm"}, reasoning_details=[{"summary": ["Hm"]}]), delta("stop")],
            "Yes.",
        ),
        ([delta(content="Yes.", reasoning_content=["Hm", 5, None]), delta("stop")], "Yes."),
        ([{"choices": {"delta": {"content": "Yes."}, "finish_reason": "stop"}}], "Yes."),
        ([{"choices": [{"delta": "Yes.", "finish_reason": "stop"}]}], "Yes."),
        ([{"choices": [{"index": 3, "delta": {"content": "Yes."}}]}, b"[DONE]"], "Yes."),
        ([{"choices": [{"delta": {"content": "Yes."}}, {"delta": {"content": "No."}}]}, b"[DONE]"], "Yes."),
        ([[delta(content="Ye"), delta(content="s.")], b"[DONE]"], "Yes."),
        ([{"choices": [{"message": {"content": "Yes."}}]}], "Yes."),
        (
            [{"choices": [{"delta": {}, "message": {"content": m}}]} for m in ("Y", "Ye", "Yes.")] + [delta("stop")],
            "Yes.",
        ),
        ([{**delta(content="Yes."), "error": {"code": 0, "message": ""}}, delta("stop")], "Yes."),
        ([delta(content="Yes."), delta("null"), delta(""), delta("STOP")], "Yes."),
        *(
            ([delta(content="Yes."), delta(name)], "Yes.")
            for name in ("FINISH_REASON_STOP", "endTurn", "EndTurn", "FinishReason.STOP", "<|im_end|>", "</s>")
        ),
        ([delta(content="Yes."), b'"[DONE]"'], "Yes."),
        ([delta("stop", content="Ye"), delta("stop", content="s.")], "Yes."),
        ([b'{"choices":[{"delta":{"content":"a\tb\xff"}}]}', delta("stop")], "a\tb\ufffd"),
        (
            [
                b'{"choices":[{"delta":{"content":"\\ud83d"}}]}',
                b'{"choices":[{"delta":{"content":"\\ude00"}}]}',
                b"[DONE]",
            ],
            "😀",
        ),
        ([delta(content="\ud83d"), delta(content="a"), delta("stop", content="\ud83d")], "\ufffda\ufffd"),
        ([delta("stop", content="Yes."), ErrorData(b"late"), {"error": "late"}, b"{oops", delta("error")], "Yes."),
    ],
)
def test_every_shape_of_a_chunk_is_understood(events: list[Any], text: str) -> None:
    """Text wherever it stands, thoughts told from it, an end however it is written; nothing twice."""
    assert read(chat(), events)[:2] == (text, State.DONE)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("stop", State.DONE),
        ("EOS_TOKEN", State.DONE),
        ("FinishReason.STOP", State.DONE),
        ("tool_calls", State.DONE),
        ("length", State.CUT),
        ("MAX_TOKENS", State.CUT),
        ("model_length", State.CUT),
        ("content-filter", State.REFUSED),
        ("SAFETY", State.REFUSED),
    ],
)
def test_reasons_to_finish_have_many_names(reason: str, state: State) -> None:
    """Those of Gemini, Mistral and others among them."""
    assert read(chat(), [delta(content="x"), delta(reason)])[1] is state


@pytest.mark.parametrize("reason", ["error", "abort", "insufficient_system_resource", "network_error", "cancelled"])
@pytest.mark.parametrize("make", [chat, blocks])
def test_a_bad_end_is_a_broken_answer(make: Callable[[], Reading], reason: str) -> None:
    """Its text is there, and then it fails, so that it is asked for again; it is never taken for done."""
    bad = delta(reason) if make is chat else {"type": "message_delta", "delta": {"stop_reason": reason}}
    reading = make()
    piece = reading.read(json.dumps(delta(content="Half") if make is chat else said("Half")).encode())
    assert piece
    assert piece.text == "Half"
    reading.read(json.dumps(bad).encode())
    with pytest.raises(ModelError, match=reason) as caught:
        reading.finish()
    assert (reading.over, caught.value.fault) == (True, ModelFault.CUT)


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": "12", "completion_tokens": "3"}, Usage(12, 3)),
        ({"prompt_tokens": 12.0, "completion_tokens": None, "prompt_tokens_details": [1]}, Usage(12, 0)),
        ({"input_tokens": 12, "output_tokens": 3, "prompt_tokens_details": {"cached_tokens": "x"}}, Usage(12, 3)),
        ({"prompt_tokens": 12, "completion_tokens": 3, "prompt_cache_hit_tokens": 50}, Usage(12, 3, 12)),
        ({"prompt_tokens": 10**40, "completion_tokens": -3}, Usage(10**9, 0)),
        ({"prompt_tokens": None, "completion_tokens": "7"}, None),
        ({"prompt_tokens": True, "completion_tokens": {}}, None),
        ([1], None),
        ("12", None),
    ],
)
def test_usage_that_is_no_number_costs_nothing(usage: Any, counted: Usage | None) -> None:
    """What can be read of it counts; else it is as if none was said."""
    assert read(chat(), [delta("stop", content="Yes."), {"choices": [], "usage": usage}]) == (
        "Yes.",
        State.DONE,
        counted,
    )


def test_usage_may_stand_in_a_choice() -> None:
    """Kimi puts it there."""
    choice = {"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"prompt_tokens": 4, "completion_tokens": 2}}
    assert read(chat(), [delta(content="Yes."), {"choices": [choice]}])[2] == Usage(4, 2)


@pytest.mark.parametrize(
    ("event", "fault", "words"),
    [
        (
            {"object": "error", "message": "worker gone, out of capacity", "code": 50002},
            ModelFault.OVERLOAD,
            "worker gone",
        ),
        ({"code": 500, "message": "Context size has been exceeded."}, ModelFault.CONTEXT, "has been exceeded"),
        ({"error": "Unexpected endpoint or method. (POST /chat/completions)"}, ModelFault.REQUEST, "Is https://api"),
        ([{"error": {"code": 429, "message": "Slow down."}}], ModelFault.RATE, "Slow down"),
        ({"detail": "Not authenticated, api key missing", "status": 401}, ModelFault.KEY, "Not authenticated"),
        ({"error": {"code": 502, "message": "Provider gone"}, **delta("error")}, ModelFault.OVERLOAD, "Provider gone"),
        (ErrorData(b'{"code": 500, "message": "Oops"}'), ModelFault.OVERLOAD, "Oops"),
        (ErrorData(b"something went wrong"), ModelFault.CUT, "something went wrong"),
    ],
)
def test_an_error_within_an_answer_is_known_in_every_shape(event: Any, fault: ModelFault, words: str) -> None:
    """With the server's own words; what was written before it is there."""
    reading = chat()
    with pytest.raises(ModelError, match=words) as caught:
        read(reading, [delta(content="Half"), event, delta("stop", content="no more")])
    assert caught.value.fault is fault


def test_a_server_that_only_closes_its_thoughts_is_remembered() -> None:
    """By server and model: its next answer is held back until its thoughts end, and shown whole where it has none."""
    server = Server()
    plan = [delta(content="A plan.\n"), delta(content="</think>\nYes."), delta("stop")]
    first = ChatReading(FAULTS, server, "m")
    assert first.read(json.dumps(plan[0]).encode()) is not None
    assert read(first, plan[1:])[0] == "Yes."
    for events, text in ((plan, "Yes."), ([delta(content="No plan."), delta("stop")], "No plan.")):
        reading = ChatReading(FAULTS, server, "m")
        piece = reading.read(json.dumps(events[0]).encode())
        assert piece
        assert piece.text == ""
        assert read(reading, events[1:])[0] == text
    assert server.thoughts_first == set()
