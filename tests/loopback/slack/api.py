"""The Web API's methods over the workspace, each as strict as Slack's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from tests.loopback.slack import payloads
from tests.loopback.slack.rules import HISTORY, KINDS, READ, UPDATE_TEXT, RefusalError, check_content
from tests.loopback.slack.state import Clock, Conversation, Ephemeral, Message, Version
from tests.loopback.slack.workspace import Workspace

LIMIT = 1000
"""Entries of a page, at most."""
Args = Mapping[str, Any]
Echo = Callable[[Conversation, dict[str, Any]], None]


class Api:
    """What each method does; every one raises RefusalError with Slack's error."""

    def __init__(self, workspace: Workspace, clock: Clock, echo: Echo, socket_url: Callable[[], str]) -> None:
        self._workspace = workspace
        self._clock = clock
        self._echo = echo
        self._socket_url = socket_url
        self.assistant = False
        self.longest = 1000
        self.methods: dict[str, Callable[[Args], dict[str, Any]]] = {
            "auth.test": self.test,
            "apps.connections.open": lambda _: {"url": self._socket_url()},
            "chat.postMessage": self.post,
            "chat.update": self.update,
            "chat.delete": self.delete,
            "chat.postEphemeral": self.whisper,
            "reactions.add": self.react,
            "reactions.remove": self.unreact,
            "users.info": self.user,
            "conversations.info": self.info,
            "conversations.history": self.history,
            "conversations.replies": self.replies,
            "users.conversations": self.channels,
            "assistant.threads.setStatus": self.status,
        }

    def test(self, _: Args) -> dict[str, Any]:
        """`auth.test`."""
        return {
            "url": "https://loopback.slack.com/",
            "team": "Loopback",
            "user": "parley",
            "team_id": payloads.TEAM,
            "user_id": self._workspace.bot_user,
            "bot_id": self._workspace.bot_id,
            "is_enterprise_install": False,
        }

    def post(self, args: Args) -> dict[str, Any]:
        """`chat.postMessage`."""
        where = self._speakable(args)
        check_content(args)
        self._moderate(args)
        thread = args.get("thread_ts", "")
        if thread and (thread not in where.messages or where.messages[thread].thread):
            raise RefusalError("thread_not_found")
        version = Version(args.get("text", ""), tuple(args.get("blocks", ())))
        said = Message(
            self._clock.ts(), where.id, self._workspace.bot_user, [version], thread, bot=True, args=dict(args)
        )
        where.messages[said.ts] = said
        if where.statuses.get(thread or said.ts):
            where.statuses[thread or said.ts].append("")
        self._echo(where, payloads.message(said, where, self._workspace.bot_id))
        return {"channel": where.id, "ts": said.ts, "message": payloads.describe(said, self._workspace.bot_id)}

    def update(self, args: Args) -> dict[str, Any]:
        """`chat.update`."""
        where = self._speakable(args)
        said = self._own(where, args, "cant_update_message")
        check_content(args, UPDATE_TEXT)
        self._moderate(args)
        said.versions.append(Version(args.get("text", ""), tuple(args.get("blocks", ()))))
        self._echo(where, payloads.edited(said, where, self._workspace.bot_id, self._clock.ts()))
        return {"channel": where.id, "ts": said.ts, "text": said.versions[-1].text}

    def delete(self, args: Args) -> dict[str, Any]:
        """`chat.delete`."""
        where = self._speakable(args)
        said = self._own(where, args, "cant_delete_message")
        said.deleted = True
        self._echo(where, payloads.deleted(said, where, self._workspace.bot_id, self._clock.ts()))
        return {"channel": where.id, "ts": said.ts}

    def whisper(self, args: Args) -> dict[str, Any]:
        """`chat.postEphemeral`."""
        where = self._speakable(args)
        check_content(args)
        if args["user"] not in where.members:
            raise RefusalError("user_not_in_channel")
        version = Version(args.get("text", ""), tuple(args.get("blocks", ())))
        thread = str(args.get("thread_ts") or "")
        if not thread or len(where.thread(thread)) > 1:  # else Slack takes it and shows it to nobody
            self._workspace.ephemerals.append(Ephemeral(where.id, args["user"], version, thread=thread))
        return {"message_ts": self._clock.ts()}

    def react(self, args: Args) -> dict[str, Any]:
        """`reactions.add`."""
        users = self._reactions(args)
        if self._workspace.bot_user in users:
            raise RefusalError("already_reacted")
        users.add(self._workspace.bot_user)
        return {}

    def unreact(self, args: Args) -> dict[str, Any]:
        """`reactions.remove`."""
        users = self._reactions(args)
        if self._workspace.bot_user not in users:
            raise RefusalError("no_reaction")
        users.remove(self._workspace.bot_user)
        return {}

    def user(self, args: Args) -> dict[str, Any]:
        """`users.info`."""
        name = self._workspace.people.get(args["user"])
        if name is None:
            raise RefusalError("user_not_found")
        profile = {"display_name": name, "real_name": f"{name} Example"}
        person = {"id": args["user"], "team_id": payloads.TEAM, "name": name.lower(), "profile": profile}
        ranks = {"is_admin": False, "is_owner": False, "is_primary_owner": False}
        return {"user": {**person, **ranks, **self._workspace.ranks.get(args["user"], {})}}

    def info(self, args: Args) -> dict[str, Any]:
        """`conversations.info`."""
        where = self._conversation(args["channel"])
        return {
            "channel": {"id": where.id, "name": where.name, "is_archived": where.archived, "is_frozen": where.frozen}
        }

    def history(self, args: Args) -> dict[str, Any]:
        """`conversations.history`."""
        where = self._readable(args)
        top = [said for said in where.messages.values() if not said.thread and not said.deleted]
        found = [self._describe(where, said) for said in reversed(top) if said.ts > args.get("oldest", "")]
        return self._page("messages", found, args)

    def replies(self, args: Args) -> dict[str, Any]:
        """`conversations.replies`."""
        where = self._readable(args)
        if args["ts"] not in where.messages:
            raise RefusalError("thread_not_found")
        root, since, until = args["ts"], args.get("oldest", ""), args.get("latest", "9")
        said = [said for said in where.thread(root) if said.ts == root or since < said.ts < until]
        return self._page("messages", [self._describe(where, one) for one in said], args)

    def channels(self, args: Args) -> dict[str, Any]:
        """`users.conversations`."""
        kinds = [KINDS[name] for name in str(args.get("types", "public_channel")).split(",")]
        if {READ[kind] for kind in kinds} - self._workspace.scopes:
            raise RefusalError("missing_scope")
        found = [
            {
                "id": where.id,
                "name": where.name,
                "is_im": where.kind == "im",
                "is_ext_shared": where.shared,
                "is_frozen": where.frozen,
            }
            for where in self._workspace.conversations.values()
            if where.kind in kinds and self._workspace.bot_user in where.members and not where.archived
        ]
        return self._page("channels", found, args)

    def status(self, args: Args) -> dict[str, Any]:
        """`assistant.threads.setStatus`."""
        where = self._conversation(args["channel_id"])
        if not self.assistant:
            raise RefusalError("not_authorized")
        if args["thread_ts"] not in where.messages:
            raise RefusalError("invalid_thread_ts")
        where.statuses[args["thread_ts"]].append(args["status"])
        return {}

    def _conversation(self, id: str) -> Conversation:
        if id not in self._workspace.conversations:
            raise RefusalError("channel_not_found")
        return self._workspace.conversations[id]

    def _moderate(self, args: Args) -> None:
        """Refuse what a rule of the workspace does not let through."""
        for word, error in self._workspace.moderated.items():
            if word in str(args):
                raise RefusalError(error)

    def _direct(self, id: str) -> str:
        """A person's id leads to their direct messages."""
        found = (where.id for where in self._workspace.conversations.values() if where.kind == "im")
        return next((dm for dm in found if id in self._workspace.conversations[dm].members), id)

    def _readable(self, args: Args) -> Conversation:
        where = self._conversation(args["channel"])
        if HISTORY[where.kind] not in self._workspace.scopes:
            raise RefusalError("missing_scope")
        if self._workspace.bot_user not in where.members:
            raise RefusalError("not_in_channel")
        return where

    def _page(self, key: str, entries: list[dict[str, Any]], args: Args) -> dict[str, Any]:
        """A page of a list, with the cursor of the next one where there is more."""
        if not 1 <= int(args.get("limit", 100)) <= LIMIT:
            raise RefusalError("invalid_limit")
        begin = int(args.get("cursor") or 0)
        end = begin + min(int(args.get("limit", 100)), self.longest)
        more = str(end) if len(entries) > end else ""
        return {key: entries[begin:end], "has_more": bool(more), "response_metadata": {"next_cursor": more}}

    def _describe(self, where: Conversation, said: Message) -> dict[str, Any]:
        """A message in the history; one that began a thread says when that was spoken in last."""
        described = payloads.describe(said, self._workspace.bot_id)
        if not said.thread and len(thread := where.thread(said.ts)) > 1:
            described |= {"thread_ts": said.ts, "reply_count": len(thread) - 1, "latest_reply": thread[-1].ts}
        return described

    def _speakable(self, args: Args) -> Conversation:
        where = self._conversation(self._direct(args["channel"]))
        if self._workspace.bot_user not in where.members:
            raise RefusalError("not_in_channel")
        if where.archived:
            raise RefusalError("is_archived")
        return where

    def _own(self, where: Conversation, args: Args, refusal: str) -> Message:
        said = where.messages.get(args["ts"])
        if said is None or said.deleted:
            raise RefusalError("message_not_found")
        if not said.bot:
            raise RefusalError(refusal)
        return said

    def _reactions(self, args: Args) -> set[str]:
        where = self._speakable(args)
        said = where.messages.get(args["timestamp"])
        if said is None or said.deleted:
            raise RefusalError("message_not_found")
        return said.reactions[args["name"]]


async def read_arguments(request: web.Request) -> dict[str, Any]:
    """A call's arguments, however they came: query, form or JSON."""
    args: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json" and (body := await request.text()):
        args |= json.loads(body)
    elif request.method == "POST":
        args |= {key: str(value) for key, value in (await request.post()).items()}
    args.pop("token", None)
    return args
