"""How long an answer is, and where it is left: a server may ignore how many tokens were asked for."""

from __future__ import annotations

CHARACTERS = 6
"""Characters to a token, at most on average: English has four to five, other languages fewer."""
SLACK = 1.25
"""How far an answer may go beyond the tokens that were asked for, where each chunk seems to be a token."""
SPARE = 200
"""Characters that an answer may always have: a small limit is not exact in either measure."""
WORD = 3
"""Characters that a chunk has on average, at least, where it may be taken for a token."""
AT_ONCE = 10
"""How many times the longest answer one chunk may bring; the rest of it is not shown."""
THOUGHTS = 8
"""How many times the longest answer the thoughts may be: some providers do not count them as part of it."""


class Length:
    """Measures an answer of at most `limit` tokens while it comes; 0: it may be of any length."""

    def __init__(self) -> None:
        self.limit = 0
        self._answer = self._thoughts = self._chunks = 0

    def add(self, answer: str, thoughts: str) -> None:
        """Take in what a chunk brought."""
        self._answer += len(answer)
        self._thoughts += len(thoughts)
        self._chunks += bool(answer)

    @property
    def tokens(self) -> int:
        """The tokens of answer and thoughts, at least."""
        return (self._answer + self._thoughts) // CHARACTERS

    @property
    def over(self) -> bool:
        """Whether it is longer than a server that keeps to the limit would make it."""
        if not self.limit:
            return False
        chunks = self._chunks if self._answer >= max(SPARE, WORD * self._chunks) else 0
        many = chunks > SLACK * self.limit
        return many or self._answer > self._longest or self._thoughts > THOUGHTS * self._longest

    @property
    def room(self) -> int:
        """Characters that the next chunk may bring."""
        return AT_ONCE * self._longest - self._answer if self.limit else 10**9

    @property
    def _longest(self) -> int:
        return CHARACTERS * self.limit + SPARE
