"""The two ways in from the net: no request is answered with an error of ours, or without the strict headers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.signed_events import Door
from adapters.web.app import build
from adapters.web.auth import HEADERS
from adapters.web.settings import Settings
from bot.config.settings import BotSettings
from bot.engine import Engine
from bot.runtime.health import Host
from bot.runtime.metrics import Metrics
from storage.sqlite import SqliteMemory
from tests.fuzz.asgi import request
from tests.fuzz.mutation import mutated, recorded
from tests.loopback.slack import FakeSlack
from tests.loopback.slack.app import connected
from tests.loopback.slack.delivery import sign
from tests.support.tries import tries
from tests.support.webserver import Scripted

KEY = "a key"
SECRET = "the secret"
words = st.text(max_size=40)
raw = st.one_of(st.binary(max_size=300), words.map(lambda text: text.encode(errors="replace")))
names = st.sampled_from(
    [b"x-slack-signature", b"x-slack-request-timestamp", b"content-type", b"content-length", b"authorization", b"host",
     b"origin", b"x-forwarded-for", b"forwarded", b"accept-encoding", b"range", b"if-none-match", b"cookie", b"x"]
)  # fmt: skip
headers = st.lists(st.tuples(names, raw), max_size=5)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), words),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=8,
)
asked = st.fixed_dictionaries(
    {}, optional={"message": st.one_of(words, values), "conversation_id": st.one_of(words, values), "stream": values}
)
bodies = st.one_of(
    raw,
    values.map(lambda value: json.dumps(value).encode()),
    asked.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"[" * 5000, b'{"message": "\\ud800"}', b'{"message": "\\u0000"}', b"\xef\xbb\xbf{}", b"1e999"]),
)
paths = st.one_of(
    st.sampled_from(["/", "/chat", "/chat", "/chat/stream", "/about", "/metrics", "/healthz", "/readyz", "/static/",
                     "/static/../api.py", "/static/%2e%2e/api.py", "/static//etc/passwd", "/static/\x00", "//"]),
    words.map(lambda word: f"/conversations/{word}"),
    words.map(lambda word: f"/static/{word}"),
    words.map(lambda word: f"/{word}"),
)  # fmt: skip
methods = st.sampled_from(["GET", "POST", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "X"])
SENT = [body for body in recorded("slack") if "type" in body or "command" in body]


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Any]:
    """The whole web application, over a fresh memory and a model that says hello."""
    memory = await SqliteMemory.open(tmp_path / "parley.db")
    chosen = Settings.model_validate({"api_key": KEY, "rate": 0, "cors_origins": ("https://friend.example",)})
    try:
        yield build(Engine(Scripted(), memory, BotSettings(), Metrics()), chosen, Host())
    finally:
        await memory.close()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """Slack's way in, with bolt behind it."""
    async with FakeSlack() as slack, connected(slack, app_token="", signing_secret=SECRET) as running:
        found = running.host.mounts["/slack/events"]
        assert isinstance(found, Door)
        yield found


@tries(100)
@given(methods, paths, headers, bodies, st.booleans())
async def test_no_request_breaks_the_web_api(
    app: Any, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes, known: bool
) -> None:
    """Whatever method, path, headers and body it has, with the key or without: never a 5xx but 503."""
    allowed = [(b"authorization", f"Bearer {KEY}".encode())] if known else []
    heard = await request(app, method, path, [*allowed, *headers], body)
    assert heard.status < 500 or heard.status == 503
    assert {name: heard.headers.get(name) for name in HEADERS} == HEADERS
    if heard.status in (401, 403):
        assert "conversation_id" not in heard.body.decode()
    if not known and not any(name == b"authorization" for name, _ in headers):
        assert (
            heard.status != 200
            or path in ("/", "/healthz", "/readyz")
            or path.startswith("/static/")
            or (method == "OPTIONS")
        )


@tries(100)
@given(methods, headers, bodies)
async def test_no_unsigned_request_gets_past_the_door(
    door: Door, method: str, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Whatever its headers say: 401, or 405 for what is no POST."""
    heard = await request(door, method, "/slack/events", headers, body)
    assert heard.status == (401 if method == "POST" else 405)


@tries(150)
@given(st.one_of(mutated(SENT), values), st.sampled_from(["json", "form", "payload"]))
async def test_no_signed_request_breaks_the_door(door: Door, payload: Any, kind: str) -> None:
    """What bears Slack's signature and is nonsense is refused, or taken in without effect: never a 5xx but 503."""
    if kind == "json":
        body = json.dumps(payload).encode()
    elif kind == "form" and isinstance(payload, dict):
        body = urlencode({str(key): str(value) for key, value in payload.items()}, errors="replace").encode()
    else:
        body = urlencode({"payload": json.dumps(payload)}, errors="replace").encode()
    mime = b"application/json" if kind == "json" else b"application/x-www-form-urlencoded"
    signed = [(name.lower().encode(), value.encode()) for name, value in sign(SECRET, body).items()]
    heard = await request(door, "POST", "/slack/events", [(b"content-type", mime), *signed], body)
    assert heard.status < 500 or heard.status == 503
