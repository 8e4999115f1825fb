"""A model file (GGUF) run inside this process, by llama.cpp's own server on a loopback port."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from bot.config.models import LocalSettings
from bot.domain.errors import ModelError, ModelFault
from bot.domain.model_info import Facts
from bot.domain.ports import Piece, Prompt
from bot.models.protocols.factory import make_openai
from bot.models.trial.hardware import RUNTIME, Machine, explain, obstacle

if TYPE_CHECKING:
    from bot.models.protocols.openai import OpenAIModel

READER = "a model on this machine"
MAGIC = b"GGUF"
REMEMBERED = 64
"""Megabytes that the server may keep of earlier conversations' states; its own default is 8 GB."""


def is_model(path: Path) -> bool:
    """Whether there is a GGUF file at this path that can be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


class LocalModel:
    """A model file, loaded. No answer is longer than `longest` tokens, where that is set."""

    reader = READER

    def __init__(self, name: str, server: Any, client: OpenAIModel, trial: bool, longest: int | None) -> None:
        self.name = name
        self.trial = trial
        self.facts = client.facts
        self._server = server
        self._client = client
        self._longest = longest

    @classmethod
    async def load(
        cls,
        path: Path,
        name: str,
        settings: LocalSettings,
        *,
        trial: bool = False,
        longest: int | None = None,
        facts: Facts | None = None,
    ) -> LocalModel:
        """Load the file and serve it on a free loopback port. Raises ModelError(UNSET) with the mend."""
        key = secrets.token_hex(16)
        server = await asyncio.to_thread(_serve, path, name, key, settings)
        client = await make_openai(
            name=name,
            model=name,
            api_key=SecretStr(key),
            base_url=f"{server.listening_address}/v1",
            timeout=settings.timeout,
            reader=READER,
            trial=trial,
            facts=facts or Facts(context=settings.context),
        )
        return cls(name, server, client, trial, longest)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Answer the prompt."""
        if self._longest:
            prompt = replace(prompt, max_tokens=min(prompt.max_tokens, self._longest))
        async with aclosing(self._client.stream(prompt)) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        """End every answer and give the memory back."""
        await self._client.close()  # first: with a connection open, letting go of the server blocks for half a minute
        server, self._server = [self._server], None
        await asyncio.to_thread(server.clear)


def prepare() -> None:
    """Import the runtime, if the machine can bear it. Raises ModelError(UNSET) with the mend."""
    if why := obstacle(Machine.here()):
        raise ModelError(ModelFault.UNSET, why)
    try:
        import xllamacpp  # type: ignore[import-untyped]  # noqa: F401
    except ImportError as error:
        raise ModelError(ModelFault.UNSET, explain(str(error))) from None


def _serve(path: Path, name: str, key: str, settings: LocalSettings) -> Any:
    prepare()
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.model_alias = {name}
    parameters.n_ctx = settings.context * settings.parallel  # which it divides among them
    parameters.n_parallel = settings.parallel
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = settings.threads or max(1, _cores() - 1)
    parameters.cache_ram_mib = REMEMBERED
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [key]
    parameters.ui = parameters.endpoint_slots = False
    parameters.verbosity = 0
    try:
        return xllamacpp.Server(parameters)
    except (RuntimeError, MemoryError, OSError):
        detail = f"{path} cannot be run: it is not a model that {RUNTIME} knows, or there is too little memory for it."
        raise ModelError(ModelFault.UNSET, detail) from None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
