"""What goes wrong: refused, cut and lost calls, broken sockets, doubled events, and a model with bad days."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any

from aiohttp import web

from tests.loopback import discord, slack
from tests.loopback.discord.limits import Faults as DiscordFaults
from tests.loopback.openai import FakeOpenAI
from tests.loopback.provider import words
from tests.loopback.script import Script
from tests.loopback.slack.limits import Faults as SlackFaults

MARKER = re.compile(r"Q\d{4}[a-z]{3}")
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "joint", "knoll", "larch")
WEIGHTS = {"short": 75, "middle": 18, "long": 7}
LENGTHS = {"short": (3, 25), "middle": (50, 140), "long": (350, 600)}
"""Words of an answer; a long one needs several messages on Discord."""
ROUGH = 0.12
"""Part of the calls of a platform that go wrong."""
LONGEST = 3.0
"""Seconds that an answer takes, at most: Slack grants 50 edits a minute, and every live answer wants some."""
MOODS = {"quick": 52, "slow": 30, "refused": 5, "limited": 3, "dropped": 2, "cut": 4, "stalled": 2, "stuck": 2}
"""How a model answers, by weight."""


def answer(markers: list[str]) -> str:
    """The one answer to questions with these markers, always the same; without one, a summary."""
    return "\n\n".join(map(_paragraphs, markers)) or "This is what was said before."


def _paragraphs(marker: str) -> str:
    rng = Random(marker)
    (kind,) = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
    said = [rng.choice(WORDS) for _ in range(rng.randint(*LENGTHS[kind]))]
    middle = "\n\n".join(" ".join(said[at : at + 40]) for at in range(0, len(said), 40))
    return f"About {marker} I know this.\n\n{middle}\n\nThat is all about {marker}."


class Weather:
    """Whether things go wrong at all now, and how often each kind of fault did."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.rough = False
        self.faults: Counter[str] = Counter()

    def strikes(self, part: float = ROUGH) -> bool:
        """Whether this goes wrong."""
        return self.rough and self.rng.random() < part

    def count(self, platform: str, kind: str) -> None:
        """Write a fault down."""
        self.faults[f"{platform}: {kind}"] += 1


class DiscordStorm(DiscordFaults):
    """Lets Discord's calls go wrong, each by chance."""

    KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
        ("429", {"status": 429, "retry_after": 0.4}),
        ("5xx", {"status": 502}),
        ("done, but 5xx", {"status": 502, "done": True}),
        ("done, answer lost", {"lose": True}),
        ("connection cut", {"cut": True}),
    )
    ROUTES = ("post", "edit", "delete", "typing", "react", "unreact", "history", "channel")

    def __init__(self, weather: Weather) -> None:
        super().__init__()
        self._weather = weather

    def take(self, route: str) -> discord.Fault | None:
        if route not in self.ROUTES or not self._weather.strikes():
            return super().take(route)
        kind, fault = self._weather.rng.choice(self.KINDS)
        self._weather.count("discord", kind)
        return discord.Fault(**fault)


class SlackStorm(SlackFaults):
    """Lets Slack's calls go wrong, each by chance."""

    KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
        ("429", {"status": 429, "retry_after": 1}),
        ("5xx", {"status": 503}),
        ("internal error", {"error": "internal_error"}),
        ("done, answer lost", {"lose": True}),
    )
    METHODS = (
        "chat.postMessage", "chat.update", "chat.delete", "reactions.add", "reactions.remove", "conversations.history",
        "conversations.replies", "users.conversations", "users.info",
    )  # fmt: skip

    def __init__(self, weather: Weather) -> None:
        super().__init__()
        self._weather = weather

    def take(self, method: str) -> slack.Fault | None:
        if method not in self.METHODS or not self._weather.strikes():
            return super().take(method)
        kind, fault = self._weather.rng.choice(self.KINDS)
        self._weather.count("slack", kind)
        return slack.Fault(**fault)


class Moody(FakeOpenAI):
    """A model that answers by the markers of the last question, and now and then fails in one of its ways."""

    def __init__(self, weather: Weather) -> None:
        super().__init__(lambda messages: answer(MARKER.findall(messages[-1]["content"])))
        self._weather = weather
        self._playing: set[asyncio.Task[None]] = set()

    async def ask(self, request: web.Request) -> web.StreamResponse:
        (mood,) = self._weather.rng.choices(list(MOODS), list(MOODS.values())) if self._weather.rough else ("slow",)
        if mood not in ("quick", "slow"):
            self._weather.count("model", mood)
        if mood == "refused":
            self.refuse(503, "overloaded", "Overloaded.")
        elif mood == "limited":
            self.refuse(429, "rate_limit_exceeded", "Slow down.", {"Retry-After": "1"})
        elif mood != "quick":
            task = asyncio.create_task(self._play(self.script(), mood, self._weather.rng.uniform(0.2, LONGEST)))
            self._playing.add(task)
            task.add_done_callback(self._playing.discard)
        return await super().ask(request)

    async def rest(self) -> None:
        """Stop every answer that is still being given."""
        for task in self._playing:
            task.cancel()
        await asyncio.gather(*self._playing, return_exceptions=True)

    async def _play(self, script: Script, mood: str, seconds: float) -> None:
        """Give an answer in one of the slow ways: to its end, up to a cut, or up to a silence."""
        pieces = words(self.answer((await script.asked())["messages"]))
        pause = seconds / len(pieces)
        if mood in ("cut", "stuck"):
            del pieces[self._weather.rng.randrange(1, len(pieces)) :]
        with suppress(ConnectionError):
            if mood in ("slow", "cut", "stuck"):
                for piece in pieces:
                    await script.send(piece)
                    await asyncio.sleep(pause)
            if mood in ("cut", "dropped"):
                await script.drop()
            elif mood in ("stalled", "stuck"):
                await script.gone()
            else:
                await script.end()


class Rattle:
    """Breaks sockets and doubles events."""

    def __init__(self, weather: Weather, here: discord.FakeDiscord, there: slack.FakeSlack) -> None:
        self._weather = weather
        self._here, self._there = here, there
        self._ways: dict[str, Callable[[], Awaitable[None]]] = {
            "discord: gateway cut": self._cut,
            "discord: gateway closed": here.gateway.close,
            "discord: reconnect wanted": here.gateway.reconnect,
            "discord: session invalid": here.gateway.invalidate,
            "discord: event doubled": self._repeat,
            "slack: socket closed": there.courier.hang_up,
            "slack: reconnect wanted": there.courier.disconnect,
            "slack: acks lost": self._forget,
            "slack: event doubled": self._again,
        }

    async def run(self) -> None:
        """Go on until cancelled."""
        async with asyncio.TaskGroup() as ways:
            while True:
                await asyncio.sleep(self._weather.rng.uniform(0.5, 2.5))
                kind = self._weather.rng.choice(list(self._ways))
                self._weather.faults[kind] += 1
                ways.create_task(_quietly(self._ways[kind]()))

    async def _cut(self) -> None:
        self._here.gateway.kill()

    async def _repeat(self) -> None:
        """Send the last message of people once more."""
        for session in self._here.gateway.live:
            if any(event["t"] == "MESSAGE_CREATE" for event in session.events):
                self._here.gateway.repeat("MESSAGE_CREATE")
                return

    async def _forget(self) -> None:
        self._there.courier.lost_acks += 2

    async def _again(self) -> None:
        if events := self._there.courier.deliveries[-20:]:
            self._there.courier.send("events_api", self._weather.rng.choice(events).payload)


async def _quietly(order: Awaitable[None]) -> None:
    """Tell a client something, which may be gone."""
    with suppress(ConnectionError):
        await order
