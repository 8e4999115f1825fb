"""What is known of the model that was chosen: what it holds, costs, and how many answers it writes at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.domain.errors import SettingsError
from bot.domain.model_info import Facts, Price
from bot.domain.ports import Model
from bot.models.local_servers import Address, discover
from bot.models.selection.context_probe import Look
from bot.models.selection.select import choose
from tests.bot.models.test_choice import (
    ANTHROPIC_KEY,
    OPENAI_KEY,
    Computer,
    Slow,
    ask,
    ask_only,
    chosen,
    settings,
    strip,
)
from tests.bot.prompts.test_summaries import ticks
from tests.loopback.ollama import Gateway, Ollama, ollama_model


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
        ({"bot": {"model": "anthropic/c"}, "anthropic": {"api_key": "k", "base_url": "https://x.org"}}, Facts(32_768)),
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
    """When the model is made, and after each answer, in the background; a table in the settings beats what it says."""
    entry = ollama_model("a:1b", loaded=True, context_length=8192, capabilities=["completion", "vision"])
    server = Ollama([entry])
    async with server.running() as url:
        computer = Computer(await discover([Address("Ollama", url)], 20))
        model, _, _ = await chosen(computer)
        assert model.facts == Facts(4096)
        await model.warm()  # type: ignore[attr-defined]
        assert model.facts == Facts(8192, images=True)
        entry["context_length"] = 2048
        assert await ask_only(model)
        await told(model, Facts(2048, images=True))
        await model.close()
        prices = {"local/a:1b": {"images": False, "input": 0, "output": 0}}
        model, _, _ = await chosen(computer, bot={"model": "local/a:1b"}, models=prices)
        await model.warm()  # type: ignore[attr-defined]
        assert strip(model.facts) == Facts(2048, price=Price(0, 0, 0, 0))
        await model.close()


@pytest.mark.parametrize(("context", "expected"), [(0, 32_768), (5000, 5000)])
async def test_a_server_at_a_base_url_says_what_its_model_holds(context: int, expected: int) -> None:
    """With its key, and once: its list does not change; `openai.context` beats it."""
    server = Gateway([{"id": "org/m", "max_model_len": 32_768}], key="k")
    async with server.running() as url:
        section = {"base_url": f"{url}/v1", "api_key": "k", "context": context}
        model, _, _ = await chosen(Computer(), bot={"model": "openai/org/m"}, openai=section)
        assert model.facts == Facts(context or 4096)
        assert await ask_only(model) == "Hello from this machine. "
        await told(model, Facts(expected))
        assert await ask(model) == "Hello from this machine. "
    assert sorted(server.asked) == ["/v1/chat/completions", "/v1/chat/completions", "/v1/models"]


async def test_what_nobody_tells_is_asked_once() -> None:
    """A gateway that knows no lengths hears no more of it, however many answers it gives."""
    server = Gateway([{"id": "org/m"}])
    async with server.running() as url:
        model, _, _ = await chosen(Computer(), bot={"model": "openai/org/m"}, openai={"base_url": f"{url}/v1"})
        await model.warm()  # type: ignore[attr-defined]
        before = list(server.asked)
        for _ in range(3):
            assert await ask_only(model) == "Hello from this machine. "
        await model.close()
    assert before.count("/v1/models") == 1
    assert server.asked == [*before, *["/v1/chat/completions"] * 3]


async def test_a_server_that_was_not_there_is_asked_once_it_is() -> None:
    """That nobody could be reached is no answer to keep."""
    server = Gateway([{"id": "org/m", "max_model_len": 32_768}], broken=True)
    async with server.running() as url:
        look = Look(f"{url}/v1", "org/m", lambda told: told or Facts())
        assert await look() == Facts()
        server.broken = False
        assert await look() == Facts(32_768)


async def test_a_server_of_a_known_kind_is_asked_in_its_own_words_alone() -> None:
    """Behind a base URL an Ollama may load its model differently: after each answer that is asked, nothing else."""
    entry = ollama_model("a:1b", loaded=True, context_length=8192)
    server = Ollama([entry])
    async with server.running() as url:
        model, _, _ = await chosen(Computer(), bot={"model": "openai/a:1b"}, openai={"base_url": f"{url}/v1"})
        await model.warm()  # type: ignore[attr-defined]
        server.asked.clear()
        entry["context_length"] = 2048
        assert await ask_only(model)
        await told(model, Facts(2048))
        await model.close()
    assert sorted(server.asked) == ["/api/ps", "/api/show", "/v1/chat/completions"]


async def told(model: Model, expected: Facts) -> None:
    """Wait until this is known of a model."""
    async for _ in ticks(20):
        if model.facts == expected:
            return


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
