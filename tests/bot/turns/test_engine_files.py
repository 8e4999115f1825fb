"""Long answers as files, and questions that are nothing but a file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import texts
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Attachment, File, Message, Role, State
from bot.engine import Engine
from bot.models.protocols.openai import OpenAIModel
from bot.prompts.files.request_limits import PDF, fit_files
from tests.bot.turns.test_engine import engine, provider, recall, say
from tests.loopback.openai import FakeOpenAI
from tests.support.files import pdf
from tests.support.screen import Screen

__all__ = ["engine", "provider"]


class Desk(Screen):
    """A platform that keeps files."""

    def __init__(self, content: bytes = b"", fault: PlatformFault | None = None) -> None:
        super().__init__(page_size=60, trip=0)
        self.content = content
        self.fault = fault
        self.fetched = 0
        self.attached: list[tuple[str, str]] = []

    async def download(self, attachment: Attachment, most: int) -> bytes:
        """The content of every file."""
        self.fetched += 1
        return self.content

    async def attach(self, name: str, text: str) -> None:
        """Keep a file, or refuse it."""
        if self.fault:
            raise PlatformError(self.fault, "no")
        self.attached.append((name, text))


LONG = "a long question " * 12


@pytest.mark.parametrize("after", [0, 1, 100])
async def test_a_long_answer_is_a_file_too(engine: Engine, after: int) -> None:
    """Of more messages than the setting says; never where it is 0."""
    settings = engine.settings.model_copy(update={"file_after": after})
    engine = Engine(engine.roster, engine.memory, settings, engine.metrics)
    desk = Desk()
    answer = await engine.respond(say(LONG, "1"), desk)
    assert answer is not None
    assert len(answer.posts) > 1
    assert desk.attached == ([(texts.FILE, answer.text)] if after == 1 else [])


async def test_an_answer_that_cannot_be_a_file_is_whole_all_the_same(engine: Engine) -> None:
    """A refusal of the file changes nothing about it."""
    engine.settings = engine.settings.model_copy(update={"file_after": 1})
    desk = Desk(fault=PlatformFault.FORBIDDEN)
    answer = await engine.respond(say(LONG, "1"), desk)
    assert answer is not None
    assert answer.state is State.DONE
    assert len(await recall(engine)) == 2


async def test_a_file_without_words_is_a_question(engine: Engine, provider: FakeOpenAI) -> None:
    """It is read, and remembered with the turn; trying again does not fetch it again."""
    desk = Desk(b"forty-two")
    engine.register_platform("discord", lambda _: desk)
    question = replace(say("", "1"), attachments=(Attachment("a.txt", "text/plain", 9, "https://x"),))
    await engine.respond(question, desk)
    assert "forty-two" in (await recall(engine))[0]
    asked = await engine.memory.turn(1)
    assert asked is not None
    assert "forty-two" in asked.material.text
    await engine.message_edited(replace(question, text="What is it?"))
    await desk.until(lambda: provider.asked == 2)
    await engine.drain_turns(60)
    assert (await recall(engine))[0] == f"What is it?\n\n{asked.material.text}"
    assert desk.fetched == 1


async def test_where_files_cannot_be_read_one_line_says_so(engine: Engine) -> None:
    """The question is answered."""
    screen = Screen(trip=0)
    question = replace(say("What is it?", "1"), attachments=(Attachment("a.txt", "", 9, "https://x"),))
    await engine.respond(question, screen)
    assert screen.last.note == texts.NO_FILES
    assert screen.last.state is State.DONE


@pytest.mark.parametrize(("pages", "shown"), [(60, ["2.pdf"]), (40, ["1.pdf", "2.pdf"])])
async def test_documents_of_several_questions_share_what_one_request_may_have(
    engine: Engine, provider: FakeOpenAI, pages: int, shown: list[str]
) -> None:
    """The provider takes 100 pages: of two documents of 60 in one channel the newer is shown, the older named."""
    model = engine.model
    assert isinstance(model, OpenAIModel)
    model.facts = replace(model.facts, context=200_000, documents=True)
    desk = Desk(pdf(*["page"] * pages))
    for number in ("1", "2", "3"):
        files = () if number == "3" else (Attachment(f"{number}.pdf", PDF, 9, "https://x"),)
        answer = await engine.respond(replace(say(f"question {number}", number), attachments=files), desk)
        assert answer is not None
        assert answer.state is State.DONE
    for request in provider.requests[1:]:
        parts = [part for message in request["messages"] for part in message["content"] if isinstance(part, dict)]
        assert [part["file"]["filename"] for part in parts if part["type"] == "file"] == shown
        assert ("[document: 1.pdf, shown to you before]" in str(request["messages"])) == (pages == 60)
    assert "shown to you before" not in str(provider.requests[0])


def test_what_one_request_may_have_goes_to_the_newest_files() -> None:
    """Pages, pictures and bytes; a document of which nobody counted the pages counts for all of them."""

    def message(*files: File) -> Message:
        return Message(Role.USER, "Look.", files=files)

    picture, old = File("p.png", "image/png", b"x"), File("old.pdf", PDF, b"x")
    pictures = fit_files([message(*[picture] * 60), message(*[picture] * 60)])
    assert [len(one.files) for one in pictures] == [40, 60]
    assert pictures[0].content.count("[picture: p.png, shown to you before]") == 20
    documents = fit_files([message(old), message(File("new.pdf", PDF, b"x", 1))])
    assert [len(one.files) for one in documents] == [0, 1]
    assert fit_files([message(old)])[0].files == (old,)
    large = File("large.png", "image/png", bytes(15_000_000))
    assert [len(one.files) for one in fit_files([message(large), message(large)])] == [0, 1]
