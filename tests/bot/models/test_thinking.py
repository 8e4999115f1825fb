"""Thoughts and the marks of templates are told from the answer, however the text is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.protocols.think_tags import FIXED, Thinking

PARTS = [
    *FIXED, "<", "think>", "</th", " ", "\n", "a", "é", "`", "```\n", "<|", "|>", "<|im_end|>", "<|im_start|>",
    "assistant", "<|channel|>", "analysis", "final", "<|message|>", "<|end|>", "<|start|>",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PARTS), max_size=12)


def split(chunks: list[str], thoughts_first: bool = False, whole: bool = True) -> tuple[str, str]:
    """(answer, thoughts) of a text that comes in these chunks, as they are in the end."""
    thinking = Thinking(thoughts_first)
    answer = thoughts = ""
    for part in [*map(thinking.feed, chunks), thinking.close(whole)]:
        if part.withdrawn:
            thoughts, answer = answer + thoughts, ""
        answer, thoughts = answer + part.answer, thoughts + part.thoughts
    return answer, thoughts


@given(TEXTS, st.booleans())
def test_the_cuts_of_the_model_make_no_difference(chunks: list[str], first: bool) -> None:
    """A mark may be split over any number of pieces."""
    whole = "".join(chunks)
    assert split(chunks, first)[0] == split([whole], first)[0] == split(list(whole), first)[0]


@given(st.text())
def test_a_text_without_marks_stays_as_it_is(text: str) -> None:
    """To the letter, blanks at its start included, also where a model was known to begin with thoughts."""
    if not any(sign in text for sign in ("<", "[", "◁")):
        assert split(list(text)) == (text, "")
        assert split(list(text), thoughts_first=True)[0] == text


@pytest.mark.parametrize(
    ("text", "answer", "thoughts"),
    [
        ("<think>Hm.</think>Yes.", "Yes.", "Hm."),
        ("\n <think>\nHm.\n</think>\n\nYes. ", "Yes. ", "\nHm.\n"),
        ("<think>a < b </thin</think> c", "c", "a < b </thin"),
        ("<think></think>Yes.", "Yes.", ""),
        ("<think>Hm.", "", "Hm."),
        ("<think>", "", ""),
        ("<think>Hm.</thi", "", "Hm.</thi"),
        ("<think>a</think> b <think>c</think>", "b <think>c</think>", "a"),
        ("Yes. <think>no</think>", "Yes. <think>no</think>", ""),
        ("<thinker>no", "<thinker>no", ""),
        ("<thinking>Hm.</thinking>\nYes.", "Yes.", "Hm."),
        ("<reasoning>Hm.</reasoning>Yes.", "Yes.", "Hm."),
        ("<Think>Hm.</Think>Yes.", "Yes.", "Hm."),
        ("<|begin_of_thought|>Hm.<|end_of_thought|>\n<|begin_of_solution|>Yes.<|end_of_solution|>", "Yes.", "Hm."),
        ("<thi", "<thi", ""),
        ("", "", ""),
        ("[THINK]Hm.[/THINK]Yes.", "Yes.", "Hm."),
        ("<thought>\nHm.</thought>\nYes.", "Yes.", "\nHm."),
        ("[THINGS] first", "[THINGS] first", ""),
    ],
)
def test_thoughts_at_the_start_are_told_from_the_answer(text: str, answer: str, thoughts: str) -> None:
    """Only at the very start; without an end all of it is thoughts."""
    assert split([text]) == split(list(text)) == (answer, thoughts)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("secret plan\n</think>\n\nHello.", "Hello."),
        ("One.\n\nTwo.\n</thought>Hello.", "Hello."),
        ("A plan.[/THINK]Hello.", "Hello."),
        ("</think>\n\nHello.", "Hello."),
        ("<think>Hm.</think>\n\n</think>Hello.", "Hello."),
        ("A plan: `x`.\n```\ncode\n```\n</think>\nHello.", "Hello."),
        ("A model closes its thoughts with `</think>`.", "A model closes its thoughts with `</think>`."),
        ("```html\n</think>\n```\nDone.", "```html\n</think>\n```\nDone."),
    ],
)
def test_a_closing_tag_that_nothing_opened_makes_thoughts_of_what_came_before(text: str, answer: str) -> None:
    """Templates open the thoughts in the prompt. In code it is only spoken of."""
    assert split([text])[0] == split(list(text))[0] == answer


def test_a_closing_tag_after_thoughts_that_the_server_told_apart_is_dropped() -> None:
    """It is left over; what stands before it stays."""
    thinking = Thinking()
    thinking.reasoned = True
    assert thinking.feed("Yes.</think> No.") == ("Yes. No.", "", False)
    assert not thinking.lone


def test_a_model_that_is_known_to_begin_with_thoughts_is_held_back() -> None:
    """Nothing is shown that would have to be taken back; without the tag it comes in the end, if that was no cut."""
    thinking = Thinking(thoughts_first=True)
    assert thinking.feed("A plan.") == ("", "A plan.", False)
    assert thinking.feed("</think>Yes.") == ("Yes.", "", False)
    assert thinking.lone
    assert split(["Only ", "an answer."], thoughts_first=True) == ("Only an answer.", "Only an answer.")
    assert split(["Only ", "thoughts"], thoughts_first=True, whole=False)[0] == ""
    assert split(["<think>Hm.</think>Yes."], thoughts_first=True) == ("Yes.", "Hm.")


@pytest.mark.parametrize(
    ("text", "answer", "thoughts"),
    [
        ("Yes.<|im_end|>", "Yes.", ""),
        ("<|im_start|>assistant\nYes.<|im_end|>\n<|endoftext|>", "Yes.\n", ""),
        ("Yes.<end_of_turn>", "Yes.", ""),
        ("It ends with `<|im_end|>`.", "It ends with `<|im_end|>`.", ""),
        ("if a <|b or c|> d", "if a <|b or c|> d", ""),
        (
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
            "Yes.",
            "Hm.",
        ),
        ("<|start|>assistant<|channel|>commentary to=f <|constrain|>json<|message|>{}<|call|>", "", "{}"),
        ("<|channel|>final<|message|>Yes.", "Yes.", ""),
    ],
)
def test_the_marks_of_templates_are_not_shown(text: str, answer: str, thoughts: str) -> None:
    """Of OpenAI's harmony format only the channel `final` is the answer; in code a mark is only spoken of."""
    assert split([text]) == split(list(text)) == (answer, thoughts)
