"""The web API in front of strangers: how often they may ask, and what every response tells a browser."""

from __future__ import annotations

import asyncio
import re
import secrets
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.requests import HTTPConnection

from adapters.web import auth
from adapters.web.app import STATIC
from adapters.web.auth import HEADERS
from adapters.web.messages import begin
from adapters.web.rate_limit import REMEMBERED, Rate, client
from adapters.web.settings import Settings
from bot.config.settings import LimitsSettings
from tests.adapters.web.test_guard import bearer, mounted
from tests.support.webserver import Web, web

KEY = "a long key"
STRANGER, OTHER = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "203.0.113.8"}


class Clock:
    """A clock that a test turns."""

    now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def asker(peer: str, proxies: tuple[str, ...] = (), **headers: str) -> str:
    """By what a request is counted that came from an address with these headers."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return client(HTTPConnection({"type": "http", "client": (peer, 1), "headers": raw}), proxies)


async def ask(server: Web, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of a question."""
    async with server.http.post(path, json={"message": "Hi"}, headers={**headers, **bearer(KEY)}) as response:
        body = await response.json() if response.content_type == "application/json" else await response.text()
        return response.status, dict(response.headers), body


@pytest.mark.parametrize("path", ["/chat", "/chat/stream"])
async def test_who_asks_too_often_is_told_when_to_come_again(tmp_path: Path, path: str) -> None:
    """429 with Retry-After and a sentence, without a call of the model; another address is not kept waiting."""
    async with web(tmp_path, api_key=KEY, rate=3) as server:
        for _ in range(3):
            assert (await ask(server, path, STRANGER))[0] == 200
        status, headers, body = await ask(server, path, STRANGER)
        assert status == 429
        assert 1 <= int(headers["Retry-After"]) <= 20
        assert f"again in {headers['Retry-After']} s" in body["error"]
        assert len(server.model.prompts) == 3
        assert (await ask(server, path, OTHER))[0] == 200


async def test_this_machine_may_ask_as_often_as_it_likes(tmp_path: Path) -> None:
    """Whoever sits at it, or comes through a tunnel, is its operator."""
    async with web(tmp_path, api_key=KEY, rate=1) as server:
        assert {(await ask(server, "/chat", {}))[0] for _ in range(5)} == {200}


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, {}, 200),
        ({}, STRANGER, 429),
        ({"api_key": KEY}, {}, 429),
        ({"api_key": KEY}, STRANGER, 429),
    ],
    ids=["the operator's own page", "without a key, by way of a proxy", "with a key", "with a key, by way of a proxy"],
)
async def test_only_the_operator_goes_beyond_what_the_bot_may_spend(
    tmp_path: Path, settings: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    """Who comes through a proxy on this machine, or with a key, is nobody's admin; what the operator asks counts."""
    limits = LimitsSettings(tokens=1)
    async with web(tmp_path, limits=limits, **settings) as server:
        assert (await ask(server, "/chat", {}))[0] == 200
        found, _, body = await ask(server, "/chat", headers)
        assert found == status
        assert status == 200 or "what I may spend" in body["error"]
        assert len(server.model.prompts) == (2 if status == 200 else 1)


async def test_reading_back_and_health_are_not_counted(tmp_path: Path) -> None:
    """Only what the model is asked is."""
    async with web(tmp_path, api_key=KEY, rate=1) as server:
        conversation = (await ask(server, "/chat", STRANGER))[2]["conversation_id"]
        for path in ("/", "/healthz", "/about", f"/conversations/{conversation}"):
            for _ in range(3):
                async with server.http.get(path, headers={**STRANGER, **bearer(KEY)}) as response:
                    assert response.status == 200


def test_questions_come_back_by_and_by() -> None:
    """Sixty a minute: one each second once they are used up; a refused one costs nothing."""
    clock = Clock()
    rate = Rate(60, clock)
    assert [rate.wait("a") for _ in range(60)] == [0] * 60
    assert [rate.wait("a") for _ in range(5)] == [1] * 5
    clock.now += 1
    assert [rate.wait("a"), rate.wait("a")] == [0, 1]
    clock.now += 3600
    assert [rate.wait("a") for _ in range(61)] == [0] * 60 + [1]


@pytest.mark.parametrize("limit", [1, 3, 7, 20, 1000])
def test_who_waits_as_long_as_told_is_let_in(limit: int) -> None:
    """And one second earlier is not, where it is more than one."""
    clock = Clock()
    rate = Rate(limit, clock)
    for _ in range(limit):
        assert not rate.wait("a")
    seconds = rate.wait("a")
    clock.now += seconds - 1
    assert rate.wait("a") or seconds == 1
    clock.now += 1
    assert not rate.wait("a")


def test_no_rate_is_no_limit_and_clients_are_bounded() -> None:
    """Counting strangers costs a bounded memory, however many addresses they have."""
    assert {Rate(0).wait("a") for _ in range(1000)} == {0}
    rate = Rate(1, Clock())
    for number in range(REMEMBERED + 10):
        rate.wait(str(number))
    assert len(rate._spent) == REMEMBERED
    assert rate.wait(str(REMEMBERED + 9))


@pytest.mark.parametrize(
    ("peer", "proxies", "forwarded", "counted"),
    [
        ("127.0.0.1", (), "", ""),
        ("::1", (), "", ""),
        ("::ffff:127.0.0.1", (), "", ""),
        ("203.0.113.7", (), "", "203.0.113.7"),
        ("203.0.113.7", (), "127.0.0.1", "203.0.113.7"),
        ("203.0.113.7", (), "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", (), "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", (), "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", (), "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", ("10.0.0.0/8",), "127.0.0.1, 203.0.113.7,10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", ("*",), "127.0.0.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", ("10.0.0.1",), "10.0.0.1", "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.1",), "", "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.1",), "nonsense", "nonsense"),
        ("2001:db8:1:2:3::4", (), "", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", (), "", "203.0.113.7"),
        ("", (), "", "unknown"),
    ],
)
def test_a_client_is_counted_by_its_address(peer: str, proxies: tuple[str, ...], forwarded: str, counted: str) -> None:
    """The one that a trusted proxy saw; nobody gets another by saying so, nor more of them by having a network."""
    assert asker(peer, proxies, **({"x_forwarded_for": forwarded} if forwarded else {})) == counted


@pytest.mark.parametrize("sign", ["forwarded", "x_real_ip", "via"])
def test_behind_any_proxy_nobody_is_this_machine(sign: str) -> None:
    """A proxy here that names nobody has its guests counted together."""
    assert asker("127.0.0.1", (), **{sign: "x"}) == "127.0.0.1"


def test_a_proxy_is_an_address_or_a_network() -> None:
    """A name is a mistake that is told."""
    assert Settings(proxies=("10.0.0.0/8", "::1", "*")).proxies
    with pytest.raises(ValidationError, match="10\\.0\\.0\\.7"):
        Settings(proxies=("proxy.example",))


async def test_strict_headers_are_on_every_response(tmp_path: Path) -> None:
    """Once each: pages, answers, errors, preflights, streams, and what other adapters serve."""
    async with web(tmp_path, api_key=KEY, rate=1, cors_origins=("https://friend.example",)) as server:
        server.host.mounts["/slack/events"] = mounted
        preflight = {"Origin": "https://friend.example", "Access-Control-Request-Method": "POST"}
        key, seen = bearer(KEY), set()
        for method, path, headers in (
            ("GET", "/", {}),
            ("GET", "/static/page.css", {}),
            ("GET", "/static/nothing", {}),
            ("GET", "/about", {}),
            ("GET", "/nothing", key),
            ("PUT", "/chat", key),
            ("POST", "/chat", key),
            ("POST", "/chat/stream", key),
            ("POST", "/slack/events", {}),
            ("OPTIONS", "/chat", preflight),
            ("GET", "/healthz", {}),
        ):
            async with server.http.request(method, path, headers=headers) as response:
                seen.add(response.status)
                for name, value in HEADERS.items():
                    assert response.headers.getall(name) == [value], (path, name)
                assert len(response.headers.getall("cache-control")) == 1
        assert seen == {200, 202, 401, 404, 405, 422}


def test_the_policy_allows_nothing_inline_and_no_frame() -> None:
    """Scripts and styles come from the server's own files alone."""
    policy = dict(part.strip().split(" ", 1) for part in HEADERS["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert HEADERS["referrer-policy"] == "no-referrer"
    assert HEADERS["cross-origin-resource-policy"] == "same-origin"


def test_the_page_has_nothing_inline() -> None:
    """No script or style between tags or in attributes, and nothing from elsewhere."""

    class Reader(HTMLParser):
        open = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.open = tag
            for name, value in attrs:
                assert name != "style"
                assert not name.startswith("on")
                assert name not in ("src", "href") or str(value).startswith("static/")

        def handle_data(self, data: str) -> None:
            assert self.open not in ("script", "style") or not data.strip()

    Reader().feed((STATIC / "index.html").read_text(encoding="utf-8"))
    for script in STATIC.glob("*.js"):
        written = script.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", written)


def test_ids_cannot_be_guessed() -> None:
    """128 random bits each."""
    ids = {begin() for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(one) for one in ids} == {22}


async def test_commands_concern_one_conversation(tmp_path: Path) -> None:
    """All who ask over HTTP are one author: usage, export and forgetting stay within what the id opens."""
    async with web(tmp_path) as server:
        ids = [(await server.chat(f"the secret of {name}"))[1]["conversation_id"] for name in ("ann", "ben")]
        _, told = await server.chat("/usage", ids[0])
        assert told["response"].count("1 question, 9 tokens") == 2
        _, told = await server.chat("/export", ids[0])
        assert "the secret of ann" in told["response"]
        assert "ben" not in told["response"]
        await server.chat("/forget-me", ids[0])
        _, told = await server.chat("/export", ids[1])
        assert "the secret of ben" in told["response"]
        assert (await server.call("GET", f"/conversations/{ids[0]}"))[0] == 404


async def test_an_id_that_nobody_was_given_opens_nothing(tmp_path: Path) -> None:
    """Nor does one that means a place of another adapter, or of the server itself."""
    async with web(tmp_path, api_key=KEY) as server:
        known = (await ask(server, "/chat", STRANGER))[2]["conversation_id"]
        for other in (known[:-1], known + "A", f"{known}:1", "readyz", "discord:1", "../discord:1", "%", "*", "_" * 22):
            options: dict[str, Any] = {"headers": bearer(KEY)}
            assert (await server.call("GET", f"/conversations/{other}", **options))[0] == 404
            assert (await server.call("DELETE", f"/conversations/{other}", **options))[0] == 404
            body = {"message": "Hi", "conversation_id": other}
            assert (await server.call("POST", "/chat", json=body, **options))[0] == 404
        assert (await server.call("GET", f"/conversations/{known}", headers=bearer(KEY)))[0] == 200


async def test_a_key_is_compared_in_constant_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By `secrets.compare_digest`, whole and as bytes, so that time tells nothing of it."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return secrets.compare_digest(one, other)

    monkeypatch.setattr(auth, "compare_digest", compare)
    async with web(tmp_path, api_key=KEY) as server:
        statuses = [(await server.call("GET", "/about", headers=bearer(key)))[0] for key in (KEY[:-1], KEY)]
    assert statuses == [401, 200]
    assert compared == [(KEY[:-1].encode(), KEY.encode()), (KEY.encode(), KEY.encode())]


async def test_a_wrong_length_of_a_body_holds_up_nobody(tmp_path: Path) -> None:
    """A request that promises more than it sends keeps its own connection alone."""
    async with web(tmp_path, api_key=KEY) as server:
        port = int(server.url.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST /chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n".encode())
        writer.write(b"Content-Length: 1000\r\n\r\n{")
        await writer.drain()
        assert (await ask(server, "/chat", {}))[0] == 200
        writer.close()
