"""What becomes of a reply whose call is on its way when something else happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot import texts
from bot.config.settings import BotSettings
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page, State
from bot.domain.model_info import Facts
from bot.domain.ports import Piece, Prompt
from bot.domain.records import Answer
from bot.engine import Engine
from bot.replies.reply import Reply
from bot.replies.streaming import Halt, deliver
from bot.runtime.metrics import Metrics
from storage.sqlite import SqliteMemory
from tests.bot.replies.test_reply import show
from tests.bot.turns.test_engine import say
from tests.support.clock import run
from tests.support.screen import Screen, refuse


class Wire(Screen):
    """A platform to which a call is on its way until `arrives` is set: then it is done, whoever waits for it still."""

    def __init__(self) -> None:
        super().__init__(trip=0)
        self.arrives = asyncio.Event()
        self.sent = asyncio.Event()

    async def post(self, page: Page) -> str:
        return await asyncio.shield(asyncio.create_task(self._post(page)))

    async def edit(self, id: str, page: Page) -> None:
        await asyncio.shield(asyncio.create_task(self._edit(id, page)))

    async def _post(self, page: Page) -> str:
        self.sent.set()
        await self.arrives.wait()
        return await super().post(page)

    async def _edit(self, id: str, page: Page) -> None:
        self.sent.set()
        await self.arrives.wait()
        await super().edit(id, page)


class Broken:
    """A model whose stream breaks in our own code once `breaks` is set."""

    name, reader, trial, facts = "openai/broken", "OpenAI", False, Facts()

    def __init__(self, *words: str) -> None:
        self.words = words
        self.goes = asyncio.Event()
        self.breaks = asyncio.Event()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Say the words, the second and later ones when told, and break."""
        for word in self.words:
            yield Piece(word)
            await self.goes.wait()
        await self.breaks.wait()
        raise ValueError("a bug")

    async def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("verb", ["post", "edit"])
async def test_a_break_while_a_call_is_on_its_way_ends_the_answer_over_the_same_message(
    verb: str, tmp_path: Path
) -> None:
    """What arrives late is known before anything else is written: one message stands there, without a cursor."""
    screen, memory = Wire(), await SqliteMemory.open(tmp_path / "parley.db")
    model = Broken("See ", "more ") if verb == "edit" else Broken("See ")
    engine = Engine(model, memory, BotSettings(), Metrics())
    asking = asyncio.create_task(engine.respond(say("one", "1"), screen))
    await screen.sent.wait()
    if verb == "edit":
        screen.arrives.set()
        await screen.until(lambda: bool(screen.messages))
        screen.arrives.clear()
        screen.sent.clear()
        model.goes.set()
        await screen.sent.wait()
    model.goes.set()
    model.breaks.set()
    for _ in range(100):  # as far as it goes without the call
        await asyncio.sleep(0)
    screen.arrives.set()
    answer = await asking
    (page,) = screen.messages.values()
    assert page.text == ("See more" if verb == "edit" else "See")
    assert (page.state, page.note) == (State.FAILED, texts.BROKEN)
    assert answer is not None
    assert (answer.posts, answer.fault) == (tuple(screen.messages), "bug")
    await memory.close()


def test_a_draft_that_is_refused_when_the_answer_is_whole_does_not_end_it() -> None:
    """The whole text is tried: half a word may be what a rule looks for."""

    class Slow(Screen):
        async def edit(self, id: str, page: Page) -> None:
            if page.state is State.GROWING:
                await asyncio.sleep(1.0)
                raise refuse(PlatformFault.MODERATED)
            await super().edit(id, page)

    async def pieces() -> AsyncGenerator[Piece, None]:
        yield Piece("we ")
        await asyncio.sleep(2.0)
        yield Piece("ass")
        await asyncio.sleep(0.5)  # the draft is on its way
        yield Piece("ume")
        yield Piece(end=State.DONE)

    screen = Slow()
    answer = show(screen, pieces())
    assert screen.texts == ["we assume"]
    assert (answer.state, answer.fault) == (State.DONE, "")


class Frozen(Screen):
    """A platform that takes no final edit of the first message, and deletes nothing."""

    def __init__(self, deletes: bool = False) -> None:
        super().__init__()
        self.deletes = deletes

    async def edit(self, id: str, page: Page) -> None:
        if id == "m1" and page.text and page.state is not State.GROWING:
            raise refuse(PlatformFault.REJECTED)
        await super().edit(id, page)

    async def delete(self, id: str) -> None:
        if not self.deletes:
            raise refuse(PlatformFault.FORBIDDEN)
        await super().delete(id)


async def write_frozen(screen: Screen, records: list[tuple[str, ...]]) -> Answer:
    """Deliver an answer whose first message takes no final edit; what the journal learns goes to `records`."""

    async def posted(posts: object, text: str) -> None:
        assert isinstance(posts, list)
        records.append(tuple(posts))

    async def pieces() -> AsyncGenerator[Piece, None]:
        yield Piece("All ")
        await screen.until(lambda: bool(screen.messages))
        yield Piece("of it.")
        yield Piece(end=State.DONE)

    return await deliver(pieces(), Reply(screen, turn=7, posted=posted), Halt())


def test_a_replaced_message_that_cannot_be_deleted_says_so() -> None:
    """It keeps no cursor and no half text beside the whole answer."""
    screen = Frozen()

    async def main() -> Answer:
        answer = await write_frozen(screen, [])
        await screen.until(lambda: screen.messages["m1"].state is State.DONE)
        return answer

    answer = run(main())
    old, new = screen.messages.values()
    assert (old.text, old.note) == ("", texts.REPLACED)
    assert (new.text, new.state) == ("All of it.", State.DONE)
    assert answer.posts == ("m2",)


def test_the_journal_knows_a_replaced_message_until_it_is_gone_in_the_order_of_the_screen() -> None:
    """A start after a crash writes over the older one, and has one too many to delete: never both stay."""
    screen, records = Frozen(deletes=True), list[tuple[str, ...]]()
    run(write_frozen(screen, records))
    assert records[-2:] == [("m1", "m2"), ("m2",)]
    assert screen.texts == ["All of it."]


def test_an_error_of_the_platform_is_raised_through_a_call_that_is_completed() -> None:
    """What is not left half done fails as it would alone."""
    screen = Frozen()
    reply = Reply(screen, turn=7, posts=("m9",))

    async def main() -> None:
        await reply.grow("All of it.")
        reply.end(State.DONE, "")
        await reply.write()

    with pytest.raises(PlatformError) as caught:
        run(main())
    assert caught.value.fault is PlatformFault.GONE
