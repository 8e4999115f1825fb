"""Pictures and documents on their way to a model: as each protocol has them, and the same every time."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr

from bot.domain.messages import File, Message, Role, State
from bot.domain.model_info import Facts
from bot.domain.ports import Prompt
from bot.models.protocols.anthropic import AnthropicModel
from bot.models.protocols.openai import OpenAIModel
from tests.loopback.anthropic import FakeAnthropic
from tests.loopback.openai import FakeOpenAI
from tests.loopback.provider import Provider

SEEING = Facts(images=True, documents=True)
KINDS = [(OpenAIModel, FakeOpenAI), (AnthropicModel, FakeAnthropic)]


def png() -> bytes:
    """A small picture."""
    file = BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    return file.getvalue()


PICTURE = File("a.png", "image/png", png())
DOCUMENT = File("b.pdf", "application/pdf", b"%PDF-1.4\n%%EOF")


async def ask(kind: type[Any], server: Provider, facts: Facts, *messages: Message) -> State | None:
    """Ask with the real client; how the answer ended."""
    model = kind("x/test-model", "test-model", SecretStr("test-key"), server.base_url, 60, "Somebody", facts=facts)
    try:
        pieces = [piece async for piece in model.stream(Prompt("Be kind.", messages, 100))]
    finally:
        await model.close()
    end: State | None = pieces[-1].end
    return end


@pytest.mark.parametrize(("kind", "fake"), KINDS)
async def test_files_are_shown_before_the_words(kind: type[Any], fake: type[Provider]) -> None:
    """In a form that the strict provider takes: types, base64, content that is what it says."""
    async with fake() as server:
        said = Message(Role.USER, "What is this?", files=(PICTURE, DOCUMENT))
        assert await ask(kind, server, SEEING, said) is State.DONE
        *files, text = server.requests[0]["messages"][-1]["content"]
        assert text == {"type": "text", "text": "What is this?"}
        assert [part["type"] for part in files] in (["image_url", "file"], ["image", "document"])


@pytest.mark.parametrize(("kind", "fake"), KINDS)
async def test_a_prompt_with_files_is_sent_the_same_each_time(kind: type[Any], fake: type[Provider]) -> None:
    """To the byte, and a message without files is plain text: caches compare it."""
    async with fake() as server:
        first = Message(Role.USER, "What is this?", files=(PICTURE,))
        await ask(kind, server, SEEING, first)
        await ask(kind, server, SEEING, first, Message(Role.ASSISTANT, "A square."), Message(Role.USER, "And now?"))
        one, other = ([m for m in request["messages"] if m["role"] != "system"] for request in server.requests)
        assert other[: len(one)] == one
        assert other[-1]["content"] == "And now?"


@pytest.mark.parametrize(("kind", "fake"), KINDS)
async def test_a_model_that_cannot_see_is_told_what_there_was(kind: type[Any], fake: type[Provider]) -> None:
    """By a line of text: a model may answer in place of one that sees."""
    async with fake() as server:
        await ask(kind, server, Facts(), Message(Role.USER, "What is this?", files=(PICTURE, DOCUMENT)))
        content = server.requests[0]["messages"][-1]["content"]
        assert content == "[picture: a.png]\n[document: b.pdf]\nWhat is this?"


@pytest.mark.parametrize(("kind", "fake"), KINDS)
async def test_a_file_that_lies_is_refused_by_the_loopback(kind: type[Any], fake: type[Provider]) -> None:
    """So that these tests would see a wrong one."""
    async with fake() as server:
        with pytest.raises(Exception, match="400"):
            await ask(kind, server, SEEING, Message(Role.USER, "?", files=(File("a", "image/png", b"no picture"),)))
