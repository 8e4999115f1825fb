"""Health and figures: what probes and dashboards read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.errors import ModelError, ModelFault
from tests.support.webserver import Web, web


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Web]:
    """A server on this machine, without a key."""
    async with web(tmp_path) as running:
        yield running


async def test_it_is_alive(server: Web) -> None:
    """/healthz says so, also to probes that ask for the head alone."""
    assert await server.call("GET", "/healthz") == (200, {"status": "ok"})
    async with server.http.head("/healthz") as response:
        assert response.status == 200


async def test_it_is_ready_when_every_adapter_is(server: Web) -> None:
    """/readyz is 503 while an adapter is down, and says which one and why."""
    server.host.status("discord").up()
    assert await server.call("GET", "/readyz") == (
        200,
        {"status": "ready", "adapters": {"web": "up", "discord": "up"}, "database": "up"},
    )
    server.host.status("discord").down("no network")
    status, body = await server.call("GET", "/readyz")
    assert (status, body["adapters"]) == (503, {"web": "up", "discord": "no network"})


async def test_it_is_not_ready_without_its_memory(server: Web) -> None:
    """/readyz is 503 when the database takes no write; /healthz is not concerned."""
    await server.engine.memory.close()
    status, body = await server.call("GET", "/readyz")
    assert (status, body["database"]) == (503, "cannot be written")
    assert (await server.call("GET", "/healthz"))[0] == 200


async def test_it_is_not_ready_while_it_stops(server: Web) -> None:
    """From the stop signal on no further traffic should come."""
    server.host.closing.set()
    status, body = await server.call("GET", "/readyz")
    assert (status, body["status"]) == (503, "stopping")


async def test_figures_are_shown_in_prometheus_form(server: Web) -> None:
    """/metrics counts the turns of this server by outcome, their tokens, the model's faults and the adapters."""
    await server.chat("Hi")
    server.model.say(ModelError(ModelFault.OVERLOAD, "x"))
    await server.chat("Hi")
    async with server.http.get("/metrics") as response:
        assert response.content_type == "text/plain"
        text = await response.text()
    assert 'parley_turns_total{outcome="done",platform="web"} 1.0' in text
    assert 'parley_turns_total{outcome="failed",platform="web"} 1.0' in text
    assert 'parley_tokens_total{kind="input"} 7.0' in text
    assert 'parley_model_errors_total{fault="overload"} 1.0' in text
    assert 'parley_adapter_up{adapter="web"} 1.0' in text


@pytest.mark.parametrize("trial", [True, False])
async def test_the_page_can_ask_who_answers(tmp_path: Path, trial: bool) -> None:
    """/about says who reads what is written, and whether it is the trial model."""
    async with web(tmp_path, trial=trial) as server:
        expected = {"model": {"reader": "nobody but the test", "trial": trial}}
        assert await server.call("GET", "/about") == (200, expected)
