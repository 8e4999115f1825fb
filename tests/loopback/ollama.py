"""Model servers as people run them: Ollama, LM Studio, llama.cpp, vLLM or a gateway; and a program that is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]


@dataclass
class LocalServer:
    """A server on a free loopback port; `asked` are the paths it was asked for, `chats` the bodies of its chats.

    While `silent` it never answers, while `broken` it breaks every connection.
    """

    models: list[Json]
    reply: str = "Hello from this machine."
    asked: list[str] = field(default_factory=list)
    chats: list[Json] = field(default_factory=list)
    url: str = ""
    silent: bool = False
    broken: bool = False

    def routes(self) -> list[web.RouteDef]:
        """What this kind of server answers, beside chats."""
        return []

    def names(self) -> list[str]:
        """The models that it accepts in a chat."""
        return [model["id"] for model in self.models]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve; gives the address without a path."""
        app = web.Application(middlewares=[self._note])
        app.add_routes([*self.routes(), web.post("/v1/chat/completions", self._chat)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        try:
            yield self.url
        finally:
            await runner.cleanup()

    @web.middleware
    async def _note(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.silent:
            await asyncio.Event().wait()
        if self.broken and request.transport:
            request.transport.abort()
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.chats.append(body)
        if body["model"] not in self.names():
            return web.json_response({"error": {"message": f"model '{body['model']}' not found"}}, status=404)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for word in self.reply.split(" "):
            await _send(answer, [{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}])
        await _send(answer, [{"index": 0, "delta": {}, "finish_reason": "stop"}])
        if body.get("stream_options", {}).get("include_usage"):
            await _send(answer, [], {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13})
        await answer.write(b"data: [DONE]\n\n")
        return answer


async def _send(answer: web.StreamResponse, choices: list[Json], usage: Json | None = None) -> None:
    chunk = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
        "usage": usage,
    }
    await answer.write(f"data: {json.dumps(chunk)}\n\n".encode())


@dataclass
class Ollama(LocalServer):
    """Ollama: `models` are the entries of `/api/tags`; those with `loaded` set are in `/api/ps` too.

    `context_length` is what a model is loaded with, `parameters` the text that `/api/show` has of its file.
    """

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/tags", self._tags),
            web.get("/api/ps", self._ps),
            web.post("/api/show", self._show),
            web.get("/v1/models", self._list),
        ]

    def names(self) -> list[str]:
        return [model["name"] for model in self.models]

    async def _tags(self, _: web.Request) -> web.Response:
        kept = [_without(model, "loaded", "context_length", "parameters") for model in self.models]
        return web.json_response({"models": kept})

    async def _show(self, request: web.Request) -> web.Response:
        name = (await request.json())["model"]
        found = [model for model in self.models if model["name"] in (name, f"{name}:latest")]
        if not found:
            return web.json_response({"error": f"model '{name}' not found"}, status=404)
        shown = {"modelfile": "", "parameters": found[0].get("parameters", ""), "template": ""}
        about = {"details": found[0]["details"], "model_info": {"llama.context_length": 131_072}}
        abilities = {"capabilities": found[0].get("capabilities", ["completion"])}
        return web.json_response({**shown, **about, **abilities})

    async def _ps(self, _: web.Request) -> web.Response:
        loaded = [
            _without(model, "loaded", "capabilities", "parameters") for model in self.models if model.get("loaded")
        ]
        return web.json_response({"models": loaded})

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [_listed(name, "library") for name in self.names()]})


@dataclass
class LMStudio(LocalServer):
    """LM Studio: `models` are the entries of `/api/v0/models`, which an `old` one does not have."""

    old: bool = False

    def routes(self) -> list[web.RouteDef]:
        own = [] if self.old else [web.get("/api/v0/models", self._own)]
        return [*own, web.get("/v1/models", self._list)]

    async def _own(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": self.models})

    async def _list(self, _: web.Request) -> web.Response:
        data = [_listed(name, "organization_owner") for name in self.names()]
        return web.json_response({"object": "list", "data": data})


@dataclass
class Llama(LocalServer):
    """llama.cpp's server; with `owner` set to something else it is a newer one that only `/props` gives away."""

    owner: str = "llamacpp"
    props: bool = True
    context: int = 4096
    vision: bool = False

    def routes(self) -> list[web.RouteDef]:
        own = [web.get("/props", self._props)] if self.props else []
        return [*own, web.get("/v1/models", self._list)]

    async def _props(self, _: web.Request) -> web.Response:
        settings = {"id": 0, "n_ctx": self.context, "params": {}}
        modalities = {"vision": self.vision, "audio": False}
        return web.json_response({"default_generation_settings": settings, "total_slots": 1, "modalities": modalities})

    async def _list(self, _: web.Request) -> web.Response:
        data = [{**_listed(model["id"], self.owner), **model} for model in self.models]
        return web.json_response({"object": "list", "data": data})


@dataclass
class Gateway(LocalServer):
    """vLLM, OpenRouter and their like: `models` are whole entries of their lists; with a `key` it is asked for."""

    key: str = ""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/models", self._list)]

    async def _list(self, request: web.Request) -> web.Response:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": {"message": "Unauthorized"}}, status=401)
        return web.json_response({"object": "list", "data": self.models})


@dataclass
class Stranger(LocalServer):
    """Any other program: it gives `page` to whatever is asked, or sends the asker elsewhere."""

    page: str = "<!doctype html><title>Jenkins</title>"
    media_type: str = "text/html"
    elsewhere: str = ""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/{path:.*}", self._any)]

    async def _any(self, request: web.Request) -> web.Response:
        if self.elsewhere:
            raise web.HTTPTemporaryRedirect(f"{self.elsewhere}{request.path}")
        return web.Response(text=self.page, content_type=self.media_type)


def _listed(name: str, owner: str) -> Json:
    return {"id": name, "object": "model", "created": 1, "owned_by": owner}


def _without(entry: Json, *keys: str) -> Json:
    return {key: value for key, value in entry.items() if key not in keys}


def ollama_model(name: str, family: str = "llama", **more: Any) -> Json:
    """An entry of Ollama's lists."""
    details = {"format": "gguf", "family": family, "families": [family], "parameter_size": "3.2B"}
    return {"name": name, "model": name, "size": 2_019_393_189, "digest": "a80c4f17acd5", "details": details, **more}
