"""What every `Memory` holds to as a journal: turns are found again, and answered anew, over the same posts."""

from __future__ import annotations

from dataclasses import replace

from bot.messages import Message, Role, State
from bot.ports import Answer, Asked, Memory
from tests.contracts.memory import claim, contents, converse, incoming


class JournalContract:
    """The facts, a test each; the fixture `memory` is the one of `MemoryContract`."""

    async def test_a_turn_can_be_found_as_it_was_asked(self, memory: Memory) -> None:
        """Its whole question, the posts that show the answer, how it ended."""
        question = incoming("1")
        turn = await memory.claim(question)
        assert turn is not None
        await memory.progress(turn.id, ["p1"])
        assert await memory.turn(turn.id) == Asked(turn.id, question, ("p1",), State.GROWING, last=True, attempt=0)
        await memory.finish(turn.id, Answer("a", State.CUT, posts=("p1", "p2")), Message(Role.USER, "q"))
        assert await memory.turn(turn.id) == Asked(turn.id, question, ("p1", "p2"), State.CUT, last=True, attempt=0)
        assert await memory.turn(turn.id + 1) is None

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
