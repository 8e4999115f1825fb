"""The web API against its own description, as schemathesis tries it: what it allows, and what it does not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import given
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from tests.loopback.openai import FakeOpenAI
from tests.support.program import Program, asking
from tests.support.tries import tries

KEY = "a key"
BEARER = {"Authorization": f"Bearer {KEY}"}


async def test_the_api_keeps_to_its_description(tmp_path: Path) -> None:
    """Every answer has a status, a type and a form that `/openapi.json` names; nothing is answered without the key."""
    async with FakeOpenAI() as model:
        environ = {"PARLEY_WEB__API_KEY": KEY, **asking(model)}
        async with Program(tmp_path, **environ) as parley:
            async with parley.http.get("/openapi.json") as refused:
                assert refused.status == 401
            async with parley.http.get("/openapi.json", headers=BEARER) as response:
                document = await response.json()
            assert {*document["paths"]} == {"/chat", "/chat/stream", "/conversations/{conversation}", "/about"}
            await asyncio.to_thread(conform, document, parley.url)
            assert model.asked > 10


def conform(document: dict[str, Any], url: str) -> None:
    """Try each operation with requests that it allows, and with others."""
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        for mode in GenerationMode:

            @tries(25)
            @given(found.ok().as_strategy(generation_mode=mode))
            def attempt(case: Case[Any]) -> None:
                case.call_and_validate(base_url=url, headers=BEARER)

            attempt()
