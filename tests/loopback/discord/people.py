"""What people do on Discord, for a test to say on their behalf."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.loopback.discord import payloads
from tests.loopback.discord.gateway import GUILDS, Gateway
from tests.loopback.discord.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, Interaction, Interactions
from tests.loopback.discord.messages import Messages
from tests.loopback.discord.rules import mentioned, previews
from tests.loopback.discord.state import DM, THREAD, Channel, Message, Version
from tests.loopback.discord.world import ANN, APP, BOT, GENERAL, World


class People:
    """Everybody but the bot."""

    def __init__(
        self,
        world: World,
        gateway: Gateway,
        messages: Messages,
        interactions: Interactions,
        clock: Callable[[], float],
    ) -> None:
        self._world = world
        self._gateway = gateway
        self._messages = messages
        self._interactions = interactions
        self._clock = clock

    def say(
        self,
        channel: str = GENERAL,
        content: str = "",
        author: str = ANN,
        reference: str = "",
        ping: bool = True,
        ago: float = 0.0,
        files: Sequence[tuple[str, bytes, str]] = (),
        kind: int = 0,
        embeds: Sequence[dict[str, Any]] = (),
        components: Sequence[dict[str, Any]] = (),
    ) -> Message:
        """Write a message, as a reply to `reference`, which notifies its author where `ping` is set.

        `files` are (name, content, media type); `ago` makes the message so many seconds old; `kind` is its type where
        it is no ordinary one. Apps have `embeds` and `components`.
        """
        where = self._world.channels[channel]
        assert where.kind != DM or author in (*where.people, BOT), "nobody else writes in a direct message"
        version = Version(content, tuple(components), (*previews(content, 0), *embeds), at=self._clock())
        said = Message(self._world.snowflakes.next(ago), where.id, self._world.users[author], [version])
        said.attachments = [self._messages.files.keep(*file) for file in files]
        said.reference, said.type = reference, kind or (19 if reference else 0)
        if where.kind == THREAD and author not in where.people:
            where.people.append(author)
        self._messages.wake(where)
        self._messages.publish(where, said, {"parse": ["users", "roles", "everyone"], "replied_user": ping})
        return said

    def edit(self, message: str, content: str) -> Message:
        """Change the text of a message."""
        said = self._world.find(message)
        embeds = previews(content, said.flags)
        said.versions.append(Version(content, said.now.components, embeds, said.flags, self._clock()))
        said.edited = time.time()
        self._messages.notify(said, mentioned(content, None), edit=True)
        self._messages.announce(said, "MESSAGE_UPDATE")
        return said

    def delete(self, message: str) -> None:
        """Take a message away, whoever wrote it."""
        self._messages.remove(self._world.find(message))

    def purge(self, *messages: str) -> None:
        """Take messages of one channel away, all at once."""
        self._messages.purge([self._world.find(message) for message in messages])

    def unfold(self, message: str) -> None:
        """Let the platform say that a message has a preview now, though nobody edited it."""
        self._messages.announce(self._world.find(message), "MESSAGE_UPDATE")

    def react(self, message: str, emoji: str, user: str = ANN) -> None:
        """Put a reaction on a message."""
        self._messages.mark(self._world.find(message), emoji, user, True)

    def open_thread(self, message: str, name: str = "a thread", user: str = ANN) -> Channel:
        """Open a thread from a message; it has the message's id."""
        parent = self._world.channels[self._world.find(message).channel]
        made = Channel(message, THREAD, parent.guild, name, parent.id, user, [user])
        self._world.channels[made.id] = made
        drawn = {**payloads.channel(made, self._world), "newly_created": True}
        self._gateway.tell("THREAD_CREATE", lambda _: drawn, made, (GUILDS, GUILDS))
        return made

    def drop(self, channel: str) -> None:
        """Delete a channel or a thread."""
        where = self._world.channels[channel]
        where.deleted = True
        gone = {key: value for key, value in payloads.channel(where, self._world).items() if key != "last_message_id"}
        name = "THREAD_DELETE" if where.kind == THREAD else "CHANNEL_DELETE"
        self._gateway.tell(name, lambda _: gone, where, (GUILDS, GUILDS))

    def archive(self, thread: str, locked: bool = False) -> None:
        """Close a thread."""
        where = self._world.channels[thread]
        where.archived, where.locked = True, locked
        drawn = payloads.channel(where, self._world)
        self._gateway.tell("THREAD_UPDATE", lambda _: drawn, where, (GUILDS, GUILDS))

    def deny(self, channel: str, *permissions: str) -> None:
        """Take permissions from the bot in a channel; the words are those of `world.BITS`."""
        where = self._world.channels[channel]
        where.denied |= set(permissions)
        drawn = payloads.channel(where, self._world)
        self._gateway.tell("CHANNEL_UPDATE", lambda _: drawn, where, (GUILDS, GUILDS))

    def slash(
        self, name: str, channel: str = GENERAL, user: str = ANN, options: dict[str, Any] | None = None
    ) -> Interaction:
        """Give one of the commands that the bot registered, with options by their names."""
        return self._interact(COMMAND, channel, user, self._command(name, channel, options or {}))

    def complete(self, name: str, option: str, typed: str = "", channel: str = GENERAL, user: str = ANN) -> Interaction:
        """Type into an option that completes itself."""
        options = self._find(name, channel, 1)["options"]
        assert [one["name"] for one in options if one.get("autocomplete")] == [option], "it does not complete itself"
        data = self._command(name, channel, {option: typed})
        data["options"][0]["focused"] = True
        return self._interact(AUTOCOMPLETE, channel, user, data)

    def menu(self, name: str, message: str, user: str = ANN) -> Interaction:
        """Pick a command from the menu of a message."""
        said = self._world.find(message)
        data = self._command(name, said.channel, {}, 3)
        drawn = payloads.message(said, self._world)
        data |= {"target_id": said.id, "resolved": {"messages": {said.id: drawn}}}
        return self._interact(COMMAND, said.channel, user, data)

    def click(self, message: str, custom_id: str = "", user: str = ANN) -> Interaction:
        """Press a button that the message shows; without an id the only one."""
        said = self._world.find(message)
        assert not said.deleted, "the message is gone"
        assert not said.viewer or said.viewer == user, "they do not see it"
        chosen = custom_id or ", ".join(said.buttons)
        assert chosen in said.buttons, f"no such button: {chosen!r} of {said.buttons}"
        return self._interact(COMPONENT, said.channel, user, {"component_type": 2, "custom_id": chosen, "id": 2}, said)

    def stale_click(self, message: str, custom_id: str, user: str = ANN) -> Interaction:
        """Press a button that the message no longer shows, as one does who has not seen the newest state."""
        said = self._world.find(message)
        return self._interact(
            COMPONENT, said.channel, user, {"component_type": 2, "custom_id": custom_id, "id": 2}, said
        )

    def _command(self, name: str, channel: str, given: dict[str, Any], kind: int = 1) -> dict[str, Any]:
        found = self._find(name, channel, kind)
        known = {option["name"]: option for option in found.get("options", ())}
        assert given.keys() <= known.keys(), f"/{name} has no such option"
        assert not [key for key, option in known.items() if option.get("required") and key not in given]
        for key, value in given.items():
            assert not isinstance(value, str) or len(value) <= known[key].get("max_length", len(value)), "too long"
            choices = [choice["value"] for choice in known[key].get("choices", ())]
            assert not choices or value in choices, "there is no such choice"
        data: dict[str, Any] = {"id": found["id"], "name": name, "type": kind}
        if given:
            data["options"] = [{"name": key, "type": known[key]["type"], "value": given[key]} for key in given]
        return {**data, "guild_id": found["guild_id"]} if "guild_id" in found else data

    def _find(self, name: str, channel: str, kind: int) -> dict[str, Any]:
        """A command that the bot registered, for the guild or for everywhere."""
        guild, commands = self._world.channels[channel].guild, self._world.app.commands
        known: list[dict[str, Any]] = [*commands.get(guild, ()), *commands.get("", ())]
        found = next((one for one in known if (one["name"], one.get("type", 1)) == (name, kind)), None)
        assert found, f"the bot has no /{name}"
        return found

    def _interact(
        self, kind: int, channel: str, user: str, data: dict[str, Any], source: Message | None = None
    ) -> Interaction:
        where = self._world.channels[channel]
        born, token = self._clock(), secrets.token_urlsafe(32)
        one = Interaction(self._world.snowflakes.next(), token, kind, channel, user, born, source=source)
        one.payload = self._draw(one, where, data)
        self._interactions.all.append(one)
        self._gateway.tell("INTERACTION_CREATE", lambda _: one.payload)
        return one

    def _draw(self, one: Interaction, where: Channel, data: dict[str, Any]) -> dict[str, Any]:
        person = self._world.users[one.user]
        drawn: dict[str, Any] = {
            "id": one.id,
            "application_id": APP,
            "type": one.kind,
            "data": data,
            "token": one.token,
            "version": 1,
            "channel_id": where.id,
            "channel": payloads.channel(where, self._world),
            "context": 0 if where.guild else 1,
            "locale": "en-US",
            "entitlements": [],
            "entitlement_sku_ids": [],
            "attachment_size_limit": 10 * 2**20,
            "app_permissions": str(self._world.allowed(where)),
            "authorizing_integration_owners": {"0": where.guild or "0"},
        }
        if one.source:
            drawn["message"] = payloads.message(one.source, self._world)
        if not where.guild:
            return {**drawn, "user": payloads.user(person)}
        member = payloads.member(self._world.guilds[where.guild].members[person.id])
        drawn["channel"]["permissions"] = str(self._world.rights(where, person.id))
        return drawn | {
            "guild_id": where.guild,
            "guild_locale": "en-US",
            "guild": {"id": where.guild, "locale": "en-US", "features": []},
            "member": {**member, "permissions": str(self._world.rights(where, person.id))},
        }
