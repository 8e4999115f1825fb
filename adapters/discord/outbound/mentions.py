"""Names in an answer as Discord's mentions: somebody who takes part is shown as a link, and not notified. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from bot.domain.messages import Author

APART = r"```.*?(?:```|\Z)|(?P<ticks>`+).*?(?<!`)(?P=ticks)(?!`)|\[[^\]\n]*\]\([^)\n]*\)|<[^<>\s]*>|\w+://\S+"
"""What no mention is put into: code, links, what Discord reads itself."""

Call = Callable[[str], str]
"""Puts mentions into a text."""


def caller(people: Sequence[Author]) -> Call:
    """Makes `@Name`, as the model is told the names, a mention of that person in a text in Discord's form.

    A name that two of them have stays a name: nobody is taken for somebody else.
    """
    known = dict.fromkeys(people)
    count = Counter(person.name for person in known)
    ids = {person.name: person.id for person in known if count[person.name] == 1 and person.id.isdecimal()}
    if not ids:
        return lambda text: text
    names = "|".join(_spell(name) for name in sorted(ids, key=len, reverse=True))
    found = re.compile(rf"{APART}|(?<![\w/@.\\])@(?P<name>{names})(?!\w)", re.DOTALL)

    def put(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<@{ids[name.replace(_ESCAPED, '_')]}>" if name else match[0]

    return lambda text: found.sub(put, text) if "@" in text else text


_ESCAPED = "\\_"


def _spell(name: str) -> str:
    """A name as it may stand in markdown."""
    return re.escape(name).replace("_", r"\\?_")
