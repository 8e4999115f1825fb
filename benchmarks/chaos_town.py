"""Where the chaos is let loose: many places on both loopback platforms, and what stands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from tests.loopback import discord as d
from tests.loopback import slack as s
from tests.loopback.discord import FakeDiscord
from tests.loopback.discord.state import DM, THREAD, Member, User
from tests.loopback.discord.state import Channel as Room
from tests.loopback.slack import FakeSlack
from tests.loopback.slack.state import Conversation, unescape
from tests.loopback.slack.state import Message as Posted

CURSOR = "▌"
NOTE = re.compile(r"(?:^|\n)-# (.*)$")
ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Spot:
    """A place where people ask; a Slack channel itself has no `thread`: every question there begins one."""

    platform: str
    channel: str
    people: tuple[str, ...]
    direct: bool = False
    thread: str = ""

    @property
    def key(self) -> str:
        """What the memory calls it; empty for a Slack channel, in which every question begins a place of its own."""
        if self.platform == "discord":
            return f"discord:{self.channel}"
        place = f"slack:{s.TEAM}:{self.channel}"
        return f"{place}:{self.thread}" if self.thread else place if self.direct else ""


@dataclass(frozen=True)
class Asked:
    """A question as it was asked: its marker, where, by whom, and the text that the bot is to read."""

    marker: str
    spot: Spot
    place: str
    person: str
    message: str
    text: str


@dataclass(frozen=True)
class Shown:
    """A message of the bot as it stands: its text and note apart; `live` while it says that it is being written."""

    place: str
    text: str
    note: str
    live: bool


class Town:
    """People and places on both platforms; `size` is how many of each kind of place there are."""

    def __init__(self, discord: FakeDiscord, slack: FakeSlack, size: int) -> None:
        self.discord, self.slack = discord, slack
        self.asked: list[Asked] = []
        self.spots = [*self._discord(size), *self._slack(size)]
        self.gates = [Spot("slack", room, people) for room, people in self._rooms(size)]

    async def ask(self, spot: Spot, rng: Random, marker: str) -> Asked:
        """Somebody there asks; in a Slack channel itself a thread begins, which is a new spot."""
        person = rng.choice(spot.people)
        text = f"What about {marker}?"
        if spot.platform == "discord":
            content = text if spot.direct else f"<@{d.BOT}> {text}"
            message, place = self.discord.say(spot.channel, content, person).id, spot.key
        else:
            content = text if spot.direct else f"<@{s.BOT}> {text}"
            message = (await self.slack.say(spot.channel, content, person, spot.thread)).ts
            if not spot.key:
                spot = Spot("slack", spot.channel, spot.people, thread=message)
                self.spots.append(spot)
            place = spot.key
        asked = Asked(marker, spot, place, person, message, text)
        self.asked.append(asked)
        return asked

    def standing(self) -> dict[tuple[str, str, str], Shown]:
        """Every message of the bot that stands: (platform, channel, id) and what it shows."""
        found = {}
        for channel in self.discord.channels:
            for said in self.discord.answers(channel):
                live = any("stop" in button for button in said.buttons)
                text, note = _part(said.content)
                found["discord", channel, said.id] = Shown(f"discord:{channel}", text, note, live)
        for where in self.slack.workspace.conversations.values():
            for posted in self.slack.answers(where.id):
                found["slack", where.id, posted.ts] = _read(posted)
        return found

    def signs(self) -> int:
        """How many reactions of the bot are left on questions."""
        places = self.slack.workspace.conversations.values()
        here = [
            who
            for place in self.discord.channels.values()
            for said in place.standing
            for who in said.reactions.values()
        ]
        there = [who for place in places for said in place.messages.values() for who in said.reactions.values()]
        return sum(d.BOT in who for who in here) + sum(s.BOT in who for who in there)

    def _discord(self, size: int) -> list[Spot]:
        """Channels, threads in the first of them, and direct messages."""
        world = self.discord.world
        people, spots = [d.ANN, d.BEN], list[Spot]()
        for number in range(2 * size):
            person = f"11000000000000{number:04}"
            world.users[person] = User(person, f"person{number}", f"Person {number}")
            world.guilds[d.GUILD].members[person] = Member(world.users[person])
            people.append(person)
        for number in range(size):
            channel, thread, direct = (f"3{kind}000000000000{number:04}" for kind in (1, 2, 3))
            world.channels[channel] = Room(channel, guild=d.GUILD, name=f"room-{number}")
            world.channels[thread] = Room(thread, THREAD, d.GUILD, f"talk {number}", channel, d.ANN, [d.ANN])
            world.channels[direct] = Room(direct, DM, name="", people=[people[2 + number]])
            spots += [Spot("discord", room, tuple(people)) for room in (channel, thread)]
            spots.append(Spot("discord", direct, (people[2 + number],), direct=True))
        return spots

    def _slack(self, size: int) -> list[Spot]:
        """Direct messages; threads begin by themselves."""
        space = self.slack.workspace
        for number in range(size):
            person, direct = f"U1PERSON{number}", f"D1PERSON{number}"
            space.people[person] = f"Person{number}"
            space.conversations[direct] = Conversation(direct, "im", {s.BOT, person}, f"person{number}")
        return [Spot("slack", f"D1PERSON{number}", (f"U1PERSON{number}",), direct=True) for number in range(size)]

    def _rooms(self, size: int) -> list[tuple[str, tuple[str, ...]]]:
        space = self.slack.workspace
        people = tuple(space.people)
        for number in range(size):
            space.conversations[f"C1ROOM{number}"] = Conversation(f"C1ROOM{number}", "channel", {s.BOT, *people})
        return [(f"C1ROOM{number}", people) for number in range(size)]


def _part(content: str) -> tuple[str, str]:
    """Text and note of a message on Discord."""
    found = NOTE.search(content)
    return (content[: found.start()], ESCAPE.sub(r"\1", found[1])) if found else (content, "")


def _read(posted: Posted) -> Shown:
    blocks = posted.versions[-1].blocks
    place = f"slack:{s.TEAM}:{posted.channel}" + (f":{posted.thread}" if posted.thread else "")
    text = "".join(
        block["text"] if isinstance(block["text"], str) else block["text"]["text"]
        for block in blocks
        if block["type"] in ("markdown", "section")
    )
    note = "".join(element["text"] for block in blocks if block["type"] == "context" for element in block["elements"])
    return Shown(place, unescape(text), unescape(note), "press:stop" in str(blocks))
