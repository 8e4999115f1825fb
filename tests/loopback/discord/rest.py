"""The REST routes of everything but messages and interactions, and the table of all routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.loopback.discord import payloads
from tests.loopback.discord.calls import Call, Reply
from tests.loopback.discord.gateway import GUILDS, Gateway
from tests.loopback.discord.interactions import Interactions
from tests.loopback.discord.messages import Messages
from tests.loopback.discord.rules import NAME, RefusalError, check_options, invalid
from tests.loopback.discord.state import TEXT, THREAD, Channel
from tests.loopback.discord.world import APP, BOT, World

Handler = Callable[[Call], Reply]
COMMANDS = 100
ARCHIVAL = (60, 1440, 4320, 10080)
"""Minutes after which a thread may be put away."""
MESSAGE = "/channels/{channel}/messages/{message}"
TOKEN = "/webhooks/{application}/{token}"
OPEN = {"callback", "follow", "answer.get", "answer.edit", "answer.delete"}
"""Routes that need no token of the bot and count under no global limit."""


class Rest:
    """What each route does; every one raises RefusalError with Discord's code."""

    def __init__(self, world: World, gateway: Gateway, messages: Messages, interactions: Interactions) -> None:
        self._world = world
        self._gateway = gateway
        self._messages = messages
        self.clock: Callable[[], float] = lambda: 0.0
        one = "/applications/{application}"
        self.routes: list[tuple[str, str, str, Handler]] = [
            ("gateway", "GET", "/gateway", lambda _: Reply({"url": gateway.url})),
            ("gateway.bot", "GET", "/gateway/bot", self.gateway),
            ("me", "GET", "/users/@me", lambda _: Reply(payloads.user(world.bot))),
            ("user", "GET", "/users/{user}", self.user),
            ("dm", "POST", "/users/@me/channels", self.dm),
            ("app", "GET", "/applications/@me", self.app),
            ("app", "GET", "/oauth2/applications/@me", self.app),
            ("guilds", "GET", "/users/@me/guilds", self.guilds),
            ("guild", "GET", "/guilds/{guild}", self.guild),
            ("guild.channels", "GET", "/guilds/{guild}/channels", self.inside),
            ("guild.threads", "GET", "/guilds/{guild}/threads/active", self.active),
            ("members", "GET", "/guilds/{guild}/members", self.members),
            ("member", "GET", "/guilds/{guild}/members/{user}", self.member),
            ("channel", "GET", "/channels/{channel}", self.channel),
            ("channel.edit", "PATCH", "/channels/{channel}", self.alter),
            ("typing", "POST", "/channels/{channel}/typing", self.typing),
            ("thread", "POST", MESSAGE + "/threads", self.thread),
            ("join", "PUT", "/channels/{channel}/thread-members/@me", self.join),
            ("history", "GET", "/channels/{channel}/messages", messages.history),
            ("post", "POST", "/channels/{channel}/messages", messages.post),
            ("get", "GET", MESSAGE, messages.get),
            ("edit", "PATCH", MESSAGE, messages.edit),
            ("delete", "DELETE", MESSAGE, messages.delete),
            ("react", "PUT", MESSAGE + "/reactions/{emoji}/@me", messages.react),
            ("unreact", "DELETE", MESSAGE + "/reactions/{emoji}/@me", messages.unreact),
            ("callback", "POST", "/interactions/{interaction}/{token}/callback", interactions.callback),
            ("follow", "POST", TOKEN, interactions.follow),
            ("answer.get", "GET", TOKEN + "/messages/{message}", interactions.get),
            ("answer.edit", "PATCH", TOKEN + "/messages/{message}", interactions.edit),
            ("answer.delete", "DELETE", TOKEN + "/messages/{message}", interactions.delete),
            ("commands", "PUT", one + "/commands", self.overwrite),
            ("commands", "PUT", one + "/guilds/{guild}/commands", self.overwrite),
            ("commands.get", "GET", one + "/commands", self.commands),
            ("commands.get", "GET", one + "/guilds/{guild}/commands", self.commands),
        ]

    def gateway(self, _: Call) -> Reply:
        """GET /gateway/bot."""
        start = {"total": 1000, "remaining": 1000 - len(self._gateway.identifies), "reset_after": 0}
        return Reply({"url": self._gateway.url, "shards": 1, "session_start_limit": {**start, "max_concurrency": 1}})

    def app(self, _: Call) -> Reply:
        """GET /applications/@me."""
        return Reply(payloads.application(self._world.app, self._world.bot))

    def user(self, call: Call) -> Reply:
        """GET /users/{user}."""
        if call["user"] not in self._world.users:
            raise RefusalError(404, 10013, "Unknown User")
        return Reply(payloads.user(self._world.users[call["user"]]))

    def dm(self, call: Call) -> Reply:
        """POST /users/@me/channels: it opens even where the person takes no messages."""
        person = self._world.users.get(str(call.body.get("recipient_id")))
        if person is None or person.bot:
            raise RefusalError(400, 50033, "Invalid Recipient(s)")
        return Reply(payloads.channel(self._world.direct(person.id), self._world))

    def guilds(self, _: Call) -> Reply:
        """GET /users/@me/guilds: those that the bot is in."""
        inside = (guild for guild in self._world.guilds.values() if BOT in guild.members)
        return Reply([{"id": guild.id, "name": guild.name, "owner": False} for guild in inside])

    def guild(self, call: Call) -> Reply:
        """GET /guilds/{guild}."""
        if call["guild"] not in self._world.guilds:
            raise RefusalError(404, 10004, "Unknown Guild")
        return Reply(payloads.guild(self._world.guilds[call["guild"]], self._world))

    def inside(self, call: Call) -> Reply:
        """GET /guilds/{guild}/channels."""
        return Reply(self.guild(call).data["channels"])

    def active(self, call: Call) -> Reply:
        """GET /guilds/{guild}/threads/active."""
        return Reply({"threads": self.guild(call).data["threads"], "members": []})

    def members(self, call: Call) -> Reply:
        """GET /guilds/{guild}/members: for those who were granted the intent."""
        if "members" not in self._world.app.granted:
            raise RefusalError(403, 50001, "Missing Access")
        return Reply([payloads.member(one) for one in self._world.guilds[call["guild"]].members.values()])

    def member(self, call: Call) -> Reply:
        """GET /guilds/{guild}/members/{user}."""
        self.guild(call)
        user = BOT if call["user"] == "@me" else call["user"]
        found = self._world.guilds[call["guild"]].members.get(user)
        if found is None:
            raise RefusalError(404, 10007, "Unknown Member")
        return Reply(payloads.member(found))

    def channel(self, call: Call) -> Reply:
        """GET /channels/{channel}."""
        return Reply(payloads.channel(self._world.channel(call["channel"]), self._world))

    def alter(self, call: Call) -> Reply:
        """PATCH /channels/{channel}: a thread of the bot's own is named, archived or opened."""
        where = self._world.channel(call["channel"])
        if where.kind != THREAD or where.owner != BOT:
            raise RefusalError(403, 50013, "Missing Permissions")
        where.name = call.body.get("name", where.name)
        where.archived = call.body.get("archived", where.archived)
        self._tell("THREAD_UPDATE", where)
        return Reply(payloads.channel(where, self._world))

    def typing(self, call: Call) -> Reply:
        """POST /channels/{channel}/typing."""
        where = self._world.channel(call["channel"])
        self._world.need(where, "send")
        where.typed.append(self.clock())
        return Reply(None, 204)

    def thread(self, call: Call) -> Reply:
        """POST /channels/{channel}/messages/{message}/threads: the thread has the message's id."""
        where = self._world.channel(call["channel"])
        said = self._world.message(where, call["message"])
        if where.kind != TEXT:
            raise RefusalError(400, 50024, "Cannot execute action on this channel type")
        self._world.need(where, "thread")
        if said.id in self._world.channels:
            raise RefusalError(400, 160004, "A thread has already been created for this message")
        if not 1 <= len(str(call.body.get("name") or "").strip()) <= 100:
            raise invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        if call.body.get("auto_archive_duration", 1440) not in ARCHIVAL:
            raise invalid("auto_archive_duration", "BASE_TYPE_CHOICES", f"Value must be one of {ARCHIVAL}.")
        made = Channel(said.id, THREAD, where.guild, call.body["name"].strip(), where.id, BOT, [BOT])
        self._world.channels[made.id] = made
        self._tell("THREAD_CREATE", made, newly_created=True)
        self._messages.announce(said, "MESSAGE_UPDATE")
        return Reply(payloads.channel(made, self._world), 201)

    def join(self, call: Call) -> Reply:
        """PUT /channels/{channel}/thread-members/@me."""
        where = self._world.channel(call["channel"])
        if BOT not in where.people:
            where.people.append(BOT)
        return Reply(None, 204)

    def overwrite(self, call: Call) -> Reply:
        """PUT /applications/{application}/commands, of everywhere or of a guild: all of them at once."""
        self._mine(call)
        seen: set[tuple[int, str]] = set()
        for command in call.items:
            self._check(command, seen)
        stored = [self._store(command, call.params.get("guild", "")) for command in call.items]
        self._world.app.commands[call.params.get("guild", "")] = stored
        return Reply(stored)

    def commands(self, call: Call) -> Reply:
        """GET /applications/{application}/commands, of everywhere or of a guild."""
        self._mine(call)
        return Reply(self._world.app.commands.get(call.params.get("guild", ""), []))

    def _mine(self, call: Call) -> None:
        if call["application"] != APP:
            raise RefusalError(404, 10002, "Unknown Application")

    def _check(self, command: dict[str, Any], seen: set[tuple[int, str]]) -> None:
        kind, name = command.get("type", 1), command.get("name", "")
        if len(seen) >= COMMANDS:
            raise RefusalError(400, 30032, "Maximum number of application commands reached (100)")
        if (kind, name) in seen:
            raise invalid("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        if kind == 1 and (not NAME.match(name) or name != name.lower()):
            raise invalid("name", "STRING_TYPE_REGEX", "Does not match the rule for names.")
        if kind == 1 and not 1 <= len(command.get("description", "")) <= 100:
            raise invalid("description", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        check_options(command.get("options") or [])
        seen.add((kind, name))

    def _store(self, command: dict[str, Any], guild: str) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "default_member_permissions": None,
            "nsfw": False,
            "dm_permission": True,
        }
        words: dict[str, Any] = {"name_localizations": None, "description_localizations": None}
        options = [
            {
                **{key: _localized(value) if key == "choices" else value for key, value in option.items() if value},
                **words,
            }
            for option in command.get("options") or ()
        ]
        ids = {"id": self._world.snowflakes.next(), "application_id": APP, "version": self._world.snowflakes.next()}
        stored = {"type": 1, "description": "", **plain, **command, "options": options, **ids}
        return {**stored, **({"guild_id": guild} if guild else {})}

    def _tell(self, name: str, where: Channel, **more: Any) -> None:
        drawn = {**payloads.channel(where, self._world), **more}
        self._gateway.tell(name, lambda _: drawn, where, (GUILDS, GUILDS))


def _localized(choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An option's choices as Discord gives them back."""
    return [{**choice, "name_localizations": None} for choice in choices]
