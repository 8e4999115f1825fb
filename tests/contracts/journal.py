"""What every `Memory` holds to as a journal: turns are found again, and answered anew, over the same posts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.messages import Message, Role, State
from bot.domain.ports import Memory
from bot.domain.records import Answer, Asked
from tests.contracts.memory import claim, contents, converse, incoming


class JournalContract:
    """The facts, a test each; the fixture `memory` is the one of `MemoryContract`."""

    async def test_a_turn_can_be_found_as_it_was_asked(self, memory: Memory) -> None:
        """Its whole question, the posts that show the answer and what they show, how it ended."""
        question = incoming("1")
        turn = await memory.claim(question)
        assert turn is not None
        await memory.progress(turn.id, ["p1"], "Half")
        found = await memory.turn(turn.id)
        assert found is not None
        assert 0 <= found.age < 60
        known = Asked(turn.id, (question,), ("p1",), "Half", State.GROWING, False, last=True, attempt=0, age=found.age)
        assert found == known
        await memory.finish(turn.id, Answer("a", State.CUT, posts=("p1", "p2")), Message(Role.USER, "q"))
        found = await memory.turn(turn.id)
        assert found is not None
        assert found == replace(known, posts=("p1", "p2"), draft="", state=State.CUT, age=found.age)
        assert await memory.turn(turn.id + 1) is None

    async def test_turns_that_were_not_closed_are_found(self, memory: Memory) -> None:
        """The oldest first, of one platform, commands too; not those that were closed or forgotten."""
        await converse(memory, "1")
        turns = [await claim(memory, number) for number in ("2", "3")]
        command = await memory.claim(replace(incoming("4"), command="help"))
        assert command is not None
        await claim(memory, "5", "slack:1")
        await claim(memory, "6", "discord:8")
        await memory.forget("discord:8")
        assert [asked.id for asked in await memory.unfinished("discord")] == [*turns, command.id]

    async def test_turns_can_be_joined(self, memory: Memory) -> None:
        """They are one turn then, closed with one answer, and are not found alone as unfinished."""
        turns = [await claim(memory, number) for number in ("1", "2", "3")]
        await memory.begin(turns[2], turns[:2])
        [asked] = await memory.unfinished("discord")
        assert [question.message_id for question in asked.questions] == ["1", "2", "3"]
        assert asked.incoming.message_id == "3"
        await memory.finish(turns[2], Answer("a"), Message(Role.USER, "q"))
        assert await memory.unfinished("discord") == []

    async def test_a_question_can_be_changed(self, memory: Memory) -> None:
        """The memory has its new text; one that is unknown, forgotten or the same is told so."""
        await converse(memory, "1", answer="a")
        assert await memory.amend(incoming("1", channel="discord:7")) is None
        changed = incoming("1", text="What?", channel="discord:7")
        assert (asked := await memory.amend(changed))
        assert asked.questions == (changed,)
        assert await contents(memory) == ["What?", "a"]
        assert await memory.amend(changed) is None
        assert await memory.amend(incoming("9", text="What?")) is None
        await memory.forget("discord:7")
        assert await memory.amend(incoming("1", text="How?", channel="discord:7")) is None

    async def test_a_part_of_a_question_can_be_changed(self, memory: Memory) -> None:
        """The joined question is put together anew."""
        turns = [await claim(memory, number) for number in ("1", "2")]
        await memory.begin(turns[1], turns[:1])
        await memory.finish(turns[1], Answer("a"), Message(Role.USER, "q"))
        await memory.amend(incoming("1", text="What?", channel="discord:7"))
        assert await contents(memory) == ["What?\n\nWhy?", "a"]

    @pytest.mark.parametrize("message", ["2", "p2"])
    async def test_a_deleted_question_or_answer_takes_its_turn_along(self, memory: Memory, message: str) -> None:
        """Question and answer leave the memory, the rest stays."""
        await converse(memory, "1")
        turn = await claim(memory, "2")
        await memory.finish(turn, Answer("a2", posts=("p1", "p2")), Message(Role.USER, "q2"))
        await converse(memory, "3")
        assert await memory.retract("slack", "discord:7", message) is None
        assert await memory.retract("discord", "discord:8", message) is None
        assert (asked := await memory.retract("discord", "discord:7", message))
        assert asked.id == turn
        assert await contents(memory) == ["q1", "a1", "q3", "a3"]
        assert await memory.retract("discord", "discord:7", message) is None
        assert await memory.turn(turn) is None

    async def test_an_answer_that_was_deleted_meanwhile_is_not_remembered(self, memory: Memory) -> None:
        """The turn runs on for a moment; what comes of it stays out."""
        turn = await claim(memory, "1")
        await memory.progress(turn, ["p1"], "Half")
        await memory.retract("discord", "discord:7", "p1")
        await memory.progress(turn, ["p1"], "Half of it")
        await memory.finish(turn, Answer("whole", posts=("p1",)), Message(Role.USER, "q"))
        assert await contents(memory) == []

    async def test_the_last_turn_of_a_place_is_known(self, memory: Memory) -> None:
        """A later question there ends that; one elsewhere, or a command, does not."""
        first = await claim(memory, "1")
        await claim(memory, "2", "discord:8")
        await memory.claim(replace(incoming("3"), command="help"))
        assert (found := await memory.turn(first))
        assert found.last
        await claim(memory, "4")
        assert (found := await memory.turn(first))
        assert not found.last

    async def test_a_forgotten_turn_is_not_found(self, memory: Memory) -> None:
        """After a reset nobody can have it answered anew."""
        turn = await claim(memory, "1")
        await memory.forget("discord:7")
        assert await memory.turn(turn) is None

    async def test_a_turn_answered_anew_is_remembered_once(self, memory: Memory) -> None:
        """The new answer takes the old one's place; an attempt that gives none leaves neither."""
        turn = await claim(memory, "1")
        await memory.finish(turn, Answer("old"), Message(Role.USER, "q"))
        assert await memory.reopen(turn) == 1
        assert await contents(memory) == ["q", "old"]
        await memory.finish(turn, Answer("new"), Message(Role.USER, "q"))
        assert await contents(memory) == ["q", "new"]
        assert await memory.reopen(turn) == 2
        await memory.finish(turn, Answer(state=State.FAILED))
        assert await contents(memory) == []

    async def test_what_came_before_a_turn_can_be_recalled(self, memory: Memory) -> None:
        """Not what the turn itself left, nor what came later."""
        await converse(memory, "1")
        turn = await claim(memory, "2")
        await memory.finish(turn, Answer("a2"), Message(Role.USER, "q2"))
        await converse(memory, "3")
        assert [message.content for message in await memory.recall("discord:7", 10, before=turn)] == ["q1", "a1"]

    async def test_a_changed_question_stays_in_its_place(self, memory: Memory) -> None:
        """Also where the same message would be in another one by now."""
        await converse(memory, "1", "discord:8")
        asked = await memory.amend(incoming("1", "discord:9", "What?", channel="discord:8"))
        assert asked is not None
        assert asked.incoming.place.key == "discord:8"
        assert await contents(memory, "discord:8") == ["What?", "a1"]
