"""`parley` as its operator has it: a process of its own, in an empty folder, with a clean environment."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.loopback.provider import Provider
from tests.support import forkserver
from tests.support.forkserver import Forked

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which something that a test waits for will not come any more."""


def environment(folder: Path, environ: dict[str, str]) -> dict[str, str]:
    """A clean environment, a web port of its own, and what else is given; nothing is looked for on this machine."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LOGNAME": "tester",
        "LANG": "C.UTF-8",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPATH": str(ROOT),
        "PARLEY_WEB__PORT": "0",
        "PARLEY_LOCAL__DISCOVER": "false",
        "PARLEY_LOCAL__TRIAL": "false",
        **environ,
    }


def asking(provider: Provider) -> dict[str, str]:
    """The variables with which a program asks this provider."""
    return {"OPENAI_API_KEY": provider.key, "OPENAI_BASE_URL": provider.base_url}


async def launch(folder: Path, *arguments: str, **environ: str) -> Process | Forked:
    """Start `parley` with these arguments and variables in this folder, by fork where that is possible."""
    if not forkserver.can_fork(environ):
        return await execute(folder, *arguments, **environ)
    server = forkserver.server(ROOT, tuple(environment(ROOT, {}).items()))
    return await server.start(arguments, folder, environment(folder, environ))


async def execute(folder: Path, *arguments: str, **environ: str) -> Process:
    """Start it by exec, as its operator does."""
    command, clean = (sys.executable, "-m", "bot", *arguments), environment(folder, environ)
    return await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=folder, env=clean, limit=2**20
    )


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def sentences(self) -> list[str]:
        """The lines on stderr that are not of the log."""
        return [line for line in self.err.splitlines() if not line.startswith("{")]


async def call(folder: Path, *arguments: str, typed: str = "", **environ: str) -> Ended:
    """Run a command to its end, with `typed` as its input."""
    return await finish(await launch(folder, *arguments, **environ), typed)


async def finish(process: Process | Forked, typed: str = "") -> Ended:
    """Let a command run to its end, with `typed` as its input."""
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate(typed.encode())
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


class Program:
    """A running `parley`; `async with` starts it, waits until its page is served, and kills what is left of it.

    `folder` is its working directory and keeps its memory, so that `start` after `stop` or `kill` is a restart;
    `environ` may be changed between them. `http` is a client for its page, at `url`. `events` are the lines of its
    log since it was started last, `others` what else it wrote to stderr.
    """

    launch = staticmethod(launch)

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.environ = environ
        self.events: list[dict[str, Any]] = []
        self.others: list[str] = []
        self.url = ""
        self.http: aiohttp.ClientSession
        self.process: Process | Forked
        self._news = asyncio.Condition()
        self._over = False
        self._reading: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.exited()

    async def start(self) -> None:
        """Start it and wait until its page is served, with a client for that."""
        self.events, self.others, self._over = [], [], False
        self.process = await self.launch(self.folder, **self.environ)
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE))
        self._reading = asyncio.create_task(self._read())
        served = await self.logged("open the chat page in a browser", "the page and the API are closed")
        self.url = served.get("url") or f"http://127.0.0.1:{served['port']}"
        await self.http.close()
        self.http = aiohttp.ClientSession(self.url, timeout=aiohttp.ClientTimeout(PATIENCE))

    async def logged(self, *names: str, **values: Any) -> dict[str, Any]:
        """The first line of the log with one of these events and these values, as soon as it is there."""

        def find() -> dict[str, Any] | None:
            fits = (event for event in self.events if event["event"] in names and values.items() <= event.items())
            return next(fits, None)

        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: find() or self._over)
        found = find()
        assert found is not None, f"it ended without {names}: {self.events} {self.others}"
        return found

    async def repeated(self, name: str, number: int) -> None:
        """Wait until this event was logged so many times since it was started last."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: sum(event["event"] == name for event in self.events) >= number)

    async def stop(self, name: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; returns its exit code."""
        self.process.send_signal(name)
        return await self.exited()

    async def kill(self) -> None:
        """End it at once, as a crash or a power cut does."""
        self.process.kill()
        await self.exited()

    async def exited(self) -> int:
        """Its exit code, once it has ended and all that it wrote is read; a hang says where it stands."""
        try:
            async with asyncio.timeout(PATIENCE):
                code = await self.process.wait()
        except TimeoutError:
            self.process.send_signal(signal.SIGABRT)
            await self._reading
            raise AssertionError(f"it does not end: {self.events[-5:]} {chr(10).join(self.others)}") from None
        await self._reading
        await self.http.close()
        return code

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for raw in self.process.stderr:
            line = raw.decode().rstrip("\n")
            async with self._news:
                if line.startswith("{"):
                    self.events.append(json.loads(line))
                else:
                    self.others.append(line)
                self._news.notify_all()
        async with self._news:
            self._over = True
            self._news.notify_all()


class ExecutedProgram(Program):
    """A running `parley` that was started by exec."""

    launch = staticmethod(execute)
