"""Servers on this machine are found, told apart, and asked for a model that can hold a conversation."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.domain.model_info import Facts
from bot.models.local_servers import Address, Server, discover, list_models
from bot.models.selection.context_probe import Description, describe
from tests.loopback.ollama import Gateway, Llama, LMStudio, LocalServer, Ollama, Stranger, ollama_model

AMPLE = 20.0
"""Seconds enough for a loopback server on the slowest machine."""
NOBODY = "http://127.0.0.1:9"


async def find(kind: str, server: LocalServer) -> list[Server]:
    async with server.running() as url:
        return await discover([Address(kind, url)], AMPLE)


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ([ollama_model("llama3.2:3b"), ollama_model("qwen3:4b", loaded=True)], ("qwen3:4b", "llama3.2:3b")),
        ([ollama_model("nomic-embed-text:latest", "nomic-bert", loaded=True), ollama_model("a:1b")], ("a:1b",)),
        ([ollama_model("paraphrase:latest", "xlm-roberta-bert"), ollama_model("a:1b")], ("a:1b",)),
        ([ollama_model("e:1", capabilities=["embedding"]), ollama_model("a", capabilities=["completion"])], ("a",)),
        ([ollama_model("e:1", capabilities=["embedding"], loaded=True), ollama_model("a:1b")], ("a:1b",)),
        ([ollama_model("gpt-oss:120b-cloud"), ollama_model("kimi-k2:cloud"), ollama_model("a:1b")], ("a:1b",)),
        ([ollama_model("mine", remote_host="https://ollama.com:443"), ollama_model("a:1b")], ("a:1b",)),
    ],
)
async def test_ollama_gives_its_loaded_chat_model(models: list[dict[str, object]], expected: tuple[str, ...]) -> None:
    """The loaded model comes first; embedding models and those that Ollama sends to the cloud are never taken."""
    (server,) = await find("Ollama", Ollama(models))
    assert server.models == expected
    assert server.base_url.endswith("/v1")


@pytest.mark.parametrize("models", [[], [ollama_model("all-minilm", "bert")], [ollama_model("big:cloud")]])
async def test_a_server_without_a_chat_model_is_none(models: list[dict[str, object]]) -> None:
    """A server that has nothing to talk to does not count as found."""
    assert await find("Ollama", Ollama(models)) == []


async def test_lm_studio_gives_its_loaded_language_model() -> None:
    """The type tells language models from embedding ones, the state which is loaded."""
    models = [
        {"id": "text-embedding-nomic", "type": "embeddings", "state": "loaded"},
        {"id": "gemma-3-4b", "type": "vlm", "state": "not-loaded"},
        {"id": "qwen3-4b", "type": "llm", "state": "loaded"},
    ]
    (server,) = await find("LM Studio", LMStudio(models))
    assert server.models == ("qwen3-4b", "gemma-3-4b")


async def test_lm_studio_with_embedding_models_only_is_none() -> None:
    """Where the types are known, the plain list is not asked for a second opinion."""
    assert await find("LM Studio", LMStudio([{"id": "arctic", "type": "embeddings", "state": "loaded"}])) == []


async def test_an_older_lm_studio_is_found_by_its_plain_list() -> None:
    """Without types the names decide."""
    models = [{"id": "text-embedding-nomic-embed-text-v1.5"}, {"id": "qwen3-4b"}]
    (server,) = await find("LM Studio", LMStudio(models, old=True))
    assert server.models == ("qwen3-4b",)


@pytest.mark.parametrize(("owner", "props"), [("llamacpp", False), ("somebody", True)])
async def test_llama_cpp_says_that_it_is_one(owner: str, props: bool) -> None:
    """Either its own page or the owner of its models proves it; a loaded model comes first."""
    models = [{"id": "b.gguf", "status": {"value": "unloaded"}}, {"id": "a.gguf", "status": {"value": "loaded"}}]
    (server,) = await find("llama.cpp", Llama(models, owner=owner, props=props))
    assert server.models == ("a.gguf", "b.gguf")


@pytest.mark.parametrize("kind", ["Ollama", "LM Studio", "llama.cpp"])
@pytest.mark.parametrize(
    ("page", "media_type"),
    [
        ("<!doctype html><title>Jenkins</title>", "text/html"),
        ("{}", "application/json"),
        ("[1, 2]", "application/json"),
        ('"models"', "application/json"),
        (json.dumps({"data": [{"id": 7}, "x", None], "models": [{"name": None}]}), "application/json"),
        (json.dumps({"data": {"id": "x"}, "models": "y"}), "application/json"),
    ],
)
async def test_another_program_is_not_mistaken_for_a_model(kind: str, page: str, media_type: str) -> None:
    """Whatever a program on one of the ports answers, only a model server is taken for one."""
    assert await find(kind, Stranger([], page=page, media_type=media_type)) == []


async def test_a_server_with_models_on_llama_cpps_port_has_to_be_llama_cpp() -> None:
    """Port 8080 is anybody's: a list of models alone proves nothing there."""
    assert await find("llama.cpp", Llama([{"id": "gpt-5"}], owner="gateway", props=False)) == []


async def test_a_redirect_is_not_followed() -> None:
    """A program that sends the asker elsewhere does not make Parley ask there."""
    elsewhere = Ollama([ollama_model("a:1b")])
    async with elsewhere.running() as url:
        assert await find("Ollama", Stranger([], elsewhere=url)) == []
    assert elsewhere.asked == []


async def test_only_loopback_is_asked() -> None:
    """An address of another machine is passed over, and nothing is sent there."""
    assert await discover([Address("Ollama", "http://192.0.2.1:11434")]) == []


async def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment sees nothing of what goes to this machine."""
    proxy = Stranger([])
    async with proxy.running() as url:
        monkeypatch.setenv("http_proxy", url)
        (server,) = await find("Ollama", Ollama([ollama_model("a:1b")]))
        async with (plain := Ollama([ollama_model("a:1b")])).running() as own:
            assert await list_models(f"{own}/v1", "", AMPLE) == ["a:1b"]
    assert (server.kind, proxy.asked, plain.asked) == ("Ollama", [], ["/v1/models"])


async def test_a_server_that_hangs_does_not_hold_the_others_up() -> None:
    """All are asked at once; one that never answers is given up, the rest is found in the given order."""
    hanging, studio, llama = Ollama([], silent=True), LMStudio([{"id": "a"}], old=True), Llama([{"id": "b"}])
    async with hanging.running() as one, studio.running() as two, llama.running() as three, asyncio.timeout(AMPLE):
        found = await discover([Address("Ollama", one), Address("LM Studio", two), Address("llama.cpp", three)], 2)
    assert [server.kind for server in found] == ["LM Studio", "llama.cpp"]


async def test_nobody_there_is_no_error() -> None:
    """Closed ports are simply not servers."""
    assert await discover([Address(kind, NOBODY) for kind in ("Ollama", "LM Studio", "llama.cpp")], AMPLE) == []


async def test_the_models_of_a_base_url_are_its_chat_models() -> None:
    """Names that say embedding, speech or images are left out; a slash at the end of the URL does not matter."""
    names = ["text-embedding-3-small", "whisper-1", "tts-1", "bge-m3", "dall-e-3", "llama3.2", "all-minilm:l6"]
    async with LMStudio([{"id": name} for name in names]).running() as url:
        assert await list_models(f"{url}/v1/", "", AMPLE) == ["llama3.2"]


async def test_a_base_url_that_answers_without_a_list_has_no_models() -> None:
    """A gateway without a list is there, but lists nothing; one that is not there is something else."""
    async with Stranger([]).running() as url:
        assert await list_models(f"{url}/v1", "", AMPLE) == []
        assert await list_models(f"{url}/missing", "key", AMPLE) == []
    assert await list_models(f"{NOBODY}/v1", "", AMPLE) is None


async def facts(server: LocalServer, name: str = "m", key: str = "", kind: str = "") -> Facts | None:
    async with server.running() as url:
        return (await describe(f"{url}/v1", name, key, kind)).facts


@pytest.mark.parametrize(
    ("entry", "context", "sees"),
    [
        (ollama_model("m:latest"), 4096, False),
        (ollama_model("m:latest", parameters='stop "<|im|>"\nnum_ctx                        16384'), 16384, False),
        (ollama_model("m:latest", parameters="num_ctx 16384", loaded=True, context_length=8192), 8192, False),
        (ollama_model("m:latest", context_length=8192), 4096, False),
        (ollama_model("m:latest", capabilities=["completion", "vision"]), 4096, True),
    ],
)
@pytest.mark.parametrize("kind", ["Ollama", ""])
async def test_ollama_says_what_a_model_is_loaded_with(
    entry: dict[str, object], context: int, sees: bool, kind: str
) -> None:
    """What it is loaded with counts, else what its file wishes, else Ollama's default; never what it was trained for.

    The same comes of a base URL of which nobody said that it is Ollama's.
    """
    assert await facts(Ollama([ollama_model("other", loaded=True, context_length=99), entry]), kind=kind) == Facts(
        context, sees
    )


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {"type": "llm", "state": "loaded", "loaded_context_length": 8192, "max_context_length": 131_072},
            Facts(8192),
        ),
        ({"type": "llm", "state": "loaded", "max_context_length": 32_768}, Facts(32_768)),
        ({"type": "llm", "state": "not-loaded", "max_context_length": 32_768}, Facts(4096)),
        ({"type": "llm", "state": "not-loaded", "max_context_length": 2048}, Facts(2048)),
        ({"type": "vlm", "state": "not-loaded"}, Facts(4096, images=True)),
    ],
)
@pytest.mark.parametrize("kind", ["LM Studio", ""])
async def test_lm_studio_says_what_a_model_is_loaded_with(entry: dict[str, object], expected: Facts, kind: str) -> None:
    """A model that it has yet to load is taken to get the default, not the most that it could."""
    assert await facts(LMStudio([{"id": "other", "type": "vlm"}, {"id": "m", **entry}]), kind=kind) == expected


@pytest.mark.parametrize(
    ("context", "vision", "expected"),
    [(8192, False, Facts(8192)), (65_536, True, Facts(65_536, images=True)), (0, False, Facts(4096))],
)
@pytest.mark.parametrize("kind", ["llama.cpp", ""])
async def test_llama_cpp_says_what_a_slot_holds(context: int, vision: bool, expected: Facts, kind: str) -> None:
    """0 is what a server of many models says of one that is not loaded."""
    assert await facts(Llama([{"id": "m"}], context=context, vision=vision), kind=kind) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"max_model_len": 32_768}, Facts(32_768)),
        (
            {"context_length": 131_072, "architecture": {"input_modalities": ["text", "image"]}},
            Facts(131_072, images=True),
        ),
        ({"context_length": 131_072, "architecture": {"input_modalities": ["text"]}}, Facts(131_072)),
        ({"context_window": 200_000}, Facts(200_000)),
        ({}, None),
        ({"context_length": "long", "architecture": ["text"]}, None),
        ({"max_model_len": True}, None),
    ],
)
async def test_the_list_of_a_gateway_says_what_a_model_holds(entry: dict[str, object], expected: Facts | None) -> None:
    """vLLM, OpenRouter and others each have their word for it; the key is sent, and no other entry is read."""
    listed = [{"id": "other", "max_model_len": 9}, {"id": "m", **entry}]
    assert await facts(Gateway(listed, key="k"), key="k") == expected
    assert await facts(Gateway(listed, key="k"), key="wrong") is None


@pytest.mark.parametrize("kind", ["Ollama", "LM Studio", "llama.cpp", ""])
@pytest.mark.parametrize("page", ["<!doctype html>", "{}", "[1]", '{"data": 3, "models": {}}'])
async def test_a_server_that_does_not_say_is_no_error(kind: str, page: str) -> None:
    """Whatever comes back instead, nothing is known, and nothing is raised."""
    assert await facts(Stranger([], page=page, media_type="application/json"), kind=kind) is None


async def test_a_server_that_is_not_there_is_no_error() -> None:
    """Nothing is known of its models."""
    assert await describe(f"{NOBODY}/v1", "m") == Description(reached=False)
