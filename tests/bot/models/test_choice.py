"""The model is the one that is set, or else the best that is there, in a fixed order; the log says which and why."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.config.settings import Settings
from bot.domain.errors import ModelError, ModelFault, SettingsError
from bot.domain.messages import Message, Role
from bot.domain.model_info import Cache, Facts
from bot.domain.ports import Model, Prompt
from bot.models.local_servers import Address, Server, discover, near
from bot.models.selection.select import ANTHROPIC, OPENAI, choose
from bot.models.trial.hardware import Machine, obstacle
from tests.loopback.ollama import LMStudio, Ollama, Stranger, ollama_model

PROMPT = Prompt("Be brief.", (Message(Role.USER, "Hello"),), max_tokens=10)
NOBODY = "http://127.0.0.1:9/v1"
OPENAI_KEY, ANTHROPIC_KEY = {"openai": {"api_key": "sk-1"}}, {"anthropic": {"api_key": "sk-ant-1"}}
HERE = "a model on this machine"


@dataclass
class Computer:
    """What runs on the machine that the test pretends; `looks` counts how often somebody looked."""

    servers: list[Server] = field(default_factory=list)
    looks: int = 0

    async def find(self) -> list[Server]:
        self.looks += 1
        return self.servers


RUNS = pytest.mark.skipif(bool(why := obstacle(Machine.here())), reason=why or "this machine runs model files")


def settings(**sections: dict[str, Any]) -> Settings:
    return Settings.model_validate(sections)


async def chosen(computer: Computer, **sections: dict[str, Any]) -> tuple[Model, str, list[str]]:
    """The model, why it was chosen, and what else the log says."""
    with capture_logs() as logs:
        model = await choose(settings(**sections), computer.find)
    (line,) = (entry for entry in logs if entry["event"] == "model chosen")
    assert line["model"] == model.name
    return model, line["because"], [entry["event"] for entry in logs if entry is not line]


async def ask(model: Model) -> str:
    text = "".join([piece.text async for piece in model.stream(PROMPT)])
    await model.close()
    return text


async def fault(model: Model) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(model)
    await model.close()
    return caught.value


async def ask_only(model: Model) -> str:
    return "".join([piece.text async for piece in model.stream(PROMPT)])


def strip(facts: Facts) -> Facts:
    """Without its cache, which follows from the price."""
    return replace(facts, cache=Cache())


@dataclass
class Slow(Ollama):
    """Answers nobody until it is `open`; `most` is how many waited for that at once."""

    waiting: int = 0
    most: int = 0
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        self.arrived.release()
        await self.open.wait()
        self.waiting -= 1
        return await super()._chat(request)


def ollama(*models: str) -> Server:
    return Server("Ollama", NOBODY, models)


@pytest.mark.parametrize(
    ("sections", "name", "reader", "because"),
    [
        ({"bot": {"model": "openai/gpt-x"}, **OPENAI_KEY}, "openai/gpt-x", "OpenAI", "bot.model is set"),
        (
            {"bot": {"model": "anthropic/claude-x"}, **OPENAI_KEY, **ANTHROPIC_KEY},
            "anthropic/claude-x",
            "Anthropic",
            "bot.model is set",
        ),
        (
            {"bot": {"model": "openai/org/model:7b"}, "openai": {"base_url": "https://llm.example.org/v1"}},
            "openai/org/model:7b",
            "llm.example.org",
            "bot.model is set",
        ),
        (
            {"bot": {"model": "anthropic/c"}, "anthropic": {"api_key": "k", "base_url": "https://proxy.example.org"}},
            "anthropic/c",
            "proxy.example.org",
            "bot.model is set",
        ),
        ({**OPENAI_KEY, **ANTHROPIC_KEY}, f"openai/{OPENAI}", "OpenAI", "there is an OpenAI key"),
        (ANTHROPIC_KEY, f"anthropic/{ANTHROPIC}", "Anthropic", "there is an Anthropic key"),
        ({"bot": {"model": "local/llama3.2"}, **OPENAI_KEY}, "local/llama3.2:latest", HERE, "bot.model is set"),
        ({}, "local/qwen3:4b", HERE, "Ollama runs on this machine"),
    ],
)
async def test_the_first_of_the_order_that_is_there_answers(
    sections: dict[str, dict[str, Any]], name: str, reader: str, because: str
) -> None:
    """What is set beats a key, OpenAI's key beats Anthropic's, any key beats a server on this machine."""
    computer = Computer([ollama("qwen3:4b", "llama3.2:latest")])
    model, why, others = await chosen(computer, **sections)
    assert (model.name, model.reader, model.trial, why, others) == (name, reader, False, because, [])
    assert bool(computer.looks) == (reader == HERE)
    await model.close()


@RUNS
async def test_without_anything_the_trial_model_answers_and_the_log_says_what_it_is() -> None:
    """It is chosen at once, before it is fetched or loaded, and the operator reads how to get a real one."""
    model, because, others = await chosen(Computer())
    assert (model.name, model.reader, model.trial) == ("local/SmolLM2-135M-Instruct", HERE, True)
    assert because == "nothing else was found"
    assert others == [
        "this is a tiny trial model and often wrong: set OPENAI_API_KEY or ANTHROPIC_API_KEY for a real one"
    ]
    again, _, _ = await chosen(Computer(), bot={"model": model.name})
    assert again.trial


async def test_with_everything_off_the_model_says_that_none_is_set() -> None:
    """No server is looked for where that is off; every question fails with the mend, and the log has it."""
    computer = Computer([ollama("a")])
    model, _, others = await chosen(computer, local={"discover": False, "trial": False})
    error = await fault(model)
    assert (error.fault, computer.looks, others) == (ModelFault.UNSET, 0, ["there is no model"])
    assert str(error) == (
        "No model is set: set OPENAI_API_KEY or ANTHROPIC_API_KEY, or start a local server such as Ollama."
    )


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ({"bot": {"model": "gpt-5"}}, 'but is "gpt-5".'),
        ({"bot": {"model": "openai/"}}, 'but is "openai/".'),
        ({"bot": {"model": "google/gemini"}}, 'bot.model must be "openai/<name>", "anthropic/<name>", "local/<name>"'),
        ({"bot": {"model": "openai/gpt-5"}}, "The model openai/gpt-5 needs a key: set OPENAI_API_KEY."),
        ({"bot": {"model": "anthropic/c"}, **OPENAI_KEY}, "The model anthropic/c needs a key: set ANTHROPIC_API_KEY."),
        ({"openai": {"base_url": "localhost:11434"}}, "openai.base_url must be a URL such as http://127.0.0.1"),
        ({"bot": {"model": "openai/x"}, "openai": {"base_url": "//x"}}, "openai.base_url must be a URL"),
        ({"bot": {"model": "openai/x"}, "openai": {"base_url": "http://[x/v1"}}, "openai.base_url must be a URL"),
        ({"bot": {"model": "openai/x"}, "openai": {"base_url": "http://x:99999/v1"}}, "openai.base_url must be a URL"),
        ({"anthropic": {"api_key": "k", "base_url": "x"}}, "anthropic.base_url must be a URL such as https://"),
        ({"openai": {"base_url": "https://api.openai.com/v1"}}, "needs a key: set OPENAI_API_KEY."),
        ({"bot": {"model": "local/./none.gguf"}}, "bot.model names the model file none.gguf, but there is no GGUF"),
    ],
)
async def test_a_model_that_cannot_be_is_refused_at_the_start(
    sections: dict[str, dict[str, Any]], sentence: str
) -> None:
    """One sentence names the setting or the variable, and what to write."""
    with pytest.raises(SettingsError) as caught:
        await choose(settings(**sections), Computer().find)
    assert sentence in str(caught.value)


async def test_a_file_that_is_no_model_is_refused_at_the_start(tmp_path: Path) -> None:
    """A name that looks like a path is one; the file has to begin as GGUF files do."""
    (tmp_path / "model.gguf").write_text("<html>not found</html>", encoding="utf-8")
    with pytest.raises(SettingsError, match="there is no GGUF file that can be read"):
        await choose(settings(bot={"model": f"local/{tmp_path}/model.gguf"}), Computer().find)


@RUNS
async def test_a_model_file_is_not_loaded_at_the_start(tmp_path: Path) -> None:
    """A big file takes its time: the program is ready before; it is no trial model."""
    (tmp_path / "model.gguf").write_bytes(b"GGUF, the rest is missing")
    model, _, _ = await chosen(Computer(), bot={"model": f"local/{tmp_path}/model.gguf"})
    assert (model.reader, model.trial) == (HERE, False)
    error = await fault(model)
    assert error.fault is ModelFault.UNSET
    assert f"{tmp_path}/model.gguf cannot be run" in str(error)


async def test_a_base_url_needs_neither_key_nor_name() -> None:
    """Its first chat model is taken, never an embedding or a guard one; people read the host that reads them."""
    others = ["nomic-embed-text", "meta-llama/llama-guard-4-12b", "granite-guardian-3.3", "gpt-oss-safeguard-20b"]
    server = LMStudio([{"id": name} for name in (*others, "google/shieldgemma-9b", "qwen3-4b", "other")])
    async with server.running() as url:
        model, because, warnings = await chosen(
            Computer([ollama("a")]), openai={"base_url": f"{url}/v1"}, **ANTHROPIC_KEY
        )
        assert (model.name, model.reader, because) == ("openai/qwen3-4b", "127.0.0.1", "openai.base_url is set")
        assert await ask(model) == "Hello from this machine. "
    assert (server.chats[0]["model"], warnings) == ("qwen3-4b", [])


def test_a_blank_beside_a_base_url_is_no_part_of_it() -> None:
    """Copied from a page it often comes along."""
    for section in ("openai", "anthropic"):
        read = settings(**{section: {"base_url": " https://llm.example.org/v1\n"}})
        assert getattr(read, section).base_url == "https://llm.example.org/v1"


async def test_a_gateway_that_has_openais_default_is_asked_for_that() -> None:
    """A long list has old models first; the known one is taken where it is there."""
    async with LMStudio([{"id": "gpt-3.5-turbo"}, {"id": OPENAI}]).running() as url:
        model, _, _ = await chosen(Computer(), openai={"base_url": f"{url}/v1"})
    assert model.name == f"openai/{OPENAI}"
    await model.close()


async def test_a_gateway_without_a_list_is_asked_for_openais_default() -> None:
    """Some list nothing but answer: the log says to name a model."""
    async with Stranger([]).running() as url:
        model, _, others = await chosen(Computer(), openai={"base_url": f"{url}/v1"})
    assert (model.name, others) == (f"openai/{OPENAI}", ["the model server lists no chat model: set bot.model"])
    await model.close()


async def test_a_base_url_that_does_not_answer_yet_is_asked_again_at_the_first_question() -> None:
    """The program starts all the same, says so, and fails with NETWORK until the server is there."""
    server = LMStudio([{"id": "qwen3-4b"}], broken=True)
    async with server.running() as url:
        model, _, others = await chosen(Computer(), openai={"base_url": f"{url}/v1"})
        assert others == ["the model server does not answer; it is asked again at the first question"]
        error = await fault(model)
        assert (error.fault, f"{url}/v1 does not answer" in str(error)) == (ModelFault.NETWORK, True)
        server.broken = False
        assert await ask(model) == "Hello from this machine. "
    assert model.name == "openai/qwen3-4b"


async def test_a_local_model_that_is_not_there_yet_is_looked_for_at_the_first_question() -> None:
    """The name is accepted at the start; the fault names what runs instead."""
    server = Ollama([ollama_model("qwen3:4b")])
    async with server.running() as url:
        computer = Computer([ollama("other")])
        model, _, others = await chosen(computer, bot={"model": "local/qwen3:4b"})
        assert others == ["the local model is not there; it is looked for at the first question"]
        error = await fault(model)
        assert error.fault is ModelFault.MODEL
        assert str(error) == "No server on this machine has qwen3:4b; running: Ollama with other."
        computer.servers = await discover([Address("Ollama", url)], 20)
        assert await ask(model) == "Hello from this machine. "
    assert model.reader == HERE


@pytest.mark.parametrize(
    ("environment", "own"),
    [
        ({"OPENAI_API_KEY": "sk-1"}, ["openai"]),
        ({"ANTHROPIC_API_KEY": "sk-1"}, ["anthropic"]),
        ({"PARLEY_LOCAL__DISCOVER": "false", "PARLEY_LOCAL__TRIAL": "false"}, []),
    ],
)
def test_only_what_is_chosen_is_imported(environment: dict[str, str], own: list[str], tmp_path: Path) -> None:
    """The providers' SDKs take seconds to import: the choice pays for none of them, what follows for its own alone."""
    script = f"""
import asyncio, sys
sys.path.insert(0, {str(Path.cwd())!r})
from bot.config.settings import Settings
from bot.config.load import load
from bot.models.selection.select import choose

def imported():
    return [name for name in ("openai", "anthropic", "xllamacpp") if name in sys.modules]

async def story():
    model = await choose(load(Settings, None, {environment!r}))
    before = imported()
    if hasattr(model, "warm"):
        await model.warm()
    await model.close()
    print(before, imported())

asyncio.run(story())
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.stdout.splitlines()[-1:] == [f"[] {own!r}"], ended.stderr


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://127.0.0.1:11434/v1", True),
        ("http://[::1]:8080/v1", True),
        ("http://localhost:1234/v1", True),
        ("http://192.168.1.20:11434/v1", True),
        ("http://10.0.0.5/v1", True),
        ("http://[fd00::7]:8000/v1", True),
        ("http://100.100.7.1:11434/v1", True),
        ("http://ollama:11434/v1", True),
        ("http://host.docker.internal:11434/v1", True),
        ("http://nas.local/v1", True),
        ("https://llm.example.org/v1", False),
        ("https://api.openai.com/v1", False),
        ("http://8.8.8.8/v1", False),
        ("https://local.example.com/v1", False),
        ("", False),
    ],
)
def test_a_server_of_the_own_network_is_known_by_its_address(url: str, own: bool) -> None:
    """The machine itself, a private address, a name that only the own network knows; nothing is looked up."""
    assert near(url) is own
