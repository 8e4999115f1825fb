"""What files one request to a model may have, however many questions they came with. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.domain.messages import File, Message

PDF = "application/pdf"
PAGES = 100
"""Pages of all documents together that a provider takes in one request: Anthropic's limit."""
PICTURES = 100
"""Pictures that it takes in one request: Anthropic's limit, which is the lowest."""
BYTES = 20_000_000
"""Bytes of all files together: with base64 and the conversation it has to stay under Anthropic's 32 MB a request."""
GONE = "[{kind}: {name}, shown to you before]"
"""What stands in the place of a file for which there is no room any more."""


class Room:
    """What a request still has room for."""

    def __init__(self) -> None:
        self._pages = PAGES
        self._pictures = PICTURES
        self._bytes = BYTES

    def take(self, file: File) -> bool:
        """Whether there is room for a file, which is then taken."""
        document = file.media_type == PDF
        pages = (file.pages or PAGES) if document else 0
        pictures = 0 if document else 1
        if pages > self._pages or pictures > self._pictures or len(file.data) > self._bytes:
            return False
        self._pages -= pages
        self._pictures -= pictures
        self._bytes -= len(file.data)
        return True


def fit_files(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The messages with as many files as one request may have, the newest first; a line names each of the others."""
    room = Room()
    return tuple(reversed([_fit(message, room) for message in reversed(tuple(messages))]))


def _fit(message: Message, room: Room) -> Message:
    if not message.files:
        return message
    taken = [(room.take(file), file) for file in reversed(message.files)][::-1]
    kept, lost = ([file for there, file in taken if there is wanted] for wanted in (True, False))
    return replace(message, content="\n".join([*_name(lost), message.content]), files=tuple(kept)) if lost else message


def _name(files: Sequence[File]) -> list[str]:
    kinds = ["document" if file.media_type == PDF else "picture" for file in files]
    return [GONE.format(kind=kind, name=" ".join(file.name.split())) for kind, file in zip(kinds, files, strict=True)]
