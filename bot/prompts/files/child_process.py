"""Giving a stranger's file to a process of its own, which can be ended and cannot harm this one."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path
from typing import cast

import structlog

ROOT = Path(__file__).parents[3]
"""Where the package is: the child starts there, and finds it."""
KEPT = ("SYSTEMROOT", "LD_LIBRARY_PATH")
"""What Python may need of the environment; keys and tokens stay here."""

log = structlog.get_logger(__name__)


async def run(module: str, data: bytes, *arguments: int, most: int) -> tuple[bytes, bool]:
    """What the module writes when it is run as a program with this data, and whether it came to its end.

    No more than `most` bytes are taken: it is ended when it writes more, and when the caller is cancelled. A program
    that cannot be started has written nothing.
    """
    command = (sys.executable, "-m", module, *map(str, arguments))
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=ROOT, env=environment
        )
    except OSError as error:
        log.error("no process can be started, so files are not read", program=module, reason=str(error))
        return b"", False
    stdin, stdout = cast(asyncio.StreamWriter, process.stdin), cast(asyncio.StreamReader, process.stdout)
    giving = asyncio.create_task(_give(stdin, data))
    try:
        output = await _take(stdout, most)
        if len(output) <= most:
            await process.wait()
    finally:
        giving.cancel()
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
    if process.returncode:
        log.info("a file was not read to its end", program=module, bytes=len(data), exit=process.returncode)
    return output[:most], process.returncode == 0


async def _give(stdin: asyncio.StreamWriter, data: bytes) -> None:
    with suppress(ConnectionError):  # it ended before it had read everything
        stdin.write(data)
        await stdin.drain()
    stdin.close()


async def _take(stdout: asyncio.StreamReader, most: int) -> bytes:
    try:
        return await stdout.readexactly(most + 1)
    except asyncio.IncompleteReadError as ended:
        return ended.partial
