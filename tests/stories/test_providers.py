"""The program against servers that answer as real ones do: the person gets the answer, the operator the reason."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.loopback.canned import Canned, Case, recorded
from tests.support.program import ExecutedProgram, Program
from tests.support.webserver import asked, events

KEY = "sk-test-0123456789"


def environment(protocol: str, server: Canned) -> dict[str, str]:
    """What makes the program ask this server."""
    if protocol == "anthropic":
        model, base = "anthropic/claude-haiku-4-5", {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.base_url}
    else:
        model, base = "openai/m", {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f" {server.base_url}/v1\n"}
    return {"PARLEY_BOT__MODEL": model, "PARLEY_BOT__SUMMARIES": "false", **base}


async def ask(program: Program, question: str) -> tuple[int, dict[str, Any]]:
    """POST /chat: the status and the body."""
    async with program.http.post("/chat", json=asked(question, None)) as response:
        return response.status, await response.json()


def judge(case: Case, status: int, body: dict[str, Any], sent: list[str], log: list[dict[str, Any]]) -> list[str]:
    """What is not right about what came of a case."""
    right = case["right"]
    wrong = [key for key in ("response", "state") if key in right and body.get(key) != right[key]]
    if status != right.get("status", 200):
        wrong.append(f"status {status}")
    taught = right.get("without", "") not in sent[0]  # another case's refusal came first
    if len(sent) != (1 if taught else right.get("asked", len(sent))):
        wrong.append(f"asked {len(sent)} times")
    if "without" in right and right["without"] in sent[-1]:
        wrong.append("the last request")
    lines = [event for event in log if right.get("log", "") in json.dumps(event, ensure_ascii=False)]
    if not any(event.get("fault", "") == right.get("fault", event.get("fault", "")) for event in lines):
        wrong.append("the log")
    return [f"{case['name']}: {problem}; {body}" for problem in wrong]


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
async def test_every_recorded_answer_is_read_right(tmp_path: Path, protocol: str) -> None:
    """Through the program: the text and its state, or the sentence; how often it was asked; the fault in the log."""
    cases = recorded(protocol)
    async with Canned(cases) as server, ExecutedProgram(tmp_path, **environment(protocol, server)) as program:
        answers = await asyncio.gather(*(ask(program, case["name"]) for case in cases))
        await program.stop()
    log = program.events
    judged = zip(cases, answers, strict=True)
    assert [
        problem
        for case, (status, body) in judged
        for problem in judge(case, status, body, server.bodies[case["name"]], log)
    ] == []
    assert not [event for event in log if event["event"] == "a turn broke"]
    assert "flagged" not in json.dumps([event for event in log if event["event"] == "the admins are told"])


HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\nX-Request-Id: req_7\r\n\r\n"


def chunks(*texts: str, end: str | None = "stop") -> list[str | float]:
    """The parts of an answer with these pieces."""
    written = [json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}) for text in texts]
    last = [json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": end}]})] if end else []
    parts: list[str | float] = [HEAD]
    for data in [*written, *last, "[DONE]"]:
        parts += [f"data: {data}\n\n", 0.05]
    return parts


async def test_what_is_shown_of_a_stream_is_honest(tmp_path: Path) -> None:
    """Thoughts that were shown are taken back, and held back from then on; controls reach neither reader nor log."""
    cases = [
        {"name": "first", "tries": [chunks("secret ", "plan\n", "</think>\n\nHel", "lo.")]},
        {"name": "second", "tries": [chunks("another plan\n", "</think>\n\nHello ", "again.")]},
        {"name": "third", "tries": [chunks("No ", "thoughts.")]},
        {"name": "controls", "tries": [chunks("a\0b\x1b[3", "1mred\x1b[0m \u202eevil\u202c\n\tc\x9b")]},
        {"name": "reason", "tries": [chunks("x", end="bad\u202e\x1b[31m\0error")]},
        {"name": "endless", "tries": [chunks(*["word " * 10] * 400, end=None)]},
    ]
    async with Canned(cases) as server, Program(tmp_path, **environment("openai", server)) as program:
        shown, kept = [], []
        for name in ("first", "second", "third"):
            async with program.http.post("/chat/stream", json=asked(name, None)) as response:
                shown.append([event async for event in events(response)])
            known = shown[-1][-1][1]["conversation_id"]
            async with program.http.get(f"/conversations/{known}") as response:
                kept.append((await response.json())["messages"][-1]["content"])
        (_, controls), (status, _), (_, endless) = [await ask(program, n) for n in ("controls", "reason", "endless")]
        await program.stop()
    first, *later = shown
    assert [name for name, _ in first] == ["token", "token", "withdraw", "token", "token", "done"]
    assert "withdraw" not in [name for received in later for name, _ in received]
    texts = ["".join(data.get("text", "") for _, data in received) for received in (first[3:], *later)]
    assert texts == kept == ["Hello.", "Hello again.", "No thoughts."]
    assert controls["response"] == "abred evil\n\tc"
    assert status == 502
    log = json.dumps(program.events, ensure_ascii=False)
    assert "request req_7" in log
    assert not set("\u202e\u202c\x9b") & set(log)
    assert "\\u001b" not in log
    assert endless["state"] == "cut"
    assert 8_000 < len(endless["response"]) < 16_000
