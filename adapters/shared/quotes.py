"""What others said, as the model is shown it: a speaker by one short plain name, no more text than is bounded. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace

from bot.domain.messages import Quote

NAME = 60
"""Characters of a name."""
LINE, ALL = 1_000, 8_000
"""Characters of one quote, and of all that go with one question, names included."""
TOPIC = 3_000
"""Characters of a quote that a question is about: an app's report has its link and its figures at its end."""
MARKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f:@#<>\[\]{}*`~|\\]+")
"""What a name could pass itself off with: for a line, a speaker, a mention, a link, code."""
UNSEEN = ("Cf", "Cs", "Co", "Cn")
EVERYBODY = ("everyone", "here", "channel")
"""Whom platforms call by such a word."""


def plain(name: str) -> str:
    """A name that people chose, as one short line without marks; empty where nothing is left that is somebody's name.

    Letters of fancy alphabets become plain ones, so that a model can write them.
    """
    seen = "".join(letter for letter in name[: 4 * NAME] if unicodedata.category(letter) not in UNSEEN)
    shown = MARKS.sub(" ", unicodedata.normalize("NFKC", seen)).strip(" _")[:NAME].strip(" _")
    return "" if shown.casefold() in EVERYBODY else shown


def clip(quotes: Sequence[Quote], most: int, dear: Collection[int] = ()) -> tuple[Quote, ...]:
    """At most so many of these quotes, the oldest first, and no more characters of them than the limits say.

    `dear` are the positions of those that the question is about: they may be longer, and go before the newest, which
    go before the others.
    """
    newest = range(len(quotes) - 1, -1, -1)
    chosen = sorted(newest, key=lambda position: position not in dear)[:most]
    kept: dict[int, Quote] = {}
    left = ALL
    for position in chosen:
        quote = quotes[position]
        longest = TOPIC if position in dear else LINE
        text = shorten(quote.text, min(longest, left - len(quote.author)))
        if text:
            kept[position] = replace(quote, text=text)
            left -= len(quote.author) + len(text)
    return tuple(kept[position] for position in sorted(kept))


def shorten(text: str, most: int) -> str:
    """A text of so many characters at most; empty where there is no room for any of it."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…" if most > 1 else ""
