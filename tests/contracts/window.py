"""What every `Memory` holds to as the source of prompts: the window and its summaries, material, and what was used."""

from __future__ import annotations

import pytest

from bot.domain.messages import File, Message, Role, Usage
from bot.domain.ports import Memory
from bot.domain.records import Answer, Material, Record, Summary
from tests.contracts.memory import claim, converse, incoming

HERE = "discord:7"
PICTURE = File("a.png", "image/png", b"\x89PNG")


async def talk(memory: Memory, count: int) -> None:
    """Turns 1 to `count` in a place; the numbers of turn n's messages are 2n and 2n + 1."""
    for number in range(1, count + 1):
        await converse(memory, str(number), HERE)


def short(until: int, start: int, revision: int = 0, text: str = "In short.") -> Summary:
    """A summary of everything up to this message."""
    return Summary(text, 2, until, start, revision, "openai/x", Usage(9, 3, 1, 2, 0.5))


def shown(record: Record) -> list[str]:
    """What the model is shown as it was said."""
    return [message.content for message in record.messages]


class WindowContract:
    """The facts, a test each; the fixture `memory` is the one of `MemoryContract`."""

    async def test_what_was_said_is_shown_with_its_numbers(self, memory: Memory) -> None:
        """The last messages, from a question on, with when they were asked; nothing of a place that has none."""
        turn = await claim(memory, "1", HERE)
        await memory.finish(turn, Answer("a1"), Message(Role.USER, "q1", "Ann", "2026-11-25"))
        await converse(memory, "2", HERE)
        record = await memory.review(HERE, 10)
        assert shown(record) == ["q1", "a1", "q2", "a2"]
        assert [message.number for message in record.messages] == [2, 3, 4, 5]
        assert record.messages[0].moment == "2026-11-25"
        assert (record.summary, record.since, record.until, record.gap, record.revision) == ("", 0, 0, False, 0)
        assert 0 <= record.age < 60
        assert shown(await memory.review(HERE, 3)) == ["q2", "a2"]
        assert shown(await memory.review(HERE, 10, before=2)) == ["q1", "a1"]
        assert await memory.review("discord:8", 10) == Record()

    async def test_the_window_begins_where_it_was_trimmed(self, memory: Memory) -> None:
        """What is before it is not in a summary yet; the record has it; the start never moves back."""
        await talk(memory, 4)
        await memory.trim(HERE, 6)
        await memory.trim(HERE, 4)
        record = await memory.review(HERE, 10)
        assert shown(record) == ["q3", "a3", "q4", "a4"]
        assert record.gap
        assert len(await memory.recall(HERE, 100)) == 8

    async def test_a_summary_stands_before_the_window(self, memory: Memory) -> None:
        """It says what it covers; the latest counts; everything before the window is in it."""
        await talk(memory, 4)
        assert await memory.condense(HERE, short(5, 6))
        record = await memory.review(HERE, 10)
        assert (record.summary, record.since, record.until, record.gap) == ("In short.", 2, 5, False)
        assert shown(record) == ["q3", "a3", "q4", "a4"]
        assert await memory.condense(HERE, short(9, 8, text="Shorter."))
        assert (await memory.review(HERE, 10)).summary == "Shorter."
        assert (await memory.review(HERE, 10, before=4)).summary == "In short."

    @pytest.mark.parametrize("change", ["amended", "retracted", "answered anew"])
    async def test_a_summary_of_something_that_changes_is_void(self, memory: Memory, change: str) -> None:
        """At once, and so is each that builds on it; one of before the change stays."""
        await talk(memory, 6)
        await memory.condense(HERE, short(3, 2, text="Of the first."))
        for until in (7, 13):
            await memory.condense(HERE, short(until, 10))
        match change:
            case "amended":
                assert await memory.amend(incoming("3", HERE, "q3, corrected", channel=HERE))
            case "retracted":
                assert await memory.retract("discord", HERE, "3")
            case _:
                await memory.reopen(3)
                await memory.finish(3, Answer("another"), Message(Role.USER, "q3"))
        record = await memory.review(HERE, 10)
        assert (record.summary, record.until, record.gap) == ("Of the first.", 3, True)
        assert record.revision > 0

    async def test_a_summary_of_what_has_changed_meanwhile_is_not_kept(self, memory: Memory) -> None:
        """Only what it cost."""
        await talk(memory, 4)
        record = await memory.review(HERE, 10)
        await memory.retract("discord", HERE, "1")
        assert not await memory.condense(HERE, short(9, 6, record.revision))
        record = await memory.review(HERE, 10)
        assert (record.summary, record.gap) == ("", False)
        assert len(record.messages) == 6

    async def test_a_forgotten_place_has_no_summary(self, memory: Memory) -> None:
        """And its window begins afresh."""
        await talk(memory, 4)
        await memory.condense(HERE, short(7, 6))
        await memory.forget(HERE)
        assert (await memory.review(HERE, 10)).summary == ""
        await converse(memory, "9", HERE)
        record = await memory.review(HERE, 10)
        assert (shown(record), record.gap) == (["q9", "a9"], False)

    async def test_files_are_shown_with_their_question_while_it_is_in_the_window(self, memory: Memory) -> None:
        """In their order; a turn that is answered anew has them too; a forgotten one has not."""
        turn = await claim(memory, "1", HERE)
        text = Material("File a.txt", (PICTURE, File("b.pdf", "application/pdf", b"%PDF")))
        await memory.supply(turn, text)
        await memory.finish(turn, Answer("a1"), Message(Role.USER, "q1", "Ann"))
        await converse(memory, "2", HERE)
        asked = await memory.turn(turn)
        assert asked is not None
        assert asked.material == text
        assert [message.files for message in (await memory.review(HERE, 10)).messages] == [text.files, (), (), ()]
        await memory.trim(HERE, 4)
        asked = await memory.turn(turn)
        assert asked is not None
        assert asked.material == Material("File a.txt")
        later = await claim(memory, "3", HERE)
        await memory.supply(later, Material(files=(PICTURE,)))
        await memory.forget(HERE)
        await memory.supply(later, Material(files=(PICTURE,)))
        await memory.finish(later, Answer("a3"), Message(Role.USER, "q3", "Ann"))
        assert (await memory.review(HERE, 10)).messages == ()

    async def test_a_changed_question_keeps_what_came_with_it(self, memory: Memory) -> None:
        """The text of its files stands after the new words."""
        turn = await claim(memory, "1", HERE)
        await memory.supply(turn, Material("File a.txt"))
        await memory.finish(turn, Answer("a1"), Message(Role.USER, "q1\n\nFile a.txt", "Ann"))
        assert await memory.amend(incoming("1", HERE, "What?", channel=HERE))
        assert shown(await memory.review(HERE, 10)) == ["What?\n\nFile a.txt", "a1"]
