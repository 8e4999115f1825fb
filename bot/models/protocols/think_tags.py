"""Telling a model's thoughts, and the marks of its template, from its answer where all are written into the text."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

WORDS = ("think", "thinking", "thought", "reasoning", "Think", "Thinking", "Thought")
"""Names of tags around thoughts: in templates, in prompts that ask for thoughts, and as gateways put them."""
TAGS = {
    **{f"<{word}>": f"</{word}>" for word in WORDS},
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|begin_of_thought|>": "<|end_of_thought|>",
}
"""What opens thoughts and what closes them."""
OPENERS = {close: opener for opener, close in TAGS.items()}
HEADER = r"<\|channel\|>(?P<channel>\w{0,20})(?:(?!<\|message\|>)[^\n]){0,80}<\|message\|>"
"""The head of a message in OpenAI's harmony format; the channel `final` is the answer, all others are not."""
FINAL = "final"
MARKS = re.compile(
    f"(?P<open>{'|'.join(map(re.escape, TAGS))})|(?P<close>{'|'.join(map(re.escape, OPENERS))})|{HEADER}"
    r"|(?P<token><\|(?:im_)?start\|>[a-z]{0,20}\n?|<\|\w{1,30}\|>|<end_of_turn>)"
)
MESSAGE_END = re.compile(r"<\|(?:end|return|call)\|>|(?=<\|(?:start|channel)\|>)")
"""What ends a message of the harmony format."""
FIXED = (*TAGS, *OPENERS, "<end_of_turn>")
PARTIAL = re.compile(
    "(?:"
    + "|".join(re.escape(mark[:size]) for mark in FIXED for size in range(len(mark) - 1, 0, -1))
    + r"|<\|\w{0,30}\|?|<\|(?:im_)?start\|>[a-z]{0,20}|<\|channel\|>(?:(?!<\|message\|>)[^\n]){0,120})\Z"
)
"""The end of a text that may become a mark."""
SIGNS = re.compile(r"[<\[◁]")
"""What every mark begins with."""


class Split(NamedTuple):
    """What is certain now of the answer and of the thoughts.

    `withdrawn` says that all that was given as answer before this was thoughts.
    """

    answer: str = ""
    thoughts: str = ""
    withdrawn: bool = False


class _Mode(Enum):
    START = auto()  # nothing but blanks was seen
    THOUGHTS = auto()
    TEXT = auto()


class Thinking:
    """Splits a text that comes in pieces; how it is cut into pieces makes no difference.

    Thoughts stand at the start, between tags; if they are never closed, all of it is thoughts. The blanks around them
    belong to neither. A closing tag that nothing opened makes what stands before it thoughts, too: many templates open
    them in the prompt. `thoughts_first` says that the model is known for that, so that its text is held back until the
    tag comes, or shown at the end if there is none. Of the marks that end a message or start one, nothing is shown.
    In code, and after an opening tag within the text, all of it is text.

    `lone` is True once a closing tag came that nothing opened.
    """

    def __init__(self, thoughts_first: bool = False) -> None:
        self.lone = False
        self.reasoned = False  # thoughts were told from the answer, here or by the server
        self._mode = _Mode.START
        self._assumes = thoughts_first
        self._assumed = False
        self._end: re.Pattern[str] = MESSAGE_END
        self._held = ""
        self._shown: list[str] = []
        self._answer: list[str] = []
        self._thoughts: list[str] = []
        self._withdrawn = False

    def feed(self, text: str) -> Split:
        """Take in a piece."""
        if self._mode is _Mode.TEXT and not self._held and not SIGNS.search(text):
            self._shown.append(text)
            return Split(text)
        self._held += text
        self._work(last=False)
        return self._take()

    def close(self, whole: bool = True) -> Split:
        """What was held back. `whole` says that the model ended by itself: then nothing is thoughts by assumption."""
        self._work(last=True)
        if self._mode is _Mode.THOUGHTS and self._assumed and whole:
            self._answer, self._thoughts = ["".join(self._shown)], []
        return self._take()

    def _take(self) -> Split:
        split = Split("".join(self._answer), "".join(self._thoughts), self._withdrawn)
        self._answer, self._thoughts, self._withdrawn = [], [], False
        return split

    def _work(self, last: bool) -> None:
        """Sort what is held, as far as it is certain; all of it at the `last` time."""
        while self._held:
            step = (
                self._think if self._mode is _Mode.THOUGHTS else self._start if self._mode is _Mode.START else self._go
            )
            if not step(last):
                return

    def _think(self, last: bool) -> bool:
        if found := self._end.search(self._held):
            self._keep_thoughts(self._held[: found.start()])
            self._held = self._held[found.end() :]
            self.lone = self.lone or self._assumed
            self._mode, self.reasoned, self._assumed, self._assumes = _Mode.START, True, False, False
            self._shown = []
            return True
        partial = None if last else _find(PARTIAL, self._held)
        edge = partial.start() if partial else len(self._held)
        self._keep_thoughts(self._held[:edge])
        self._held = self._held[edge:]
        return False

    def _keep_thoughts(self, text: str) -> None:
        self._thoughts.append(text)
        if self._assumed:
            self._shown.append(text)

    def _start(self, last: bool) -> bool:
        seen = self._held.lstrip()
        if not last and (not seen or PARTIAL.match(seen)):
            return False
        if found := MARKS.match(seen):
            self._held = seen[found.end() :]
            self._obey(found)
            return True
        if self.reasoned:
            self._held = seen
        self._mode = _Mode.TEXT
        if self._assumes and seen and not self.reasoned:
            self._mode, self._assumed = _Mode.THOUGHTS, True
            self._end = re.compile("|".join(map(re.escape, OPENERS)))
        return bool(self._held)

    def _go(self, last: bool) -> bool:
        found = _find(MARKS, self._held)
        partial = None if last else _find(PARTIAL, self._held)
        if partial and not (found and found.start() < partial.start()):
            self._say(self._held[: partial.start()])
            self._held = self._held[partial.start() :]
            return False
        if found is None:
            self._say(self._held)
            self._held = ""
            return False
        self._say(self._held[: found.start()])
        self._held = self._held[found.end() :]
        if self._is_text(found):
            self._say(found[0])
        elif found["close"] and not self.reasoned:
            self._withdraw()
        else:
            self._obey(found)
        return True

    def _obey(self, mark: re.Match[str]) -> None:
        """Leave the mark out, and go where it leads."""
        if mark["open"]:
            self._mode, self._end = _Mode.THOUGHTS, re.compile(re.escape(TAGS[mark["open"]]))
        elif mark["close"]:
            self.reasoned = True
        elif mark["channel"] and mark["channel"] != FINAL:
            self._mode, self._end = _Mode.THOUGHTS, MESSAGE_END
        elif mark["channel"]:
            self._assumes = False

    def _is_text(self, mark: re.Match[str]) -> bool:
        """Whether a mark within the text is only spoken of."""
        before = "".join(self._shown)
        close = mark["close"]
        opened = bool(close) and before.rfind(OPENERS[close]) > before.rfind(close)
        return bool(mark["open"]) or opened or in_code(before)

    def _say(self, text: str) -> None:
        self._answer.append(text)
        self._shown.append(text)

    def _withdraw(self) -> None:
        self._thoughts = [*self._thoughts, *self._answer]
        self._answer, self._shown = [], []
        self._withdrawn = self.lone = self.reasoned = True
        self._mode = _Mode.START


def _find(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The first match; only what begins with a sign is looked at, which most text has none of."""
    matches = (pattern.match(text, sign.start()) for sign in SIGNS.finditer(text))
    return next(filter(None, matches), None)


def in_code(text: str) -> bool:
    """Whether code is open at the end of a markdown text: a fence, or backticks on its last line."""
    *lines, last = text.split("\n")
    if sum(line.lstrip().startswith("```") for line in lines) % 2:
        return True
    return last.count("`") % 2 == 1
