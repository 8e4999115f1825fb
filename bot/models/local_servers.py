"""Which model servers run on this machine, and which of their models can hold a conversation."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import ClientSession

LOOPBACK = ("127.0.0.1", "::1", "localhost")
OWN = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
"""How names end that are only known in one's own network, beside those without a dot, as containers have them."""
PATIENCE = 0.5
"""Seconds that all servers together have for their answers: loopback, and asked at the same time."""

NOT_CHAT = re.compile(
    r"embed|rerank|whisper|transcri|moderation|dall-e|image|audio|realtime|sora|babbage|davinci"
    r"|guard|shieldgemma|reward|classif|\bocr\b|speech|voice|video|diffusion"
    r"|\b(?:bge|gte|e5|tts|clip|all-minilm)\b",
    re.IGNORECASE,
)
"""What the names of models say that do not hold a conversation: the lists of servers do not tell them apart."""
NOT_CHAT_FAMILIES = re.compile(r"bert|clip", re.IGNORECASE)
"""Model families, as Ollama names them, that only embed."""
CLOUD = re.compile(r"[:-]cloud$", re.IGNORECASE)
"""The end of the names that Ollama gives to models which it does not run itself but sends elsewhere."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a kind of server listens by default: `kind` is its name for people, `url` has no path."""

    kind: str
    url: str


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answered: `base_url` is its chat-completions base, `models` its chat models, the loaded first."""

    kind: str
    base_url: str
    models: tuple[str, ...]


ADDRESSES = (
    Address("Ollama", "http://127.0.0.1:11434"),
    Address("LM Studio", "http://127.0.0.1:1234"),
    Address("llama.cpp", "http://127.0.0.1:8080"),
)
"""The default ports of each project's own documentation, in the order of preference."""


async def discover(addresses: Iterable[Address] = ADDRESSES, patience: float = PATIENCE) -> list[Server]:
    """The servers that run at these loopback addresses and have a chat model, in the given order; never raises.

    Takes at most `patience` seconds. Nothing is asked that is not loopback, no proxy is used, no redirect followed.
    """
    from aiohttp import ClientSession, ClientTimeout

    async with ClientSession(timeout=ClientTimeout(total=patience), trust_env=False) as session:
        found = await asyncio.gather(*(_probe(session, address) for address in addresses))
    return [server for server in found if server]


async def list_models(base_url: str, key: str, patience: float) -> list[str] | None:
    """The chat models that a chat-completions server lists; None if it cannot be reached in so many seconds.

    The environment's proxy is used, except on the way to this machine itself.
    """
    from aiohttp import ClientError, ClientSession, ClientTimeout

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=patience), trust_env=away(base_url)) as session,
            session.get(f"{base_url.rstrip('/')}/models", headers=headers) as response,
        ):
            listed = entries(await response.json(content_type=None), "data") if response.ok else []
    except (ClientError, TimeoutError, OSError):
        return None
    except ValueError:
        return []
    return [name for entry in listed if (name := text(entry, "id")) and not NOT_CHAT.search(name)]


async def _probe(session: ClientSession, address: Address) -> Server | None:
    if urlsplit(address.url).hostname not in LOOPBACK:
        return None
    models = [name for name in await _KINDS[address.kind](session, address.url) if not NOT_CHAT.search(name)]
    return Server(address.kind, f"{address.url}/v1", tuple(dict.fromkeys(models))) if models else None


async def _ask_ollama(session: ClientSession, url: str) -> list[str]:
    """Ollama's loaded models, then those that are only installed."""
    loaded, installed = await asyncio.gather(fetch(session, f"{url}/api/ps"), fetch(session, f"{url}/api/tags"))
    found = entries(installed, "models")
    known = {text(entry, "name"): entry for entry in found}
    found = [{**known.get(text(entry, "name"), {}), **entry} for entry in entries(loaded, "models")] + found
    return [text(entry, "name") for entry in found if text(entry, "name") and _chats(entry)]


def _chats(entry: dict[str, Any]) -> bool:
    """Whether an entry of Ollama's lists is a model that it runs here and that can hold a conversation."""
    if entry.get("remote_host") or entry.get("remote_model") or CLOUD.search(text(entry, "name")):
        return False
    capabilities = entry.get("capabilities")
    if isinstance(capabilities, list) and capabilities:
        return "completion" in capabilities
    details = entry.get("details")
    return not NOT_CHAT_FAMILIES.search(text(details, "family") if isinstance(details, dict) else "")


async def _ask_lm_studio(session: ClientSession, url: str) -> list[str]:
    """LM Studio's language models, the loaded first; an older one only lists names."""
    own, plain = await asyncio.gather(fetch(session, f"{url}/api/v0/models"), fetch(session, f"{url}/v1/models"))
    if found := [entry for entry in entries(own, "data") if entry.get("type") in ("llm", "vlm")]:
        found.sort(key=lambda entry: entry.get("state") != "loaded")
    elif not entries(own, "data"):
        found = [entry for entry in entries(plain, "data") if entry.get("object") == "model"]
    return [text(entry, "id") for entry in found if text(entry, "id")]


async def _ask_llama(session: ClientSession, url: str) -> list[str]:
    """The model of a llama.cpp server; port 8080 is anybody's, so it has to say that it is one."""
    listed, props = await asyncio.gather(fetch(session, f"{url}/v1/models"), fetch(session, f"{url}/props"))
    genuine = isinstance(props, dict) and "default_generation_settings" in props
    found = [entry for entry in entries(listed, "data") if genuine or entry.get("owned_by") == "llamacpp"]
    found.sort(key=lambda entry: text(entry.get("status"), "value") not in ("", "loaded"))
    return [text(entry, "id") for entry in found if text(entry, "id")]


_KINDS: dict[str, Callable[[ClientSession, str], Awaitable[list[str]]]] = {
    "Ollama": _ask_ollama,
    "LM Studio": _ask_lm_studio,
    "llama.cpp": _ask_llama,
}


async def fetch(session: ClientSession, url: str, **more: Any) -> Any:
    """What a URL answers as JSON, None for anything else; with `json`, what it answers to that."""
    try:
        return await request(session, url, **more)
    except OSError:
        return None


async def request(session: ClientSession, url: str, **more: Any) -> Any:
    """As `fetch`, but raises OSError where nobody can be reached."""
    from aiohttp import ClientConnectionError, ClientError

    try:
        async with session.request("POST" if "json" in more else "GET", url, allow_redirects=False, **more) as response:
            return await response.json(content_type=None) if response.status == 200 else None
    except TimeoutError:
        return None
    except ClientConnectionError as error:
        raise ConnectionError(str(error)) from None
    except (ClientError, ValueError):
        return None


def away(url: str) -> bool:
    """Whether a URL is not of this machine."""
    return urlsplit(url).hostname not in LOOPBACK


def near(url: str) -> bool:
    """Whether a URL is of this machine or its own network, as far as its host's name or address says it."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return not ip_address(host).is_global
    except ValueError:
        return bool(host) and ("." not in host or host.endswith(OWN))


def entries(answer: Any, key: str) -> list[dict[str, Any]]:
    """The objects of a list in an answer; nothing if the answer has another shape."""
    listed = answer.get(key) if isinstance(answer, dict) else None
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def text(entry: Any, key: str) -> str:
    """The text of an entry; empty if it has none."""
    value = entry.get(key) if isinstance(entry, dict) else None
    return value if isinstance(value, str) else ""
