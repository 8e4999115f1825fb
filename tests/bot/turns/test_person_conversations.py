"""A channel in which each person has a conversation of their own: what the model is told, what stop and reset mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest_asyncio
from pydantic import SecretStr

from adapters.discord.outbound.thread import title
from adapters.slack.inbound.messages import locate, thread_of
from bot import texts
from bot.access.overrides import Overrides
from bot.access.policy import AccessPolicy, Kind, Subject
from bot.config.settings import AccessSettings, BotSettings, LimitsSettings, PlaceSettings
from bot.domain.messages import Author, Caller, Incoming, Place, Quote, State
from bot.engine import Engine
from bot.models.protocols.openai import OpenAIModel
from bot.prompts.compose import TIMED
from bot.runtime.metrics import Metrics
from storage.sqlite import SqliteMemory
from tests.bot.turns.test_engine import ANN, BEN, HERE, say
from tests.loopback.openai import FakeOpenAI
from tests.support.screen import Screen

OWN = {"discord:7": PlaceSettings(memory="person")}


class Around(Screen):
    """A channel that has something said around a question, and keeps whether it was the first."""

    def __init__(self) -> None:
        super().__init__(trip=0)
        self.firsts: list[bool] = []

    async def around(self, incoming: Incoming, first: bool) -> Sequence[Quote]:
        self.firsts.append(first)
        return [Quote("Cleo", "a line before", "u3")] if first else []


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[FakeOpenAI]:
    """A server that answers with what it was told."""
    async with FakeOpenAI() as server:
        yield server


@pytest_asyncio.fixture
async def engine(provider: FakeOpenAI, tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine with such a channel."""
    key = SecretStr("test-key")
    model = OpenAIModel("openai/test-model", "test-model", key, provider.base_url, timeout=60, reader="OpenAI")
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    limits = LimitsSettings(place_tokens=1_000_000)
    yield Engine(model, memory, BotSettings(summaries=False), Metrics(), places=OWN, limits=limits)
    await memory.close()
    await model.close()


async def test_the_model_is_told_of_one_person_alone(engine: Engine, provider: FakeOpenAI) -> None:
    """Not that several talk, no names, and nothing of what was said around; in another channel all of it."""
    screen = Around()
    await engine.respond(say("one", "1", ANN), screen)
    await engine.respond(say("two", "2", BEN), screen)
    system, question = provider.requests[-1]["messages"]
    assert TIMED in system["content"]
    assert question["content"].endswith("] two")
    await engine.respond(say("three", "3", BEN, Place("discord:8", shared=True)), screen)
    assert "Ben:" in provider.requests[-1]["messages"][1]["content"]
    assert "a line before" in provider.requests[-1]["messages"][1]["content"]
    assert screen.firsts == [False, False, True]


async def test_people_do_not_wait_for_each_other_and_stop_their_own(engine: Engine, provider: FakeOpenAI) -> None:
    """An admin stops everybody's; who resets stops and forgets one's own conversation alone."""
    scripts = [provider.script() for _ in range(3)]
    asked = []
    for number, (script, author) in enumerate(zip(scripts, (ANN, BEN, Author("u3", "Cleo")), strict=True), 1):
        asked.append(asyncio.create_task(engine.respond(say("a question", str(number), author), Screen(trip=0))))
        await script.asked()
    ann, ben, cleo = asked
    place = engine.place_for(HERE, ANN)
    assert await engine.run_command("stop", place, Caller(ANN)) == texts.STOPPING
    stopped = await ann
    assert stopped
    assert stopped.state is State.STOPPED
    assert not ben.done()
    assert not cleo.done()
    assert await engine.run_command("reset", engine.place_for(HERE, BEN), Caller(BEN)) == texts.RESET_OWN
    assert ben.done()
    assert not cleo.done()
    assert await engine.memory.known(place.key)
    assert await engine.run_command("stop", place, Caller(ANN, admin=True)) == texts.STOPPING
    await cleo


def test_the_adapters_know_where_a_conversation_of_one_person_is_answered() -> None:
    """As they do when a turn is taken up after a crash: in the thread, under the question."""
    thread = locate("T1", "C1", "1700000000.000100", False)
    for shared in (thread, locate("T1", "C1", "", False)):
        own = replace(shared, key=f"{shared.key}:U1", person="U1")
        here, there = (Incoming(place, ANN, "?", "C1", "1") for place in (own, shared))
        assert thread_of(here) == thread_of(there)
    question = Incoming(Place("discord:9", shared=True, home="discord:7"), ANN, "why?", "7", "9")
    own = replace(question.place, key="discord:9:u1", person="u1")
    assert title(replace(question, place=own)) == title(question) == "why?"


def test_lists_know_the_channel_of_a_conversation_of_one_person() -> None:
    """By its id or its key."""
    own = Place("slack:T1:C1:1.1:U1", shared=True, home="slack:T1:C1", person="U1")
    for name in ("C1", "slack:T1:C1", "slack:C1", "T1", "slack:T1:C1:1.1"):
        policy = AccessPolicy(AccessSettings(allow_places=(name,)))
        subject = Subject.from_message(Incoming(own, ANN, "?", "C1", "1"))
        assert policy.find_reason(subject, Kind.QUESTION, Overrides()) is None
