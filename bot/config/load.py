"""Reading the settings: a TOML file, `.env` and the environment, once, at the front door."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError, create_model

from bot.config.base import Keyed, Section
from bot.config.settings import Settings
from bot.domain.errors import SettingsError

PREFIX = "PARLEY_"
DEFAULT_PATH = Path("config.toml")
READABLE = stat.S_IRGRP | stat.S_IROTH
"""Rights of a file's group and of all others."""
FOREIGN = re.compile(r"PARLEY_(SERVICE_(HOST|PORT)(_\w+)?=.*|PORT=\w+://.*|PORT_\d+_\w+=.*)", re.DOTALL)
"""What Kubernetes and Docker set beside a service that is called parley."""


def schema(adapters: Mapping[str, type[Section]]) -> type[Settings]:
    """The settings with a section for each adapter, named as the adapter is."""
    fields: dict[str, Any] = {name: (section, section()) for name, section in adapters.items()}
    return create_model("Settings", __base__=Settings, **fields)


def load(shape: type[Settings], path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings: the environment beats `.env`, which beats the TOML file.

    A named file must exist; the default one need not. Raises SettingsError with the key, its place and what to do.
    """
    dotenv = _from_dotenv()
    values: dict[str, dict[str, Any]] = {}
    origins: dict[tuple[str, str], str] = {}
    for (section, key), value in _from_toml(shape, path).items():
        values.setdefault(section, {})[key] = value
        origins[section, key] = f"{section}.{key} in {path or DEFAULT_PATH}"
    for source, where in ((dotenv, ".env"), (environ, "the environment")):
        for name, section, key, value in _from_environ(shape, source):
            values.setdefault(section, {})[key] = value
            origins[section, key] = f"{name} in {where}"
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(shape, error, origins)) from None


def _from_dotenv() -> dict[str, str]:
    try:
        return {key: value for key, value in dotenv_values(".env").items() if value}
    except OSError as error:
        raise SettingsError(f"The file .env cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError("The file .env is not text in UTF-8. Write it anew, or take it away.") from None


def exposed(shape: type[Settings], path: Path | None) -> list[Path]:
    """The settings files that have a secret in them and can be read by other users of this machine.

    The settings must have been read before; empty on Windows, whose rights are others.
    """
    secrets = {(section, key) for section, key, field in fields(shape) if field.annotation is SecretStr}
    dotenv = {key: value for key, value in dotenv_values(".env").items() if value}
    given = {
        path or DEFAULT_PATH: {name for name, value in _from_toml(shape, path).items() if value},
        Path(".env"): {(section, key) for _, section, key, _ in _from_environ(shape, dotenv)},
    }
    found = [file for file, names in given.items() if names & secrets]
    return [file for file in found if os.name == "posix" and file.stat().st_mode & READABLE]


def _from_toml(shape: type[Settings], path: Path | None) -> dict[tuple[str, str], Any]:
    file = path or DEFAULT_PATH
    if path is None and not file.exists():
        return {}
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"There is no settings file {file}: give --config a file that exists.") from None
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{file} is not valid TOML: {error}. Correct that line.") from None
    known = ", ".join(f"[{name}]" for name in shape.model_fields)
    for section, table in found.items():
        if not isinstance(table, dict):
            homes = " or ".join(f"[{home}]" for home, key, _ in fields(shape) if key == section)
            place = f"into the section {homes}" if homes else f"into a section; the sections are {known}"
            raise SettingsError(f"{file}: {section} belongs {place}.")
        if section not in shape.model_fields:
            raise SettingsError(f"{file}: there is no section [{section}]; the sections are {known}.")
    _check_names(shape, found, file)
    return {(section, key): value for section, table in found.items() for key, value in table.items()}


def _check_names(shape: type[Settings], given: Mapping[str, Any], file: Path) -> None:
    """Refuse a keyed section that does not hold tables with names of the right form."""
    for section, kind in tables(shape).items():
        for name, table in given.get(section, {}).items():
            if not isinstance(table, dict):
                raise SettingsError(
                    f'{file}: {section}.{name} belongs into a table such as [{section}."{kind.example}"].'
                )
            if not re.fullmatch(kind.form, name):
                raise SettingsError(f'{file}: [{section}."{name}"] must be named like [{section}."{kind.example}"].')


def _from_environ(shape: type[Settings], environ: Mapping[str, str]) -> list[tuple[str, str, str, Any]]:
    """(variable, section, key, value) for each setting in the environment, the stronger names last."""
    found: list[tuple[str, str, str, Any]] = []
    winners: list[tuple[str, str, str, Any]] = []
    for section, key, field in fields(shape):
        extra = field.json_schema_extra or {}
        name = str(extra.get("env", ""))
        if name and environ.get(name):
            rank = winners if extra.get("wins") else found
            rank.append((name, section, key, _parse(field.annotation, environ[name])))
            rank += [(name, section, implied, value) for implied, value in extra.get("implies", {}).items()]
    for name, value in environ.items():
        if not name.upper().startswith(PREFIX) or not value:
            continue
        section, separator, key = name[len(PREFIX) :].lower().partition("__")
        if not separator:
            _reject(shape, name, value)
        elif section in tables(shape):
            raise SettingsError(f"{name} is set, but [{section}] is read from the settings file alone; write it there.")
        elif section not in shape.model_fields:
            raise SettingsError(f"{name} is set, but there is no section [{section}]; take it away or correct it.")
        else:
            known = shape.model_fields[section].annotation.model_fields.get(key)  # type: ignore[union-attr]
            found.append((name, section, key, _parse(known.annotation if known else None, value)))
    return found + winners


def _reject(shape: type[Settings], name: str, value: str) -> None:
    """Refuse a variable that names no setting, unless it is one that a container platform sets by itself."""
    if FOREIGN.fullmatch(f"{name}={value}"):
        return
    rest = name[len(PREFIX) :].lower()
    meant = [f"{PREFIX}{home}__{key}".upper() for home, key, _ in fields(shape) if rest in (key, f"{home}_{key}")]
    right = " or ".join(meant) or f"{PREFIX}<SECTION>__<KEY>"
    raise SettingsError(f"{name} is set, but names no setting: write it as {right}, or take it away.")


def _parse(annotation: Any, value: str) -> Any:
    """A list may be written with commas; everything else is left to the section's own types.

    Blanks around a value are none of it: they come with copies, and from files that hold a secret and a line end.
    """
    if get_origin(annotation) in (tuple, list):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value.strip()


def fields(shape: type[Settings]) -> list[tuple[str, str, Any]]:
    """(section, key, field) of every setting, in the order of their definition; not those of tables with names."""
    return [
        (section, key, field)
        for section, table in shape.model_fields.items()
        if section not in tables(shape)
        for key, field in table.annotation.model_fields.items()  # type: ignore[union-attr]
    ]


def tables(shape: type[Settings]) -> dict[str, type[Keyed]]:
    """The sections that hold tables with names, and what such a table is."""
    kinds = {section: get_args(field.annotation) for section, field in shape.model_fields.items()}
    return {section: kind[-1] for section, kind in kinds.items() if kind}


def _explain(shape: type[Settings], error: ValidationError, origins: Mapping[tuple[str, str], str]) -> str:
    sentences = []
    for problem in error.errors(include_url=False, include_input=False):
        section, key, inner = (*map(str, problem["loc"]), "", "", "")[:3]
        origin = origins.get((section, key), f"{section}.{key}")
        if section in tables(shape):
            origin = origin.replace(f".{key}", f'."{key}".{inner}', 1)
        if problem["type"] == "extra_forbidden":
            sentences.append(f"{origin}: there is no such setting; see docs/configuration.md for those that exist.")
        else:
            told = "Input should be a list" if problem["type"] == "tuple_type" else problem["msg"]
            sentences.append(f"{origin}: {told.removeprefix('Value error, ')}.")
    return " ".join(sentences)
