"""Foreign text without controls, escape sequences of terminals, and what overrides the direction of writing. Pure."""

from __future__ import annotations

import re

STRING = r"[\]P^_X][^\x07\x1b\x9c]{0,300}"
"""The start of a sequence that holds a text, such as a title or an address; a longer one is none."""
ESCAPE = rf"\x1b(?:\[[0-?]{{0,50}}[ -/]{{0,9}}[@-~]|{STRING}(?:\x07|\x1b\\|\x9c)|[ -/]{{0,9}}[0-Z^-~])"
CONTROL = re.compile(ESCAPE + r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Escape sequences of terminals, every other control but tab and line ends, and what overrides the order of letters."""
OPEN = re.compile(rf"\x1b(?:\[[0-?]{{0,50}}[ -/]{{0,9}}|{STRING}\x1b?|[ -/]{{0,9}})\Z")
"""An escape sequence that is not whole yet."""


def strip_controls(text: str) -> str:
    """The text without them; one that is plain is given back as it is."""
    return text if text.isprintable() else CONTROL.sub("", text)


class Plain:
    """Takes them out of a text that comes in pieces."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """The piece as far as it is certain; the start of a sequence is held for the next one."""
        if not self._held and text.isprintable():
            return text
        text, self._held = self._held + text, ""
        if found := OPEN.search(text):
            text, self._held = text[: found.start()], found[0]
        return strip_controls(text)

    def close(self) -> str:
        """What was held, at the end: it was no sequence."""
        held, self._held = self._held, ""
        return strip_controls(held)
