"""OpenAI, and the servers that speak its chat-completions protocol, each in its manner."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.domain.errors import ModelFault
from bot.domain.messages import State, Usage
from bot.domain.ports import Piece
from bot.models.protocols.http_model import TAIL
from bot.models.protocols.openai import OpenAIModel, put_first
from tests.contracts.failing import FailingContract
from tests.contracts.model import listen, prompt, text
from tests.contracts.remote import Maker, RemoteContract, fault
from tests.loopback.openai import FakeOpenAI, chunk

KEY = "test-key"


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[FakeOpenAI]:
    """A server that speaks the protocol."""
    async with FakeOpenAI(key=KEY) as server:
        yield server


@pytest_asyncio.fixture
async def make(provider: FakeOpenAI) -> AsyncIterator[Maker]:
    """Makes models of it."""
    made: list[OpenAIModel] = []

    def maker(key: str = KEY, model: str = "test-model", base_url: str = "", **more: Any) -> OpenAIModel:
        options = {"timeout": 60.0, "reader": "OpenAI", **more}
        made.append(OpenAIModel(f"openai/{model}", model, SecretStr(key), base_url or provider.base_url, **options))
        return made[-1]

    yield maker
    for model in made:
        await model.close()


class Names:
    """What OpenAI calls things."""

    cut = "length"
    refusal = "content_filter"
    limited = "rate_limit_exceeded"
    overloaded = "server_error"


class TestAnswers(Names, RemoteContract):
    """It answers as every model does."""


class TestFailures(Names, FailingContract):
    """It fails as every model does."""


def test_openai_itself_is_sent_the_new_name_of_the_limit() -> None:
    """Without a base URL it is OpenAI, which refuses the old one; every other server gets the old one."""
    for base_url, limit in (
        ("", "max_completion_tokens"),
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://llm.example.org/v1", "max_tokens"),
    ):
        model = OpenAIModel("openai/m", "m", SecretStr(KEY), base_url, 60.0, "OpenAI")
        assert model.url == (base_url or "https://api.openai.com/v1")
        assert [field for field in model.fields(prompt()) if field.startswith("max")] == [limit]


@pytest.mark.parametrize(
    ("refused", "asked", "sent"),
    [
        ({"max_tokens"}, 2, {"max_completion_tokens", "stream_options"}),
        ({"stream_options"}, 2, {"max_tokens"}),
        ({"stream_options", "max_tokens"}, 3, {"max_completion_tokens"}),
    ],
)
async def test_what_a_server_refuses_is_not_sent_to_it_again(
    provider: FakeOpenAI, make: Maker, refused: set[str], asked: int, sent: set[str]
) -> None:
    """The wish for usage and the name of the limit are tried once; the answer comes all the same."""
    provider.refuses = frozenset(refused)
    model = make()
    for questions in (asked, asked + 1):
        assert text(await listen(model))
        assert provider.asked == questions
    assert set(provider.requests[-1]) == {"model", "messages", "stream", *sent}


async def test_a_server_that_refuses_both_names_of_the_limit_is_asked_without(
    provider: FakeOpenAI, make: Maker
) -> None:
    """The answer has an end of its own."""
    provider.refuses = frozenset({"max_tokens", "max_completion_tokens"})
    assert text(await listen(make()))
    assert (provider.asked, set(provider.requests[-1])) == (3, {"model", "messages", "stream", "stream_options"})


async def test_other_refusals_are_not_taken_for_a_field(provider: FakeOpenAI, make: Maker) -> None:
    """A limit that is too high for a model is told, not tried under another name."""
    provider.refuse(400, "invalid_value", "max_tokens is too large: 99. max_completion_tokens is at most 10.")
    error = await fault(make())
    assert (error.fault, provider.asked) == (ModelFault.REQUEST, 1)


async def test_without_a_key_a_server_is_asked_all_the_same() -> None:
    """Servers on one's own machine need none; the SDK would refuse an empty one."""
    async with FakeOpenAI(key="") as server:
        model = OpenAIModel("openai/test-model", "test-model", SecretStr(""), server.base_url, 60.0, "127.0.0.1")
        assert text(await listen(model))
        await model.close()


async def test_without_usage_an_answer_is_whole(provider: FakeOpenAI, make: Maker) -> None:
    """Some servers never count."""
    provider.respond(f"{chunk({'content': 'Yes.'}, 'stop').decode()}data: [DONE]\n\n", "text/event-stream")
    *_, last = await listen(make())
    assert (last.end, last.usage) == (State.DONE, None)


async def test_usage_counts_what_came_from_the_cache(make: Maker) -> None:
    """All of the input, and the part of it that was cheap."""
    *_, last = await listen(make(), prompt("one two three four"))
    assert last.usage == Usage(input=6, output=6, cached=3)


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_reasoning_has_two_names(provider: FakeOpenAI, make: Maker, field: str) -> None:
    """Servers disagree."""
    events = [chunk({field: "Hm."}), chunk({"content": "Yes."}), chunk({}, "stop")]
    provider.respond(b"".join(events).decode(), "text/event-stream")
    assert (await listen(make()))[:2] == [Piece(reasoning="Hm."), Piece("Yes.")]


async def test_thoughts_in_the_text_are_not_the_answer(provider: FakeOpenAI, make: Maker) -> None:
    """`<think>` at its start, over several pieces, is told from it."""
    script = provider.script()
    reading = asyncio.create_task(listen(make()))
    await script.send("<th", "ink>H", "m.</thi", "nk>\n\nYes.", " No.")
    await script.end()
    pieces = await reading
    assert (text(pieces), "".join(piece.reasoning for piece in pieces)) == ("Yes. No.", "Hm.")


async def test_a_text_that_only_begins_like_thoughts_is_the_answer(provider: FakeOpenAI, make: Maker) -> None:
    """What was held back comes in the end."""
    script = provider.script()
    reading = asyncio.create_task(listen(make()))
    await script.send("<", "th")
    await script.end()
    assert text(await reading) == "<th"


async def test_a_refusal_in_words_is_shown(provider: FakeOpenAI, make: Maker) -> None:
    """Its text is the answer's, and the ending says that it was refused, whatever the reason to finish is called."""
    events = [chunk({"content": None, "refusal": "I can't"}), chunk({"refusal": " do that."}), chunk({}, "stop")]
    provider.respond(b"".join(events).decode(), "text/event-stream")
    pieces = await listen(make())
    assert (text(pieces), pieces[-1].end) == ("I can't do that.", State.REFUSED)


async def test_every_dialect_of_a_chunk_is_understood(provider: FakeOpenAI, make: Maker) -> None:
    """No choices, no delta, null for a text, an event without data, CRLF, a comment, no blank line in the end."""
    events = [
        ": connected\r\n\r\n",
        'data: {"choices": []}\r\n\r\n',
        'data: {"choices": [{"delta": null, "finish_reason": null}]}\r\n\r\n',
        'data:{"choices": [{"delta": {"content": null}}]}\r\n\r\n',
        "data:\r\n\r\n",
        'event: message\r\ndata: {"choices": [{"delta": {"content": "Yes."}, "finish_reason": "eos"}]}\r\n\r\n',
        "data: [DONE]",
    ]
    provider.respond("".join(events), "text/event-stream")
    pieces = await listen(make())
    assert (text(pieces), pieces[-1].end) == ("Yes.", State.DONE)


async def test_an_error_in_place_of_an_answer_is_told(provider: FakeOpenAI, make: Maker) -> None:
    """Gateways answer 200 and say in the body what went wrong, with a number for a status."""
    provider.respond(json.dumps({"error": {"code": 402, "message": "Insufficient credits"}}), "application/json")
    error = await fault(make())
    assert (error.fault, "Insufficient credits" in str(error)) == (ModelFault.QUOTA, True)


async def test_a_compressed_answer_is_read(provider: FakeOpenAI, make: Maker) -> None:
    """Proxies on the way may do it."""
    events = [chunk({"content": "Yes."}), chunk({}, "stop")]
    provider.respond(b"".join(events).decode(), "text/event-stream", compressed=True)
    assert text(await listen(make())) == "Yes."


async def test_half_a_character_is_replaced(provider: FakeOpenAI, make: Maker) -> None:
    """JSON can hold what no text can; neither the chat nor the memory could be given it."""
    cut = chunk({"content": "Yes"}).decode().replace("Yes", "Yes \\ud83d")
    provider.respond(cut + chunk({}, "stop").decode(), "text/event-stream")
    assert text(await listen(make())) == "Yes \ufffd"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"message": "System role not supported", "type": "invalid_request_error"}}),
        (400, {"object": "error", "message": "System role not supported", "code": 400}),
        (400, {"error": {"message": "Developer instruction is not enabled for models/gemma-3"}}),
        (422, {"detail": [{"msg": "Unexpected role 'system' after role 'user'"}]}),
        (500, {"error": {"code": 500, "message": "Jinja Exception: System role not supported"}}),
        (400, "Only user and assistant roles are supported!"),
    ],
)
async def test_a_model_without_a_system_role_is_told_in_the_first_question(
    provider: FakeOpenAI, make: Maker, status: int, body: Any
) -> None:
    """In front of it, with pictures too; asked twice once; other models of that server are asked as before."""
    provider.models = ("test-model", "other-model")
    provider.respond(json.dumps(body) if not isinstance(body, str) else body, "application/json", status)
    first, second, other = make(), make(), make(model="other-model")
    for model in (first, second):
        assert text(await listen(model, prompt("Hi", "Hello.", "And?")))
        roles = [(message["role"], message["content"]) for message in provider.requests[-1]["messages"]]
        assert roles == [("user", "Be brief.\n\nHi"), ("assistant", "Hello."), ("user", "And?")]
    assert provider.asked == 3
    await listen(other)
    assert provider.requests[-1]["messages"][0]["role"] == "system"


def test_the_system_prompt_goes_before_a_picture() -> None:
    """As a text of its own."""
    shown = [{"type": "image_url", "image_url": {"url": "x"}}]
    assert put_first("Be brief.", [{"role": "user", "content": shown}]) == [
        {"role": "user", "content": [{"type": "text", "text": "Be brief."}, *shown]}
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]},
        {"object": "error", "message": {"detail": [{"loc": ["body", "stream_options"], "msg": "not permitted"}]}},
        {"error": 'json: unknown field "stream_options"'},
        ["Unrecognized request argument supplied: stream_options"],
        {"message": "Extra inputs are not permitted"},
        "unknown field include_usage",
    ],
)
@pytest.mark.parametrize("status", [400, 422])
async def test_a_field_is_refused_in_any_shape(provider: FakeOpenAI, make: Maker, status: int, body: Any) -> None:
    """The answer is asked for again without it, and every model of that server is asked so."""
    provider.respond(body if isinstance(body, str) else json.dumps(body), "application/json", status)
    first, second = make(), make()
    assert text(await listen(first))
    assert text(await listen(second))
    assert (provider.asked, "stream_options" in provider.requests[-1]) == (3, False)


async def test_credit_that_is_enough_for_a_shorter_answer_is_used(provider: FakeOpenAI, make: Maker) -> None:
    """The gateway says for how long a one; where that is next to nothing, the operator reads what to do."""
    provider.refuse(402, "", "This request requires more credits, or fewer max_tokens. You can only afford 200.")
    model = make()
    assert text(await listen(model, prompt(tokens=900)))
    assert [request["max_tokens"] for request in provider.requests] == [900, 200]
    provider.refuse(402, "", "This request requires more credits, or fewer max_tokens. You can only afford 9.")
    assert (await fault(model, prompt(tokens=900))).fault is ModelFault.QUOTA


async def test_a_server_that_calls_every_chunk_the_end_is_heard_out(provider: FakeOpenAI, make: Maker) -> None:
    """Once text came after an end, a pause between chunks is one, longer than usage has: it ends with its last word."""
    script = provider.script()
    reading = asyncio.create_task(listen(make()))
    await script.raw(chunk({"content": "One "}, "stop") + chunk({"content": "two "}, "stop"))
    await asyncio.wait({reading}, timeout=2 * TAIL)
    assert not reading.done()
    await script.raw(chunk({"content": "three."}, "stop") + b"data: [DONE]\n\n")
    script.close()
    assert text(await reading) == "One two three."
