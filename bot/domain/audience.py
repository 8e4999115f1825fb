"""Whom a message is for: what every platform decides in its own manner, by the same rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

GREETINGS = ("hey", "hi", "hello", "ok", "okay")
"""What may stand before a name of the bot."""
ENDS = r"[!?.;…]+(?=\s|\Z)"
"""What ends a sentence, as a regular expression: "Hey Parley!"."""


class Audience(StrEnum):
    """Whom a message is for.

    BOT: the bot itself, by a mention, a name, a reply, or in direct messages. ANYBODY: nobody in particular. OTHERS:
    somebody else; also what nobody says, such as notices, and what is empty.
    """

    BOT = "bot"
    ANYBODY = "anybody"
    OTHERS = "others"


def is_for_bot(audience: Audience, unasked: bool) -> bool:
    """Whether a message is to be answered; `unasked` says that the bot answers there without being addressed."""
    return audience is Audience.BOT or (unasked and audience is Audience.ANYBODY)


def take_off_name(text: str, names: Sequence[str]) -> str | None:
    """The text without the bot's name that it begins with, perhaps after a greeting; None where it begins with none.

    Upper and lower case are the same. A space, comma, colon or the end follows a name, or what ends a sentence before a
    space or the end: "parley, why?" and "Parley!" begin with "parley", "parleys" and "parley.toml" do not.
    """
    if not names:
        return None
    known = "|".join(r"\s+".join(map(re.escape, name.split())) for name in sorted(names, key=len, reverse=True))
    greeting = rf"(?:(?:{'|'.join(GREETINGS)})[\s,]+)?"
    found = re.match(rf"\s*{greeting}@?(?:{known})(?=[\s,:]|\Z|{ENDS})(?:{ENDS})?[\s,:]*", text, re.IGNORECASE)
    return text[found.end() :] if found else None
