"""Turns that survive: what waits, what a crash broke off, what people change and delete."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot import texts
from bot.config.settings import BotSettings
from bot.domain.errors import StorageError
from bot.domain.messages import Message, Page, Place, Role, State
from bot.domain.records import Answer, Asked
from bot.engine import Engine
from bot.runtime.metrics import Metrics
from tests.bot.turns.test_engine import BEN, HERE, engine, find, provider, recall, say, screen
from tests.loopback.openai import FakeOpenAI
from tests.support.screen import Screen

__all__ = ["engine", "provider", "screen"]


class QueueScreen(Screen):
    """A platform that shows that a question waits."""

    def __init__(self) -> None:
        super().__init__(trip=0)
        self.signs = 0

    async def waiting(self) -> None:
        """Show the sign until cancelled."""
        self.signs += 1
        self.changed.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.signs -= 1


async def test_what_one_person_says_meanwhile_is_one_question(engine: Engine, provider: FakeOpenAI) -> None:
    """Two askers wait; each gets one answer to all that they said, in the order of their first words."""
    here, script = QueueScreen(), provider.script()
    first = await engine.submit(say("one", "1"), here)
    await script.asked()
    waiting = [
        await engine.submit(say("two", "2", BEN), here),
        await engine.submit(say("three", "3"), here),
        await engine.submit(say("four", "4", BEN), here),
    ]
    await script.send("One.")
    await script.end()
    for answer in (first, *waiting):
        assert answer is not None
        await answer
    assert provider.asked == 3
    assert await recall(engine) == ["one", "One.", "three", here.texts[2], "two\n\nfour", here.texts[1]]
    assert here.texts[1].startswith("You said: Ben: two\n\nfour")


async def test_a_question_that_waits_shows_it(engine: Engine, provider: FakeOpenAI) -> None:
    """By the platform's sign, which goes when the turn begins."""
    here, script = QueueScreen(), provider.script()
    await engine.submit(say("one", "1"), here)
    await script.asked()
    second = provider.script()
    answer = await engine.submit(say("two", "2"), here)
    await here.until(lambda: here.signs == 1)
    await script.send("One.")
    await script.end()
    await second.asked()
    assert here.signs == 0
    await second.end()
    assert answer is not None
    await answer


async def test_too_many_waiting_questions_are_told_so(provider: FakeOpenAI, engine: Engine, screen: Screen) -> None:
    """At the cap the next one is refused in a sentence, at once."""
    small = Engine(engine.model, engine.memory, BotSettings(waiting=1), Metrics())
    script = provider.script()
    await small.submit(say("one", "1"), screen)
    await script.asked()
    await small.submit(say("two", "2"), screen)
    answer = await small.respond(say("three", "3"), screen)
    assert answer is not None
    assert (answer.fault, screen.texts) == ("full", [texts.FULL])
    await script.end()
    await small.drain_turns(60)


async def test_questions_that_were_not_begun_are_answered_at_the_next_start(engine: Engine, screen: Screen) -> None:
    """Their messages were acknowledged, so they are not lost; those of one person are one question."""
    for number in ("1", "2"):
        await engine.memory.claim(say(f"text {number}", number))
    engine.register_platform("discord", lambda _: screen)
    await screen.until(lambda: bool(screen.messages) and screen.last.state is State.DONE)
    await engine.drain_turns(60)
    assert screen.texts == ["You said: Ann: text 1\n\ntext 2"]
    assert await engine.memory.unfinished("discord") == []


async def test_a_question_that_was_begun_joins_no_other(engine: Engine, screen: Screen) -> None:
    """A post of it may stand there that nobody wrote down, whatever was asked before or after it."""
    turns = [await engine.memory.claim(say(f"text {number}", number)) for number in ("1", "2", "3")]
    assert turns[1] is not None
    await engine.memory.begin(turns[1].id)
    engine.register_platform("discord", lambda _: screen)
    await screen.until(lambda: len(screen.messages) == 2 and screen.last.state is State.DONE)
    await engine.drain_turns(60)
    assert sorted(text.partition("\n\nBefore")[0] for text in screen.texts) == [
        "You said: Ann: text 1\n\ntext 3",
        "You said: Ann: text 2",
    ]


async def test_a_platform_that_connects_again_finishes_nothing_twice(
    engine: Engine, provider: FakeOpenAI, screen: Screen
) -> None:
    """What is open then is in this program's own hands, also where an adapter answers it by itself."""
    engine.register_platform("discord", lambda _: screen)
    await engine.drain_turns(60)
    await engine.memory.claim(say("one", "1"))
    engine.register_platform("discord", lambda _: screen)
    await engine.respond(say("two", "2", place=Place("discord:8")), screen)
    assert (provider.asked, len(screen.texts)) == (1, 1)


async def test_a_recovery_goes_on(engine: Engine, screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the next connection, where the memory broke it off."""
    await engine.memory.claim(say("one", "1"))
    unfinished = engine.memory.unfinished
    failing = [StorageError("the disk is full")]

    async def stumble(platform: str) -> Sequence[Asked]:
        screen.changed.set()
        if failing:
            raise failing.pop()
        return await unfinished(platform)

    monkeypatch.setattr(engine.memory, "unfinished", stumble)
    engine.register_platform("discord", lambda _: screen)
    await screen.until(lambda: not failing)
    engine.register_platform("discord", lambda _: screen)
    await screen.until(lambda: screen.texts == ["You said: Ann: one"])


async def test_a_turn_is_begun_before_anything_of_it_is_posted(engine: Engine, provider: FakeOpenAI) -> None:
    """So that a start after a crash knows that a post may stand there."""
    begun: list[bool] = []

    class Looking(Screen):
        async def post(self, page: Page) -> str:
            begun.append((await find(engine, 1)).begun)
            return await super().post(page)

    await engine.respond(say("one", "1"), Looking(trip=0))
    assert begun == [True]


async def half(engine: Engine, screen: Screen) -> None:
    """What a crash leaves of an answer with one post."""
    turn = await engine.memory.claim(say("one", "1"))
    assert turn is not None
    await engine.memory.begin(turn.id)
    await engine.memory.progress(turn.id, [await screen.post(Page("Half of", State.GROWING, turn=turn.id))], "Half of")


async def test_a_half_shown_answer_is_written_anew_over_its_message(engine: Engine, screen: Screen) -> None:
    """There is no second message, and no cursor is left; it is the same attempt, so that a lost post is recognised."""
    await half(engine, screen)
    engine.register_platform("discord", lambda _: screen)
    await screen.until(lambda: screen.last.state is State.DONE)
    await engine.drain_turns(60)
    assert screen.texts == ["You said: Ann: one"]
    assert screen.last.attempt == 0
    assert await recall(engine) == ["one", "You said: Ann: one"]


async def test_an_old_half_shown_answer_is_closed_with_a_note(
    engine: Engine, screen: Screen, provider: FakeOpenAI
) -> None:
    """What was shown stays, with what happened; the model is not asked."""
    await half(engine, screen)
    late = Engine(engine.model, engine.memory, BotSettings(resume=0), Metrics())
    late.register_platform("discord", lambda _: screen)
    await screen.until(lambda: screen.last.state is not State.GROWING)
    assert (screen.last.text, screen.last.note) == ("Half of", texts.BROKEN_OFF)
    assert (screen.last.state, screen.last.turn) == (State.INTERRUPTED, 1)
    await late.drain_turns(60)
    assert await engine.memory.unfinished("discord") == []
    assert provider.asked == 0
    assert await recall(engine) == ["one", "Half of"]


async def test_a_command_that_was_not_carried_out_is(engine: Engine, screen: Screen) -> None:
    """Somebody said `/reset`, and was not heard."""
    turn = await engine.memory.claim(say("one", "1"))
    assert turn is not None
    await engine.memory.finish(turn.id, Answer("One."), Message(Role.USER, "one"))
    await engine.memory.claim(say("/reset", "2", command="reset"))
    engine.register_platform("discord", lambda _: screen)
    await screen.until(lambda: screen.texts == [texts.RESET_BY.format(name="Ann")])
    assert await recall(engine) == []


async def test_what_waits_at_a_stop_is_left_to_the_next_start(engine: Engine, provider: FakeOpenAI) -> None:
    """It is not answered in haste, and not lost."""
    here, script = Screen(trip=0), provider.script()
    await engine.submit(say("one", "1"), here)
    await script.asked()
    await engine.submit(say("two", "2", BEN), here)
    stopping = asyncio.create_task(engine.drain_turns(60))
    await script.send("One.")
    await script.end()
    await stopping
    assert here.texts == ["One."]
    assert [asked.incoming.text for asked in await engine.memory.unfinished("discord")] == ["two"]


async def test_a_stopped_question_that_waits_is_not_answered(engine: Engine, provider: FakeOpenAI) -> None:
    """Stop means what waits, too."""
    here, script = Screen(trip=0), provider.script()
    await engine.submit(say("one", "1"), here)
    await script.asked()
    answer = await engine.submit(say("two", "2"), here)
    assert await engine.stop_turns(HERE)
    assert answer is not None
    assert (await answer).state is State.STOPPED
    assert provider.asked == 1


async def test_a_changed_question_is_answered_anew_in_place(engine: Engine, screen: Screen) -> None:
    """If it is the last of its place; else only the memory follows."""
    engine.register_platform("discord", lambda _: screen)
    await engine.respond(say("one", "1"), screen)
    await engine.message_edited(say("uno", "1"))
    await screen.until(lambda: screen.texts == ["You said: Ann: uno"])
    await engine.drain_turns(60)
    await engine.respond(say("two", "2"), screen)
    await engine.message_edited(say("eins", "1"))
    assert (await recall(engine))[0] == "eins"
    assert screen.texts[0] == "You said: Ann: uno"
    assert (await find(engine, 1)).attempt == 1


async def test_a_question_changed_while_it_is_answered_is_answered_as_it_is_now(
    engine: Engine, screen: Screen, provider: FakeOpenAI
) -> None:
    """Over the same message."""
    engine.register_platform("discord", lambda _: screen)
    script = provider.script()
    await engine.submit(say("one", "1"), screen)
    await script.send("Old ", "words")
    await screen.until(lambda: bool(screen.texts))
    await engine.message_edited(say("uno", "1"))
    await screen.until(lambda: screen.texts == ["You said: Ann: uno"])
    await engine.drain_turns(60)
    assert await recall(engine) == ["uno", "You said: Ann: uno"]


@pytest.mark.parametrize("message", ["1", "m1"])
async def test_a_deleted_message_stops_its_turn_and_leaves_the_memory(
    engine: Engine, screen: Screen, provider: FakeOpenAI, message: str
) -> None:
    """The question, or the answer while it grows."""
    script = provider.script()
    answer = await engine.submit(say("one", "1"), screen)
    await script.send("Some ", "words")
    await screen.until(lambda: bool(screen.texts))
    await script.send(" more")
    await screen.until(lambda: len(screen.seen) > 1)  # by then the first post stands in the journal
    await engine.message_deleted("discord", "7", message)
    assert answer is not None
    assert (await answer).state is State.STOPPED
    assert await recall(engine) == []
    assert await engine.memory.turn(1) is None


async def test_what_nobody_waits_for_any_more_is_closed(engine: Engine) -> None:
    """Questions of the page that a crash broke off are not answered to nobody."""
    await engine.memory.claim(replace(say("one", "1"), place=Place("web:x")))
    await engine.close_orphaned_turns()
    assert await engine.memory.unfinished("web") == []


async def test_a_channel_that_breaks_does_not_silence_its_place(engine: Engine, screen: Screen) -> None:
    """Not even when it breaks again over the apology: the next question is answered."""

    class Broken(Screen):
        async def post(self, page: Page) -> str:
            raise RuntimeError("a bug")

    answer = await engine.respond(say("one", "1"), Broken(trip=0))
    assert answer is not None
    assert (answer.state, answer.fault) == (State.FAILED, "bug")
    await engine.respond(say("two", "2"), screen)
    assert screen.texts == ["You said: Ann: two"]
