"""The REST routes of messages, each as strict as Discord's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.loopback.discord import gateway, payloads
from tests.loopback.discord.calls import Call, Reply
from tests.loopback.discord.files import Files
from tests.loopback.discord.gateway import Gateway
from tests.loopback.discord.rules import (
    ON_EDIT,
    ON_POST,
    Mentions,
    RefusalError,
    check_blank,
    check_message,
    invalid,
    mentioned,
    previews,
)
from tests.loopback.discord.state import (
    DM,
    SILENT,
    SUPPRESS_EMBEDS,
    TEXT,
    THREAD,
    VOICE,
    Channel,
    Message,
    Notice,
    Version,
)
from tests.loopback.discord.world import BOT, World

NONCES = 300.0
"""Seconds for which a nonce is remembered ("for the past few minutes")."""
PAGE = 100


class Messages:
    """Posting, editing, deleting and reading, over the world."""

    def __init__(self, world: World, gateway: Gateway, clock: Callable[[], float]) -> None:
        self._world = world
        self._gateway = gateway
        self._clock = clock
        self._nonces: dict[tuple[str, str], tuple[float, str]] = {}
        self.files = Files(world.snowflakes)

    def post(self, call: Call) -> Reply:
        """POST /channels/{channel}/messages."""
        where = self._writable(call["channel"])
        body = call.body
        if body.get("enforce_nonce") and (known := self._known(where, str(body.get("nonce", "")))):
            return Reply(payloads.message(known, self._world))
        version = self.compose(body, ON_POST)
        said = Message(self._world.snowflakes.next(), where.id, self._world.bot, [version])
        said.nonce = str(body.get("nonce") or "")
        said.attachments = self.attach(call)
        said.reference = self._reference(where, body.get("message_reference"))
        said.type = 19 if said.reference else 0
        check_blank(version, said.attachments)
        self.publish(where, said, body.get("allowed_mentions"))
        if said.nonce:
            self._nonces[where.id, said.nonce] = (self._clock(), said.id)
        return Reply(payloads.message(said, self._world))

    def edit(self, call: Call) -> Reply:
        """PATCH /channels/{channel}/messages/{message}."""
        where = self._world.channel(call["channel"])
        said = self._world.message(where, call["message"])
        if said.author.id != BOT:
            raise RefusalError(403, 50005, "Cannot edit a message authored by another user")
        self._open(where)
        self.change(said, call)
        return Reply(payloads.message(said, self._world))

    def delete(self, call: Call) -> Reply:
        """DELETE /channels/{channel}/messages/{message}."""
        where = self._world.channel(call["channel"])
        said = self._world.message(where, call["message"])
        self._open(where)
        if said.author.id != BOT:
            if not where.guild:
                raise RefusalError(403, 50003, "Cannot execute action on a DM channel")
            self._world.need(where, "manage")
        self.remove(said)
        return Reply(None, 204)

    def get(self, call: Call) -> Reply:
        """GET /channels/{channel}/messages/{message}."""
        where = self._world.channel(call["channel"])
        self._readable(where)
        return Reply(payloads.message(self._world.message(where, call["message"]), self._world, self._sees))

    def history(self, call: Call) -> Reply:
        """GET /channels/{channel}/messages: newest first, whichever way it was asked for."""
        where = self._world.channel(call["channel"])
        if self._world.lacks(where, "history"):
            return Reply([])
        limit = int(call.query.get("limit", 50))
        if not 1 <= limit <= PAGE:
            raise invalid("limit", "NUMBER_TYPE_COERCE", f"int value should be between 1 and {PAGE}.")
        found = list(reversed(where.standing))
        if before := call.query.get("before"):
            found = [said for said in found if int(said.id) < int(before)]
        if after := call.query.get("after"):
            found = [said for said in found if int(said.id) > int(after)]
            found = found[-limit:]
        if around := call.query.get("around"):
            found = sorted(found, key=lambda said: abs(int(said.id) - int(around)))[:limit]
            found.sort(key=lambda said: -int(said.id))
        return Reply([payloads.message(said, self._world, self._sees) for said in found[:limit]])

    def react(self, call: Call) -> Reply:
        """PUT /channels/{channel}/messages/{message}/reactions/{emoji}/@me."""
        where, said = self._reacted(call)
        if not said.reactions.get(call["emoji"]):
            self._world.need(where, "react")
        self._world.need(where, "history")
        self.mark(said, call["emoji"], BOT, True)
        return Reply(None, 204)

    def unreact(self, call: Call) -> Reply:
        """DELETE /channels/{channel}/messages/{message}/reactions/{emoji}/@me."""
        _, said = self._reacted(call)
        if BOT not in said.reactions.get(call["emoji"], ()):
            raise RefusalError(404, 10014, "Unknown Emoji")
        self.mark(said, call["emoji"], BOT, False)
        return Reply(None, 204)

    def compose(self, body: Mapping[str, Any], allowed: int, former: Version | None = None) -> Version:
        """What a body makes a message show; over what it showed before, where there is that."""
        flags = int(body.get("flags") or 0) if "flags" in body or former is None else former.flags & allowed
        check_message(body, flags, allowed | (former.flags if former else 0))
        kept = former or Version("")
        content = body["content"] or "" if "content" in body else kept.content
        for word, code in self._world.moderated.items():
            if word in str(body):
                raise RefusalError(400, code, "Message was blocked by automatic moderation")
        components = tuple(body["components"] or ()) if "components" in body else kept.components
        rich = tuple(body["embeds"] or ()) if "embeds" in body else _rich(kept)
        flags |= kept.flags & ~allowed
        embeds = (() if flags & SUPPRESS_EMBEDS else rich) + previews(content, flags)
        return Version(content.strip(), components, embeds, flags, self._clock())

    def change(self, said: Message, call: Call, allowed: int = ON_EDIT) -> None:
        """Make a message show what a body says; `versions` gets a new one."""
        version = self.compose(call.body, allowed, said.now)
        kept = call.body.get("attachments", said.attachments)
        attachments = [one for one in said.attachments if any(one["id"] == str(other.get("id")) for other in kept)]
        attachments += self.attach(call)
        check_blank(version, attachments)
        said.attachments = attachments
        said.versions.append(version)
        said.edited = time.time()
        if "content" in call.body:
            self.notify(said, mentioned(version.content, call.body.get("allowed_mentions")), edit=True)
        self.announce(said, "MESSAGE_UPDATE")

    def publish(self, where: Channel, said: Message, allowed: Mapping[str, Any] | None) -> None:
        """Let a message stand in its channel, and notify whom it mentions or replies to."""
        where.messages[said.id] = said
        self.notify(said, mentioned(said.content, allowed))
        former = where.messages.get(said.reference)
        if former and (allowed is None or allowed.get("replied_user", False)) and former.author.id != said.author.id:
            said.replied = former.author.id
            said.mentions = list(dict.fromkeys([*said.mentions, said.replied]))
            self._note(said, said.replied, "reply")
        self.announce(said, "MESSAGE_CREATE")

    def notify(self, said: Message, found: Mentions, edit: bool = False) -> None:
        """Keep whom a text mentions, and note that they were notified."""
        said.mentions = list(dict.fromkeys(filter(None, [*found.users, said.replied])))
        said.roles, said.everyone = list(found.roles), bool(found.everyone)
        for who in (*found.users, *found.roles, *found.everyone):
            self._note(said, who, edit=edit)

    def announce(self, said: Message, name: str) -> None:
        """Tell the gateway, unless one person alone sees it."""
        if not said.viewer:
            where = self._world.channels[said.channel]
            kinds = gateway.MESSAGES, gateway.DIRECT
            self._gateway.tell(name, lambda readable: payloads.event(said, self._world, readable), where, kinds)

    def remove(self, said: Message) -> None:
        """Take a message away."""
        said.deleted = True
        where = self._world.channels[said.channel]
        gone = {"id": said.id, "channel_id": where.id, **({"guild_id": where.guild} if where.guild else {})}
        if not said.viewer:
            self._gateway.tell("MESSAGE_DELETE", lambda _: gone, where, (gateway.MESSAGES, gateway.DIRECT))

    def purge(self, gone: Sequence[Message]) -> None:
        """Take messages of one channel away at once."""
        where = self._world.channels[gone[0].channel]
        for said in gone:
            said.deleted = True
        fact = {"ids": [said.id for said in gone], "channel_id": where.id, "guild_id": where.guild}
        self._gateway.tell("MESSAGE_DELETE_BULK", lambda _: fact, where, (gateway.MESSAGES, gateway.DIRECT))

    def mark(self, said: Message, emoji: str, user: str, put: bool) -> None:
        """Put a reaction on a message or take it away."""
        who = said.reactions.setdefault(emoji, set())
        (who.add if put else who.discard)(user)
        where = self._world.channels[said.channel]
        fact: dict[str, Any] = {"user_id": user, "channel_id": where.id, "message_id": said.id, "burst": False}
        fact |= {"emoji": {"id": None, "name": emoji}, "type": 0, "message_author_id": said.author.id}
        if where.guild:
            fact |= {"guild_id": where.guild, "member": payloads.member(self._world.guilds[where.guild].members[user])}
        name = "MESSAGE_REACTION_ADD" if put else "MESSAGE_REACTION_REMOVE"
        self._gateway.tell(name, lambda _: fact, where, (gateway.REACTIONS, gateway.DIRECT_REACTIONS))

    def wake(self, where: Channel) -> None:
        """Open a thread that is archived but not locked, as a post in it does."""
        if where.archived and not where.locked:
            where.archived = False
            drawn = payloads.channel(where, self._world)
            self._gateway.tell("THREAD_UPDATE", lambda _: drawn, where, (gateway.GUILDS, gateway.GUILDS))

    def attach(self, call: Call) -> list[dict[str, Any]]:
        """Keep the files that came with a call."""
        if call.files and (where := self._world.channels.get(call.params.get("channel", ""))):
            self._world.need(where, "attach")
        return self.files.take(call)

    @property
    def _sees(self) -> bool:
        return "message_content" in self._world.app.granted

    def _writable(self, id: str) -> Channel:
        """A channel that takes a post: it opens an archived thread, unless that is locked."""
        where = self._world.channel(id)
        if where.kind not in (TEXT, DM, VOICE, THREAD):
            raise RefusalError(400, 50008, "Cannot send messages in a non-text channel")
        self._world.need(where, "send")
        if any(self._world.users[person].closed for person in where.people if not where.guild):
            raise RefusalError(403, 50007, "Cannot send messages to this user")
        if where.locked:
            self._open(where)
        self.wake(where)
        return where

    def _open(self, where: Channel) -> None:
        if where.archived or where.locked:
            raise RefusalError(400, 50083, "Thread is archived")

    def _readable(self, where: Channel) -> None:
        if self._world.lacks(where, "history"):
            raise RefusalError(403, 50001, "Missing Access")

    def _reacted(self, call: Call) -> tuple[Channel, Message]:
        where = self._world.channel(call["channel"])
        said = self._world.message(where, call["message"])
        self._open(where)
        return where, said

    def _known(self, where: Channel, nonce: str) -> Message | None:
        at, known = self._nonces.get((where.id, nonce), (0.0, ""))
        return where.messages[known] if known and self._clock() - at < NONCES else None

    def _reference(self, where: Channel, reference: Mapping[str, Any] | None) -> str:
        if not reference:
            return ""
        if str(reference.get("channel_id", where.id)) != where.id:
            raise invalid("message_reference", "REPLIES_CANNOT_REPLY_TO_OTHER_CHANNEL", "Not in this channel.")
        if self._world.lacks(where, "history"):
            raise RefusalError(400, 160002, "Cannot reply without permission to read message history")
        former = where.messages.get(str(reference["message_id"]))
        if former and not former.deleted and not former.viewer:
            return former.id
        if reference.get("fail_if_not_exists", True):
            raise invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        return ""

    def _note(self, said: Message, who: str, how: str = "mention", edit: bool = False) -> None:
        silent = bool(said.flags & SILENT)
        self._world.notifications.append(Notice(said.id, who, how, edit, silent))


def _rich(version: Version) -> tuple[dict[str, Any], ...]:
    return tuple(embed for embed in version.embeds if embed.get("type") != "link")
