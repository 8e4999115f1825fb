"""The HTTP API: ask, read back, forget."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from adapters.web.errors import ending, failure
from adapters.web.messages import AUTHOR, Asked, begin, incoming, place
from adapters.web.rate_limit import Rate, client
from adapters.web.schemas import (
    ASKING,
    BODY,
    EVENTS,
    KEY,
    KNOWN,
    About,
    Answered,
    Conversation,
    Forgotten,
    failing,
)
from adapters.web.settings import Settings
from adapters.web.transcripts import Sign, Silence, Wire
from bot.domain.messages import Caller, Incoming, Place
from bot.domain.records import Answer
from bot.engine import Engine
from bot.runtime.health import Host

ID_HEADER = "X-Conversation-Id"
LARGEST = 256 * 1024
"""Bytes of a request's body: 10,000 characters, each escaped as a pair of surrogates, are half of it."""
PATIENCE = 30.0
"""Seconds that a request's body may take."""
EVERYTHING = 1_000_000
"""Messages of one conversation; more than anyone will read back."""
UNKNOWN = "There is no such conversation, or it was forgotten. Leave conversation_id out to begin a new one."
FAST = "That was too many questions from your address in one minute. Please try again in {seconds} s."
CLOSING = "I am being restarted. Please try again in a minute."

log = structlog.get_logger(__name__)


def routes(engine: Engine, host: Host, settings: Settings) -> APIRouter:
    """The API's paths, over an engine."""
    router = APIRouter(dependencies=[KEY])
    rate = Rate(settings.rate)

    async def take(request: Request) -> Incoming:
        asker = client(request, settings.proxies)
        limit(rate, asker)
        return await accept(request, engine, host, admin=settings.private and not asker)

    @router.post("/chat", response_model=Answered, responses=ASKING | failing(409, 502, 504), openapi_extra=BODY)
    async def chat(request: Request) -> JSONResponse:
        """Ask, and have the whole answer at once; without `conversation_id` a new conversation begins."""
        question = await take(request)
        async with attended(request.receive, engine, question):
            answer = await engine.respond(question, Silence())
        if failed := failure(answer):
            raise HTTPException(*failed)
        whole = {"response": answer.text if answer else "", "conversation_id": question.channel_id, **ending(answer)}
        return JSONResponse(whole, headers={ID_HEADER: question.channel_id})

    @router.post("/chat/stream", response_class=Response, responses=ASKING | EVENTS, openapi_extra=BODY)
    async def stream(request: Request) -> Response:
        """Ask, and have the answer while it is written."""
        return Stream(engine, await take(request))

    @router.get("/conversations/{conversation}", response_model=Conversation, responses=KNOWN)
    async def history(conversation: str) -> JSONResponse:
        """Everything that was said in a conversation."""
        where = await known(engine, conversation)
        messages = await engine.memory.recall(where.key, EVERYTHING)
        spoken = [{"role": message.role.value, "content": message.content} for message in messages]
        return JSONResponse({"conversation_id": conversation, "messages": spoken})

    @router.delete("/conversations/{conversation}", response_model=Forgotten, responses=KNOWN)
    async def forget(conversation: str) -> JSONResponse:
        """Forget a conversation."""
        await engine.run_command("reset", await known(engine, conversation), Caller(AUTHOR))
        return JSONResponse({"conversation_id": conversation})

    @router.get("/about", response_model=About, responses=failing())
    async def about() -> JSONResponse:
        """Who reads what is written, and whether it is the trial model."""
        return JSONResponse({"model": {"reader": engine.model.reader, "trial": engine.model.trial}})

    return router


async def accept(request: Request, engine: Engine, host: Host, admin: bool) -> Incoming:
    """The question that a request asks."""
    asked = await read(request)
    if host.closing.is_set():
        raise HTTPException(503, CLOSING)
    if asked.conversation_id is not None:
        await known(engine, asked.conversation_id)
    return incoming(asked.message, begin() if asked.conversation_id is None else asked.conversation_id, admin)


def limit(rate: Rate, who: str) -> None:
    """Count a question; the answer to one too many is a 429. This machine is not counted."""
    if who and (seconds := rate.wait(who)):
        raise HTTPException(429, FAST.format(seconds=seconds), {"Retry-After": str(seconds)})


async def read(request: Request, patience: float = PATIENCE) -> Asked:
    """The body of a POST: JSON of a bounded size, whatever type it is said to have, come within bounded time."""
    body = bytearray()
    try:
        async with asyncio.timeout(patience):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST:
                    raise HTTPException(413, f"The body is too large: at most {LARGEST} bytes are read.")
        return Asked.model_validate_json(bytes(body))
    except TimeoutError:
        raise HTTPException(408, "The body did not come in time. Send it again.") from None
    except ValidationError as error:
        raise HTTPException(422, explain(error)) from None


def explain(error: ValidationError) -> str:
    """Every mistake in a body in one sentence each, without what was sent."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return " ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg'].removeprefix('Value error, ')}."
        for problem in problems
    )


async def known(engine: Engine, conversation: str) -> Place:
    """The place of a conversation that exists; else the answer is a 404."""
    where = place(conversation)
    if not await engine.memory.known(where.key):
        raise HTTPException(404, UNKNOWN)
    return where


@asynccontextmanager
async def attended(receive: Receive, engine: Engine, question: Incoming) -> AsyncIterator[None]:
    """Stop what is being written for a reader who leaves, and nothing that others wait for."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        log.info("the reader left", place=question.place.key)
        await engine.stop_turns(question.place, message=question.message_id)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()


class Stream(Response):
    """An answer as server-sent events: `token` for each piece of the model, then `done` or `error`.

    A `withdraw` between them says that the pieces before it were the model's thoughts, and no part of the answer.
    """

    media_type = "text/event-stream"

    def __init__(self, engine: Engine, question: Incoming) -> None:
        super().__init__(headers={ID_HEADER: question.channel_id, "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._engine = engine
        self._question = question

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Serve one request."""

        async def write(text: str, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": text.encode(), "more_body": more})

        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with attended(receive, self._engine, self._question):
            ending = await self._relay(write)
        await write(ending, more=False)

    async def _relay(self, write: Callable[[str], Awaitable[None]]) -> str:
        """Send the pieces while they come; returns the event that ends them."""
        wire = Wire()
        answering = asyncio.create_task(self._engine.respond(self._question, wire))
        answering.add_done_callback(lambda _: wire.close())
        try:
            async for piece in wire.pieces():
                await write(event("token", text=piece) if isinstance(piece, str) else SIGNS[piece])
            return self._end(await answering)
        finally:
            answering.cancel()

    def _end(self, answer: Answer | None) -> str:
        if failed := failure(answer):
            return event("error", error=failed[1])
        return event("done", conversation_id=self._question.channel_id, **ending(answer))


def event(name: str, **data: str) -> str:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


SIGNS = {Sign.LIFE: ": still here\n\n", Sign.WITHDRAWN: event("withdraw")}
