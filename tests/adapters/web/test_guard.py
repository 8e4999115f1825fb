"""Who may use the server: with a key, without one on this machine, without one in the open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from adapters.web.settings import is_loopback
from tests.support.webserver import Web, web

KEY = "a key with ünusual letters"
PATHS = [
    ("POST", "/chat"),
    ("POST", "/chat/stream"),
    ("GET", "/conversations/x"),
    ("DELETE", "/conversations/x"),
    ("GET", "/metrics"),
    ("GET", "/about"),
    ("GET", "/nothing"),
]


def bearer(key: str) -> dict[str, str]:
    """The header that carries a key, in the bytes that HTTP clients send."""
    return {"Authorization": f"Bearer {key}"}


async def mounted(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[Any], Awaitable[None]],
) -> None:
    """What another adapter serves under a path of its own."""
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"mounted": true}'})


async def open_paths(server: Web) -> None:
    """What is served to everyone, whatever the settings say."""
    server.host.mounts["/slack/events"] = mounted
    foreign = {"Host": "parley.example.com", "Origin": "https://elsewhere.example"}
    for headers in ({}, foreign):
        assert (await server.call("GET", "/healthz", headers=headers))[0] == 200
        assert (await server.call("GET", "/readyz", headers=headers))[0] == 200
        assert await server.call("POST", "/slack/events", headers=headers) == (202, {"mounted": True})


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_with_a_key_everything_but_the_page_asks_for_it(tmp_path: Path, host: str) -> None:
    """No key, a wrong one and another scheme are 401; the page, health checks and mounted paths are served."""
    async with web(tmp_path, host=host, api_key=KEY) as server:
        for method, path in PATHS:
            for headers in ({}, bearer("wrong"), bearer(""), {"Authorization": f"Basic {KEY}"}):
                async with server.http.request(method, path, headers=headers) as response:
                    assert response.status == 401, path
                    assert response.headers["WWW-Authenticate"] == "Bearer"
                    assert "web.api_key" in (await response.json())["error"]
        for path in ("/", "/static/page.js"):
            async with server.http.get(path) as response:
                assert response.status == 200
        await open_paths(server)


async def test_the_right_key_opens_everything(tmp_path: Path) -> None:
    """With the key the host's name and the origin do not matter: no browser sends a key by itself."""
    async with web(tmp_path, host="0.0.0.0", api_key=KEY) as server:
        headers = {**bearer(KEY), "Host": "parley.example.com", "Origin": "https://parley.example.com"}
        status, body = await server.call("POST", "/chat", json={"message": "Hi"}, headers=headers)
        assert (status, body["response"]) == (200, "Hello.")
        async with server.http.get("/metrics", headers={"authorization": f"bearer {KEY}"}) as response:
            assert response.status == 200


async def test_in_the_open_without_a_key_only_health_is_served(tmp_path: Path) -> None:
    """Bound to more than this machine, and without a key, every other path is a 403 that says what to do."""
    async with web(tmp_path, host="0.0.0.0") as server:
        for method, path in [*PATHS, ("GET", "/"), ("GET", "/static/page.js")]:
            status, body = await server.call(method, path, headers=bearer(""))
            assert status == 403, path
            assert "web.api_key" in body["error"]
        await open_paths(server)


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:8000", "", "[fe80::1]:80"])
async def test_another_name_for_this_machine_is_refused(tmp_path: Path, name: str) -> None:
    """Without a key a page that points its own name at 127.0.0.1 gets nothing."""
    async with web(tmp_path) as server:
        status, body = await server.call("POST", "/chat", json={"message": "Hi"}, headers={"Host": name})
        assert status == 403
        assert "web.api_key" in body["error"]
        await open_paths(server)


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "[::1]"])
async def test_the_names_of_this_machine_are_taken(tmp_path: Path, name: str) -> None:
    """By whichever loopback name, and through whichever port of a tunnel, the server is reached."""
    async with web(tmp_path) as server:
        headers = {"Host": name, "Origin": f"http://{name}"}
        assert (await server.call("POST", "/chat", json={"message": "Hi"}, headers=headers))[0] == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1"])
async def test_pages_of_other_sites_are_refused(tmp_path: Path, origin: str) -> None:
    """Without a key a request that another site's page makes is a 403, though it needs no permission to be sent."""
    async with web(tmp_path) as server:
        headers = {"Origin": origin, "Content-Type": "text/plain"}
        status, body = await server.call("POST", "/chat", data=b'{"message": "Hi"}', headers=headers)
        assert status == 403
        assert "web.cors_origins" in body["error"]
        assert not server.model.prompts


async def test_sites_that_are_allowed_may_ask_and_read(tmp_path: Path) -> None:
    """An origin in web.cors_origins passes, preflight and answer say so, and others still do not."""
    async with web(tmp_path, cors_origins=("https://Friend.example",)) as server:
        headers = {"Origin": "https://friend.example", "Access-Control-Request-Method": "POST"}
        async with server.http.options("/chat", headers=headers) as response:
            assert response.status == 200
            assert response.headers["Access-Control-Allow-Origin"] == "https://friend.example"
        async with server.http.post("/chat", json={"message": "Hi"}, headers=headers) as response:
            assert response.status == 200
            assert response.headers["Access-Control-Allow-Origin"] == "https://friend.example"
        other = {**headers, "Origin": "https://evil.example"}
        async with server.http.post("/chat", json={"message": "Hi"}, headers=other) as response:
            assert response.status == 403
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_no_site_is_allowed_by_default(tmp_path: Path) -> None:
    """Without the setting no answer carries a permission."""
    async with web(tmp_path, api_key=KEY) as server:
        headers = {"Origin": "https://friend.example", "Access-Control-Request-Method": "POST"}
        async with server.http.options("/chat", headers=headers) as response:
            assert response.status == 401
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_every_answer_carries_strict_headers(tmp_path: Path) -> None:
    """No inline script or style, no frame, no referrer, no guessing of types; nothing said is cached."""
    async with web(tmp_path) as server:
        for path, kept in (
            ("/", "no-cache"),
            ("/static/page.js", "no-cache"),
            ("/about", "no-store"),
            ("/x", "no-store"),
        ):
            async with server.http.get(path) as response:
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "frame-ancestors 'none'" in policy
                assert "unsafe" not in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Referrer-Policy"] == "no-referrer"
                assert response.headers["Cache-Control"] == kept


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((name, True) for name in ("127.0.0.1", "127.1.2.3", "::1", "localhost", "a.localhost")),
        *((name, False) for name in ("0.0.0.0", "::", "192.168.0.1", "example.com", "")),
    ],
)
def test_this_machine_is_told_from_others(host: str, expected: bool) -> None:
    """Only addresses and names that the standards keep for this machine count as it."""
    assert is_loopback(host) is expected
