"""Joining surrogate pairs whose halves come in two pieces: JSON can hold a half, no text may. Pure."""

from __future__ import annotations

import re

SURROGATE = re.compile("[\ud800-\udfff]")


class Halves:
    """Makes text whole that comes in pieces; a half that stays alone becomes U+FFFD."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """The text as far as it is certain; a first half at its end is held for the next piece."""
        if text.isascii() and not self._held:
            return text
        text, self._held = self._held + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._held = text[:-1], text[-1]
        return join_halves(text)

    def close(self) -> str:
        """What was held, at the end."""
        held, self._held = self._held, ""
        return join_halves(held)


def join_halves(text: str) -> str:
    """The text with its pairs joined and lone halves replaced by U+FFFD."""
    if not SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
