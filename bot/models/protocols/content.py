"""The messages of a prompt as the providers' protocols have them: text, and files where the model sees them. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from bot.domain.messages import File, Message
from bot.domain.model_info import Facts
from bot.domain.ports import Prompt

PDF = "application/pdf"

Part = dict[str, Any]
Show = Callable[[File], Part]
"""A protocol's part of a message for a file."""


def messages(prompt: Prompt, facts: Facts, show: Show) -> list[dict[str, Any]]:
    """The messages as both protocols have them, always the same for the same prompt: caches compare them.

    One without files is a plain text; else its parts are the files and then the text. In place of a file that the
    model cannot be shown there is a line of text.
    """
    return [{"role": message.role.value, "content": _content(message, facts, show)} for message in prompt.messages]


def encode(file: File) -> str:
    """The file's bytes in base64."""
    return b64encode(file.data).decode()


def sendable(text: str) -> str:
    """The text without half characters, which the chat platforms let through but no provider can be sent."""
    return text.encode(errors="replace").decode()


def _content(message: Message, facts: Facts, show: Show) -> str | list[Part]:
    shown = [file for file in message.files if _seen(file, facts)]
    named = [_name(file) for file in message.files if not _seen(file, facts)]
    text = sendable("\n".join(filter(None, [*named, message.content])))
    if not shown:
        return text
    said = [{"type": "text", "text": text}] if text.strip() else []
    return [*map(show, shown), *said]


def _seen(file: File, facts: Facts) -> bool:
    return facts.documents if file.media_type == PDF else facts.images


def _name(file: File) -> str:
    """The line that stands for a file, where it cannot be shown."""
    return f"[{'document' if file.media_type == PDF else 'picture'}: {' '.join(file.name.split())}]"
