"""A conversation in the terminal: `parley chat`."""

from __future__ import annotations

import asyncio
import getpass
import sys
import threading
import time
import uuid

import structlog

from bot.domain.commands import COMMANDS, match, parse
from bot.domain.errors import StorageError
from bot.domain.messages import Author, Caller, Incoming, Place
from bot.engine import Engine
from bot.texts import STORAGE

PROMPT = "\x1b[1myou>\x1b[0m "
WITHDRAWN = "\n[The model was only thinking aloud up to here. Its answer:]\n"
LISTED = ", ".join(f"/{command.form}" for command in COMMANDS.values())

log = structlog.get_logger(__name__)


class Terminal:
    """The terminal as a transcript: pieces are written as they come, and lines are never written over."""

    shown = True

    async def append(self, text: str) -> None:
        """Write a piece."""
        _write(text.replace("\r\n", "\n").replace("\r", "\n"))

    async def withdraw(self) -> None:
        """Say that what was written is no part of the answer: it cannot be taken away."""
        _write(WITHDRAWN)


def incoming(line: str, name: str) -> Incoming | None:
    """A typed line as a message; None for an empty one."""
    text = line.strip()
    if not text:
        return None
    return Incoming(
        _place(name),
        Author(name, name),
        text,
        name,
        uuid.uuid4().hex,
        command=match(text),
        sent=time.time(),
        admin=True,
    )


async def obey(engine: Engine, line: str, name: str) -> str:
    """Run a typed line that is a command which takes an argument, and return what it says; empty for any other line.

    Who sits at the terminal runs the bot, and so is an admin.
    """
    command, argument = parse(line)
    if not command or not COMMANDS[command].argument:
        return ""
    try:
        return await engine.run_command(command, _place(name), Caller(Author(name, name), admin=True), argument)
    except StorageError as error:
        log.error("the memory failed", error=str(error))
        return STORAGE


async def run(engine: Engine) -> None:
    """Talk until the end of the input. Ctrl-C while an answer is written stops it; else it ends the conversation."""
    name = getpass.getuser()
    _write(f"Answers come from {engine.model.reader} ({engine.model.name}). {LISTED}; Ctrl-D to leave.\n")
    if engine.model.trial:
        _write("This is a tiny trial model, often wrong. For a real one set OPENAI_API_KEY or ANTHROPIC_API_KEY.\n")
    lines = _Lines()
    while (line := await lines.next()) is not None:
        if said := await obey(engine, line, name):
            _write(f"{said}\n")
            continue
        question = incoming(line, name)
        if question is None:
            continue
        answer = await engine.respond(question, Terminal())
        _write(f"\n[{answer.note}]\n" if answer and answer.note else "\n")


def _place(name: str) -> Place:
    return Place(f"terminal:{name}")


class _Lines:
    """Lines of standard input, read by a thread of their own, which ends with the process."""

    def __init__(self) -> None:
        self._wanted = threading.Semaphore(0)
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, daemon=True).start()

    async def next(self) -> str | None:
        """The next line; None at the end of the input."""
        self._wanted.release()
        return await self._lines.get()

    def _read(self) -> None:
        prompt = PROMPT if sys.stdin.isatty() else ""
        line: str | None = ""
        while line is not None:
            self._wanted.acquire()
            try:
                line = input(prompt)
            except EOFError:
                line = None
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
