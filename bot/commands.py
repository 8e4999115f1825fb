"""What people can tell the bot itself: said once here, offered by every adapter in its own manner."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command's name, without a slash, and one line on what it does."""

    name: str
    summary: str


COMMANDS = {
    command.name: command
    for command in (
        Command("reset", "Forget this conversation."),
        Command("stop", "Stop the answer that is being written here."),
        Command("help", "What I do, what I remember, how to make me forget, and who reads it."),
    )
}


def match(text: str, bare: bool = False) -> str:
    """The name of the command that `text` consists of, or an empty string.

    `/reset` is a command anywhere; the bare word `reset` only where `bare` is set: after the bot was addressed.
    """
    word = text.strip().casefold()
    name = word.removeprefix("/")
    return name if name in COMMANDS and (bare or word != name) else ""
