"""Telling a model's thoughts from its answer where it writes both into the text: `<think>…</think>` at the start."""

from __future__ import annotations

OPEN = "<think>"
CLOSE = "</think>"


class Thinking:
    """Splits a text that comes in pieces into (answer, thoughts); how it is cut into pieces makes no difference.

    Only a tag at the very start counts, blanks before it aside; the blanks around the thoughts belong to neither. If
    the tag is never closed, all of it is thoughts.
    """

    def __init__(self) -> None:
        self._held = ""
        self._split = self._start

    def feed(self, text: str) -> tuple[str, str]:
        """What of the answer and what of the thoughts is certain now."""
        return self._split(text)

    def close(self) -> tuple[str, str]:
        """What was held back: it was the start of no tag."""
        held, self._held = self._held, ""
        return ("", held) if self._split == self._inside else (held, "")

    def _start(self, text: str) -> tuple[str, str]:
        self._held += text
        seen = self._held.lstrip()
        if len(seen) < len(OPEN) and OPEN.startswith(seen):
            return "", ""
        text, self._held = self._held, ""
        if seen.startswith(OPEN):
            self._split = self._inside
            return self._inside(seen.removeprefix(OPEN))
        self._split = _outside
        return text, ""

    def _inside(self, text: str) -> tuple[str, str]:
        thoughts, tag, answer = (self._held + text).partition(CLOSE)
        self._held = ""
        if tag:
            self._split = self._after
            return self._after(answer)[0], thoughts
        keep = next(size for size in range(len(CLOSE) - 1, -1, -1) if thoughts.endswith(CLOSE[:size]))
        self._held = thoughts[len(thoughts) - keep :]
        return "", thoughts[: len(thoughts) - keep]

    def _after(self, text: str) -> tuple[str, str]:
        text = text.lstrip()
        if text:
            self._split = _outside
        return text, ""


def _outside(text: str) -> tuple[str, str]:
    return text, ""
