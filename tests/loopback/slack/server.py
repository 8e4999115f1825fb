"""A Slack on the loopback interface, with people in it that a test speaks for."""

from __future__ import annotations

import asyncio
import html
import secrets
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from aiohttp import web

from tests.loopback.slack import payloads
from tests.loopback.slack.api import Api, read_arguments
from tests.loopback.slack.delivery import Courier, Delivery
from tests.loopback.slack.files import Files
from tests.loopback.slack.limits import Fault, Faults, Limits
from tests.loopback.slack.rules import HISTORY, RefusalError, check_arguments, check_content
from tests.loopback.slack.state import Clock, Conversation, Ephemeral, Message, Version
from tests.loopback.slack.workspace import ANN, CHANNEL, Workspace

T = TypeVar("T")
TICK = 0.05
"""Seconds between two looks at what does not happen here."""
USES = 5
"""How often a response URL may be used."""


@dataclass
class _Response:
    """Where a response URL leads; `alone` when what it answers was shown to the one person."""

    channel: str
    user: str
    alone: bool
    uses: int = 0


class FakeSlack:
    """Web API, Socket Mode and signed HTTP delivery of one workspace. Stateful, and as strict as the platform."""

    def __init__(self) -> None:
        self.bot_token = f"xoxb-{secrets.token_hex(8)}"
        self.app_token = f"xapp-1-{secrets.token_hex(8)}"
        self.signing_secret = secrets.token_hex(16)
        self.workspace = Workspace()
        self.limits = Limits()
        self.faults = Faults()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refusals: list[tuple[str, str]] = []
        self.peers: defaultdict[str, set[object]] = defaultdict(set)
        self.clock = Clock()
        self.courier = Courier(self._change)
        self.courier.signing_secret = self.signing_secret
        self.api = Api(self.workspace, self.clock, self.emit, self._socket_url)
        self.files = Files(self)
        self.api.methods |= self.files.methods
        self.origin = ""
        self._responses: dict[str, _Response] = {}
        self._changed = asyncio.Event()
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/response/{id}", self._respond)
        app.router.add_get("/link", self.courier.serve)
        self.files.register(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    @property
    def api_base_url(self) -> str:
        """What `slack.api_base_url` has to be."""
        return f"{self.origin}/api/"

    async def __aenter__(self) -> FakeSlack:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        assert kind or not self.files.leaks, "a token was sent to where files are taken"

    async def start(self, port: int = 0) -> None:
        """Listen; at 0 on any free port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        host, bound = self._runner.addresses[0][:2]
        self.origin = f"http://{host}:{bound}"

    async def stop(self) -> None:
        """Stop delivering and listening."""
        await self.courier.close()
        await self._runner.cleanup()

    async def until(self, predicate: Callable[[], T], patience: float = 10.0) -> T:
        """Wait until something holds, looking when something happened here and now and then; returns what it was."""
        async with asyncio.timeout(patience):
            while not (value := predicate()):
                self._changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), TICK)
        return value

    async def say(
        self, channel: str = CHANNEL, text: str = "", user: str = ANN, thread: str = "", **extra: Any
    ) -> Message:
        """A person writes a message with `files` of `files.keep`; it forwards `shared`; the rest is the event's."""
        where = self.workspace.conversations[channel]
        said = Message(self.clock.ts(), channel, user, [Version(text)], thread, files=extra.pop("files", []))
        said.extra = payloads.forward(extra.pop("shared", []), self.workspace.people)
        where.messages[said.ts] = said
        if f"<@{self.workspace.bot_user}>" in text and where.kind != "im" and "subtype" not in extra:
            self._send_event("app_mentions:read", payloads.mention(said, extra.get("user_team", "")))
        self.emit(where, payloads.message(said, where, self.workspace.bot_id, **extra))
        return said

    def edit(self, said: Message, text: str) -> None:
        """A person writes their message anew."""
        said.versions.append(Version(text))
        where = self.workspace.conversations[said.channel]
        self.emit(where, payloads.edited(said, where, self.workspace.bot_id, self.clock.ts()))

    def unfurl(self, said: Message) -> None:
        """A link in a message gets its preview."""
        where = self.workspace.conversations[said.channel]
        self.emit(where, payloads.unfurled(said, where, self.workspace.bot_id, self.clock.ts()))

    def erase(self, said: Message) -> None:
        """A person takes a message away: theirs, or as an admin the bot's."""
        said.deleted = True
        where = self.workspace.conversations[said.channel]
        self.emit(where, payloads.deleted(said, where, self.workspace.bot_id, self.clock.ts()))

    def emit(self, where: Conversation, event: dict[str, Any]) -> None:
        """Deliver an event of a conversation that the bot is in and may read."""
        if self.workspace.bot_user in where.members:
            self._send_event(HISTORY[where.kind], event)

    def slash(
        self, command: str, channel: str = CHANNEL, text: str = "", user: str = ANN, thread: str = ""
    ) -> Delivery:
        """A person gives a slash command, whose text comes escaped; from a thread Slack delivers none."""
        if thread:
            raise RefusalError(f"{command} is not supported in threads. Sorry!")
        where, url = self.workspace.conversations[channel], self._response_url(channel, user)
        typed = html.escape(text.strip(), quote=False)
        return self.courier.send("slash_commands", payloads.slash(command, typed, where, user, self._name(user), url))

    def shortcut(self, said: Message, callback: str = "reset_conversation", user: str = ANN) -> Delivery:
        """A person picks a message shortcut."""
        url = self._response_url(said.channel, user)
        payload = payloads.shortcut(callback, said, user, self._name(user), url, self.workspace.bot_id)
        return self.courier.send("interactive", payload)

    def click(self, shown: Ephemeral, action_id: str) -> Delivery:
        """The person clicks on a button of what was shown to them alone."""
        url, blocks = self._response_url(shown.channel, shown.user, alone=True), shown.version.blocks
        payload = payloads.click(action_id, blocks, shown.channel, shown.user, self._name(shown.user), url, None)
        return self.courier.send("interactive", payload)

    def press(self, said: Message, action_id: str, user: str = ANN) -> Delivery:
        """A person clicks on a button of a message that all see."""
        url, blocks = self._response_url(said.channel, user), said.versions[-1].blocks
        payload = payloads.click(action_id, blocks, said.channel, user, self._name(user), url, said)
        return self.courier.send("interactive", payload)

    def fail(self, method: str, times: int = 1, **fault: Any) -> None:
        """Let the next calls of a method go wrong; see `Fault`. `response` is the use of a response URL."""
        self.faults.add(method, Fault(**fault), times)

    def shown(self, ts: str) -> str:
        """What a message shows now."""
        return self.message(ts).shown

    def message(self, ts: str) -> Message:
        """A message, wherever it is."""
        found = (where.messages.get(ts) for where in self.workspace.conversations.values())
        return next(said for said in found if said)

    def answers(self, channel: str = CHANNEL, thread: str = "") -> list[Message]:
        """The bot's messages that stand in a conversation, or in one of its threads."""
        where = self.workspace.conversations[channel]
        messages = where.thread(thread) if thread else where.messages.values()
        return [said for said in messages if said.bot and not said.deleted]

    def called(self, method: str) -> list[dict[str, Any]]:
        """The arguments of every call of a method."""
        return [args for name, args in self.calls if name == method]

    @property
    def ephemerals(self) -> list[Ephemeral]:
        """What was shown to one person alone."""
        return self.workspace.ephemerals

    def _send_event(self, scope: str, event: dict[str, Any]) -> None:
        if scope in self.workspace.scopes:
            self.courier.send("events_api", payloads.envelope(event, self.workspace.bot_user))

    async def _call(self, request: web.Request) -> web.StreamResponse:
        """One call of the Web API."""
        method = request.match_info["method"]
        args = await read_arguments(request)
        self.calls.append((method, args))
        self.peers[method].add(request.transport.get_extra_info("peername") if request.transport else None)
        fault = self.faults.take(method)
        if fault and fault.gate:
            await fault.gate.wait()
        answer = self._answer(method, args, request.headers.get("Authorization", ""), fault)
        self._change()
        if fault and fault.lose:
            assert request.transport
            request.transport.abort()
        return answer

    def _answer(self, method: str, args: dict[str, Any], authorization: str, fault: Fault | None) -> web.Response:
        headers = {"x-oauth-scopes": ",".join(sorted(self.workspace.scopes))}
        if fault and fault.status == 429:
            return self._refuse("ratelimited", method, 429, {"Retry-After": str(fault.retry_after)})
        if fault and fault.status:
            return web.Response(status=fault.status, text="<html>upstream is gone</html>", content_type="text/html")
        try:
            if fault and fault.error:
                raise RefusalError(fault.error)
            self._authorize(method, authorization)
            rule = check_arguments(method, args)
            if rule.scope and rule.scope not in self.workspace.scopes:
                raise RefusalError("missing_scope")
            if wait := self.limits.refuse(method, rule.tier, str(args.get("channel", ""))):
                return self._refuse("ratelimited", method, 429, {"Retry-After": str(wait)})
            made = self.api.methods[method](args)
            return web.json_response({"ok": True, **({} if fault and fault.bare else made)}, headers=headers)
        except RefusalError as refusal:
            return self._refuse(refusal.error, method, 200, headers)

    def _refuse(self, error: str, method: str, status: int, headers: dict[str, str]) -> web.Response:
        self.refusals.append((method, error))
        return web.json_response({"ok": False, "error": error}, status=status, headers=headers)

    def _authorize(self, method: str, authorization: str) -> None:
        if not authorization:
            raise RefusalError("not_authed")
        wanted = self.app_token if method == "apps.connections.open" else self.bot_token
        if authorization != f"Bearer {wanted}":
            raise RefusalError("invalid_auth")

    async def _respond(self, request: web.Request) -> web.Response:
        """A message by way of a response URL: for the one person alone unless it says otherwise."""
        to = self._responses[request.match_info["id"]]
        args = await request.json()
        to.uses += 1
        if to.uses > USES:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        fault = self.faults.take("response")
        try:
            if fault and fault.error:
                raise RefusalError(fault.error)
            check_content(args)
        except RefusalError as refusal:
            return web.json_response({"ok": False, "error": refusal.error}, status=(fault and fault.status) or 400)
        replaced = bool(args.get("replace_original"))
        assert to.alone or not replaced, "what all see must not be replaced"
        version = Version(args.get("text", ""), tuple(args.get("blocks", ())))
        kind = args.get("response_type")
        assert kind in ("ephemeral", "in_channel"), "who sees the answer must be said"
        if kind == "in_channel":
            self._publish(to.channel, version)
        else:
            self.ephemerals.append(Ephemeral(to.channel, to.user, version, replaced, args.get("thread_ts") or ""))
        self._change()
        return web.json_response({"ok": True})

    def _publish(self, channel: str, version: Version) -> None:
        """Show all in a channel what the app answered, whether or not it is a member."""
        where = self.workspace.conversations[channel]
        said = Message(self.clock.ts(), channel, self.workspace.bot_user, [version], bot=True)
        where.messages[said.ts] = said
        self.emit(where, payloads.message(said, where, self.workspace.bot_id, subtype="bot_message"))

    def _response_url(self, channel: str, user: str, *, alone: bool = False) -> str:
        key = secrets.token_hex(8)
        self._responses[key] = _Response(channel, user, alone)
        return f"{self.origin}/response/{key}"

    def _socket_url(self) -> str:
        return f"{self.origin.replace('http', 'ws', 1)}/link?ticket={secrets.token_hex(8)}&app_id={payloads.APP}"

    def _name(self, user: str) -> str:
        return self.workspace.people[user].lower()

    def _change(self) -> None:
        self._changed.set()
