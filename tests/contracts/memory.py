"""What every `Memory` holds to, wherever it writes; an implementation brings the fixture `opener` and runs this."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from bot.domain.errors import StorageError
from bot.domain.messages import Author, Incoming, Message, Place, Role, State, Usage
from bot.domain.ports import Memory
from bot.domain.records import Answer, Turn

ANN = Author("u1", "Ann")
TEXTS = ["", " ", "a\x00b", "ünï 🧑‍🚀\r\n\t", "'; DROP TABLE messages; --", "%_\\?:1", "x" * 200_000]


Opener = Callable[[], Awaitable[Memory]]
"""Opens the same memory, each time anew; the fixture closes what is left open."""


def incoming(message: str = "1", place: str = "discord:7", text: str = "Why?", channel: str = "7") -> Incoming:
    """A message that asks for an answer."""
    return Incoming(Place(place), ANN, text, channel, message)


async def claim(memory: Memory, message: str, place: str = "discord:7") -> int:
    """Claim a message that is new, and give its turn's number."""
    turn = await memory.claim(incoming(message, place, channel=place))
    assert turn is not None
    return turn.id


async def converse(memory: Memory, message: str, place: str = "discord:7", answer: str = "") -> None:
    """One whole turn: question `q<message>`, answer `a<message>`."""
    turn = await claim(memory, message, place)
    await memory.finish(turn, Answer(answer or f"a{message}"), Message(Role.USER, f"q{message}", "Ann"))


async def contents(memory: Memory, place: str = "discord:7", limit: int = 100) -> list[str]:
    """The texts that a place recalls."""
    return [message.content for message in await memory.recall(place, limit)]


class MemoryContract:
    """The facts, a test each."""

    @pytest.fixture
    async def memory(self, opener: Opener) -> AsyncIterator[Memory]:
        """A new memory."""
        memory = await opener()
        yield memory
        await memory.close()

    async def test_a_message_is_claimed_once(self, memory: Memory) -> None:
        """A second delivery of a message, whatever its text and place now are, is nothing."""
        assert await memory.claim(incoming()) is not None
        assert await memory.claim(incoming()) is None
        assert await memory.claim(incoming(place="discord:8", text="Edited?")) is None

    async def test_of_many_deliveries_at_once_one_is_claimed(self, memory: Memory) -> None:
        """Twin events that race each other give one turn."""
        turns = await asyncio.gather(*(memory.claim(incoming()) for _ in range(20)))
        assert len([turn for turn in turns if turn]) == 1

    async def test_a_message_is_named_by_platform_channel_and_id(self, memory: Memory) -> None:
        """The same id elsewhere is another message, and every turn has a number of its own, above 0."""
        turns = [
            await memory.claim(incoming()),
            await memory.claim(incoming(message="2")),
            await memory.claim(incoming(channel="8")),
            await memory.claim(incoming(place="slack:7")),
        ]
        numbers = [turn.id for turn in turns if turn]
        assert len(set(numbers)) == 4
        assert min(numbers) > 0

    async def test_the_first_turn_of_a_place_says_so(self, memory: Memory) -> None:
        """`first` is true for a place's first turn only, and a place that was forgotten is not new."""
        assert await memory.claim(incoming("1")) == Turn(1, first=True)
        assert await memory.claim(incoming("2")) == Turn(2, first=False)
        assert await memory.claim(incoming("3", place="discord:8")) == Turn(3, first=True)
        await memory.forget("discord:7")
        assert await memory.claim(incoming("4")) == Turn(4, first=False)

    async def test_question_and_answer_are_remembered_together(self, memory: Memory) -> None:
        """Nothing is recalled before the turn is finished, and then both."""
        turn = await claim(memory, "1")
        await memory.progress(turn, ["p1"], "")
        assert await memory.recall("discord:7", 20) == []
        answer = Answer("Because.", posts=("p1", "p2"), usage=Usage(9, 3, 1), model="openai/x")
        await memory.finish(turn, answer, Message(Role.USER, "Why?", "Ann"))
        assert await memory.recall("discord:7", 20) == [
            Message(Role.USER, "Why?", "Ann"),
            Message(Role.ASSISTANT, "Because."),
        ]

    @pytest.mark.parametrize("text", TEXTS)
    async def test_a_text_comes_back_as_it_was(self, memory: Memory, text: str) -> None:
        """Whatever people and models write is recalled to the letter."""
        turn = await claim(memory, "1")
        await memory.finish(turn, Answer(f"{text}!"), Message(Role.USER, text, text))
        assert await memory.recall("discord:7", 2) == [
            Message(Role.USER, text, text),
            Message(Role.ASSISTANT, f"{text}!"),
        ]

    async def test_half_a_character_does_not_break_the_memory(self, memory: Memory) -> None:
        """A lone surrogate, which JSON can bring, is kept as the replacement character."""
        turn = await memory.claim(incoming(place="web:\ud800", text="\ud83d?"))
        assert turn is not None
        await memory.finish(turn.id, Answer("\udc00!"), Message(Role.USER, "\ud83d?", "\ud83d"))
        assert await contents(memory, "web:\ud800") == ["\ufffd?", "\ufffd!"]

    @pytest.mark.parametrize("text", ["", " \n"])
    async def test_an_empty_answer_is_not_remembered(self, memory: Memory, text: str) -> None:
        """A turn that brought no text leaves none."""
        turn = await claim(memory, "1")
        await memory.finish(turn, Answer(text, State.FAILED), Message(Role.USER, "Why?"))
        assert await memory.recall("discord:7", 20) == []

    async def test_part_of_an_answer_is_remembered(self, memory: Memory) -> None:
        """What a stopped answer did say was said."""
        turn = await claim(memory, "1")
        await memory.finish(turn, Answer("Becau", State.STOPPED), Message(Role.USER, "Why?"))
        assert await contents(memory) == ["Why?", "Becau"]

    async def test_without_a_question_nothing_is_remembered(self, memory: Memory) -> None:
        """What the bot says itself is no conversation, but the place is known."""
        await memory.finish(await claim(memory, "1"), Answer("Help!"))
        assert await memory.recall("discord:7", 20) == []
        assert await memory.known("discord:7")

    async def test_a_turn_is_finished_once(self, memory: Memory) -> None:
        """A second finish changes nothing, and one of a turn that never was is an error."""
        turn = await claim(memory, "1")
        for text in ("one", "two"):
            await memory.finish(turn, Answer(text), Message(Role.USER, "Why?"))
        assert await contents(memory) == ["Why?", "one"]
        with pytest.raises(StorageError, match="99"):
            await memory.finish(99, Answer("x"))

    async def test_the_last_messages_are_recalled_oldest_first(self, memory: Memory) -> None:
        """At most `limit` messages, the newest of them, from a user's message on."""
        for number in "123":
            await converse(memory, number)
        assert await contents(memory, limit=20) == ["q1", "a1", "q2", "a2", "q3", "a3"]
        assert await contents(memory, limit=4) == ["q2", "a2", "q3", "a3"]
        assert await contents(memory, limit=3) == ["q3", "a3"]
        assert await contents(memory, limit=1) == []
        assert await contents(memory, limit=0) == []

    async def test_places_do_not_see_each_other(self, memory: Memory) -> None:
        """Each place has its own memory, one whose key begins like another's too."""
        await converse(memory, "1", "slack:T:C")
        await converse(memory, "2", "slack:T:C:17.2")
        assert await contents(memory, "slack:T:C") == ["q1", "a1"]
        assert await contents(memory, "slack:T:C:17.2") == ["q2", "a2"]
        assert await contents(memory, "slack:T") == []

    async def test_reset_forgets_the_texts_and_keeps_the_ids(self, memory: Memory) -> None:
        """After `forget` a place recalls nothing and answers nothing again; other places are as they were."""
        await converse(memory, "1")
        await converse(memory, "2", "discord:8")
        assert await memory.forget("discord:7") is True
        assert await contents(memory) == []
        assert await memory.claim(incoming("1", channel="discord:7")) is None
        assert await contents(memory, "discord:8") == ["q2", "a2"]
        assert await memory.forget("discord:7") is False
        assert await memory.forget("discord:9") is False

    async def test_a_reset_during_a_turn_leaves_nothing(self, memory: Memory) -> None:
        """The turn ends without entering the memory; the next one does."""
        turn = await claim(memory, "1")
        assert await memory.forget("discord:7") is True
        await memory.progress(turn, ["p1"], "")
        await memory.finish(turn, Answer("a1", posts=("p1",)), Message(Role.USER, "q1"))
        assert await contents(memory) == []
        await converse(memory, "2")
        assert await contents(memory) == ["q2", "a2"]

    async def test_a_command_is_nothing_to_forget(self, memory: Memory) -> None:
        """Where nobody said anything but `/reset`, there was nothing."""
        await memory.claim(Incoming(Place("discord:7"), ANN, "/reset", "7", "1", command="reset"))
        assert await memory.forget("discord:7") is False

    async def test_known_and_asked_tell_a_forgotten_place(self, memory: Memory) -> None:
        """`known` is about turns that were not forgotten, `asked` about all."""
        assert not await memory.known("discord:7")
        assert not await memory.asked("discord:7")
        turn = await claim(memory, "1")
        assert await memory.known("discord:7")
        await memory.forget("discord:7")
        await memory.finish(turn, Answer("a1"), Message(Role.USER, "q1"))
        assert not await memory.known("discord:7")
        assert await memory.asked("discord:7")
        await converse(memory, "2")
        assert await memory.known("discord:7")

    async def test_a_place_was_asked_where_one_person_has_a_conversation_of_their_own(self, memory: Memory) -> None:
        """Whose key begins like that of the place; a thread's does too, and is another place. They share no memory."""
        own = replace(incoming("1"), place=Place("discord:7:u1", shared=True, person="u1"))
        assert await memory.claim(own) == Turn(1, first=True)
        assert await memory.asked("discord:7")
        assert await memory.asked("discord:7:u1")
        assert not await memory.known("discord:7")
        assert await memory.known("discord:7:u1")
        await memory.claim(replace(incoming("2"), place=Place("slack:T1:C1:17.2", shared=True, home="slack:T1:C1")))
        assert not await memory.asked("slack:T1:C1")
        turn = await memory.turn(1)
        assert turn
        assert turn.incoming.place == own.place

    async def test_notes_about_a_place_outlive_a_reset(self, memory: Memory) -> None:
        """Notes are any JSON; None takes one away; they are no turns."""
        assert await memory.metadata("discord:7") == {}
        await memory.annotate("discord:7", "quiet", True)
        await memory.annotate("discord:7", "model", {"name": "ü", "tags": [1, 2.5, "\ud83d"]})
        assert not await memory.asked("discord:7")
        assert await memory.claim(incoming()) == Turn(1, first=True)
        await memory.forget("discord:7")
        notes = await memory.metadata("discord:7")
        assert notes == {"quiet": True, "model": {"name": "ü", "tags": [1, 2.5, "\ud83d"]}}
        await memory.annotate("discord:7", "quiet", None)
        await memory.annotate("discord:7", "model", None)
        assert await memory.metadata("discord:7") == {}
        assert await memory.metadata("discord:8") == {}

    async def test_places_are_listed_by_their_latest_question(self, memory: Memory) -> None:
        """The newest first, at most `limit`, only those with a text and with exactly this prefix."""
        for number, place in enumerate(("web:a", "web:b", "web_c", "webXc", "web:%", "web:a")):
            await converse(memory, str(number), place)
        await claim(memory, "9", "web:open")
        assert await memory.places("web:", 9) == [("web:a", "q5"), ("web:%", "q4"), ("web:b", "q1")]
        assert await memory.places("web:", 2) == [("web:a", "q5"), ("web:%", "q4")]
        assert await memory.places("web_", 9) == [("web_c", "q2")]
        assert await memory.places("web:%", 9) == [("web:%", "q4")]
        await memory.forget("web:a")
        assert await memory.places("web:", 9) == [("web:%", "q4"), ("web:b", "q1")]

    async def test_many_at_once_do_not_mix(self, memory: Memory) -> None:
        """Turns that run beside each other each enter the memory whole."""
        await asyncio.gather(*(converse(memory, str(n), f"web:{n % 5}", f"a{n}") for n in range(50)))
        for place in range(5):
            texts = await contents(memory, f"web:{place}")
            assert sorted(texts[::2]) == sorted(f"q{n}" for n in range(place, 50, 5))
            assert [f"a{text[1:]}" for text in texts[::2]] == texts[1::2]

    async def test_a_cancelled_call_happens_whole_or_not_at_all(self, memory: Memory) -> None:
        """A task that is cancelled while it writes leaves a memory that works, and no half turn."""
        turn = await claim(memory, "1")
        writing = asyncio.create_task(memory.finish(turn, Answer("a1"), Message(Role.USER, "q1")))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await converse(memory, "2")
        assert await contents(memory) in (["q1", "a1", "q2", "a2"], ["q2", "a2"])

    async def test_a_restart_loses_nothing(self, opener: Opener) -> None:
        """Texts, claims, notes and what was forgotten are the same after closing and opening."""
        memory = await opener()
        await converse(memory, "1")
        await converse(memory, "2", "discord:8")
        await memory.forget("discord:8")
        await memory.annotate("discord:8", "quiet", True)
        open_turn = await claim(memory, "3")
        await memory.close()
        memory = await opener()
        assert await contents(memory) == ["q1", "a1"]
        assert await memory.claim(incoming("1", channel="discord:7")) is None
        assert await memory.asked("discord:8")
        assert not await memory.known("discord:8")
        assert await memory.metadata("discord:8") == {"quiet": True}
        await memory.finish(open_turn, Answer("a3"), Message(Role.USER, "q3"))
        assert await contents(memory) == ["q1", "a1", "q3", "a3"]

    async def test_a_closed_memory_says_so(self, memory: Memory) -> None:
        """Closing twice is no mistake; every call after it is a StorageError."""
        await memory.close()
        await memory.close()
        with pytest.raises(StorageError, match="closed"):
            await memory.recall("discord:7", 1)
        with pytest.raises(StorageError, match="closed"):
            await memory.claim(incoming())
