"""Discord's place for files: whoever has the address may read one, and nobody says who they are."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.loopback.content import send
from tests.loopback.discord.calls import Call
from tests.loopback.discord.limits import Fault
from tests.loopback.discord.rules import invalid
from tests.loopback.discord.state import Snowflakes


class Files:
    """What people and the bot sent, kept under the addresses that messages show.

    `leaks` are calls that brought a token along: the loopback Discord fails the test for one.
    """

    def __init__(self, snowflakes: Snowflakes) -> None:
        self.origin = ""
        self.leaks: list[str] = []
        self._snowflakes = snowflakes
        self._kept: dict[str, tuple[bytes, str]] = {}

    def keep(self, name: str, data: bytes, kind: str) -> dict[str, Any]:
        """Keep a file and describe it."""
        key = self._snowflakes.next()
        self._kept[f"{key}/{name}"] = (data, kind)
        url = f"{self.origin}/attachments/{key}/{name}"
        return {"id": key, "filename": name, "size": len(data), "url": url, "proxy_url": url, "content_type": kind}

    def take(self, call: Call) -> list[dict[str, Any]]:
        """Keep the files that came with a call: parts `files[n]`, named in `attachments` by their number."""
        named = {str(one.get("id")): one.get("filename") for one in call.body.get("attachments") or ()}
        kept = []
        for part, (name, data, kind) in call.files.items():
            number = part.removeprefix("files[").removesuffix("]")
            if part != f"files[{number}]" or not number.isdecimal():
                raise invalid("attachments", "ATTACHMENT_NOT_FOUND", f"The part {part} is no file.")
            if named and number not in named:
                raise invalid("attachments", "ATTACHMENT_NOT_FOUND", f"Nothing says what {part} is.")
            kept.append(self.keep(named.get(number) or name, data, kind))
        return kept

    async def serve(self, request: web.Request, fault: Fault | None) -> web.StreamResponse:
        """GET of a file."""
        if "Authorization" in request.headers:
            self.leaks.append(request.path)
            return web.Response(status=400, text="Nobody asked for a token.")
        if fault and fault.status:
            body = fault.body if isinstance(fault.body, bytes) else b""
            return web.Response(status=fault.status, body=body, headers=fault.headers)
        found = self._kept.get(f"{request.match_info['id']}/{request.match_info['name']}")
        if found is None:
            return web.Response(status=404, text="This content is no longer available.")
        return await send(request, *found, fault)
