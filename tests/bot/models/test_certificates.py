"""A model server on this machine behind TLS, with a certificate that only its operator trusts."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import SecretStr

from bot.domain.errors import ModelError, ModelFault
from bot.models.protocols.anthropic import AnthropicModel
from bot.models.protocols.openai import OpenAIModel
from tests.contracts.model import listen, text

CERTIFICATE = Path(__file__).parents[2] / "samples" / "localhost.pem"
"""A certificate of localhost that nobody has signed, with its key: `openssl req -x509`; it protects nothing."""
COMPLETION = {"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}
MESSAGE = {"type": "message", "content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn"}


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    """A server that answers both protocols with one word, over TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(MESSAGE if request.path.endswith("messages") else COMPLETION)

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("kind", [OpenAIModel, AnthropicModel])
async def test_a_certificate_of_ssl_cert_file_is_trusted(
    kind: type[OpenAIModel | AnthropicModel], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On this machine too, where no proxy of the environment counts; without it the server is not."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(ModelError, match="cannot be reached") as caught:
        await _ask(kind, url)
    assert caught.value.fault is ModelFault.NETWORK
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert await _ask(kind, url) == "Yes."


async def _ask(kind: type[OpenAIModel | AnthropicModel], url: str) -> str:
    model = kind("openai/m", "m", SecretStr("k"), url, timeout=60, reader="Somebody")
    try:
        return text(await listen(model))
    finally:
        await model.close()
