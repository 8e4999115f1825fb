"""What a model server says of one of its models: how much that holds as it is loaded now, and whether it can see."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.domain.model_info import Facts
from bot.models.local_servers import away, entries, fetch, near, request, text

if TYPE_CHECKING:
    from aiohttp import ClientSession

DEFAULT = 4096
"""Tokens of a model's context where nobody says: Ollama's default, and LM Studio's for a model that it loads itself."""
PATIENCE = 2.0
"""Seconds that a server has for its answers."""
LENGTHS = ("max_model_len", "context_length", "context_window", "max_context_length")
"""What vLLM, OpenRouter and other servers call a model's context in their lists."""
NUM_CTX = re.compile(r"^num_ctx\s+(\d+)", re.MULTILINE)
"""The context in the parameters of a model file, as Ollama shows them."""

Ask = Callable[["ClientSession", str, str], Awaitable[Facts | None]]


@dataclass(frozen=True, slots=True)
class Description:
    """What a server says of one of its models: no `facts` where it says nothing.

    `kind` is that of the server, where it spoke in its own words; `reached` is false where nobody was there.
    """

    facts: Facts | None = None
    kind: str = ""
    reached: bool = True


async def describe(base_url: str, name: str, key: str = "", kind: str = "") -> Description:
    """Ask the server at this chat-completions base about one of its models. Never raises.

    With the `kind` of a server on this machine, as `discover` names it, that is asked in its own words. Else its list
    is read, and where that says nothing, each kind tried; only the list is asked with the key.
    """
    from aiohttp import ClientSession, ClientTimeout

    root = base_url.rstrip("/").removesuffix("/v1")
    async with ClientSession(timeout=ClientTimeout(total=PATIENCE), trust_env=away(base_url)) as session:
        if kind:
            return Description(await _KINDS[kind](session, root, name), kind)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            listed = await request(session, f"{base_url.rstrip('/')}/models", headers=headers)
        except OSError:
            return Description(reached=False)
        if told := _read_list(listed, name):
            return Description(told)
        answers = await asyncio.gather(*(ask(session, root, name) for ask in _KINDS.values()))
    said = (Description(facts, kind) for kind, facts in zip(_KINDS, answers, strict=True) if facts)
    return next(said, Description())


def _read_list(listed: Any, name: str) -> Facts | None:
    entry = _named(entries(listed, "data"), "id", name)
    length = next(filter(None, (_count(entry, key) for key in LENGTHS)), 0)
    architecture = entry.get("architecture")
    kinds = architecture.get("input_modalities") if isinstance(architecture, dict) else None
    return Facts(length, "image" in kinds if isinstance(kinds, list) else False) if length else None


async def _ask_ollama(session: ClientSession, url: str, name: str) -> Facts | None:
    """Ollama: what the model is loaded with; else what its file wishes; else Ollama's default."""
    loaded, shown = await asyncio.gather(
        fetch(session, f"{url}/api/ps"), fetch(session, f"{url}/api/show", json={"model": name})
    )
    if not isinstance(shown, dict) or not ({"capabilities", "model_info", "details"} & shown.keys()):
        return None
    wished = NUM_CTX.search(text(shown, "parameters"))
    now = _count(_named(entries(loaded, "models"), "name", name, f"{name}:latest"), "context_length")
    abilities = shown.get("capabilities")
    sees = isinstance(abilities, list) and "vision" in abilities
    return Facts(now or (int(wished[1]) if wished else DEFAULT), sees)


async def _ask_lm_studio(session: ClientSession, url: str, name: str) -> Facts | None:
    """LM Studio: what the model is loaded with; one that is not loaded yet gets the default, or less."""
    entry = _named(entries(await fetch(session, f"{url}/api/v0/models"), "data"), "id", name)
    if not entry:
        return None
    most = _count(entry, "max_context_length") or DEFAULT
    length = most if entry.get("state") == "loaded" else min(most, DEFAULT)
    return Facts(_count(entry, "loaded_context_length") or length, entry.get("type") == "vlm")


async def _ask_llama(session: ClientSession, url: str, name: str) -> Facts | None:
    """llama.cpp: the context of one slot; a server of many models is not made to load this one."""
    props = await fetch(session, f"{url}/props", params={"model": name, "autoload": "false"})
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    if not isinstance(settings, dict):
        return None
    senses = props.get("modalities")
    sees = isinstance(senses, dict) and senses.get("vision") is True
    return Facts(_count(settings, "n_ctx") or DEFAULT, sees)


_KINDS: dict[str, Ask] = {"Ollama": _ask_ollama, "LM Studio": _ask_lm_studio, "llama.cpp": _ask_llama}


def _named(listed: list[dict[str, Any]], key: str, *names: str) -> dict[str, Any]:
    """The entry with one of these names; empty: there is none."""
    return next((entry for entry in listed if text(entry, key) in names), {})


def _count(entry: dict[str, Any], key: str) -> int:
    """A number of tokens; 0 where there is none."""
    value = entry.get(key)
    return value if type(value) is int and value > 0 else 0


class Look:
    """Finds out what a model holds, again and again; what was not told once is asked no more.

    Only a server of the own network that speaks in words of its own is asked again: it may have loaded the model
    differently meanwhile. `know` makes facts of what was told, None for nothing.
    """

    def __init__(
        self, base_url: str, name: str, know: Callable[[Facts | None], Facts], key: str = "", kind: str = ""
    ) -> None:
        self._base_url = base_url
        self._name = name
        self._know = know
        self._key = key
        self._kind = kind
        self._told: Facts | None = None
        self._over = False

    async def __call__(self) -> Facts:
        """What is known now. Never raises."""
        if not self._over:
            said = await describe(self._base_url, self._name, self._key, self._kind)
            self._told, self._kind = said.facts or self._told, said.kind or self._kind
            self._over = said.reached and not (self._kind and near(self._base_url))
        return self._know(self._told)
