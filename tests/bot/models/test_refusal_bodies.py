"""Refusals whose words break off or never come: their status says enough, and nobody waits for the rest."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from pydantic import SecretStr

from bot.domain.errors import ModelFault
from bot.models.protocols import http_model
from tests.bot.models.test_streams import MODELS, listen

HEAD = b"HTTP/1.1 402 Payment Required\r\nRetry-After: 7\r\nContent-Length: 100\r\n\r\nno"


@pytest.mark.parametrize("protocol", MODELS)
@pytest.mark.parametrize("breaks", [True, False])
async def test_a_refusal_is_known_by_its_status(monkeypatch: pytest.MonkeyPatch, protocol: str, breaks: bool) -> None:
    """Also with a model that may take very long for its first piece; the wait that it names is kept."""
    monkeypatch.setattr(http_model, "WORDS", 0.05)
    left = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD)
        await writer.drain()
        if not breaks:
            with suppress(ConnectionError):
                while await reader.read(2**16):
                    pass
            left.set()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    model = MODELS[protocol](f"{protocol}/m", "m", SecretStr("test-key"), url, 10.0, "a server")
    async with server:
        _, _, error = await listen(model)
        await model.close()
        if not breaks:
            await left.wait()
    assert error
    assert (error.fault, error.retry_after) == (ModelFault.QUOTA, 7.0), str(error)
