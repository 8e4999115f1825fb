"""What a Discord message carries beside its content: embeds, components, polls, stickers, as markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from discord import Message, MessageSnapshot

from adapters.shared.quotes import shorten

LONGEST = 6_000
"""Characters that are read beside the content: as many as Discord takes in all embeds of a message (embed limits)."""
DEPTH = 5
"""Levels of components that are read: a button in a row in a container is the third."""
ROW, BUTTON, SECTION, TEXT, THUMBNAIL, GALLERY, CONTAINER = 1, 2, 9, 10, 11, 12, 17
"""Types of components that say something (component reference)."""
BLANK = "\u200b"
"""What bots write where Discord wants a text and they have none."""

Json = Mapping[str, Any]


def read_texts(*parts: Message | MessageSnapshot) -> list[str]:
    """The texts of messages and of what they carry, in Discord's markup."""
    return [text for part in parts for text in (part.content, read_carried(part)) if text]


def read_carried(part: Message | MessageSnapshot) -> str:
    """What a message, or one that it forwards, carries beside its content; empty where that is nothing."""
    poll, components = getattr(part, "poll", None), getattr(part, "components", ())  # unset where nothing was sent
    texts = [
        *(read_embed(embed.to_dict(), part.content) for embed in part.embeds),
        read_components(component.to_dict() for component in components),
        read_poll(poll.question, [answer.text for answer in poll.answers]) if poll else "",
        *(f"(sticker: {_line(sticker.name)})" for sticker in part.stickers),
    ]
    return shorten("\n\n".join(filter(None, texts)), LONGEST)


def read_embed(embed: Json, content: str = "") -> str:
    """The words of an embed; its address is left out where the content has it and it has no title."""
    url, title = _word(embed, "url"), _line(_word(embed, "title"))
    head = f"[{title}]({url})" if title and url else title or (url if url not in content else "")
    foot = dict.fromkeys(filter(None, (_inner(embed, "footer", "text"), _inner(embed, "provider", "name"))))
    lines = (_inner(embed, "author", "name"), head, _word(embed, "description"), *_fields(embed), ", ".join(foot))
    return "\n".join(filter(None, lines))


def read_components(components: Iterable[object], depth: int = DEPTH) -> str:
    """The words of components; a button that leads somewhere is a link, and others say nothing."""
    found = (_component(part, depth) for part in components if isinstance(part, Mapping))
    return "\n".join(filter(None, found))


def read_poll(question: object, answers: Iterable[object]) -> str:
    """A poll: what is asked, and what can be answered."""
    lines = [_line(text) for text in (question, *answers) if isinstance(text, str)]
    return "\n".join([f"(poll: {lines[0]})", *(f"- {line}" for line in lines[1:])]) if lines else ""


def _component(part: Json, depth: int) -> str:
    kind = part.get("type")
    if depth <= 0 or isinstance(kind, bool):
        return ""
    if kind == TEXT:
        return _word(part, "content")
    if kind == BUTTON:
        url, label = _word(part, "url"), _line(_word(part, "label"))
        return f"[{label}]({url})" if url and label else url
    if kind == THUMBNAIL:
        return _image(part)
    if kind == GALLERY:
        return "\n".join(filter(None, (_image(item) for item in _tables(part, "items"))))
    inner = [*_tables(part, "components"), *([part["accessory"]] if "accessory" in part else [])]
    return read_components(inner, depth - 1) if kind in (ROW, SECTION, CONTAINER) else ""


def _image(part: Json) -> str:
    text = _line(_word(part, "description"))
    return f"(image: {text})" if text else ""


def _fields(embed: Json) -> Iterator[str]:
    for field in _tables(embed, "fields"):
        yield ": ".join(filter(None, (_word(field, "name").rstrip(" :"), _word(field, "value"))))


def _inner(embed: Json, key: str, name: str) -> str:
    value = embed.get(key)
    return _line(_word(value, name)) if isinstance(value, Mapping) else ""


def _tables(part: Json, key: str) -> list[Json]:
    value = part.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _word(part: Json, key: str) -> str:
    value = part.get(key)
    text = value.strip() if isinstance(value, str) else ""
    return "" if text == BLANK else text


def _line(text: str) -> str:
    return " ".join(text.split())
