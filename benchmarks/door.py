"""What it costs to ask whether a question may be asked, by how much was answered that day; and what a flood costs.

Run it with `python -m benchmarks.door`; it takes a few seconds. TMPDIR chooses the disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.table import lay
from bot.access.admission import Admission
from bot.access.policy import Kind, Subject
from bot.config.settings import AccessSettings, LimitsSettings
from bot.domain.messages import Author, Incoming, Message, Place, Role, Usage
from bot.domain.records import Answer
from bot.runtime.alerts import Alerts
from storage import turns
from storage.migrate import migrate
from storage.sqlite import SqliteMemory

DAYS = (0, 1_000, 10_000)
"""Answers of the day so far."""
ROUNDS = 200
PEOPLE = 300
NUMBERS = count()


def say(author: int) -> Incoming:
    """A question that is new."""
    number = next(NUMBERS)
    return Incoming(Place(f"discord:{number % 50}", shared=True), Author(str(author), "Ann"), "x", "c", str(number))


def fill(path: Path, answers: int) -> None:
    """Write a day with so many answers, by the program's own statements."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        migrate(db, path)
        db.execute("BEGIN")
        for number in range(answers):
            said = say(number % PEOPLE)
            if turn := turns.claim(db, said):
                answer = Answer("y", usage=Usage(1000, 200, cost=1e-6), model="openai/x")
                turns.finish(db, turn.id, answer, Message(Role.USER, "x"))
        db.execute("COMMIT")


async def measure(path: Path) -> tuple[float, float, float]:
    """Seconds for each question: to claim it, to ask the door twice as a turn does, to turn one away."""
    memory = await SqliteMemory.open(path)
    claims, doors, floods = list[float](), list[float](), list[float]()
    door = Admission(memory, Alerts(), AccessSettings(), LimitsSettings(turns_per_minute=0, turns_per_day=0))
    shut = Admission(memory, Alerts(), AccessSettings(block=("9999",)), LimitsSettings())
    for number in range(ROUNDS):
        said, refused = say(number % PEOPLE), say(9999)
        start = time.perf_counter()
        assert await door.admit(Subject.from_message(said), Kind.QUESTION) is None
        middle = time.perf_counter()
        await memory.claim(said)
        claimed = time.perf_counter()
        assert await door.recheck(Subject.from_message(said), Kind.QUESTION) is None
        late = time.perf_counter()
        assert await shut.admit(Subject.from_message(refused), Kind.QUESTION)
        await memory.decline(refused)
        floods.append(time.perf_counter() - late)
        claims.append(claimed - middle)
        doors.append(middle - start + late - claimed)
    await memory.close()
    return median(claims), median(doors), median(floods)


def main() -> None:
    """Fill, measure, print."""
    rows = []
    with TemporaryDirectory() as name:
        for answers in DAYS:
            path = Path(name) / f"{answers}.db"
            fill(path, answers)
            claim, door, flood = asyncio.run(measure(path))
            figures = (f"{answers:,}", *(f"{seconds * 1e6:,.0f}" for seconds in (claim, door, flood)))
            rows.append((*figures, f"{door / claim:.2f}", f"{flood / claim:.2f}"))
    headers = ("answers of the day", "claim, µs", "door, µs", "turn away, µs", "door by claim", "turn away by claim")
    print(lay(headers, rows))


if __name__ == "__main__":
    main()
