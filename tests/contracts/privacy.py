"""What every `Memory` holds to for the people whose words it keeps: old ones go, and whoever wants has theirs."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.messages import Attachment, Author, File, Incoming, Message, Place, Role, State
from bot.domain.ports import Memory
from bot.domain.records import Answer, Material
from tests.contracts.memory import claim, contents, converse, incoming
from tests.contracts.window import HERE, short, talk

BOB = Author("u2", "Bob")
EVER = 1e12
"""A moment after everything."""


async def ask(memory: Memory, message: str, author: Author, place: str = HERE, *, answer: str = "") -> int:
    """One whole turn of somebody: question `q<message>`, answer `a<message>`."""
    turn = await memory.claim(Incoming(Place(place), author, f"q{message}", place, message))
    assert turn is not None
    question = Message(Role.USER, f"q{message}", author.name)
    await memory.finish(turn.id, Answer(answer or f"a{message}"), question)
    return turn.id


class PrivacyContract:
    """The facts, a test each; the fixture `memory` is the one of `MemoryContract`."""

    async def test_what_is_old_expires_with_its_files_and_is_never_answered_again(self, memory: Memory) -> None:
        """Nothing that is younger does; open turns too, and whatever came with a question."""
        turn = await claim(memory, "1", HERE)
        await memory.supply(turn, Material("a table", (File("a.png", "image/png", b"x"),)))
        await memory.finish(turn, Answer("a1"), Message(Role.USER, "q1"))
        open_turn = await claim(memory, "2", HERE)
        await memory.progress(open_turn, ["p"], "half")
        assert await memory.expire(0.0) == 0
        assert await contents(memory) == ["q1", "a1"]
        assert await memory.expire(EVER) == 2
        assert await contents(memory) == []
        assert (await memory.review(HERE, 10)).messages == ()
        assert await memory.turn(turn) is await memory.turn(open_turn) is None
        assert await memory.unfinished("discord") == []
        assert await memory.claim(incoming("1", HERE, channel=HERE)) is None
        assert not await memory.known(HERE)
        assert await memory.asked(HERE)
        await memory.finish(open_turn, Answer("too late"), Message(Role.USER, "q2"))
        assert await contents(memory) == []
        assert await memory.expire(EVER) == 0

    async def test_a_summary_of_what_expired_is_void(self, memory: Memory) -> None:
        """It would tell the model what nobody is to know any more."""
        await talk(memory, 4)
        assert await memory.condense(HERE, short(5, 6))
        await memory.expire(EVER)
        record = await memory.review(HERE, 10)
        assert (record.summary, record.messages) == ("", ())
        assert not await memory.condense(HERE, short(5, 6))

    async def test_many_more_than_one_part_expire(self, memory: Memory) -> None:
        """Whatever the size of the parts in which it is done."""
        for number in range(1203):
            await claim(memory, str(number))
        assert await memory.expire(EVER) == 1203
        assert await memory.unfinished("discord") == []

    async def test_a_person_is_forgotten_everywhere_and_nobody_else_is(self, memory: Memory) -> None:
        """In each place of the platform, with the answers and the summaries; ids stay, so nothing is answered again."""
        await ask(memory, "1", Author("u1", "Ann"))
        await ask(memory, "2", BOB)
        await ask(memory, "3", Author("u1", "Ann"), "discord:8")
        await ask(memory, "4", Author("u1", "Ann"), "slack:8")
        await memory.condense(HERE, short(5, 6))
        assert await memory.forget_person("discord", "u1") == 2
        assert await contents(memory) == ["q2", "a2"]
        assert await contents(memory, "discord:8") == []
        assert await contents(memory, "slack:8") == ["q4", "a4"]
        assert (await memory.review(HERE, 10)).summary == ""
        assert await memory.claim(incoming("1", HERE, channel=HERE)) is None
        assert await memory.forget_person("discord", "u1") == 0
        assert await memory.forget_person("discord", "nobody") == 0

    async def test_what_became_one_question_is_forgotten_as_one(self, memory: Memory) -> None:
        """A question of two messages is one, with one answer."""
        first, second = await claim(memory, "1", HERE), await claim(memory, "2", HERE)
        await memory.begin(second, [first])
        await memory.finish(second, Answer("both"), Message(Role.USER, "one\n\ntwo"))
        assert [row["answer"] for row in await memory.export("discord", "u1")] == ["both", "both"]
        assert await memory.forget_person("discord", "u1") == 1
        assert await contents(memory) == []
        assert await memory.export("discord", "u1") == []

    async def test_a_person_gets_all_that_they_said_with_its_answers(self, memory: Memory) -> None:
        """Where, when, what and the answer, the oldest first; nothing of others, of elsewhere, or forgotten."""
        await ask(memory, "1", Author("u1", "Ann"))
        await ask(memory, "2", BOB)
        said = Incoming(
            Place("discord:8"),
            Author("u1", "Ann"),
            "And this?",
            "8",
            "3",
            quote="Look",
            attachments=(Attachment("a.csv", "text/csv", 3, ""),),
            sent=0.5,
        )
        turn = await memory.claim(said)
        assert turn is not None
        await memory.supply(turn.id, Material("1,2"))
        await memory.progress(turn.id, ["p"], "It is")
        await converse(memory, "4", "slack:8")
        first, second = await memory.export("discord", "u1")
        assert (first["place"], first["text"], first["answer"]) == (HERE, "q1", "a1")
        assert second == {
            "place": "discord:8",
            "time": "1970-01-01T00:00:00+00:00",
            "name": "Ann",
            "text": "And this?",
            "quote": "Look",
            "files": ["a.csv"],
            "answer": "It is",
        }
        assert [row["text"] for row in await memory.export("discord", "u1", "discord:8")] == ["And this?"]
        assert await memory.export("discord", "u1", "discord:9") == await memory.export("discord", "u9") == []
        await memory.forget("discord:8")
        assert [row["text"] for row in await memory.export("discord", "u1")] == ["q1"]

    async def test_an_export_of_many_questions_is_whole_and_in_order(self, memory: Memory) -> None:
        """Also where others spoke in between."""
        for number in range(600):
            await ask(memory, f"{number}", BOB if number % 2 else Author("u1", "Ann"))
        said = [row["text"] for row in await memory.export("discord", "u1")]
        assert said == [f"q{number}" for number in range(0, 600, 2)]

    async def test_what_others_quote_of_a_person_goes_too(self, memory: Memory) -> None:
        """Out of what came with their questions, of closed ones and of those that are being answered; summaries too."""
        around = Material("Ann: my salary is 5000", quoted=("u1",))
        turns = []
        for number in "12":
            turn = await memory.claim(Incoming(Place(HERE), BOB, f"q{number}", HERE, number))
            assert turn
            turns.append(turn.id)
            await memory.supply(turn.id, around)
        await memory.finish(turns[0], Answer("a1"), Message(Role.USER, "q1\n\nAnn: my salary is 5000"))
        await memory.condense(HERE, short(turns[0] * 2 + 1, turns[0] * 2 + 2))
        await memory.forget_person("discord", "nobody")
        assert "5000" in (await contents(memory))[0]
        await memory.forget_person("discord", "u1")
        await memory.finish(turns[1], Answer("a2"), Message(Role.USER, "q2\n\nAnn: my salary is 5000"))
        assert await contents(memory) == ["q1", "a1", "q2", "a2"]
        for one in turns:
            asked = await memory.turn(one)
            assert asked
            assert asked.material.text == ""

    async def test_a_question_is_remembered_as_it_reads_whenever_it_was_changed(self, memory: Memory) -> None:
        """While its answer is written, before that is begun again, and as a part of another question."""
        said = [Incoming(Place(HERE), BOB, f"PIN {number}", HERE, number) for number in "123"]
        turns = [turn.id for turn in [await memory.claim(one) for one in said] if turn]
        await memory.amend(replace(said[0], text="(removed)"))
        await memory.begin(turns[1], [turns[0]])
        await memory.finish(turns[1], Answer("a"), Message(Role.USER, "PIN 1\n\nPIN 2"))
        assert await contents(memory) == ["(removed)\n\nPIN 2", "a"]
        await memory.amend(replace(said[1], text="(gone)"))
        await memory.reopen(turns[1])
        await memory.finish(turns[1], Answer("b"), Message(Role.USER, "PIN 1\n\nPIN 2"))
        assert await contents(memory) == ["(removed)\n\n(gone)", "b"]
        await memory.begin(turns[2])
        await memory.amend(replace(said[2], text="(taken back)"))
        await memory.finish(turns[2], Answer("c"), Message(Role.USER, "PIN 3"))
        assert "PIN" not in " ".join(await contents(memory))

    async def test_the_same_words_of_somebody_with_another_role_are_no_change(self, memory: Memory) -> None:
        """Nor is what was found late, or said in a thread without a mention."""
        said = Incoming(Place(HERE), BOB, "x", HERE, "1", marks=("role",), follows=True, late=True)
        await memory.claim(said)
        assert await memory.amend(replace(said, marks=("other",), admin=True, follows=False, late=False)) is None
        changed = await memory.amend(replace(said, text="y", marks=("other",), follows=False))
        assert changed
        assert (changed.incoming.text, changed.incoming.marks, changed.incoming.follows) == ("y", ("other",), True)

    async def test_what_was_claimed_or_declined_was_heard(self, memory: Memory) -> None:
        """By the ids of the message; so is what was forgotten."""
        one, other = (Incoming(Place(HERE), BOB, "x", HERE, number) for number in "12")
        assert not await memory.heard(one)
        await memory.claim(one)
        await memory.decline(other)
        assert await memory.heard(one)
        assert await memory.heard(other)
        await memory.forget(HERE)
        assert await memory.heard(one)
        assert not await memory.heard(replace(one, channel_id="another"))

    async def test_a_declined_message_cannot_be_claimed(self, memory: Memory) -> None:
        """In its place or another; it is part of nothing, and one of the same number elsewhere is another."""
        said = Incoming(Place(HERE), BOB, "let me in", HERE, "1")
        await memory.decline(said)
        await memory.decline(said)
        assert await memory.claim(said) is None
        assert not await memory.asked(HERE)
        assert not await memory.known(HERE)
        assert await memory.visits("discord", BOB.id, 0) == []
        assert await memory.export("discord", BOB.id) == []
        assert await memory.claim(Incoming(Place("discord:8"), BOB, "let me in", "discord:8", "1"))

    async def test_a_failed_question_belongs_to_its_person_too(self, memory: Memory) -> None:
        """It has no answer, and is forgotten like the others."""
        turn = await claim(memory, "1", HERE)
        await memory.finish(turn, Answer(state=State.FAILED, fault="network"))
        [row] = await memory.export("discord", "u1")
        assert (row["text"], row["answer"]) == ("Why?", "")
        assert await memory.forget_person("discord", "u1") == 1
