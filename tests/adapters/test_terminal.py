"""What is typed in the terminal: `parley chat` as a process, with the commands that take an argument."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.terminal import incoming
from bot import texts
from bot.domain.commands import COMMANDS
from tests.loopback.openai import FakeOpenAI
from tests.support.program import asking, call


@pytest_asyncio.fixture
async def openai() -> AsyncIterator[FakeOpenAI]:
    """A provider with two models."""
    async with FakeOpenAI(models=("test-model", "other-model")) as server:
        yield server


def lines(*typed: str) -> str:
    """What is typed, line by line."""
    return "".join(f"{line}\n" for line in typed)


def environ(openai: FakeOpenAI) -> dict[str, str]:
    """What an operator sets."""
    names = {"PARLEY_BOT__MODEL": "openai/test-model", "PARLEY_BOT__MODELS": "openai/other-model"}
    return {**asking(openai), **names}


async def test_another_model_is_chosen_and_taken_back(openai: FakeOpenAI, tmp_path: Path) -> None:
    """Who sits at the terminal is an admin; what is chosen holds in the next conversation too."""
    typed = lines("/model openai/other-model", "one", "/model", "/model of trains")
    ended = await call(tmp_path, "chat", typed=typed, **environ(openai))
    assert (ended.code, ended.err) == (0, "")
    said = ended.out.splitlines()
    assert said[1:3] == [texts.CHOSEN.format(model="openai/other-model"), "You said: one"]
    assert said[3] == texts.MODEL.format(model="openai/other-model")
    assert "openai/test-model" in said[4]
    assert said[5] == texts.UNKNOWN_MODEL.format(name="of trains", names="`openai/test-model`, `openai/other-model`")
    await call(tmp_path, "chat", typed=lines("two", "/model default", "three"), **environ(openai))
    asked = [(request["model"], request["messages"][-1]["content"]) for request in openai.requests]
    assert [(model, text.split()[-1]) for model, text in asked] == [
        ("other-model", "one"),
        ("other-model", "two"),
        ("test-model", "three"),
    ]


async def test_a_persona_is_told_to_the_model(openai: FakeOpenAI, tmp_path: Path) -> None:
    """From the next question on, and shown to who asks for it."""
    typed = lines("/persona You are Nora, & <kind>.", "one", "/persona", "/persona default", "two")
    ended = await call(tmp_path, "chat", typed=typed, **environ(openai))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.count("> You are Nora, & <kind>.") == 2
    first, second = [request["messages"][0]["content"] for request in openai.requests]
    assert "You are Nora, & <kind>." in first
    assert "Nora" not in second


async def test_what_was_used_is_told(openai: FakeOpenAI, tmp_path: Path) -> None:
    """In this conversation and before, without asking a model."""
    ended = await call(tmp_path, "chat", typed=lines("/usage", "one", "/usage"), **environ(openai))
    assert (ended.code, ended.err) == (0, "")
    assert "nothing" in ended.out.splitlines()[1]
    assert "1 question," in ended.out
    assert openai.asked == 1


async def test_the_heading_names_the_commands(openai: FakeOpenAI, tmp_path: Path) -> None:
    """So that nobody has to guess them."""
    ended = await call(tmp_path, "chat", **environ(openai))
    assert all(f"/{command.form}" in ended.out for command in COMMANDS.values())


@pytest.mark.parametrize("line", ["model trains are small", "persona", "usage", "reset", "/reset now"])
def test_words_without_a_slash_are_a_question(line: str) -> None:
    """And so is a command with something behind it that it does not take."""
    said = incoming(line, "ann")
    assert said is not None
    assert (said.command, said.text) == ("", line)
