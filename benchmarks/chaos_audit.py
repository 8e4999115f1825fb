"""What came of every question: the platforms and the memory's file, read from outside and compared."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chaos_faults import answer
from benchmarks.chaos_town import CURSOR, Asked, Shown, Town
from bot import texts
from bot.domain.messages import State

SPACE = re.compile(r"\s+")
ENDS = {State.FAILED, State.INTERRUPTED}
"""How a turn may end that has no whole answer: with a note."""
HONEST = {
    *texts.FAULTS.values(),
    *(texts.failure(fault, begun=True) for fault in texts.FAULTS),
    texts.ENDINGS[State.INTERRUPTED],
    texts.BROKEN_OFF,
}


@dataclass(frozen=True)
class Row:
    """A turn as the file has it."""

    id: int
    main: int
    platform: str
    channel: str
    message: str
    author: str
    place: str
    state: str
    shown: str
    finished: bool

    @property
    def posts(self) -> list[str]:
        """The ids of the messages that show the answer."""
        return list(json.loads(self.shown))


@dataclass
class Findings:
    """What is not as promised, a line each; `notes` counts the honest endings by what they say."""

    lost: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    whole: int = 0
    joined: int = 0
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        """Whether everything is as promised."""
        return not (self.lost or self.double or self.wrong)


class Record:
    """The memory's file, as it is now."""

    def __init__(self, path: Path) -> None:
        with closing(sqlite3.connect(path, timeout=10)) as db:
            db.execute("PRAGMA query_only = 1")
            rows = db.execute(
                "SELECT turns.id, coalesce(joined, turns.id), platform, channel, message, author, key, state, posts, "
                "finished IS NOT NULL FROM turns JOIN places ON turns.place = places.id ORDER BY turns.id"
            )
            self.turns = [Row(*row) for row in rows]
            self.messages: dict[tuple[str, int], str] = {
                (place, number): content
                for place, number, content in db.execute(
                    "SELECT key, number, content FROM messages JOIN places ON messages.place = places.id"
                )
            }
            (self.sound,) = db.execute("PRAGMA integrity_check").fetchone()

    def waiting(self, asked: list[Asked]) -> list[str]:
        """The questions that have no ended turn yet."""
        ended = {(row.platform, row.channel, row.message) for row in self.turns if row.finished}
        return [one.marker for one in asked if (one.spot.platform, one.spot.channel, one.message) not in ended]


def audit(town: Town, record: Record, findings: Findings) -> None:
    """Compare what was asked, what stands and what is remembered, and write down what is not as promised."""
    _Audit(town, record, findings).run()


class _Audit:
    """One comparison; it uses the record's messages up."""

    def __init__(self, town: Town, record: Record, findings: Findings) -> None:
        self._asked = {(one.spot.platform, one.spot.channel, one.message): one for one in town.asked}
        self._record = record
        self._standing = town.standing()
        self._groups: defaultdict[int, list[Row]] = defaultdict(list)
        for row in record.turns:
            self._groups[row.main].append(row)
        self.findings = findings

    def run(self) -> None:
        """Look at everything, and write down what is not as promised."""
        found = self.findings
        rows = {(row.platform, row.channel, row.message) for row in self._record.turns}
        found.lost += [f"{one.marker}: no turn" for key, one in self._asked.items() if key not in rows]
        found.wrong += [
            f"turn {row.id} answers no question"
            for row in self._record.turns
            if (row.platform, row.channel, row.message) not in self._asked
        ]
        for main, group in self._groups.items():
            self._look(next(row for row in group if row.id == main), group)
        self._strays()
        if self._record.sound != "ok":
            found.wrong.append(f"the file is damaged: {self._record.sound}")

    def _look(self, main: Row, group: list[Row]) -> None:
        """One answer, and the questions that it is for."""
        asked = [one for row in group if (one := self._asked.get((row.platform, row.channel, row.message)))]
        name = f"turn {main.id} ({', '.join(one.marker for one in asked)}) in {main.place}"
        if len({(one.person, one.place) for one in asked}) > 1:
            self.findings.wrong.append(f"{name}: questions of several people or places are one turn")
        if not all(row.finished for row in group):
            self.findings.lost.append(f"{name}: not ended")
            return
        pages = [self._standing.get((main.platform, main.channel, post)) for post in main.posts]
        if not pages or None in pages:
            self.findings.lost.append(f"{name}: {main.state}, shown in {main.posts}, of which some do not stand")
            return
        shown = [page for page in pages if page]
        complaints = list(self._judge(main, asked, shown))
        self.findings.wrong += [f"{name}: {complaint}" for complaint in complaints]
        if not complaints:
            self._tally(main, len(asked), shown[-1].note)

    def _tally(self, main: Row, questions: int, note: str) -> None:
        self.findings.joined += questions - 1
        if main.state == State.DONE:
            self.findings.whole += questions
        else:
            self.findings.notes[note] += questions

    def _judge(self, main: Row, asked: list[Asked], shown: list[Shown]) -> Iterator[str]:
        """What is wrong with an answer."""
        text, note = "".join(page.text for page in shown), shown[-1].note
        expected = answer([one.marker for one in asked])
        if main.state == State.DONE:
            if _letters(text) != _letters(expected):
                yield f"shows {text!r} instead of {expected!r}"
            if note:
                yield f"is whole, with the note {note!r}"
        elif main.state in ENDS:
            if not _letters(expected).startswith(_letters(text)):
                yield f"shows {text!r}, which is no beginning of {expected!r}"
            if note not in HONEST:
                yield f"ended {main.state} with the note {note!r}"
        else:
            yield f"ended {main.state}"
        if any(CURSOR in page.text or page.live for page in shown) or any(page.note for page in shown[:-1]):
            yield f"looks as if it were being written: {shown}"
        if any(page.place != main.place for page in shown):
            yield f"stands elsewhere: {shown}"
        yield from self._remembered(main, asked, text)

    def _remembered(self, main: Row, asked: list[Asked], text: str) -> Iterator[str]:
        """What the memory has of it: question and answer as they stand, or nothing where no text does."""
        question = self._record.messages.pop((main.place, 2 * main.id), None)
        reply = self._record.messages.pop((main.place, 2 * main.id + 1), None)
        if not text.strip():
            if question is not None or reply is not None:
                yield f"has no text, and the memory has {question!r}, {reply!r}"
            return
        if question != "\n\n".join(one.text for one in asked):
            yield f"is remembered with the question {question!r}"
        if reply is None or _letters(reply) != _letters(text):
            yield f"shows {text!r} and is remembered as {reply!r}"

    def _strays(self) -> None:
        """Messages that belong to no turn, but for one introduction in a direct message."""
        known = {(row.platform, row.channel, post) for row in self._record.turns for post in row.posts}
        introduction = _letters(texts.introduction("127.0.0.1"))
        introduced: set[str] = set()
        for key, shown in self._standing.items():
            if key in known:
                continue
            if _letters(shown.text) == introduction and shown.place not in introduced:
                introduced.add(shown.place)
            else:
                self.findings.double.append(f"{key} belongs to no turn: {shown}")
        used = Counter((row.platform, row.channel, post) for row in self._record.turns for post in row.posts)
        self.findings.double += [f"{key} shows several answers" for key, times in used.items() if times > 1]
        self.findings.wrong += [f"remembered beside every turn: {key}" for key in self._record.messages]


def _letters(text: str) -> str:
    """A text without white space, which a cut between two messages takes away."""
    return SPACE.sub("", text)
