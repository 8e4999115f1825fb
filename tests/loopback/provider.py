"""What the loopback model providers have in common: a server that answers by itself, or as a test scripts it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Self

from aiohttp import web

from tests.loopback.parts import spoken
from tests.loopback.script import Dialect, Script

Json = dict[str, Any]


STAMP = re.compile(r"^\[\d{4}-\d\d-\d\d [^\]]*\] ?", re.MULTILINE)
"""The time before a message, which is another in each run of a test."""


def recount(messages: Sequence[Json]) -> str:
    """An answer that shows what its model was told, without the times: the last question, then the earlier ones."""
    *earlier, last = [STAMP.sub("", spoken(message["content"])) for message in messages if message["role"] == "user"]
    return f"You said: {last}" + (f"\n\nBefore that you said: {' | '.join(earlier)}" if earlier else "")


def words(text: str) -> list[str]:
    """A text as a model would stream it: a word at a time, with the blanks before it."""
    return re.findall(r"\s*\S+|\s+$", text)


class RefusalError(Exception):
    """A request is refused, with this status and body."""

    def __init__(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers


class Provider(ABC):
    """A provider on a free loopback port, as strict as the real one; `async with` serves it.

    `requests` are the bodies of the questions that it took, in order, `connections` those that they came by;
    `asked` counts all questions, refused ones too. Each is answered by the next script, if a test
    has written one, and else by `answer`, which is given the messages. An empty `key` admits everybody; only the
    `models` exist, and its list says what is `about` each; the parameters that it `refuses` are refused as newer models
    do; where it does not `stream`, it gives whole answers.
    """

    path = ""
    """Where the API begins: part of the base URL."""

    def __init__(
        self,
        answer: Callable[[list[Json]], str] = recount,
        *,
        key: str = "test-key",
        models: Sequence[str] = ("test-model",),
        refuses: Sequence[str] = (),
    ) -> None:
        self.answer = answer
        self.key = key
        self.models = tuple(models)
        self.refuses = frozenset(refuses)
        self.streams = True
        self.about: dict[str, Json] = {}
        self.asked = 0
        self.requests: list[Json] = []
        self.connections: set[object] = set()
        self.base_url = ""
        self._steps: deque[Script | RefusalError | web.Response] = deque()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**25)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = "http://{}:{}".format(*self._runner.addresses[0][:2]) + self.path
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    def script(self) -> Script:
        """The next question is answered step by step, by the test."""
        script = Script()
        self._steps.append(script)
        return script

    def refuse(self, status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> None:
        """The next question is refused; `kind` is the provider's name for why."""
        self._steps.append(RefusalError(status, self.error(kind, message), headers))

    def respond(self, body: str, media_type: str, status: int = 200, compressed: bool = False) -> None:
        """The next question gets this, whatever it is."""
        response = web.Response(text=body, content_type=media_type, status=status)
        if compressed:
            response.enable_compression(web.ContentCoding.gzip)
        self._steps.append(response)

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """What is served."""

    @abstractmethod
    def error(self, kind: str, message: str) -> Json:
        """The body of an error."""

    @abstractmethod
    def admit(self, headers: Any) -> None:
        """Raise RefusalError for a request without the right key."""

    @abstractmethod
    def inspect(self, body: Json) -> None:
        """Raise RefusalError for a question that the real provider would not take."""

    @abstractmethod
    def dialect(self, body: Json) -> Dialect:
        """The words for the answer to a question."""

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Serve a question."""
        self.asked += 1
        self.connections.add(request.transport)
        try:
            self.admit(request.headers)
            body = await request.json()
            self.inspect(body)
            self.requests.append(body)
            step = self._steps.popleft() if self._steps else None
            if isinstance(step, RefusalError):
                raise step
        except RefusalError as refusal:
            return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)
        if isinstance(step, web.Response):
            return step
        if step is None:
            return await self._answer(request, body)
        return await step.play(request, body, self.dialect(body))

    async def _answer(self, request: web.Request, body: Json) -> web.StreamResponse:
        dialect = self.dialect(body)
        pieces = words(self.answer(body["messages"]))
        reason = dialect.CUT if len(pieces) > dialect.limit else dialect.DONE
        pieces = pieces[: dialect.limit]
        if not (self.streams and body.get("stream")):
            return web.json_response(dialect.whole("".join(pieces), reason))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(dialect.begin())
        for piece in pieces:
            await response.write(dialect.text(piece))
        await response.write(dialect.end(reason))
        return response
