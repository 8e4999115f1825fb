"""The mention with which a message is addressed to the bot, told from one that is part of a sentence. Pure."""

from __future__ import annotations

import re

SET_OFF = ",.!?…"
"""What sets a mention at the end off from the sentence before it."""


def strip_address(text: str, mention: str) -> str:
    """The text without the mentions that address it; `mention` is a regular expression.

    Those are the mentions at its beginning, and one at its end that follows a single word (`reset @bot`), a sign of
    punctuation or a line break. Any other is part of a sentence (`who made @bot`) and stays.
    """
    text = re.sub(rf"\A(?:\s*{mention}[ \t]*[:,]?)+", "", text).strip()
    while last := re.search(rf"{mention}\Z", text):
        before = text[: last.start()]
        rest = before.rstrip()
        if len(rest.split(maxsplit=1)) > 1 and rest[-1] not in SET_OFF and "\n" not in before[len(rest) :]:
            break
        text = rest.rstrip(" ,")
    return text
