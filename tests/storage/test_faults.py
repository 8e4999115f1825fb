"""What breaks under a Parley that runs: the person is told, the operator knows why; mended, it goes on."""

from __future__ import annotations

import resource
import sqlite3
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot import texts
from bot.config.settings import BotSettings
from bot.domain.errors import StorageError
from bot.domain.messages import Author, Incoming, Place, State
from bot.engine import Engine
from bot.models.protocols.openai import OpenAIModel
from bot.runtime.metrics import Metrics
from storage.backup import back_up, restore
from storage.sqlite import SqliteMemory
from tests.contracts.memory import contents, converse
from tests.loopback.openai import FakeOpenAI
from tests.support.program import ROOT, Program, asking
from tests.support.screen import Screen
from tests.support.storage import opened
from tests.support.webserver import asked

HERE = "discord:7"
LONG = "x" * 50_000
READ_ONLY = """
import asyncio, os, pathlib, sys, tempfile
from bot.domain.errors import StorageError
from storage.sqlite import SqliteMemory
from tests.contracts.memory import contents, converse

async def main(path):
    memory = await SqliteMemory.open(path)
    await converse(memory, "1")
    await memory.close()
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        await SqliteMemory.open(path)
    except StorageError as error:
        print(str(error).removeprefix(str(path)))
    path.parent.chmod(0o700)
    path.chmod(0o600)
    memory = await SqliteMemory.open(path)
    print(*await contents(memory))
    await memory.close()

if os.geteuid() == 0:  # who may write everything
    os.setgid(65534)
    os.setuid(65534)
with tempfile.TemporaryDirectory() as name:
    asyncio.run(main(pathlib.Path(name, "parley.db")))
"""


@pytest.fixture
async def provider() -> AsyncIterator[FakeOpenAI]:
    """A server that answers with what it was told."""
    async with FakeOpenAI() as server:
        yield server


@pytest.fixture
async def model(provider: FakeOpenAI) -> AsyncIterator[OpenAIModel]:
    """The real client of the provider."""
    model = OpenAIModel(
        "openai/test-model", "test-model", SecretStr("test-key"), provider.base_url, timeout=60, reader="OpenAI"
    )
    yield model
    await model.close()


def start(model: OpenAIModel, memory: SqliteMemory) -> Engine:
    """An engine with this memory."""
    return Engine(model, memory, BotSettings(), Metrics())


def say(text: str, id: str) -> Incoming:
    """A message for the bot."""
    return Incoming(Place(HERE, shared=True), Author("u1", "Ann"), text, "7", id)


async def pragma(memory: SqliteMemory, setting: str) -> None:
    """Set something in the memory's own connection."""

    def work(db: sqlite3.Connection) -> Any:
        return db.execute(f"PRAGMA {setting}").fetchall()

    await memory._file.run(work)


@contextmanager
def locked(path: Path) -> Any:
    """Another process is in the midst of writing."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


BREAKS = {"full": "max_page_count = 1", "read-only": "query_only = ON"}
"""SQLite's own ways to have no room, and to have no right to write; it answers as it does for a disk."""
MENDS = {"full": "max_page_count = 1000000", "read-only": "query_only = OFF"}
REASONS = {"full": "is full: free some space there", "read-only": "cannot be written: give Parley the right"}


@pytest.mark.parametrize("fault", BREAKS)
async def test_a_question_that_cannot_be_written_down_is_declined_and_taken_later(
    tmp_path: Path, model: OpenAIModel, provider: FakeOpenAI, fault: str
) -> None:
    """The person is told, the operator reads why, the model is not asked; mended, the same message is answered."""
    async with opened(tmp_path / "parley.db") as memory:
        engine, screen = start(model, memory), Screen(trip=0)
        await engine.respond(say("one", "1"), screen)
        await pragma(memory, BREAKS[fault])
        with capture_logs() as events:
            answer = await engine.respond(say(LONG, "2"), screen)
        assert answer
        assert (answer.state, answer.fault, screen.texts[1:]) == (State.FAILED, "storage", [texts.STORAGE])
        assert [REASONS[fault] in event["error"] for event in events if event["event"] == "the memory failed"] == [True]
        assert texts.ALERTS["storage"] in [event.get("sentence") for event in events]
        assert provider.asked == 1
        await pragma(memory, MENDS[fault])
        answer = await engine.respond(say("two", "2"), screen)
        assert answer
        assert answer.state is State.DONE
        assert (await contents(memory, HERE))[::2] == ["one", "two"]


@pytest.mark.parametrize("fault", BREAKS)
async def test_an_answer_that_cannot_be_remembered_stands_and_says_so(
    tmp_path: Path, model: OpenAIModel, provider: FakeOpenAI, fault: str
) -> None:
    """What was written stays whole; no half turn enters the memory, and the turn is open for the next start."""
    async with opened(tmp_path / "parley.db") as memory:
        engine, screen = start(model, memory), Screen(page_size=100_000, trip=0)
        script = provider.script()
        task = await engine.submit(say("one", "1"), screen)
        assert task
        await script.asked()
        await pragma(memory, BREAKS[fault])
        await script.send(LONG)
        await script.end()
        answer = await task
        assert (answer.fault, screen.texts) == ("storage", [LONG, texts.UNREMEMBERED])
        assert await contents(memory, HERE) == []
        assert [left.id for left in await memory.unfinished("discord")] == [1]
        await pragma(memory, MENDS[fault])
        await engine.respond(say("two", "2"), screen)
        assert (await contents(memory, HERE))[::2] == ["two"]


async def test_a_lock_that_another_process_holds_is_told_and_outlived(tmp_path: Path, model: OpenAIModel) -> None:
    """The person is told while it lasts, and answered when it is gone."""
    async with opened(tmp_path / "parley.db") as memory:
        engine, screen = start(model, memory), Screen(trip=0)
        holding: AbstractContextManager[None] = locked(tmp_path / "parley.db")
        with holding:
            await engine.respond(say("one", "1"), screen)
        assert screen.texts == [texts.STORAGE]
        await engine.respond(say("one", "1"), screen)
        assert await contents(memory, HERE) == ["one", screen.texts[1]]


def spoil(path: Path, table: str) -> None:
    """Write garbage over the first page of a table, as a failing disk does."""
    with closing(sqlite3.connect(path)) as db:
        [(root,)] = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchall()
        [(size,)] = db.execute("PRAGMA page_size").fetchall()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)


@pytest.mark.parametrize("table", ["messages", "turns", "places"])
async def test_damage_that_is_met_while_it_runs_is_told_and_mended_by_a_backup(
    tmp_path: Path, model: OpenAIModel, table: str
) -> None:
    """The person is told, the operator reads what to do, and after that the memory is the backup's."""
    path = tmp_path / "parley.db"
    async with opened(path) as memory:
        for number in range(20):
            await converse(memory, str(number), HERE, "a" * 1000)
    back_up(path, tmp_path / "copy.db")
    async with opened(path) as memory:
        spoil(path, table)
        screen = Screen(trip=0)
        with capture_logs() as events:
            answer = await start(model, memory).respond(say("one", "new"), screen)
        assert answer
        assert (answer.state, screen.texts) == (State.FAILED, [texts.STORAGE])
        [error] = [event["error"] for event in events if event["event"] == "the memory failed"]
        assert error == f"{path} is damaged: stop Parley and bring a backup back with `parley restore`."
    await restore(tmp_path / "copy.db", path)
    async with opened(path) as memory:
        screen = Screen(trip=0)
        await start(model, memory).respond(say("one", "new"), screen)
        assert screen.texts[0].startswith("You said: Ann: one")
        assert len(await contents(memory, HERE)) == 42


async def read(memory: SqliteMemory) -> None:
    """Read what a place and the turns have."""
    await memory.recall(HERE, 10)
    await memory.unfinished("discord")


GARBAGE: dict[str, Callable[[sqlite3.Connection], object]] = {
    "no text": lambda db: db.execute("UPDATE messages SET content = CAST(content || x'ff' AS TEXT)"),
    "no role": lambda db: db.execute("UPDATE messages SET role = 'usher'"),
    "no question": lambda db: db.execute("UPDATE turns SET question = 'Why?', finished = NULL"),
    "no posts": lambda db: db.execute("UPDATE turns SET posts = '[1,', finished = NULL"),
}


@pytest.mark.parametrize("write", GARBAGE.values(), ids=GARBAGE.keys())
async def test_a_row_that_makes_no_sense_is_damage(
    tmp_path: Path, write: Callable[[sqlite3.Connection], object]
) -> None:
    """It is a StorageError, which every caller expects; nothing that people wrote is in its sentence."""
    path = tmp_path / "parley.db"
    async with opened(path) as memory:
        await converse(memory, "1", HERE, "a secret")
        with closing(sqlite3.connect(path)) as other:
            write(other)
            other.commit()
        with pytest.raises(StorageError) as caught:
            await read(memory)
        assert str(caught.value) == f"{path} is damaged: stop Parley and bring a backup back with `parley restore`."


@pytest.mark.skipif(sys.platform == "win32", reason="needs users and rights as Unix has them")
async def test_a_file_that_may_only_be_read_is_told(tmp_path: Path) -> None:
    """At the start, with what to do; given the right, it opens with all that it had."""
    reading = await create_subprocess_exec(sys.executable, "-c", READ_ONLY, stdout=PIPE, cwd=ROOT)
    output, _ = await reading.communicate()
    told, had = output.decode().splitlines()
    assert told == " cannot be written: give Parley the right to write the file and its folder."
    assert had == "q1 a1"


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can take room from a process that runs")
async def test_a_program_whose_disk_takes_nothing_more_stays_up(tmp_path: Path, provider: FakeOpenAI) -> None:
    """From outside: it declines with one sentence, logs why, does not end, and answers when there is room again."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    async with Program(tmp_path, **asking(provider)) as program:
        resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        for _ in range(2):
            async with program.http.post("/chat", json=asked("hello", None)) as response:
                assert (response.status, texts.STORAGE in await response.text()) == (503, True)
        failed = await program.logged("the memory failed")
        assert "data/parley.db" in failed["error"]
        resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, unlimited)
        async with program.http.post("/chat", json=asked("hello", None)) as response:
            assert response.status == 200, await response.text()
            assert (await response.json())["response"] == "You said: hello"
        assert await program.stop() == 0
        assert program.others == []
