"""What an operator gets wrong, from outside: one sentence on stderr that says what to mend, and nothing is harmed."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.loopback.openai import FakeOpenAI
from tests.support.program import Program, asking, call


@pytest.fixture
async def openai() -> AsyncIterator[FakeOpenAI]:
    """A provider that admits its own key alone."""
    async with FakeOpenAI() as provider:
        yield provider


@pytest.mark.parametrize(
    ("toml", "environ", "told"),
    [
        ("[bot]\nmodle = 'x'", {}, ["bot.modle in config.toml", "docs/configuration.md"]),
        ("model = 'x'", {}, ["config.toml: model belongs into the section [bot]"]),
        ("[web]\nport = 'x'", {"PARLEY_WEB__PORT": ""}, ["web.port in config.toml", "valid integer"]),
        ("", {"PARLEY_BOT__MODLE": "x"}, ["PARLEY_BOT__MODLE in the environment", "docs/configuration.md"]),
        ("", {"PARLEY_MODEL": "x"}, ["PARLEY_MODEL", "write it as PARLEY_BOT__MODEL"]),
        ("", {"PARLEY_BOT__MODEL": "nobody/x"}, ["bot.model must be", '"nobody/x"']),
        ("", {"PARLEY_BOT__MODEL": "openai/x"}, ["openai/x needs a key", "set OPENAI_API_KEY"]),
        ("", {"PARLEY_BOT__MODEL": "anthropic/x"}, ["anthropic/x needs a key", "set ANTHROPIC_API_KEY"]),
        ("", {"PARLEY_STORAGE__PATH": "config.toml/x.db"}, ["config.toml/x.db", "set storage.path"]),
        ("", {"PARLEY_WEB__HOST": "192.0.2.1"}, ["web.host 192.0.2.1", "set it to 127.0.0.1"]),
    ],
)
async def test_a_bad_setting_is_one_sentence(
    tmp_path: Path, toml: str, environ: dict[str, str], told: list[str]
) -> None:
    """On stderr, with the key or file and what to do; the exit code is 1 and there is no traceback."""
    (tmp_path / "config.toml").write_text(toml)
    await refused(tmp_path, *told, **environ)


async def refused(folder: Path, *told: str, arguments: str = "run", **environ: str) -> None:
    ended = await call(folder, *arguments.split(), **environ)
    assert (ended.code, ended.out) == (1, "")
    [sentence] = ended.sentences
    assert sentence.startswith("parley: ")
    assert sentence.endswith(".")
    assert [part for part in told if part not in sentence] == [], sentence
    assert "Traceback" not in ended.err


async def test_a_settings_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """`--config` before or after the command."""
    for arguments in ("--config my.toml", "run --config my.toml", "check --config my.toml"):
        await refused(tmp_path, "my.toml", "give --config a file that exists", arguments=arguments)


async def test_a_settings_file_that_is_named_is_read(tmp_path: Path) -> None:
    """Also where it is not in the working directory."""
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "my.toml").write_text("[bot]\nmodel = 'nobody/x'")
    await refused(tmp_path, "nobody/x", arguments="--config else/my.toml")


async def test_a_database_of_a_newer_parley_is_left_alone(tmp_path: Path, openai: FakeOpenAI) -> None:
    """The file stays as it was."""
    async with Program(tmp_path, **asking(openai)) as program:
        assert await program.stop() == 0
    file = tmp_path / "data" / "parley.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    before = file.read_bytes()
    await refused(tmp_path, "data/parley.db", "newer Parley", "upgrade this one", **asking(openai))
    assert file.read_bytes() == before


@pytest.mark.parametrize(("content", "told"), [(b"", "another program's database"), (b"x" * 4096, "not a SQLite file")])
async def test_a_file_of_something_else_is_left_alone(
    tmp_path: Path, openai: FakeOpenAI, content: bytes, told: str
) -> None:
    """Another program's database, and what is no database at all."""
    file = tmp_path / "other.db"
    file.write_bytes(content)
    if not content:
        with sqlite3.connect(file) as db:
            db.execute("CREATE TABLE theirs (x)")
        db.close()
    before = file.read_bytes()
    await refused(tmp_path, "other.db", told, "set storage.path", PARLEY_STORAGE__PATH="other.db", **asking(openai))
    assert file.read_bytes() == before


async def test_a_busy_port_is_told(tmp_path: Path, openai: FakeOpenAI) -> None:
    """With its number and the setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        await refused(tmp_path, f"web.port {port} is in use", "set web.port", PARLEY_WEB__PORT=port, **asking(openai))


async def test_an_unknown_command_is_told_with_those_that_exist(tmp_path: Path) -> None:
    """As argparse does, with its exit code 2."""
    ended = await call(tmp_path, "dance")
    assert ended.code == 2
    assert "invalid choice: 'dance'" in ended.err
    assert "manifest" in ended.err
