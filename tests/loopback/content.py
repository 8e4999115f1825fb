"""Sending a file's content, whole or as badly as a test wants it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from aiohttp import web

PIECE = b"x" * 2**16


class Fault(Protocol):
    """What of a platform's faults concerns a file on its way."""

    @property
    def lose(self) -> bool: ...
    @property
    def endless(self) -> bool: ...
    @property
    def late(self) -> asyncio.Event | None: ...


async def send(request: web.Request, data: bytes, kind: str, fault: Fault | None) -> web.StreamResponse:
    """Answer with a file: `late` holds its second half back, `lose` cuts it off, an `endless` one goes on."""
    if fault is None or not (fault.lose or fault.endless or fault.late):
        return web.Response(body=data, headers={"Content-Type": kind})
    response = web.StreamResponse(headers={"Content-Type": kind})
    response.content_length = None if fault.endless else len(data)
    await response.prepare(request)
    await response.write(data[: len(data) // 2])
    while fault.endless and not (fault.late and fault.late.is_set()):
        await response.write(PIECE)
    if fault.late:
        await fault.late.wait()
    if fault.lose and request.transport:
        request.transport.close()
        return response
    await response.write(data[len(data) // 2 :])
    return response
