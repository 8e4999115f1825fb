"""Start `parley` by fork from a process that has imported it: the imports, a second or two, are paid once per worker.

What runs is a process of its own with its own arguments, environment, folder and pipes, as one that was started by
exec; it gets the same signals and can be killed as that can. Only what happens while modules are imported is not seen:
the tests that are about that start it by exec, as does a machine without pidfd.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

IMPORTED = (
    "adapters.discord.adapter",
    "adapters.discord.inspection",
    "adapters.slack.adapter",
    "adapters.slack.inspection",
    "adapters.terminal",
    "adapters.web.server",
    "bot.__main__",
    "bot.models.protocols.anthropic",
    "bot.models.protocols.openai",
    "storage.sqlite",
)
"""What the server imports before it forks."""

READ_AT_IMPORT = ("PYTHON", "OPENAI_LOG", "ANTHROPIC_LOG", "LC_")
"""How the variables begin that are read while Python or a module starts: they need a start by exec."""

FRAME = 2**20
"""Bytes of a request or an answer at most."""


class Forked:
    """A process that the server forked, with the part of `asyncio.subprocess.Process` that tests use."""

    def __init__(self, server: Server, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin: asyncio.StreamWriter
        self.stdout: asyncio.StreamReader
        self.stderr: asyncio.StreamReader
        self._server = server
        self._ended = asyncio.get_running_loop().create_future()
        self._pidfd = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    async def connect(self, write: int, out: int, err: int) -> None:
        """Open streams on this side's ends of its three pipes."""
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.streams.FlowControlMixin(loop=loop), os.fdopen(write, "wb", buffering=0)
        )
        self.stdin = asyncio.StreamWriter(transport, protocol, None, loop)
        self.stdout, self.stderr = await _reader(out), await _reader(err)

    def send_signal(self, number: int) -> None:
        """Send it a signal; ProcessLookupError once it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    async def wait(self) -> int:
        """Wait for its end and return its exit code, negative where a signal ended it."""
        await asyncio.shield(self._ended)
        assert self.returncode is not None
        return self.returncode

    async def communicate(self, typed: bytes | None = None) -> tuple[bytes, bytes]:
        """Write its input, read all of its output and wait for its end."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.stdin.write(typed or b"")
            await self.stdin.drain()
        self.stdin.close()
        out, err = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return out, err

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.returncode = self._server.request({"wait": self.pid})
        self.stdin.close()
        if not self._ended.done():
            self._ended.set_result(None)


class Server:
    """The server of this test process, which is no child of it; it ends when this side of its socket is closed."""

    def __init__(self, root: Path, environ: dict[str, str]) -> None:
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        atexit.register(self._socket.close)
        with other:
            command = (sys.executable, "-m", "tests.support.forkserver", str(other.fileno()))
            null = subprocess.DEVNULL
            subprocess.run(
                command, stdin=null, stdout=null, cwd=root, env=environ, pass_fds=[other.fileno()], check=True
            )

    async def start(self, arguments: tuple[str, ...], folder: Path, environ: dict[str, str]) -> Forked:
        """Start `parley` with these arguments in this folder."""
        (read, stdin), (stdout, write_out), (stderr, write_err) = os.pipe(), os.pipe(), os.pipe()
        asked = {"arguments": arguments, "folder": str(folder), "environ": environ}
        pid = self.request(asked, read, write_out, write_err)
        for descriptor in (read, write_out, write_err):
            os.close(descriptor)
        forked = Forked(self, pid)
        await forked.connect(stdin, stdout, stderr)
        return forked

    def request(self, message: dict[str, Any], *descriptors: int) -> int:
        """Send a request with these descriptors and return the number that answers it."""
        socket.send_fds(self._socket, [json.dumps(message).encode()], descriptors)
        return int(self._socket.recv(FRAME))


@cache
def server(root: Path, environ: tuple[tuple[str, str], ...]) -> Server:
    """Return the server of this process, started at the first call with these variables."""
    return Server(root, dict(environ))


def can_fork(environ: dict[str, str]) -> bool:
    """Return True where a program with these variables may be forked."""
    return hasattr(os, "pidfd_open") and not any(name.startswith(READ_AT_IMPORT) for name in environ)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**20, loop=loop)
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader, loop=loop), pipe)
    return reader


def serve(connection: socket.socket) -> None:
    """Fork for each request until the other side has gone; returns in each fork, ready to run."""
    children: set[int] = set()
    while True:
        data, descriptors, _, _ = socket.recv_fds(connection, FRAME, 3)
        if not data:
            _end(children)
        request = json.loads(data)
        if "wait" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
            children.discard(request["wait"])
        elif not (answer := os.fork()):
            connection.close()
            _become(request, descriptors)
            return
        else:
            children.add(answer)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.send(str(answer).encode())


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Take on the arguments, the environment, the folder and the pipes of the program that was asked for."""
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    os.chdir(request["folder"])
    sys.argv = ["parley", *request["arguments"]]


def _end(children: set[int]) -> NoReturn:
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    raise SystemExit


if __name__ == "__main__":
    if os.fork():
        os._exit(0)
    for module in IMPORTED:
        import_module(module)
    gc.collect()
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    raise SystemExit(import_module("bot.__main__").main())
