"""The gateway: sessions over a WebSocket, each with what it was sent, so that it can be resumed."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.loopback.discord import payloads
from tests.loopback.discord.state import Channel
from tests.loopback.discord.world import World

GUILDS, MEMBERS, PRESENCES = 1 << 0, 1 << 1, 1 << 8
MESSAGES, REACTIONS, DIRECT, DIRECT_REACTIONS, CONTENT = 1 << 9, 1 << 10, 1 << 12, 1 << 13, 1 << 15
PRIVILEGED = {"members": MEMBERS, "presences": PRESENCES, "message_content": CONTENT}
"""Intents (docs.discord.com, gateway)."""
HEARTBEAT_MS = 41_250
SENDS, SPAN = 120, 60.0
"""Frames that a client may send, and the seconds that they are counted in."""
Draw = Callable[[bool], dict[str, Any]]
"""Draws an event for a session that may read all texts, or not."""


@dataclass
class Session:
    """A session: `events` are all its dispatches in order, the first with number 1."""

    id: str
    intents: int
    socket: web.WebSocketResponse | None
    events: list[dict[str, Any]] = field(default_factory=list)
    dead: bool = False

    @property
    def readable(self) -> bool:
        """Whether it asked for the texts of messages."""
        return bool(self.intents & CONTENT)


class Gateway:
    """All sessions of the bot, in the order in which they began."""

    def __init__(self, world: World, token: str, changed: Callable[[], None], clock: Callable[[], float]) -> None:
        self._world = world
        self._token = token
        self._changed = changed
        self._clock = clock
        self._lock = asyncio.Lock()
        self._transports: dict[int, asyncio.Transport] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self.sessions: list[Session] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.identifies: list[dict[str, Any]] = []
        self.resumes: list[dict[str, Any]] = []
        self.heartbeats = 0
        self.closes: list[int] = []
        """The codes that clients closed with; 1006 where the connection was cut."""
        self.refuse = 0
        """How many of the next connections are turned away with a 503."""
        self.heartbeat_ms = HEARTBEAT_MS
        self.deaf = False
        """Whether heartbeats are heard and not answered, as by a connection that is half dead."""
        self.url = ""

    @property
    def live(self) -> list[Session]:
        """The sessions with an open socket."""
        return [session for session in self.sessions if session.socket and not session.socket.closed]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection, until either side closes it."""
        if self.refuse:
            self.refuse -= 1
            return web.Response(status=503, text="upstream connect error", content_type="text/plain")
        socket = web.WebSocketResponse(max_msg_size=4096)
        await socket.prepare(request)
        self.sockets.append(socket)
        if request.transport:
            self._transports[id(socket)] = request.transport
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": self.heartbeat_ms}, "s": None, "t": None})
        try:
            await self._listen(socket)
        finally:
            self._end(socket)
        return socket

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        sends: deque[float] = deque(maxlen=SENDS)
        async for frame in socket:
            now = self._clock()
            if len(sends) == SENDS and now - sends[0] < SPAN:
                await socket.close(code=4008, message=b"You are being rate limited.")
                return
            sends.append(now)
            try:
                heard: dict[str, Any] = json.loads(frame.data) if frame.type is WSMsgType.TEXT else {}
                op, data = heard["op"], heard.get("d")
            except (ValueError, TypeError, KeyError):
                await socket.close(code=4002, message=b"Error while decoding payload.")
                return
            await self._take(socket, op, data)
            self._changed()

    async def _take(self, socket: web.WebSocketResponse, op: int, data: Any) -> None:
        mine = next((session for session in self.sessions if session.socket is socket), None)
        if op == 1:
            self.heartbeats += 1
            if not self.deaf:
                await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
        elif op in (2, 6) and mine:
            await socket.close(code=4005, message=b"Already authenticated.")
        elif op == 2:
            await self._identify(socket, data)
        elif op == 6:
            await self._resume(socket, data)
        elif not mine:
            await socket.close(code=4003, message=b"Not authenticated.")
        elif op == 8:
            self._members(mine, data)
        elif op not in (3, 4):
            await socket.close(code=4001, message=b"Unknown opcode.")

    async def _identify(self, socket: web.WebSocketResponse, data: dict[str, Any]) -> None:
        self.identifies.append(data)
        if data["token"].removeprefix("Bot ") != self._token:
            await socket.close(code=4004, message=b"Authentication failed.")
            return
        wanted = {name for name, bit in PRIVILEGED.items() if data["intents"] & bit}
        if wanted - self._world.app.granted:
            await socket.close(code=4014, message=b"Disallowed intent(s).")
            return
        session = Session(secrets.token_hex(16), data["intents"], socket)
        self.sessions.append(session)
        self._push(session, "READY", self._ready(session, data))
        for guild in self._world.guilds.values():
            if session.intents & GUILDS:
                self._push(session, "GUILD_CREATE", payloads.guild(guild, self._world))

    def _ready(self, session: Session, data: dict[str, Any]) -> dict[str, Any]:
        app = self._world.app
        return {
            "v": 10,
            "user": payloads.user(self._world.bot),
            "guilds": [{"id": guild, "unavailable": True} for guild in self._world.guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "private_channels": [],
            "application": {"id": app.id, "flags": app.flags},
            **({"shard": data["shard"]} if "shard" in data else {}),
        }

    async def _resume(self, socket: web.WebSocketResponse, data: dict[str, Any]) -> None:
        self.resumes.append(data)
        if data["token"].removeprefix("Bot ") != self._token:
            await socket.close(code=4004, message=b"Authentication failed.")
            return
        session = next((session for session in self.sessions if session.id == data["session_id"]), None)
        if session is None or session.dead:
            await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
            return
        if not isinstance(data["seq"], int) or data["seq"] > len(session.events):
            await socket.close(code=4007, message=b"Invalid seq.")
            return
        session.socket = socket
        for event in session.events[data["seq"] :]:
            self._send(socket, event)
        self._push(session, "RESUMED", {"_trace": []})

    def _members(self, session: Session, data: dict[str, Any]) -> None:
        guild = self._world.guilds[str(data["guild_id"])]
        ids = {str(user) for user in data.get("user_ids", ())}
        found = [member for member in guild.members.values() if not ids or member.user.id in ids]
        chunk = {"guild_id": guild.id, "members": [payloads.member(one) for one in found], "chunk_index": 0}
        more: dict[str, Any] = {"chunk_count": 1, "not_found": [], "nonce": data.get("nonce")}
        self._push(session, "GUILD_MEMBERS_CHUNK", {**chunk, **more})

    def tell(self, name: str, draw: Draw, where: Channel | None = None, intents: tuple[int, int] = (0, 0)) -> None:
        """Send an event to every session that asked for it: `intents` are the bits for a guild and for a DM."""
        if where and where.guild and self._world.lacks(where, "view"):
            return
        needed = intents[0] if where is None or where.guild else intents[1]
        for session in self.sessions:
            if not session.dead and (not needed or session.intents & needed):
                readable = session.readable and "message_content" in self._world.app.granted
                self._push(session, name, draw(readable))
        self._changed()

    def repeat(self, name: str) -> None:
        """Send the last event of this name once more, under a number of its own, as may happen after a reconnect."""
        for session in self.live:
            data = next(event["d"] for event in reversed(session.events) if event["t"] == name)
            self._push(session, name, data)

    def send(self, name: str, data: Any) -> None:
        """Send an event of any shape to every client, as the platform or a proxy might by mistake."""
        for session in self.live:
            self._push(session, name, data)

    async def reconnect(self) -> None:
        """Ask every client to reconnect and resume."""
        await self._order({"op": 7, "d": None, "s": None, "t": None})

    async def invalidate(self, resumable: bool = False) -> None:
        """Tell every client that its session is over."""
        for session in self.live:
            session.dead = not resumable
        await self._order({"op": 9, "d": resumable, "s": None, "t": None})

    async def close(self, code: int = 4000) -> None:
        """Close every socket with a code; the sessions can be resumed."""
        for session in self.live:
            socket, session.socket = session.socket, None
            assert socket
            await socket.close(code=code)

    def kill(self) -> None:
        """Cut every socket, with no good-bye."""
        for session in self.live:
            if transport := self._transports.get(id(session.socket)):
                transport.abort()

    async def _order(self, frame: dict[str, Any]) -> None:
        for session in self.live:
            assert session.socket
            await session.socket.send_json(frame)

    def _push(self, session: Session, name: str, data: Any) -> None:
        event = {"op": 0, "t": name, "s": len(session.events) + 1, "d": data}
        session.events.append(event)
        if session.socket and not session.socket.closed:
            self._send(session.socket, event)

    def _send(self, socket: web.WebSocketResponse, event: dict[str, Any]) -> None:
        """Send in the background, in order; what a lost socket misses waits in the session."""
        task = asyncio.create_task(self._deliver(socket, event))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _deliver(self, socket: web.WebSocketResponse, event: dict[str, Any]) -> None:
        async with self._lock:
            if not socket.closed:
                try:
                    await socket.send_json(event)
                except ConnectionError:
                    return

    def _end(self, socket: web.WebSocketResponse) -> None:
        code = socket.close_code or 1006
        self.closes.append(code)
        for session in self.sessions:
            if session.socket is socket:
                session.socket = None
                session.dead = session.dead or code in (1000, 1001)
        self._changed()
