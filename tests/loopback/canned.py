"""A model server that writes bytes as they were recorded: which ones, the last words of the question say."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

SAMPLES = Path(__file__).parents[1] / "samples" / "provider-answers.json"
LIST = b'{"object": "list", "data": [{"id": "m", "context_length": 100000}]}'

Case = dict[str, Any]


def recorded(protocol: str) -> list[Case]:
    """The recorded answers of one protocol."""
    return [case for case in json.loads(SAMPLES.read_text(encoding="utf-8")) if case["protocol"] == protocol]


class Canned:
    """The server on a free loopback port; `bodies` are the questions that it was asked, by the name of their case."""

    def __init__(self, cases: list[Case]) -> None:
        self.cases = {case["name"]: case for case in cases}
        self.bodies: dict[str, list[str]] = {case["name"]: [] for case in cases}
        self.base_url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False at the end of the connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        size = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length")), 0)
        body = (await reader.readexactly(size)).decode()
        if head.startswith("get"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(LIST))
            writer.write(LIST)
            return True
        said = json.loads(body)["messages"][-1]["content"]
        name = next(name for name in self.cases if said.endswith(name))
        self.bodies[name].append(body)
        tries = self.cases[name]["tries"]
        taken = (
            self.cases[name].get("right", {}).get("without", "") not in body
        )  # an earlier case may have taught it that
        steps = tries[-1 if taken else min(len(self.bodies[name]), len(tries)) - 1]
        for step in steps:
            if step == "@abort":
                writer.transport.abort()
                return False
            if isinstance(step, str):
                writer.write(step.encode("latin-1"))
                await writer.drain()
            else:
                await asyncio.sleep(step)
        return "Content-Length" in steps[0]
