"""Answers that real servers gave, byte by byte: what the person gets of each, or which fault it is."""

from __future__ import annotations

import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.domain.errors import ModelError
from bot.domain.messages import Usage
from bot.domain.ports import Piece
from bot.models.protocols.anthropic import AnthropicModel
from bot.models.protocols.openai import OpenAIModel
from tests.contracts.model import SYSTEM, prompt
from tests.loopback.replay import Replay

SAMPLES = Path(__file__).parents[2] / "samples"
CASES = [
    case
    for file in ("provider-streams.json", "anthropic-streams.json")
    for case in json.loads((SAMPLES / file).read_text(encoding="utf-8"))
]
MODELS: dict[str, Any] = {"openai": OpenAIModel, "anthropic": AnthropicModel}


async def listen(model: Any) -> tuple[str, Piece, ModelError | None]:
    """(what is left of the text, the last piece, the error) of an answer by the real client."""
    text, last = "", Piece()
    try:
        async with aclosing(model.stream(prompt("Hello"))) as pieces:
            async for piece in pieces:
                text, last = ("" if piece.withdrawn else text) + piece.text, piece
    except ModelError as error:
        return text, last, error
    return text, last, None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
async def test_an_answer_is_read_as_it_was_meant(case: dict[str, Any]) -> None:
    """The text, how it ended, what it took; or the fault, with the server's words and the wait that it asks for."""
    right = case["right"]
    async with Replay(case["protocol"], case["bytes"], case.get("when", "")) as server:
        name = case["protocol"]
        model = MODELS[name](f"{name}/m", "m", SecretStr("test-key"), server.base_url, 5.0, "a server")
        text, last, error = await listen(model)
        again = await listen(model) if "asked" in right else None
        await model.close()
    assert text == right.get("text", "")
    assert (error.fault.value if error else None) == right.get("fault"), str(error)
    assert last.end == (None if error else right.get("end", "done"))
    assert right.get("log", "") in str(error or "")
    assert (error.retry_after if error else None) == right.get("wait")
    if "usage" in right:
        assert last.usage == (None if right["usage"] is None else Usage(*right["usage"]))
    if again:
        assert (again[0], len(server.asked)) == (text, right["asked"] + 1)
    if right.get("merged"):
        assert [message["content"] for message in json.loads(server.asked[-1])["messages"]] == [f"{SYSTEM}\n\nHello"]
