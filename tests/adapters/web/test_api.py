"""The HTTP API: what is asked, what is answered, what is remembered, in the shapes that scripts rely on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.domain.messages import State
from tests.support.webserver import Web, events, web


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Web]:
    """A server on this machine, without a key."""
    async with web(tmp_path) as running:
        yield running


async def test_chat_answers_whole(server: Web) -> None:
    """POST /chat gives the whole answer and the id to go on with."""
    server.model.say("The sea ", "is deep.")
    status, body = await server.chat("How is the sea?")
    assert status == 200
    assert body.keys() == {"response", "conversation_id", "state", "note"}
    assert (body["response"], body["state"], body["note"]) == ("The sea is deep.", "done", "")


async def test_chat_answers_whole_whatever_stream_says(server: Web) -> None:
    """`stream` in the body of /chat changes nothing: old clients send it."""
    status, body = await server.call("POST", "/chat", json={"message": "Hi", "stream": True, "more": 1})
    assert (status, body["response"]) == (200, "Hello.")


async def test_a_conversation_is_remembered(server: Web) -> None:
    """What was said under an id is told to the model with the next message under it, and with no other."""
    server.model.say("Noted.")
    _, body = await server.chat("My name is Ada.")
    await server.chat("What is my name?", body["conversation_id"])
    await server.chat("And who am I?")
    told = [server.model.told(number) for number in range(len(server.model.prompts))]
    assert told[1] == ["My name is Ada.", "Noted.", "What is my name?"]
    assert told[2] == ["And who am I?"]


async def test_ids_cannot_be_guessed(server: Web) -> None:
    """Each conversation has an id of its own, of at least 128 random bits."""
    ids = [(await server.chat("Hi"))[1]["conversation_id"] for _ in range(5)]
    assert len(set(ids)) == 5
    assert all(len(one) >= 22 for one in ids)


async def test_stream_gives_each_piece_and_then_the_id(server: Web) -> None:
    """One `token` a piece of the model, exactly as it wrote it; then `done` with the id."""
    pieces = ["Line one\n", "\n", "data: two\r\n", " é 🎉\u2028", "</script>"]
    server.model.say(*pieces)
    received = await server.stream("Hi")
    assert received[:-1] == [("token", {"text": piece}) for piece in pieces]
    name, data = received[-1]
    assert name == "done"
    assert data.keys() == {"conversation_id", "state", "note"}
    assert (data["state"], data["note"]) == ("done", "")
    assert (await server.call("GET", f"/conversations/{data['conversation_id']}"))[0] == 200


@pytest.mark.parametrize(("state", "words"), [(State.CUT, "length limit"), (State.REFUSED, "declined")])
async def test_an_answer_says_how_it_ended(server: Web, state: State, words: str) -> None:
    """A refusal and one that is cut do not look whole: both ways of asking have the state and a sentence."""
    server.model.say("The sea", state)
    status, body = await server.chat("Hi")
    assert (status, body["response"], body["state"]) == (200, "The sea", state.value)
    assert words in body["note"]
    server.model.say("The sea", state)
    name, data = (await server.stream("Hi"))[-1]
    assert (name, data["state"], data["note"]) == ("done", state.value, body["note"])


async def test_pieces_are_sent_while_the_model_still_writes(server: Web) -> None:
    """The first piece arrives before the second one exists."""
    more = asyncio.Event()
    server.model.say("first", more, "second")
    async with server.http.post("/chat/stream", json={"message": "Hi"}) as response:
        received = events(response)
        assert await anext(received) == ("token", {"text": "first"})
        more.set()
        assert await anext(received) == ("token", {"text": "second"})


async def test_history_gives_every_message(server: Web) -> None:
    """GET gives the id and all messages with role and content, more of them than the model is told."""
    known = (await server.chat("0"))[1]["conversation_id"]
    for number in range(1, 15):
        await server.chat(str(number), known)
    status, body = await server.call("GET", f"/conversations/{known}")
    assert status == 200
    assert body["conversation_id"] == known
    assert len(body["messages"]) == 30
    assert body["messages"][:2] == [{"role": "user", "content": "0"}, {"role": "assistant", "content": "Hello."}]


async def test_a_deleted_conversation_is_gone(server: Web) -> None:
    """DELETE gives 200 once; from then on the id is unknown to every call."""
    known = (await server.chat("Hi"))[1]["conversation_id"]
    assert (await server.call("DELETE", f"/conversations/{known}"))[0] == 200
    assert (await server.call("GET", f"/conversations/{known}"))[0] == 404
    assert (await server.call("DELETE", f"/conversations/{known}"))[0] == 404
    assert (await server.chat("Again", known))[0] == 404
    assert len(server.model.prompts) == 1


@pytest.mark.parametrize("path", ["/chat", "/chat/stream"])
@pytest.mark.parametrize("id", ["nobody-has-this-id", "", "readyz", "../x"])
async def test_an_unknown_id_is_404(server: Web, path: str, id: str) -> None:
    """A message for a conversation that does not exist is not answered, and the sentence says what to do."""
    status, body = await server.call("POST", path, json={"message": "Hi", "conversation_id": id})
    assert status == 404
    assert "conversation_id" in body["error"]
    assert not server.model.prompts


@pytest.mark.parametrize("path", ["/chat", "/chat/stream"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": ""},
        {"message": " \n\t "},
        {"message": "x" * 10_001},
        {"message": None},
        {"message": 5},
        {"message": ["x"]},
        {"message": "x", "conversation_id": 7},
        {"message": "x", "stream": "perhaps"},
        [],
    ],
)
async def test_invalid_input_is_422(server: Web, path: str, body: Any) -> None:
    """A body that is not as it should be is refused with one sentence, and nothing is asked of the model."""
    status, answer = await server.call("POST", path, json=body)
    assert status == 422
    assert answer.keys() == {"error"}
    assert not server.model.prompts


@pytest.mark.parametrize("body", [b"", b"message=hi", b'{"message": "h', b'{"message": "\\ud800"}', b"\xff\xfe"])
async def test_what_is_not_json_is_422(server: Web, body: bytes) -> None:
    """Broken JSON, half characters and forms are refused alike."""
    status, answer = await server.call("POST", "/chat", data=body)
    assert status == 422
    assert answer.keys() == {"error"}


@pytest.mark.parametrize("message", ["x", "🎉" * 10_000, "  indented\n"])
async def test_messages_may_have_ten_thousand_characters(server: Web, message: str) -> None:
    """Characters are counted, not bytes or halves of them, and the text reaches the model as it was sent."""
    assert (await server.chat(message))[0] == 200
    assert server.model.told(0)[0].strip() == message.strip()


async def test_a_body_that_is_too_large_is_not_read(server: Web) -> None:
    """No more than a bounded number of bytes is kept of a body, with or without a length that says it."""
    assert (await server.call("POST", "/chat", data=b" " * 300_000))[0] == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b" " * 1000

    assert (await server.call("POST", "/chat", data=endless()))[0] == 413


async def test_messages_of_one_conversation_are_answered_in_turn(server: Web) -> None:
    """A second message waits for the first one's answer and is told it."""
    go = asyncio.Event()
    known = (await server.chat("Hi"))[1]["conversation_id"]
    server.model.say("one ", go, "two")
    async with server.http.post("/chat/stream", json={"message": "first", "conversation_id": known}) as response:
        received = events(response)
        await anext(received)
        second = asyncio.create_task(server.chat("second", known))
        go.set()
        assert [event async for event in received][-1][0] == "done"
        assert (await second)[0] == 200
    assert server.model.told(-1)[-3:] == ["first", "one two", "second"]


@pytest.mark.parametrize("command", ["/reset", "/help"])
async def test_commands_work_as_messages(server: Web, command: str) -> None:
    """A message that is a command is obeyed without the model; /reset forgets the conversation."""
    known = (await server.chat("Hi"))[1]["conversation_id"]
    status, body = await server.chat(command, known)
    assert status == 200
    assert body["response"]
    assert len(server.model.prompts) == 1
    expected = 404 if command == "/reset" else 200
    assert (await server.call("GET", f"/conversations/{known}"))[0] == expected


async def test_an_answer_cut_at_the_limit_is_an_answer(server: Web) -> None:
    """What the model wrote up to its length limit is given as it is; a stream says so in a note."""
    server.model.say("As long as", State.CUT)
    assert (await server.chat("Hi"))[0] == 200
    server.model.say("As long as", State.CUT)
    name, data = (await server.stream("Hi"))[-1]
    assert name == "done"
    assert "limit" in data["note"]
