"""What people can tell the bot itself: said once here, offered by every adapter in its own manner."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 4000
"""Characters of an argument."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command's name, without a slash, and one line on what it does.

    `argument` names what may follow it, empty where nothing may; `description` is one line on that. `suggests` says
    that `Engine.suggest` knows values for it; `values` are all that it can be, where those are few.
    """

    name: str
    summary: str
    argument: str = ""
    description: str = ""
    suggests: bool = False
    values: tuple[str, ...] = ()

    @property
    def form(self) -> str:
        """How it is typed, without a slash; what may be left out stands in brackets."""
        argument = "|".join(self.values) or self.argument
        return f"{self.name} [{argument}]" if argument else self.name


COMMANDS = {
    command.name: command
    for command in (
        Command("reset", "Forget this conversation."),
        Command("stop", "Stop the answer that is being written here."),
        Command(
            "model",
            "Which model answers here; admins can choose another.",
            "name",
            "The model that shall answer here; “default” takes the choice back.",
            suggests=True,
        ),
        Command(
            "persona",
            "What I am told about myself here; admins can change it.",
            "text",
            "What I shall be told about myself here; “default” takes it back.",
        ),
        Command(
            "listen",
            "Whether I answer here without being mentioned; admins switch it on or off.",
            "state",
            "on: I answer everything here that is said to nobody else; off: mentions.",
            values=("on", "off"),
        ),
        Command("block", "Admins: answer a person no more.", "user", "Whom: a mention, or an id."),
        Command("unblock", "Admins: answer a blocked person again.", "user", "Whom: a mention, or an id."),
        Command("pause", "Admins: answer nobody until /resume."),
        Command("resume", "Admins: answer again."),
        Command("usage", "What you have used."),
        Command("export", "Get all that you said to me, with my answers."),
        Command("forget-me", "Delete all that you said to me, everywhere, and my answers."),
        Command("help", "What I do, what I remember, how to make me forget, and who reads it."),
    )
}
RULES = frozenset({"block", "unblock", "pause", "resume"})
"""Commands on who may talk to the bot: for those who run it. As messages they need their slash: they are plain words.
"""
PRIVATE = frozenset({"export", "forget-me"})
"""Commands on what a person said, for that person alone, also when they may ask nothing."""
PUBLIC = frozenset({"model", "persona", "listen"})
"""Commands that with an argument change a place for all who speak in it: for admins, and seen by all."""


def match(text: str, bare: bool = False) -> str:
    """The name of the command that a message consists of, or an empty string.

    `/reset` is a command anywhere; the bare word `reset` only where `bare` is set: after the bot was addressed. A
    command that takes an argument is none as a message: its words may as well begin a question. One that takes one of a
    few values has it behind its name: `listen on`.
    """
    name, argument = parse(text, bare)
    plain = name in RULES and not text.lstrip().startswith("/")
    if not name or plain:
        return ""
    if values := COMMANDS[name].values:
        return f"{name} {argument}".strip().casefold() if argument.casefold() in ("", *values) else ""
    return "" if COMMANDS[name].argument else name


def parse(text: str, bare: bool = False) -> tuple[str, str]:
    """The name and the argument of the command that `text` is, or two empty strings.

    `bare` is as for `match`. What follows a command that takes no argument makes it none.
    """
    word, argument = (*text.split(maxsplit=1), "", "")[:2]
    name = word.casefold().removeprefix("/")
    known = COMMANDS.get(name)
    if known is None or not (bare or word.startswith("/")) or (argument and not known.argument):
        return "", ""
    return name, argument.strip()
