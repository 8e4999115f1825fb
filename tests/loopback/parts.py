"""What is in a message of a request: its text, and whether its files are what they say."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from typing import Any

MAGIC = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n.*IEND", re.DOTALL),
    "image/jpeg": re.compile(rb"\xff\xd8\xff.*\xff\xd9", re.DOTALL),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "application/pdf": re.compile(rb"%PDF-.*%%EOF", re.DOTALL),
}
"""How a whole file of each type looks."""
PICTURES = frozenset(MAGIC) - {"application/pdf"}


def spoken(content: str | list[dict[str, Any]]) -> str:
    """The text of a message's content, whichever form it has."""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def decode(data: Any) -> bytes | None:
    """The bytes behind a base64 text; None where it is none, or empty."""
    try:
        return b64decode(data, validate=True) or None if isinstance(data, str) else None
    except Error:
        return None


def matches(media_type: str, data: bytes) -> bool:
    """Whether the bytes are a file of this type."""
    return bool(MAGIC[media_type].match(data))


def shaped(part: Any, **fields: type) -> bool:
    """Whether it is an object with exactly these fields, of these types."""
    return (
        isinstance(part, dict)
        and part.keys() == fields.keys()
        and all(isinstance(part[name], kind) for name, kind in fields.items())
    )
