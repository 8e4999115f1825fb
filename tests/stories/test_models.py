"""Models that hang, refuse, think or are slow: `parley` as a process between people and such a provider."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot import texts
from bot.domain.errors import ModelFault
from bot.models.wrappers.circuit_breaker import THRESHOLD
from tests.loopback.anthropic import FakeAnthropic
from tests.loopback.ollama import Gateway
from tests.loopback.openai import FakeOpenAI, chunk
from tests.support.program import Program, asking, call
from tests.support.webserver import asked

MODEL = {"PARLEY_BOT__MODEL": "openai/test-model"}


async def post(program: Program, message: str) -> tuple[int, Any]:
    """POST /chat: the status, and the answer or the sentence."""
    async with program.http.post("/chat", json=asked(message, None)) as response:
        body = await response.json()
        return response.status, body.get("response") or body.get("error")


async def test_one_persons_refused_input_and_a_models_silence_cost_nobody_an_answer(tmp_path: Path) -> None:
    """Flagged inputs open no circuit; a model that is alive is waited for; thinking without an answer is told as that.

    All of it is in the books, and `parley check` says that the model's end is near.
    """
    async with FakeOpenAI() as model:
        model.about = {"test-model": {"shutdown_date": (datetime.now(UTC).date() + timedelta(10)).isoformat()}}
        environ = {**MODEL, "PARLEY_OPENAI__TIMEOUT": "4", **asking(model)}
        async with Program(tmp_path, **environ) as parley:
            for number in range(THRESHOLD):
                model.refuse(403, "", "Input was flagged")
                status, _ = await post(parley, f"something bad {number}")
                assert status == 502
            assert await post(parley, "harmless") == (200, "You said: harmless")

            script = model.script()
            asking_ = asyncio.create_task(post(parley, "think"))
            await script.alive(2.2)
            await script.raw(chunk({"role": "assistant", "content": "", "reasoning_details": [{"data": "x"}]}))
            await script.alive(2.2)
            await script.send("Thought long.")
            await script.end()
            assert await asking_ == (200, "Thought long.")

            before = model.asked
            script = model.script()
            asking_ = asyncio.create_task(post(parley, "think for ever"))
            await script.raw(chunk({}, "length"))
            await script.raw(b'data: {"choices": [], "usage": {"prompt_tokens": 5000, "completion_tokens": 7000}}\n\n')
            await script.raw(b"data: [DONE]\n\n")
            script.close()
            assert await asking_ == (502, texts.FAULTS[ModelFault.LENGTH])
            assert model.asked == before + 1
            warned = await parley.logged("the admins are told", kind="shutdown openai/test-model 14")
            assert "in 10 days" in warned["sentence"]
        (total,) = [line for line in (await call(tmp_path, "usage")).out.splitlines() if line.startswith("total")]
        assert "7,0" in total
        checked = await call(tmp_path, "check", **environ)
    assert checked.code == 1
    assert "shut down by its provider" in " ".join(checked.out.split())


async def test_a_fallback_model_is_asked_instead_of_a_long_wait(tmp_path: Path) -> None:
    """A wait that would take the fallback's share of the time is not kept; the answer comes at once."""
    async with FakeOpenAI() as first, FakeAnthropic(models=["claude-x"]) as second:
        first.refuse(429, "rate_limit_exceeded", "Slow down", {"Retry-After": "16"})
        environ = {
            **MODEL,
            **asking(first),
            "PARLEY_BOT__FALLBACK_MODELS": "anthropic/claude-x",
            "ANTHROPIC_API_KEY": second.key,
            "ANTHROPIC_BASE_URL": second.base_url,
            "PARLEY_ANTHROPIC__TIMEOUT": "60",
        }
        async with Program(tmp_path, **environ) as parley:
            assert await post(parley, "hello") == (200, "You said: hello")
    assert (first.asked, second.asked) == (1, 1)


async def test_a_server_that_says_nothing_of_its_models_is_left_in_peace(tmp_path: Path) -> None:
    """What nobody tells is asked once and in the background, however many answers there are."""
    server = Gateway([{"id": "org/m"}])
    async with server.running() as url:
        environ = {"PARLEY_BOT__MODEL": "openai/org/m", "OPENAI_BASE_URL": f"{url}/v1"}
        async with Program(tmp_path, **environ) as parley:
            for _ in range(3):
                assert await post(parley, "hello") == (200, "Hello from this machine. ")
            assert await parley.stop() == 0
    assert server.asked.count("/v1/chat/completions") == 3
    assert max(server.asked.count(path) for path in ("/api/ps", "/api/show", "/api/v0/models", "/props")) == 1
