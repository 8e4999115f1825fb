"""An engine at whose door lists and limits stand, and people who knock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from benchmarks.platform import Server
from bot import texts
from bot.access.admission import Admission
from bot.access.denials import Denial
from bot.access.limits import NO_LIMITS
from bot.access.policy import Kind, Subject
from bot.config.settings import AccessSettings, BotSettings, LimitsSettings
from bot.domain.messages import Author, Incoming, Message, Place, Role, Usage
from bot.domain.records import Answer
from bot.domain.spending import DenialReason
from bot.engine import Engine
from bot.pacing.pacer import Pacer
from bot.runtime.metrics import Metrics
from tests.bot.turns.test_engine import ANN, say
from tests.support.screen import Screen

DM = Place("discord:9", direct=True)
BLOCKED = texts.NO_ENTRY[DenialReason.BLOCKED]
Strict = Callable[..., Engine]


class Told:
    """Keeps what the admins are told."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    async def __call__(self, sentence: str) -> None:
        self.sentences.append(sentence)


class Whispering:
    """A screen that can tell a person something that nobody else sees."""

    def __init__(self, screen: Screen, confide: Callable[[str], Awaitable[None]]) -> None:
        self._screen = screen
        self.confide = confide

    def __getattr__(self, name: str) -> Any:
        return getattr(self._screen, name)


@pytest.fixture
def screen() -> Screen:
    """A platform without a way to go that never says that it was too much."""
    screen = Screen(trip=0)
    screen.posts = screen.edits = Pacer(1000, 1)
    screen.server = Server(1000, 1, sliding=True)
    return screen


@pytest.fixture
def strict(engine: Engine) -> Strict:
    """Makes an engine over the same memory, as after a restart, with these limits and lists."""

    def make(access: dict[str, Any] | None = None, **limits: Any) -> Engine:
        chosen = LimitsSettings(**{**NO_LIMITS.model_dump(), **limits})
        lists = AccessSettings.model_validate(access or {})
        return Engine(engine.model, engine.memory, BotSettings(), Metrics(), access=lists, limits=chosen)

    return make


async def spend(parley: Engine, tokens: int, cost: float | None, number: str = "spent") -> None:
    """Have somebody else use so much."""
    turn = await parley.memory.claim(say("x", number, Author("u9", "Eve"), Place("discord:99", shared=True)))
    assert turn
    usage = Usage(input=tokens, cost=cost)
    await parley.memory.finish(turn.id, Answer("y", usage=usage, model="openai/x"), Message(Role.USER, "x"))


async def ask(parley: Engine, screen: Screen, id: str, author: Author = ANN, **more: Any) -> Answer:
    """Ask, and have an answer."""
    answer = await parley.respond(say(f"question {id}", id, author, **more), screen)
    assert answer
    return answer


async def admit(admission: Admission, message: Incoming) -> Denial | None:
    """Return why a message is turned away; None where it is let in, and is then counted."""
    return await admission.admit(Subject.from_message(message), Kind.of(message))
