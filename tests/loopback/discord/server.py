"""A Discord on the loopback interface, with people in it that a test speaks for."""

from __future__ import annotations

import asyncio
import json
import math
import secrets
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from aiohttp import web

from tests.loopback.discord.calls import Call, Reply, read
from tests.loopback.discord.gateway import Gateway
from tests.loopback.discord.interactions import Interaction, Interactions
from tests.loopback.discord.limits import Fault, Faults, Limits
from tests.loopback.discord.messages import Messages
from tests.loopback.discord.people import People
from tests.loopback.discord.rest import OPEN, Handler, Rest
from tests.loopback.discord.rules import RefusalError
from tests.loopback.discord.state import Channel, Message, Notice
from tests.loopback.discord.world import BOT, GENERAL, World

T = TypeVar("T")
Clock = Callable[[], float]
TICK = 0.05
"""Seconds between two looks at what does not happen here."""


class FakeDiscord:
    """REST and gateway of one Discord. Stateful, and as strict as the platform.

    `people` acts for those who talk to the bot; `say`, `edit`, `delete`, `slash` and `click` are short for its methods.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.token = f"{secrets.token_hex(12)}.{secrets.token_hex(3)}.{secrets.token_hex(19)}"
        self.clock: Clock = clock or (lambda: asyncio.get_running_loop().time())
        """What limits, nonces and interactions are timed by; may be replaced at any time."""
        self.world = World()
        self.limits = Limits(self._now)
        self.faults = Faults()
        self.calls: list[Call] = []
        self.refusals: list[tuple[str, int, int]] = []
        """(route, HTTP status, Discord's code) of every call that was refused."""
        self.gateway = Gateway(self.world, self.token, self.change, self._now)
        self.messages = Messages(self.world, self.gateway, self._now)
        self._interactions = Interactions(self.world, self.messages, self._now)
        self.rest = Rest(self.world, self.gateway, self.messages, self._interactions)
        self.rest.clock = self._now
        self.people = People(self.world, self.gateway, self.messages, self._interactions, self._now)
        self.say, self.edit, self.delete = self.people.say, self.people.edit, self.people.delete
        self.slash, self.click, self.complete = self.people.slash, self.people.click, self.people.complete
        self.origin = ""
        self.strict = True
        """Whether a 429 carries the header `Via`, as Discord's own do; one without is Cloudflare's."""
        self._changed = asyncio.Event()
        self._runner = web.AppRunner(self._build(), access_log=None, shutdown_timeout=1.0)

    @property
    def api_base_url(self) -> str:
        """What `discord.api_base_url` has to be."""
        return f"{self.origin}/api/v10"

    @property
    def gateway_url(self) -> str:
        """What `discord.gateway_url` has to be."""
        return self.gateway.url

    async def __aenter__(self) -> FakeDiscord:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        assert kind or not self.messages.files.leaks, "a token was sent to where files are"

    async def start(self, port: int = 0) -> None:
        """Listen; at 0 on any free port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        host, bound = self._runner.addresses[0][:2]
        self.origin = self.messages.files.origin = f"http://{host}:{bound}"
        self.gateway.url = f"ws://{host}:{bound}/gateway"

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        for socket in self.gateway.sockets:
            if not socket.closed:
                with suppress(ConnectionError):
                    await socket.close(code=1001)
        await self._runner.cleanup()

    async def until(self, predicate: Callable[[], T], patience: float = 10.0) -> T:
        """Wait until something holds, looking when something happened here and now and then; returns what it was."""
        async with asyncio.timeout(patience):
            while not (value := predicate()):
                self._changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), TICK)
        return value

    def change(self) -> None:
        """Wake who waits for something to hold."""
        self._changed.set()

    def fail(self, route: str, times: int = 1, **fault: Any) -> Fault:
        """Let the next calls of a route (by its short name, such as "edit") go wrong; see `Fault`."""
        routes = {"download", *(name for name, *_ in self.rest.routes)}
        assert route in routes, f"no route is called {route!r}"
        made = Fault(**fault)
        self.faults.add(route, made, times)
        return made

    def hold(self, route: str, times: int = 1) -> asyncio.Event:
        """Let the next calls of a route hang until the event is set."""
        gate = asyncio.Event()
        self.fail(route, times, gate=gate)
        return gate

    def message(self, id: str) -> Message:
        """A message, wherever it is."""
        return self.world.find(id)

    def shown(self, id: str) -> str:
        """What a message shows now."""
        return self.message(id).shown

    def answers(self, channel: str = GENERAL) -> list[Message]:
        """The bot's messages that stand in a channel, oldest first."""
        return [said for said in self.world.channels[channel].standing if said.author.id == BOT]

    def called(self, route: str) -> list[Call]:
        """Every call of a route, by its short name."""
        return [call for call in self.calls if call.route == route]

    @property
    def channels(self) -> dict[str, Channel]:
        """All channels."""
        return self.world.channels

    @property
    def notifications(self) -> list[Notice]:
        """Whom messages notified, people's and the bot's."""
        return self.world.notifications

    @property
    def interactions(self) -> list[Interaction]:
        """All interactions and what came of them."""
        return self._interactions.all

    @property
    def connected(self) -> bool:
        """Whether the bot is on the gateway."""
        return bool(self.gateway.live)

    def _now(self) -> float:
        return self.clock()

    def _build(self) -> web.Application:
        app = web.Application(client_max_size=2**26)
        for name, method, path, handler in self.rest.routes:
            app.router.add_route(method, "/api/v10" + path, self._route(name, handler))
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_get("/attachments/{id}/{name}", self._download)
        app.router.add_route("*", "/{path:.*}", self._nowhere)
        return app

    def _route(self, name: str, handler: Handler) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._call(request, name, handler)

        return answer

    async def _call(self, request: web.Request, name: str, handler: Handler) -> web.StreamResponse:
        """One call: recorded, perhaps hindered, authorized, counted, done."""
        try:
            call = await read(request, name, self.clock())
        except RefusalError as refusal:
            return self._refuse(Call(name, request.method, request.path, {}, {}, {}), refusal, {})
        self.calls.append(call)
        self.change()
        fault = self.faults.take(name)
        if fault and fault.gate:
            await fault.gate.wait()
        if fault and fault.cut:
            return self._lose(request, call)
        answer = self._answer(call, handler, request.headers.get("Authorization", ""), fault)
        self.change()
        if fault and fault.late:
            await fault.late.wait()
        return self._lose(request, call) if fault and fault.lose else answer

    def _answer(self, call: Call, handler: Handler, authorization: str, fault: Fault | None) -> web.Response:
        headers: dict[str, str] = {}
        if fault and fault.status and not fault.done:
            return self._spoil(call, fault)
        try:
            if call.route not in OPEN and authorization != f"Bot {self.token}":
                raise RefusalError(401, 0, "401: Unauthorized")
            major = call.params.get("channel") or call.params.get("guild") or call.params.get("token", "")
            verdict = self.limits.judge(call.route, major, call.route in OPEN)
            headers = verdict.headers
            if verdict.wait:
                return self._slow(call, verdict.wait, verdict.everywhere, headers)
            reply = handler(call)
        except RefusalError as refusal:
            return self._refuse(call, refusal, headers)
        if fault and fault.status:
            return self._spoil(call, fault)
        call.status = reply.status
        return _respond(reply, headers)

    def _slow(self, call: Call, wait: float, everywhere: bool, headers: dict[str, str]) -> web.Response:
        body = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": everywhere}
        call.status = 429
        self.refusals.append((call.route, 429, 0))
        sent = {name: value for name, value in headers.items() if self.strict or name != "Via"}
        return _respond(Reply(body, 429), sent)

    def _refuse(self, call: Call, refusal: RefusalError, headers: dict[str, str]) -> web.Response:
        call.status = refusal.status
        self.refusals.append((call.route, refusal.status, refusal.body["code"]))
        return _respond(Reply(refusal.body, refusal.status), headers)

    def _spoil(self, call: Call, fault: Fault) -> web.Response:
        call.status = fault.status
        if fault.status == 429 and fault.body is None:
            headers = {"Via": "1.1 google", "Retry-After": str(math.ceil(fault.retry_after)), **fault.headers}
            return self._slow(call, fault.retry_after, False, headers)
        code = fault.body.get("code", 0) if isinstance(fault.body, dict) else 0
        self.refusals.append((call.route, fault.status, code))
        if isinstance(fault.body, str) or fault.body is None:
            text = fault.body or "<html>upstream is gone</html>"
            return web.Response(status=fault.status, text=text, content_type="text/html", headers=fault.headers)
        return _respond(Reply(fault.body, fault.status), fault.headers)

    def _lose(self, request: web.Request, call: Call) -> web.Response:
        """Cut the connection; what was done stays done."""
        call.lost = True
        assert request.transport
        request.transport.abort()
        return web.Response()

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """A file that came with a message; needs no token."""
        call = await read(request, "download", self.clock())
        self.calls.append(call)
        self.change()
        fault = self.faults.take("download")
        if fault and fault.gate:
            await fault.gate.wait()
        return self._lose(request, call) if fault and fault.cut else await self.messages.files.serve(request, fault)

    async def _nowhere(self, request: web.Request) -> web.Response:
        """A path that this Discord does not have: a test that reaches it lacks a route."""
        call = Call("nowhere", request.method, request.path, {}, dict(request.query), {}, at=self.clock())
        self.calls.append(call)
        return self._refuse(call, RefusalError(404, 0, "404: Not Found"), {})


def _respond(reply: Reply, headers: dict[str, str]) -> web.Response:
    """JSON with exactly the content type that Discord sends."""
    body = b"" if reply.status == 204 else json.dumps(reply.data).encode()
    sent = headers if reply.status == 204 else {**headers, "Content-Type": "application/json"}
    return web.Response(status=reply.status, body=body, headers=sent)
