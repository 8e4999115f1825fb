"""The Discord that a test finds: who is there, and where they talk."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.loopback.discord.rules import RefusalError
from tests.loopback.discord.state import (
    DM,
    THREAD,
    App,
    Channel,
    Guild,
    Member,
    Message,
    Notice,
    Role,
    Snowflakes,
    User,
)

BOT, OWNER, ANN, BEN, ROBOT = (f"10000000000000000{n}" for n in range(1, 6))
"""The bot, the application's owner, two people, another bot."""
APP = BOT
GUILD, HELPERS, BOT_ROLE = "200000000000000001", "200000000000000002", "200000000000000003"
"""The guild, a role that people have, and the role that came with the bot."""
GENERAL, RANDOM, TALK = "300000000000000001", "300000000000000002", "300000000000000003"
"""Two text channels, and a thread in the first."""
ANN_DM, BEN_DM = "400000000000000001", "400000000000000002"
"""Direct messages with the bot."""
BITS = {
    "react": 1 << 6,
    "view": 1 << 10,
    "send": 1 << 11,
    "manage": 1 << 13,
    "embed": 1 << 14,
    "attach": 1 << 15,
    "history": 1 << 16,
    "mention": 1 << 17,
    "thread": 1 << 35,
    "send in threads": 1 << 38,
}
"""Permissions by the names that `Channel.denied` uses."""
ADMINISTRATOR, MANAGE_CHANNELS, MANAGE_GUILD = 1 << 3, 1 << 4, 1 << 5
"""Permissions of those who run a guild."""
EVERYDAY = sum(bit for name, bit in BITS.items() if name != "manage")


@dataclass
class World:
    """Users, guilds and channels, by their ids. `moderated` are words that a rule refuses, each with the code."""

    snowflakes: Snowflakes = field(default_factory=Snowflakes)
    users: dict[str, User] = field(default_factory=dict)
    guilds: dict[str, Guild] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    moderated: dict[str, int] = field(default_factory=dict)
    notifications: list[Notice] = field(default_factory=list)
    app: App = field(init=False)

    def __post_init__(self) -> None:
        names = ((OWNER, "olga"), (ANN, "ann"), (BEN, "ben"), (BOT, "parley"), (ROBOT, "robot"))
        self.users = {key: User(key, name, name.title(), bot=key in (BOT, ROBOT)) for key, name in names}
        self.app = App(APP, self.users[OWNER])
        self.guild(GUILD, "Loopback")
        self.guilds[GUILD].roles[HELPERS] = Role(HELPERS, "helpers")
        self.channels |= {
            GENERAL: Channel(GENERAL, guild=GUILD),
            RANDOM: Channel(RANDOM, guild=GUILD, name="random"),
            TALK: Channel(TALK, THREAD, GUILD, "a talk", GENERAL, ANN, [ANN]),
            ANN_DM: Channel(ANN_DM, DM, name="", people=[ANN]),
            BEN_DM: Channel(BEN_DM, DM, name="", people=[BEN]),
        }

    @property
    def bot(self) -> User:
        """The bot."""
        return self.users[BOT]

    def guild(self, id: str, name: str) -> Guild:
        """Found a guild with everybody and the bot in it."""
        role = Role(BOT_ROLE if id == GUILD else self.snowflakes.next(), "parley", EVERYDAY, BOT)
        guild = Guild(id, name, OWNER, roles={id: Role(id, "@everyone", EVERYDAY), role.id: role})
        guild.members = {user.id: Member(user) for user in self.users.values()}
        guild.members[BOT].roles.append(role.id)
        self.guilds[id] = guild
        return guild

    def channel(self, id: str) -> Channel:
        """A channel that exists and that the bot sees; else 10003 or 50001."""
        where = self.channels.get(id)
        if where is None or where.deleted:
            raise RefusalError(404, 10003, "Unknown Channel")
        if self.lacks(where, "view"):
            raise RefusalError(403, 50001, "Missing Access")
        return where

    def message(self, where: Channel, id: str) -> Message:
        """A message that stands there; else 10008."""
        said = where.messages.get(id)
        if said is None or said.deleted or said.viewer:
            raise RefusalError(404, 10008, "Unknown Message")
        return said

    def find(self, id: str) -> Message:
        """A message wherever it is, also one that is deleted or that one person alone sees."""
        return next(where.messages[id] for where in self.channels.values() if id in where.messages)

    def lacks(self, where: Channel, permission: str) -> bool:
        """Whether the bot may not do something there; a thread has its parent's permissions."""
        if where.guild and BOT not in self.guilds[where.guild].members:
            return True
        if where.kind == THREAD:
            permission = "send in threads" if permission == "send" else permission
            return permission in where.denied or permission in self.channels[where.parent].denied
        return permission in where.denied or permission == "manage"

    def need(self, where: Channel, permission: str) -> None:
        """Raise 50013 where the bot may not."""
        if self.lacks(where, permission):
            raise RefusalError(403, 50013, "Missing Permissions")

    def allowed(self, where: Channel) -> int:
        """The bot's permissions there, as a number."""
        return sum(bit for name, bit in BITS.items() if not self.lacks(where, name))

    def rights(self, where: Channel, person: str) -> int:
        """A person's permissions there: everybody's and those of their roles; the owner of the guild has all."""
        guild, found = self.guilds[where.guild], EVERYDAY
        for role in guild.members[person].roles:
            found |= guild.roles[role].permissions
        return 2**53 - 1 if guild.owner == person or found & ADMINISTRATOR else found

    def direct(self, person: str) -> Channel:
        """The direct messages of the bot with a person, opened where there are none."""
        for where in self.channels.values():
            if where.kind == DM and where.people == [person]:
                return where
        where = Channel(self.snowflakes.next(), DM, name="", people=[person])
        self.channels[where.id] = where
        return where
