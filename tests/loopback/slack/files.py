"""Slack's place for files: read with the token and the scope, taken in three steps."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.loopback.content import send
from tests.loopback.slack import payloads
from tests.loopback.slack.limits import Fault
from tests.loopback.slack.rules import FILE, RefusalError
from tests.loopback.slack.state import Message, Version

if TYPE_CHECKING:
    from tests.loopback.slack.server import FakeSlack

PAGE = "<html><title>Sign in | Slack</title></html>"


@dataclass
class Upload:
    """A file that was announced; `data` is None until it came."""

    name: str
    length: int
    data: bytes | None = None


class Files:
    """What people sent and the bot shared. `leaks` are uploads that brought a token: they fail the test."""

    def __init__(self, slack: FakeSlack) -> None:
        self.leaks: list[str] = []
        self.uploads: dict[str, Upload] = {}
        self._slack = slack
        self._kept: dict[str, tuple[bytes, str]] = {}
        self.methods = {"files.getUploadURLExternal": self.announce, "files.completeUploadExternal": self.complete}

    def register(self, app: web.Application) -> None:
        """Answer where files are, and where the login page is."""
        app.router.add_get("/files-pri/{team:[^-/]+}-{id}/{name:.+}", self.serve)
        app.router.add_post("/upload/v1/{id}", self.take)
        app.router.add_get("/", self.greet)

    def keep(self, name: str, data: bytes, kind: str, key: str = "") -> dict[str, Any]:
        """Keep a file and describe it, as messages do."""
        key = key or f"F{secrets.token_hex(5).upper()}"
        self._kept[key] = (data, kind)
        url = f"{self._slack.origin}/files-pri/{payloads.TEAM}-{key}"
        return {
            "id": key,
            "name": name,
            "title": name,
            "mimetype": kind,
            "size": len(data),
            "mode": "hosted",
            "is_external": False,
            "file_access": "visible",
            "url_private": f"{url}/{name}",
            "url_private_download": f"{url}/download/{name}",
            "permalink": f"https://loopback.slack.com/files/{key}/{name}",
        }

    def read(self, file: Mapping[str, Any]) -> bytes:
        """The content of a file that a message shows."""
        return self._kept[file["id"]][0]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """GET of a file; whoever may not read it is led to the login page, as browsers are."""
        fault = await self._note(request, "url_private")
        if fault and fault.status:
            return web.Response(status=fault.status, body=fault.body, headers=fault.headers)
        granted = "files:read" in self._slack.workspace.scopes
        if not granted or request.headers.get("Authorization") != f"Bearer {self._slack.bot_token}":
            raise web.HTTPFound(f"{self._slack.origin}/?redir={request.path}", text=PAGE, content_type="text/html")
        found = self._kept.get(request.match_info["id"])
        return await send(request, *found, fault) if found else web.Response(status=404)

    async def greet(self, _: web.Request) -> web.Response:
        """The login page."""
        return web.Response(text=PAGE, content_type="text/html")

    def announce(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """`files.getUploadURLExternal`."""
        if not str(args["length"]).isdecimal() or int(args["length"]) < 1:
            raise RefusalError("invalid_arguments")
        if int(args["length"]) > FILE:
            raise RefusalError("file_upload_size_restricted")
        key = f"F{secrets.token_hex(5).upper()}"
        self.uploads[key] = Upload(args["filename"], int(args["length"]))
        return {"file_id": key, "upload_url": f"{self._slack.origin}/upload/v1/{key}"}

    async def take(self, request: web.Request) -> web.Response:
        """POST of the bytes: as many as were announced, once, from nobody in particular."""
        fault = await self._note(request, "upload_url")
        if "Authorization" in request.headers:
            self.leaks.append(request.path)
            return web.Response(status=400, text="Nobody asked for a token.")
        if fault and fault.status:
            return web.Response(status=fault.status, body=fault.body, headers=fault.headers)
        upload, data = self.uploads.get(request.match_info["id"]), await request.read()
        if upload is None or upload.data is not None or len(data) != upload.length:
            return web.Response(status=400, text="This is not what was announced.")
        upload.data = data
        return web.Response(text=f"OK - {len(data)}")

    def complete(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """`files.completeUploadExternal`: only now anybody sees the files."""
        slack = self._slack
        where = slack.workspace.conversations.get(str(args.get("channel_id", "")))
        thread = str(args.get("thread_ts") or "")
        if where is None:
            raise RefusalError("channel_not_found")
        if slack.workspace.bot_user not in where.members:
            raise RefusalError("not_in_channel")
        if where.archived:
            raise RefusalError("is_archived")
        if thread and (thread not in where.messages or where.messages[thread].thread):
            raise RefusalError("thread_not_found")
        files = [self._finish(file) for file in json.loads(args["files"])]
        said = Message(
            slack.clock.ts(), where.id, slack.workspace.bot_user, [Version("")], thread, bot=True, files=files
        )
        where.messages[said.ts] = said
        slack.emit(where, payloads.message(said, where, slack.workspace.bot_id))
        return {"files": files}

    async def _note(self, request: web.Request, name: str) -> Fault | None:
        """Keep that a file was asked for or sent; gives what goes wrong with that."""
        self._slack.calls.append((name, {"id": request.match_info["id"]}))
        fault = self._slack.faults.take(name)
        if fault and fault.gate:
            await fault.gate.wait()
        return fault

    def _finish(self, file: Mapping[str, Any]) -> dict[str, Any]:
        upload = self.uploads.get(file["id"])
        if upload is None or upload.data is None or file["id"] in self._kept:
            raise RefusalError("file_not_found")
        return self.keep(upload.name, upload.data, "text/plain", file["id"]) | {"title": file.get("title", upload.name)}
