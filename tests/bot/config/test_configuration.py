"""The documents say what the program does: every setting with its default, and every command."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from bot.config.base import Section
from bot.config.load import fields, load, tables
from bot.config.settings import Settings
from bot.domain.commands import COMMANDS as CHAT
from docs import generate

EXAMPLE = generate.EXAMPLE.read_text(encoding="utf-8")
PAGE = generate.PAGE.read_text(encoding="utf-8")


@pytest.fixture
def shape() -> type[Settings]:
    """All settings of the program."""
    return generate.shape()


def test_the_example_is_what_the_program_has(shape: type[Settings]) -> None:
    """config.example.toml names every key once, under its section; `python -m docs.generate` writes it."""
    assert generate.example(shape) == EXAMPLE
    section, keys = "", []
    for line in EXAMPLE.splitlines():
        if re.fullmatch(r"# \[\w+\..+\]", line):  # the tables by a name, which are examples, end the file
            break
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = heading[1]
        elif key := re.match(r"(?:# )?(\w+) =", line):
            keys.append((section, key[1]))
    assert keys == [(section, key) for section, key, _ in fields(shape)]


def test_the_example_says_the_defaults(shape: type[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It loads as it is, and what comes of it is what comes of nothing; what it does not set is unset."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(EXAMPLE, encoding="utf-8")
    assert load(shape, None, {}) == shape()
    tables = tomllib.loads(EXAMPLE)
    unset = {(section, key) for section, key, field in fields(shape) if key not in tables[section]}
    assert all(field.default is None for section, key, field in fields(shape) if (section, key) in unset)


def test_every_setting_has_a_line_of_why(shape: type[Settings]) -> None:
    """No field is without a description, of one line, that ends like a sentence."""
    named = [
        (section, key, field) for section, kind in tables(shape).items() for key, field in kind.model_fields.items()
    ]
    for section, key, field in fields(shape) + named:
        assert re.fullmatch(r".+[.!?]", field.description or ""), f"{section}.{key}"


def test_the_page_is_what_the_program_has(shape: type[Settings]) -> None:
    """docs/configuration.md is up to date: `python -m docs.generate` writes its tables."""
    assert generate.fill(PAGE, shape) == PAGE


def test_the_page_names_every_setting(shape: type[Settings]) -> None:
    """Each key has a row with its names in the environment, in the part of its section."""
    parts = dict(re.findall(r"^### \[(\w+)\]\n(.*?)(?=^##)", PAGE, re.DOTALL | re.MULTILINE))
    for section, key, field in fields(shape):
        [row] = [line for line in parts[section].splitlines() if line.startswith(f"| `{key}` |")]
        assert f"`PARLEY_{section.upper()}__{key.upper()}`" in row
        assert f"`{(field.json_schema_extra or {}).get('env') or key}`" in row
    for section, kind in tables(shape).items():
        assert f'`[{section}."{kind.example}"]`' in parts[section]
        assert re.findall(r"^\| `(\w+)` \|", parts[section], re.MULTILINE) == list(kind.model_fields)


def test_the_page_names_every_command() -> None:
    """Each command of the program and of a chat has its row, and `--config` is explained."""
    for name in ("run", "chat", "check", "manifest", "invite", "usage", "backup", "restore"):
        assert f"| `parley {name}` | " in PAGE
    for command in CHAT.values():
        assert f"| `/{command.name}` | {command.summary} |" in PAGE
    assert "`--config PATH`" in PAGE


def test_the_generator_writes_what_a_setting_can_be() -> None:
    """Strings, numbers, switches, paths, lists, secrets and what is unset, as TOML and as a table."""

    class Odd(Section):
        """[odd]: all kinds."""

        name: str = Field('a "b" | <c>\n', description="A <name>.")
        folder: Path = Field(Path("x/y"), description="A path.")
        names: tuple[str, ...] = Field(("a", "b"), description="A list.")
        on: bool = Field(True, description="A switch.")
        key: SecretStr = Field(SecretStr("hidden"), description="A secret.")
        limit: int | None = Field(None, description="Unset.")

    class Shape(Settings):
        odd: Odd = Odd()

    text = generate.example(Shape)
    odd = tomllib.loads(text)["odd"]
    assert odd == {"name": 'a "b" | <c>\n', "folder": "x/y", "names": ["a", "b"], "on": True, "key": ""}
    assert "\n# limit =\n" in text
    assert '| `name` | `"a \\"b\\" \\| <c>\\n"` | `PARLEY_ODD__NAME` | A \\<name>. |' in generate.settings(Shape)
