"""What goes wrong over HTTP: the right status, one plain sentence, nothing about the operator's secrets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import HTTPException, Request
from starlette.types import Message

from adapters.web.api import read
from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import State
from tests.support.webserver import PATIENCE, Web, events, web

STATUSES = {
    ModelFault.UNSET: 503,
    ModelFault.KEY: 502,
    ModelFault.MODEL: 502,
    ModelFault.QUOTA: 503,
    ModelFault.RATE: 503,
    ModelFault.OVERLOAD: 503,
    ModelFault.TIMEOUT: 504,
    ModelFault.NETWORK: 503,
    ModelFault.CONTEXT: 502,
    ModelFault.REQUEST: 502,
    ModelFault.REFUSED: 502,
    ModelFault.CUT: 502,
    ModelFault.EMPTY: 502,
    ModelFault.LENGTH: 502,
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Web]:
    """A server on this machine, without a key."""
    async with web(tmp_path) as running:
        yield running


@pytest.mark.parametrize("fault", ModelFault)
async def test_a_failure_of_the_model_is_a_status_and_a_sentence(server: Web, fault: ModelFault) -> None:
    """Each fault has its status; the sentence is for people, the detail stays in the log."""
    server.model.say(ModelError(fault, "the key sk-123 is wrong"))
    status, body = await server.chat("Hi")
    assert status == STATUSES[fault]
    assert body.keys() == {"error"}
    assert body["error"].endswith(".")
    assert "sk-123" not in body["error"]


@pytest.mark.parametrize("fault", [ModelFault.OVERLOAD, ModelFault.TIMEOUT])
async def test_a_stream_that_fails_ends_with_an_error(server: Web, fault: ModelFault) -> None:
    """The pieces that came are given; then `error` with the sentence, and no `done`."""
    server.model.say("The sea ", "is", ModelError(fault, "x"))
    received = await server.stream("Hi")
    assert [name for name, _ in received] == ["token", "token", "error"]
    assert received[-1][1].keys() == {"error"}


async def test_a_failure_in_the_middle_is_one_of_chat_too(server: Web) -> None:
    """Half an answer is not sent as a whole one."""
    server.model.say("The sea ", ModelError(ModelFault.NETWORK, "x"))
    assert (await server.chat("Hi"))[0] == 503


@pytest.mark.parametrize("state", [State.REFUSED, State.CUT, State.DONE])
async def test_no_answer_is_a_failure(server: Web, state: State) -> None:
    """An ending without a word before it is a 502, and an `error` in a stream."""
    server.model.say(state)
    status, body = await server.chat("Hi")
    assert status == 502
    assert body["error"]
    server.model.say(state)
    assert [name for name, _ in await server.stream("Hi")] == ["error"]


async def test_a_conversation_goes_on_after_a_failure(server: Web) -> None:
    """A failed first question leaves a conversation that can be asked again, read and deleted."""
    server.model.say(ModelError(ModelFault.OVERLOAD, "x"))
    async with server.http.post("/chat/stream", json={"message": "Hi"}) as response:
        known = response.headers["X-Conversation-Id"]
        await response.read()
    assert (await server.call("GET", f"/conversations/{known}"))[1]["messages"] == []
    assert (await server.chat("Hi again", known))[0] == 200
    assert (await server.call("DELETE", f"/conversations/{known}"))[0] == 200


async def test_a_reader_who_leaves_stops_the_answer(server: Web) -> None:
    """When the connection of a stream is closed the model is left at once, and what it wrote is remembered."""
    server.model.say("The sea", asyncio.Event())
    async with server.http.post("/chat/stream", json={"message": "Hi"}) as response:
        known = response.headers["X-Conversation-Id"]
        await anext(events(response))
        response.close()
    await asyncio.wait_for(server.model.left.wait(), PATIENCE)
    await server.chat("Go on", known)
    assert server.model.told(-1) == ["Hi", "The sea", "Go on"]


async def test_a_caller_of_chat_who_leaves_stops_the_answer(server: Web) -> None:
    """Nobody pays for an answer that nobody waits for."""
    asking = asyncio.create_task(server.chat("Hi"))
    server.model.say(asyncio.Event())
    while not server.model.prompts:
        await server.call("GET", "/healthz")
    asking.cancel()
    await asyncio.wait_for(server.model.left.wait(), PATIENCE)


async def test_a_reader_who_leaves_stops_no_other_answer(server: Web) -> None:
    """Of two readers of one conversation, the one who waits is still answered when the other one leaves."""
    known = (await server.chat("Hi"))[1]["conversation_id"]
    server.model.say("The sea", asyncio.Event())
    async with server.http.post("/chat/stream", json={"message": "first", "conversation_id": known}) as response:
        await anext(events(response))
        waiting = server.http.post("/chat/stream", json={"message": "second", "conversation_id": known})
        async with waiting as other:
            while await server.engine.memory.turn(3) is None:
                pass
            response.close()
            assert [name async for name, _ in events(other)] == ["token", "done"]
    assert server.model.told(-1)[-3:] == ["first", "The sea", "second"]


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """A request whose body stays away is a 408."""

    async def receive() -> Message:
        never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        return await never

    with pytest.raises(HTTPException) as caught:
        await read(Request({"type": "http"}, receive), patience=0)
    assert caught.value.status_code == 408


async def test_deleting_stops_the_answer_that_is_written(server: Web) -> None:
    """A stream whose conversation is deleted ends honestly, and nothing of it is kept."""
    server.model.say("The sea", asyncio.Event())
    async with server.http.post("/chat/stream", json={"message": "Hi"}) as response:
        known = response.headers["X-Conversation-Id"]
        received = events(response)
        await anext(received)
        assert (await server.call("DELETE", f"/conversations/{known}"))[0] == 200
        assert await anext(received) == ("done", {"conversation_id": known, "state": "stopped", "note": "Stopped."})
    assert (await server.call("GET", f"/conversations/{known}"))[0] == 404


async def test_no_message_is_taken_once_the_program_stops(server: Web) -> None:
    """From the stop signal on a POST is a 503 with a sentence; what was said can still be read."""
    known = (await server.chat("Hi"))[1]["conversation_id"]
    server.host.closing.set()
    for path in ("/chat", "/chat/stream"):
        status, body = await server.call("POST", path, json={"message": "Hi"})
        assert status == 503
        assert "again" in body["error"]
    assert (await server.call("GET", f"/conversations/{known}"))[0] == 200


async def test_an_answer_interrupted_by_the_stop_is_told(server: Web) -> None:
    """A stream that the stop signal cuts short ends with what was written and a note."""
    server.model.say("The sea", asyncio.Event())
    async with server.http.post("/chat/stream", json={"message": "Hi"}) as response:
        received = events(response)
        await anext(received)
        await server.engine.drain_turns(0)
        name, data = await anext(received)
    assert name == "done"
    assert "Interrupted" in data["note"]


async def test_a_memory_that_fails_is_503(server: Web) -> None:
    """Where the memory cannot be reached every call says so, in a stream as an `error`."""
    known = (await server.chat("Hi"))[1]["conversation_id"]
    await server.engine.memory.close()
    for method in ("GET", "DELETE"):
        assert (await server.call(method, f"/conversations/{known}"))[0] == 503
    status, body = await server.chat("Hi")
    assert status == 503
    assert "memory" in body["error"]
    assert [name for name, _ in await server.stream("Hi")] == ["error"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/chat", 405)])
async def test_every_error_has_one_shape(server: Web, method: str, path: str, status: int) -> None:
    """Paths and methods that do not exist are told in the same shape as the rest."""
    found, body = await server.call(method, path)
    assert found == status
    assert body.keys() == {"error"}
