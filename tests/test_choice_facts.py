"""What is known of the model that was chosen: what it holds, costs, and how many answers it writes at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.errors import SettingsError
from bot.facts import Facts, Price
from bot.models.choice import choose
from bot.models.discovery import Address, discover
from tests.loopback.ollama import Gateway, Ollama, ollama_model
from tests.test_choice import (
    ANTHROPIC_KEY,
    OPENAI_KEY,
    PROMPT,
    Computer,
    Slow,
    ask,
    ask_only,
    chosen,
    settings,
    strip,
)


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"bot": {"model": "openai/gpt-4o"}, **OPENAI_KEY}, Facts(128_000, True, True, Price(2.5, 10, 1.25, 2.5))),
        ({"bot": {"model": "openai/gpt-new"}, **OPENAI_KEY}, Facts(128_000)),
        ({"bot": {"model": "openai/gpt-new"}, "openai": {"api_key": "k", "context": 9000}}, Facts(9000)),
        ({"bot": {"model": "anthropic/claude-new"}, **ANTHROPIC_KEY}, Facts(200_000, True, True)),
        (
            {"bot": {"model": "anthropic/c"}, "anthropic": {"api_key": "k", "base_url": "https://x.org", "context": 9}},
            Facts(9),
        ),
        ({"bot": {"model": "anthropic/c"}, "anthropic": {"api_key": "k", "base_url": "https://x.org"}}, Facts(4096)),
        (
            {"bot": {"model": "openai/a"}, **OPENAI_KEY, "models": {"openai/a": {"context": 7, "images": True}}},
            Facts(7, images=True),
        ),
    ],
)
async def test_what_is_known_of_a_model_is_known_at_once(sections: dict[str, dict[str, Any]], expected: Facts) -> None:
    """Before anything is imported or asked, and after the model is made just the same."""
    model, _, _ = await chosen(Computer(), **sections)
    assert strip(model.facts) == expected
    await model.warm()  # type: ignore[attr-defined]
    assert strip(model.facts) == expected
    await model.close()


async def test_a_local_server_says_what_its_model_holds() -> None:
    """When the model is made, and again after each answer; a table in the settings beats what it says."""
    entry = ollama_model("a:1b", loaded=True, context_length=8192, capabilities=["completion", "vision"])
    server = Ollama([entry])
    async with server.running() as url:
        computer = Computer(await discover([Address("Ollama", url)], 20))
        model, _, _ = await chosen(computer)
        assert model.facts == Facts(4096)
        await model.warm()  # type: ignore[attr-defined]
        assert model.facts == Facts(8192, images=True)
        entry["context_length"] = 2048
        assert [piece.text async for piece in model.stream(PROMPT)]
        assert model.facts == Facts(2048, images=True)
        await model.close()
        prices = {"local/a:1b": {"images": False, "input": 0, "output": 0}}
        model, _, _ = await chosen(computer, bot={"model": "local/a:1b"}, models=prices)
        await model.warm()  # type: ignore[attr-defined]
        assert strip(model.facts) == Facts(2048, price=Price(0, 0, 0, 0))
        await model.close()


@pytest.mark.parametrize(("context", "expected"), [(0, 32_768), (5000, 5000)])
async def test_a_server_at_a_base_url_says_what_its_model_holds(context: int, expected: int) -> None:
    """With its key; `openai.context` beats it. It is asked for its facts again after each answer."""
    server = Gateway([{"id": "org/m", "max_model_len": 32_768}], key="k")
    async with server.running() as url:
        section = {"base_url": f"{url}/v1", "api_key": "k", "context": context}
        model, _, _ = await chosen(Computer(), bot={"model": "openai/org/m"}, openai=section)
        assert model.facts == Facts(context or 4096)
        assert await ask(model) == "Hello from this machine. "
    assert model.facts == Facts(expected)
    assert server.asked == ["/v1/models", "/v1/chat/completions", "/v1/models"]


@pytest.mark.parametrize("most", [1, 3])
async def test_a_local_model_writes_so_many_answers_at_a_time(most: int) -> None:
    """As `local.parallel` says; the other questions reach the server when one of the first is answered."""
    server = Slow([ollama_model("a:1b")])
    async with server.running() as url:
        computer = Computer(await discover([Address("Ollama", url)], 20))
        model, _, _ = await chosen(computer, local={"parallel": most})
        answers = [asyncio.create_task(ask_only(model)) for _ in range(5)]
        for _ in range(most):
            await server.arrived.acquire()
        for _ in range(10):  # whatever else was asked has arrived by then
            await discover([Address("Ollama", url)], 20)
        server.open.set()
        assert await asyncio.gather(*answers) == ["Hello from this machine. "] * 5
        await model.close()
    assert server.most == most


async def test_half_a_price_is_refused_at_the_start() -> None:
    """Also for a model that is only looked for later."""
    for name in ("openai/new", "local/new"):
        with pytest.raises(SettingsError, match="input and output must both be set"):
            await choose(settings(bot={"model": name}, models={name: {"input": 1}}, **OPENAI_KEY), Computer().find)
