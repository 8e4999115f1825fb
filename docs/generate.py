"""Writes what the documents say about settings and commands, from the program itself: `python -m docs.generate`.

config.example.toml is written whole; in docs/configuration.md only what stands between its markers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path, PurePath
from typing import Any, cast

from pydantic import SecretStr

from bot.__main__ import ADAPTERS
from bot.cli.arguments import COMMANDS as PROGRAM
from bot.config.base import Keyed, Section
from bot.config.load import PREFIX, fields, schema, tables
from bot.config.settings import Settings
from bot.domain.commands import COMMANDS as CHAT

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "config.example.toml"
PAGE = ROOT / "docs" / "configuration.md"
HEADER = """\
# Every setting of Parley with its default. Copy this file to config.toml and keep the lines that you change.
# Each can be set in the environment too, and keys and tokens are better off there: see docs/configuration.md.
"""


def shape() -> type[Settings]:
    """All settings: those of the core and a section for each adapter."""
    return schema({name: import_module(module).Settings for name, module in ADAPTERS.items()})


def example(shape: type[Settings]) -> str:
    """config.example.toml: each key with its default and one line of why."""
    lines = [HEADER]
    previous = ""
    for section, key, field in fields(shape):
        if section != previous:
            lines.append(f"\n\n# {summary(sections(shape)[section], section)}\n[{section}]\n")
            previous = section
        setting = f"# {key} =" if field.default is None else f"{key} = {literal(field.default)}"
        lines.append(f"\n# {field.description}\n{setting}\n")
    for section, kind in tables(shape).items():
        lines.append(f'\n\n# {summary(kind, section)}\n# [{section}."{kind.example}"]\n')
        for key, field in kind.model_fields.items():
            lines.append(f"\n# {field.description}\n# {key} = {literal(shown(field))}\n")
    return "".join(lines)


def settings(shape: type[Settings]) -> str:
    """A table for each section: key, default, names in the environment, what it is for."""
    parts = []
    for name in sections(shape):
        rows = [
            (f"`{key}`", default(field.default), variables(section, key, field), prose(field.description or ""))
            for section, key, field in fields(shape)
            if section == name
        ]
        heading = f"### [{name}]\n\n{summary(sections(shape)[name], name)}\n\n"
        parts.append(heading + table(("key", "default", "in the environment", "what it is for"), rows))
    parts += [keyed(section, kind) for section, kind in tables(shape).items()]
    return "\n".join(parts)


def keyed(section: str, kind: type[Keyed]) -> str:
    """The part of a section that holds tables with names: its keys with examples."""
    rows = [
        (f"`{key}`", f"`{literal(shown(field))}`", prose(field.description or ""))
        for key, field in kind.model_fields.items()
    ]
    text = f'{summary(kind, section)} In the settings file alone, a table for each: `[{section}."{kind.example}"]`.'
    return f"### [{section}]\n\n{text}\n\n" + table(("key", "example", "what it is for"), rows)


def fill(page: str, shape: type[Settings]) -> str:
    """The page with everything between its markers as the program has it now."""
    blocks = {
        "settings": settings(shape),
        "program": table(("command", "what it does"), [(f"`parley {name}`", text) for name, text in PROGRAM.items()]),
        "chat": table(
            ("command", "what it does"), [(f"`/{command.name}`", command.summary) for command in CHAT.values()]
        ),
    }
    for name, block in blocks.items():
        between = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end of {name} -->)", re.DOTALL)
        page, count = between.subn("\n{}\n".format(block.replace("\\", r"\\")), page)
        if count != 1:
            raise ValueError(f"{PAGE} needs the markers of {name} once")
    return page


def table(headers: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; what would end a column is escaped."""
    lines = ["| " + " | ".join(headers) + " |", "|" + " --- |" * len(headers)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def variables(section: str, key: str, field: Any) -> str:
    """The names of a setting in the environment, that of its ecosystem first."""
    own = (field.json_schema_extra or {}).get("env")
    names = [own] if own else []
    return ", ".join(f"`{name}`" for name in [*names, f"{PREFIX}{section}__{key}".upper()])


def sections(shape: type[Settings]) -> dict[str, type[Section]]:
    """The sections that are one table each."""
    kinds = {name: cast(type[Section], field.annotation) for name, field in shape.model_fields.items()}
    return {name: kind for name, kind in kinds.items() if name not in tables(shape)}


def shown(field: Any) -> Any:
    """The example of a key that has no default worth showing."""
    return field.json_schema_extra["example"]


def summary(kind: type[Section], section: str) -> str:
    """What a section is about: the first line of its docstring, without its name."""
    first = (kind.__doc__ or "").strip().splitlines()[0]
    text = first.removeprefix(f"[{section}]: ")
    return text[:1].upper() + text[1:]


def prose(text: str) -> str:
    """Text for a page: an angle bracket would begin HTML."""
    return text.replace("<", "\\<")


def default(value: Any) -> str:
    """A default for the table."""
    return "unset" if value is None else f"`{literal(value)}`"


def literal(value: Any) -> str:
    """A default as TOML writes it; a secret has none."""
    if isinstance(value, SecretStr):
        return '""'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return json.dumps(str(value) if isinstance(value, PurePath) else value, ensure_ascii=False)


def main() -> None:
    """Write both files."""
    current = shape()
    EXAMPLE.write_text(example(current), encoding="utf-8")
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), current), encoding="utf-8")


if __name__ == "__main__":
    main()
