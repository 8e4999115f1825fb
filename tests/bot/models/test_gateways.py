"""What gateways say beside an answer: what it cost, and who wrote it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.domain.messages import Usage
from bot.domain.model_info import Facts, Price
from bot.models.protocols.costs import read_cost
from bot.models.protocols.openai import OpenAIModel
from bot.models.protocols.upstream import read_upstream
from bot.models.wrappers.fallback import Resilient
from tests.contracts.model import prompt
from tests.loopback.openai import FakeOpenAI, chunk


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.0025}, 0.0025),
        ({"cost": 0}, 0.0),
        ({"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}, 0.021),
        ({"cost": 0.02, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.02}}, 0.02),
        ({"cost": "free"}, None),
        ({"cost": True}, None),
        ({"cost": -1}, None),
        ({"cost": float("nan")}, None),
        ({"cost": None, "cost_details": []}, None),
        ({}, None),
    ],
)
def test_the_cost_is_read_where_it_is_one(usage: dict[str, Any], cost: float | None) -> None:
    """Anything else says nothing, and costs no answer."""
    assert read_cost(usage) == pytest.approx(cost)


@pytest.mark.parametrize(
    ("event", "upstream"),
    [
        ({"model": "gpt-x", "choices": []}, {}),
        ({"model": "gpt-x-2026-03-17"}, {}),
        (
            {"model": "anthropic/claude-x", "provider": "Bedrock"},
            {"model": "anthropic/claude-x", "provider": "Bedrock"},
        ),
        ({"model": "gpt-x", "provider": "Azure"}, {"provider": "Azure"}),
        ({"type": "message_start", "message": {"model": "other"}}, {"model": "other"}),
        ({"type": "ping"}, {}),
        ({"model": 7}, {}),
        ([1], {}),
    ],
)
def test_who_answers_is_read_where_it_is_another(event: Any, upstream: dict[str, str]) -> None:
    """A dated version of the model that was asked for is that model."""
    assert read_upstream(json.dumps(event).encode(), "gpt-x") == upstream


@pytest.mark.parametrize("data", [b"[" * 60_000, b'{"model":' + b"[" * 60_000, b"{", b"\xff", b"7" * 6_000])
def test_a_first_event_that_cannot_be_read_names_nobody(data: bytes) -> None:
    """Nothing is raised for it, however deep it is: the answer comes after it."""
    assert read_upstream(data, "gpt-x") == {}


async def test_an_answer_costs_what_its_gateway_says() -> None:
    """Its word beats the list of prices; the log names the model that it chose."""
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "cost": 0.5}
    async with FakeOpenAI() as server:
        model = Resilient(
            [
                OpenAIModel(
                    "openai/test-model", "test-model", SecretStr("test-key"), server.base_url, 60, "a gateway",
                    facts=Facts(price=Price(1, 1, 1, 1)),
                )
            ]
        )  # fmt: skip
        event = chunk({"content": "Yes."}, "stop", usage=usage).replace(b"test-model", b"maker/big")
        server.respond(event.decode().replace("{", '{"provider": "Somebody", ', 1), "text/event-stream")
        with capture_logs() as logs:
            pieces = [piece async for piece in model.stream(prompt())]
        await model.close()
    assert pieces[-1].usage == Usage(10, 2, cost=0.5)
    (line,) = [entry for entry in logs if entry["event"] == "the gateway names who answers"]
    assert (line["asked"], line["model"], line["provider"]) == ("openai/test-model", "maker/big", "Somebody")
