"""The settings loader: whatever a file or the environment says, it is settings or a sentence."""

from __future__ import annotations

import contextlib
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import Settings as DiscordSettings
from adapters.slack import Settings as SlackSettings
from adapters.web import Settings as WebSettings
from bot.config.load import fields, load, schema
from bot.config.settings import Settings
from bot.domain.errors import SettingsError
from tests.support.tries import tries

SHAPE = schema({"discord": DiscordSettings, "slack": SlackSettings, "web": WebSettings})
SECTIONS = [*SHAPE.model_fields, "nothing", "models", "places"]
KEYS = [key for _, key, _ in fields(SHAPE)]
NAMES = [
    *(f"PARLEY_{section}__{key}".upper() for section, key, _ in fields(SHAPE)),
    *(str((field.json_schema_extra or {}).get("env") or "PORT") for _, _, field in fields(SHAPE)),
    "PARLEY_", "PARLEY__", "PARLEY_X", "PARLEY_MODELS__X", "PARLEY_WEB__NOTHING", "parley_web__port", "PARLEY_PORT",
]  # fmt: skip
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
scalars = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    words,
    st.sampled_from(["0", "1e9999", "nan", "1,2", "[]", "http://", "https://[", "12:99", "Europe/Berlin", "openai/x"]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=6,
)
tables = st.dictionaries(st.one_of(st.sampled_from(KEYS), words), anything, max_size=4)
files = st.dictionaries(st.one_of(st.sampled_from(SECTIONS), words), st.one_of(tables, tables, anything), max_size=4)
environs = st.dictionaries(st.sampled_from(NAMES), st.one_of(words, scalars.map(str)), max_size=5)


def spell(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quote(key)} = {spell(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(spell, value)) + "]"
    return quote(value) if isinstance(value, str) else str(value).lower()


def quote(text: str) -> str:
    """A string in TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def attempt(path: Path, environ: dict[str, str]) -> None:
    """Load; the only error is a SettingsError."""
    with contextlib.suppress(SettingsError):
        assert isinstance(load(SHAPE, path, environ), Settings)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory; python-dotenv says nothing of what is not there."""
    monkeypatch.chdir(tmp_path)
    logging.getLogger("dotenv").setLevel(logging.ERROR)


@tries(60)
@given(files, environs)
def test_any_values_are_settings_or_a_sentence(tmp_path: Path, found: dict[str, Any], environ: dict[str, str]) -> None:
    """Sections, keys and values, known and unknown, of the right kind and of others."""
    path = tmp_path / "config.toml"
    path.write_text("\n".join(f"{quote(key)} = {spell(value)}" for key, value in found.items()), encoding="utf-8")
    attempt(path, environ)


@tries(60)
@given(st.one_of(st.binary(max_size=200), words.map(str.encode), st.just(b"a=" + b"[" * 3000)))
def test_any_bytes_are_settings_or_a_sentence(tmp_path: Path, content: bytes) -> None:
    """A file that is no TOML, or none that anybody would write."""
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    attempt(path, {})


@tries(60)
@given(st.one_of(st.binary(max_size=200), words.map(str.encode)), environs)
def test_any_dotenv_is_settings_or_a_sentence(tmp_path: Path, content: bytes, environ: dict[str, str]) -> None:
    """`.env` may be anything too."""
    path = tmp_path / "config.toml"
    path.write_text("")
    (tmp_path / ".env").write_bytes(content)
    attempt(path, environ)
