"""Anthropic's messages API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.domain.errors import ModelFault
from bot.domain.messages import State, Usage
from bot.models.protocols.anthropic import AnthropicModel
from tests.contracts.failing import FailingContract
from tests.contracts.model import listen, prompt, text
from tests.contracts.remote import Maker, RemoteContract, fault
from tests.loopback.anthropic import FakeAnthropic, event

KEY = "test-key"


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[FakeAnthropic]:
    """A server that speaks the protocol."""
    async with FakeAnthropic(key=KEY) as server:
        yield server


@pytest_asyncio.fixture
async def make(provider: FakeAnthropic) -> AsyncIterator[Maker]:
    """Makes models of it."""
    made: list[AnthropicModel] = []

    def maker(key: str = KEY, model: str = "test-model", base_url: str = "", **more: Any) -> AnthropicModel:
        options = {"timeout": 60.0, "reader": "Anthropic", **more}
        made.append(
            AnthropicModel(f"anthropic/{model}", model, SecretStr(key), base_url or provider.base_url, **options)
        )
        return made[-1]

    yield maker
    for model in made:
        await model.close()


class Names:
    """What Anthropic calls things."""

    cut = "max_tokens"
    refusal = "refusal"
    limited = "rate_limit_error"
    overloaded = "overloaded_error"


class TestAnswers(Names, RemoteContract):
    """It answers as every model does."""


class TestFailures(Names, FailingContract):
    """It fails as every model does."""


async def test_every_question_uses_the_cache(provider: FakeAnthropic, make: Maker) -> None:
    """The marker sits on the last block: what was said before is read from the cache in the next turn."""
    await listen(make())
    assert provider.requests[0]["cache_control"] == {"type": "ephemeral"}


async def test_usage_adds_up_what_was_read_and_written(make: Maker) -> None:
    """The API counts fresh, cached and newly cached input apart, and output in the end."""
    *_, last = await listen(make(), prompt("one two three four"))
    assert last.usage == Usage(input=6, output=6, cached=1, written=1)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("stop_sequence", State.DONE),
        ("pause_turn", State.DONE),
        ("something_new", State.DONE),
        ("model_context_window_exceeded", State.CUT),
    ],
)
async def test_every_reason_to_stop_is_an_ending(
    provider: FakeAnthropic, make: Maker, reason: str, state: State
) -> None:
    """Also those that are not known here."""
    script = provider.script()
    reading = asyncio.create_task(listen(make()))
    await script.send("Yes.")
    await script.end(reason)
    assert (await reading)[-1].end is state


async def test_text_that_starts_with_its_block_is_not_lost(provider: FakeAnthropic, make: Maker) -> None:
    """A block may begin with text; events that are not known say nothing."""
    events = [
        event("message_start", message={"usage": None}),
        event("content_block_start", index=0, content_block={"type": "text", "text": "Y"}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "es."}),
        event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "x"}),
        event("something_new", text="No."),
        event("message_delta", delta={"stop_reason": "end_turn"}),
        event("message_stop"),
    ]
    provider.respond(b"".join(events).decode(), "text/event-stream")
    pieces = await listen(make())
    assert (text(pieces), pieces[-1].end) == ("Yes.", State.DONE)


@pytest.mark.parametrize(
    ("status", "kind", "message", "fault_"),
    [
        (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", ModelFault.CONTEXT),
        (413, "request_too_large", "Request exceeds the maximum size", ModelFault.CONTEXT),
        (400, "invalid_request_error", "Your credit balance is too low to access the API.", ModelFault.QUOTA),
        (402, "billing_error", "Your subscription has ended.", ModelFault.QUOTA),
        (403, "permission_error", "Your API key may not use this resource.", ModelFault.KEY),
        (529, "overloaded_error", "Overloaded", ModelFault.OVERLOAD),
    ],
)
async def test_each_refusal_has_its_fault(
    provider: FakeAnthropic, make: Maker, status: int, kind: str, message: str, fault_: ModelFault
) -> None:
    """As the API's own errors are documented, or seen."""
    provider.refuse(status, kind, message)
    error = await fault(make())
    assert (error.fault, message.rstrip(".") in str(error)) == (fault_, True)


async def test_a_server_without_a_cache_is_not_sent_the_mark_for_it(provider: FakeAnthropic, make: Maker) -> None:
    """Compatible servers refuse it: the answer is asked for without, and so is the next one."""
    provider.refuse(400, "invalid_request_error", "cache_control: Extra inputs are not permitted")
    first, second = make(), make()
    assert text(await listen(first))
    assert text(await listen(second))
    assert (provider.asked, "cache_control" in provider.requests[-1]) == (3, False)
