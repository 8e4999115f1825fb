"""Reading JSON whose shape is not certain: what stands there as the kind that is wanted, or as nothing. Pure.

Servers disagree about the types of almost every field. Nothing here raises, whatever it is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

from pydantic_core import from_json

MOST = 10**9
"""The largest count that is believed; what is stored must fit an integer of the database."""
LARGEST = 10**18
"""Above it a number is no text of anybody's; Python even refuses to write the longest ones."""
DEEPEST = 20
"""Levels of nesting that are looked into."""
THOUGHTS = ("think", "thought", "reason", "analysis")
"""What the type of a part says that is not of the answer."""
TEXTS = ("text", "content", "thinking", "summary", "refusal")
"""Where a part has its text, the likeliest first."""


def parse_json(data: bytes) -> Any:
    """The JSON, by the quicker parser. Raises ValueError where it is none.

    Only the other one bears bytes that are no UTF-8, raw control characters, and halves of surrogate pairs, which it
    keeps: the second half may come with the next event.
    """
    try:
        return from_json(data)
    except ValueError:
        pass
    try:
        return json.loads(data.decode(errors="replace"), strict=False)
    except RecursionError:
        raise ValueError("too deep") from None


def read_object(value: Any) -> dict[str, Any]:
    """The object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def read_objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, or a single one as a list."""
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, dict)]


def read_count(*values: Any) -> int:
    """The first of the values that is a number above zero, also where it is written as text; else 0."""
    for value in values:
        try:
            number = 0.0 if value is None or isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            continue
        if isfinite(number) and number >= 1:
            return int(min(number, MOST))
    return 0


def read_parts(value: Any, depth: int = DEEPEST) -> Iterator[tuple[str, bool]]:
    """The texts of a content, in their order: a text, a part with a type, or a list of them; True for thoughts."""
    if isinstance(value, str):
        yield value, False
    elif _is_number(value):
        yield str(value), False
    elif isinstance(value, list) and depth:
        for part in value:
            yield from read_parts(part, depth - 1)
    elif isinstance(value, dict) and depth:
        kind = str(value.get("type") or "").lower()
        inner = next((value[key] for key in TEXTS if isinstance(value.get(key), str | list | dict)), None)
        thought = any(word in kind for word in THOUGHTS) or "thinking" in value
        for text, also in read_parts(inner, depth - 1):
            yield text, thought or also


def read_text(value: Any) -> str:
    """All the text of a content of any shape, thoughts and answer alike."""
    return "".join(text for text, _ in read_parts(value))


def read_strings(value: Any, depth: int = DEEPEST) -> Iterator[str]:
    """Every text and number within a value, at whatever depth."""
    if isinstance(value, dict | list) and depth:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from read_strings(inner, depth - 1)
    elif (isinstance(value, str) and value) or _is_number(value):
        yield str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
