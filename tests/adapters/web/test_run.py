"""Serving: the address is taken or the mistake explained, it is announced, and it is given back."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr, ValidationError

from adapters.web import Settings, check
from adapters.web.app import STATIC
from adapters.web.server import announce, listen
from adapters.web.transcripts import Sign, Wire
from bot.config.load import load, schema
from bot.domain.errors import SettingsError
from tests.support.webserver import PATIENCE, events, web


def settings(environ: dict[str, str]) -> Settings:
    """[web] as the front door reads it."""
    read = getattr(load(schema({"web": Settings}), None, environ), "web")  # noqa: B009
    assert isinstance(read, Settings)
    return read


def test_by_default_only_this_machine_is_served() -> None:
    """127.0.0.1:8000, without a key and without foreign sites."""
    assert Settings() == Settings(host="127.0.0.1", port=8000, cors_origins=())
    assert not Settings().exposed
    assert Settings().enabled


def test_port_in_the_environment_opens_all_addresses() -> None:
    """PORT, as hosting platforms set it, beats web.port and binds every interface."""
    found = settings({"PORT": "5000", "PARLEY_WEB__PORT": "6000"})
    assert (found.host, found.port, found.exposed) == ("0.0.0.0", 5000, True)


@pytest.mark.parametrize("origin", ["example.com", "https://example.com/", "https://a b", "ftp://x"])
def test_an_origin_that_could_never_match_is_refused(origin: str) -> None:
    """A mistake in web.cors_origins is told at the start, with how an origin is written."""
    with pytest.raises(ValidationError, match="https://example"):
        Settings(cors_origins=(origin,))


def test_a_key_is_not_shown() -> None:
    """The key is in no repr."""
    assert "s3cret" not in repr(settings({"PARLEY_WEB__API_KEY": "s3cret"}))


async def test_a_busy_port_is_explained(tmp_path: Path) -> None:
    """A port that is taken is a mistake in the settings, named with its key and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            SettingsError, match=rf"web\.port {port} is in use on 127\.0\.0\.1: set web\.port \(or PORT\)"
        ):
            async with web(tmp_path, port=port):
                pass


@pytest.mark.parametrize("host", ["203.0.113.1", "no such name", "256.0.0.1"])
def test_an_address_of_another_machine_is_explained(host: str) -> None:
    """An address that is not here is named with its key."""
    with pytest.raises(SettingsError, match=r"web\.host .* 127\.0\.0\.1"):
        listen(Settings(host=host, port=0))


def test_a_name_is_listened_on_in_every_network() -> None:
    """Localhost is served on each address that it stands for, on one port."""
    sockets = listen(Settings(host="localhost", port=0))
    try:
        assert len({found.getsockname()[1] for found in sockets}) == 1
    finally:
        for found in sockets:
            found.close()


async def test_it_is_up_while_it_serves_and_gives_the_port_back(tmp_path: Path) -> None:
    """The status follows the server, and after its end nobody listens there."""
    async with web(tmp_path) as server:
        await server.call("GET", "/healthz")
        assert server.host.status("web").ready
        port = int(server.url.rpartition(":")[2])
    assert not server.host.status("web").ready
    for closed in listen(Settings(port=port)):
        closed.close()


async def test_a_stream_that_is_ending_is_still_ended(tmp_path: Path) -> None:
    """Cancelling the server closes no stream whose answer is whole before its reader has the ending."""
    async with web(tmp_path) as server:
        server.model.say("The sea", asyncio.Event())
        async with server.http.post("/chat/stream", json={"message": "Hi"}) as response:
            received = events(response)
            await anext(received)
            await server.engine.drain_turns(0)
            server.serving.cancel()
            assert (await asyncio.wait_for(anext(received), PATIENCE))[0] == "done"
    assert server.serving.cancelled()


async def test_silence_is_filled_with_signs_of_life() -> None:
    """While the model thinks a sign comes now and then, so that proxies do not hang up; no piece is lost."""
    wire = Wire(pulse=0.01)
    pieces = wire.pieces()
    assert await anext(pieces) is Sign.LIFE
    await wire.append("one")
    await wire.append("two")
    wire.close()
    assert [piece async for piece in pieces] == ["one", "two"]


@pytest.mark.parametrize(
    ("host", "port", "environ", "expected"),
    [
        ("127.0.0.1", 8000, {}, {"url": "http://127.0.0.1:8000"}),
        ("::1", 80, {}, {"url": "http://[::1]:80"}),
        (
            "127.0.0.1",
            8000,
            {"SSH_CONNECTION": "10.0.0.9 5123 10.0.0.1 22", "USER": "ada"},
            {"url": "http://127.0.0.1:8000", "over_ssh": "ssh -L 8000:127.0.0.1:8000 ada@10.0.0.1"},
        ),
        (
            "localhost",
            80,
            {"SSH_CONNECTION": "10.0.0.9 5123 10.0.0.1 2222"},
            {"url": "http://localhost:80", "over_ssh": "ssh -p 2222 -L 80:localhost:80 10.0.0.1"},
        ),
    ],
)
def test_where_to_look_is_said(host: str, port: int, environ: dict[str, str], expected: dict[str, str]) -> None:
    """The log has the page's URL as it is typed here, and over SSH also the command that makes it work elsewhere."""
    with structlog.testing.capture_logs() as events:
        announce(Settings(host=host, port=port), environ)
    assert events == [{"event": "open the chat page in a browser", "log_level": "info", **expected}]


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:80"), ("::", "http://[::1]:80")])
def test_every_address_is_said_as_this_machine(host: str, url: str) -> None:
    """Bound everywhere, the page is named by an address that a browser takes; without a key it is said to be closed."""
    with structlog.testing.capture_logs() as events:
        announce(Settings(host=host, port=80, api_key=SecretStr("key")), {})
        announce(Settings(host=host, port=80), {})
    assert events[0]["url"] == url
    assert events[1]["log_level"] == "warning"
    assert "web.api_key" in events[1]["reason"]


async def test_check_tells_a_free_port_from_a_taken_one(tmp_path: Path) -> None:
    """`parley check` is content with a free port and with a Parley that runs there, and not with anything else."""
    async with web(tmp_path) as server:
        (found,) = await check(Settings(port=int(server.url.rpartition(":")[2])))
        assert found.ok
        assert "runs there now" in found.found
    (found,) = await check(Settings(host="0.0.0.0", port=0))
    assert found.ok
    assert "web.api_key" in found.found


async def test_check_names_a_port_that_something_else_holds() -> None:
    """A port that another program answers at is a failure with a mend."""
    quiet = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with quiet:
        (found,) = await check(Settings(port=quiet.sockets[0].getsockname()[1]))
    assert not found.ok
    assert "web.port" in found.mend


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """Every file that the page names is beside it, and no address of another machine is in any of them."""
    files = {file.name: file.read_text() for file in STATIC.iterdir()}
    named = re.findall(r'(?:href|src)="static/([^"]+)"', files["index.html"])
    named += [name for text in files.values() for name in re.findall(r'from "\./([^"]+)"', text)]
    assert set(named) | {"index.html"} == set(files)
    for name, text in files.items():
        foreign = set(re.findall(r"https?://\w[\w.]+", text)) - {"http://www.w3.org"}
        assert not foreign, name
