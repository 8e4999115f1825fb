"""What a message costs the memory at ten thousand and a million messages, and what one JSON file would cost.

Run it with `python -m benchmarks.memory`; it takes about a minute. TMPDIR chooses the disk.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import time
from collections import defaultdict
from collections.abc import Awaitable
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeVar

from tabulate import tabulate

from benchmarks import memory_core
from bot.domain.messages import Author, Incoming, Message, Place, Role
from bot.domain.records import Answer
from storage import turns
from storage.migrate import migrate
from storage.sqlite import SqliteMemory

SIZES = (10_000, 1_000_000)
IN_A_PLACE = 1_000
"""Messages of each place: the more messages, the more places."""
ROUNDS = 5
TURNS = 100
"""In each round, for each size."""
REWRITES = 3
TEXT = "x" * 300
ANN = Author("u", "Ann")
T = TypeVar("T")
Times = dict[str, list[float]]


def place(number: int) -> Place:
    """One of the places."""
    return Place(f"discord:{number}")


def fill(path: Path, messages: int) -> None:
    """Write so many messages with the program's own statements, places taking turns at random."""
    chance = random.Random(messages)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -400000")
        migrate(db, path)
        with db:
            db.execute("BEGIN")
            for number in range(messages // 2):
                asked = Incoming(place(chance.randrange(messages // IN_A_PLACE)), ANN, TEXT, "c", f"old{number}")
                turn = turns.claim(db, asked)
                if turn:
                    turns.finish(db, turn.id, Answer(TEXT), Message(Role.USER, TEXT, ANN.name))


async def measure(memory: SqliteMemory, messages: int, label: str, times: Times) -> None:
    """One round of turns in random places, each step timed."""
    chance = random.Random(label)
    for number in range(TURNS):
        where = place(chance.randrange(messages // IN_A_PLACE))
        asked = Incoming(where, ANN, TEXT, "c", f"{label}-{number}")
        turn = await timed(memory.claim(asked), times["claim a question"])
        await timed(memory.recall(where.key, 20), times["recall 20 messages"])
        await timed(memory.review(where.key, 64), times["recall a window, 64 messages"])
        if turn:
            end = memory.finish(turn.id, Answer(TEXT), Message(Role.USER, TEXT, ANN.name))
            await timed(end, times["append question and answer"])


async def timed(call: Awaitable[T], times: list[float]) -> T:
    """Await a call and note how long it took."""
    start = time.perf_counter()
    result = await call
    times.append(time.perf_counter() - start)
    return result


async def contrast(folder: Path) -> tuple[list[float], list[float]]:
    """Seconds of Parley's appends and of SQLAlchemy Core's to files of the same form, in turns; its may be none."""
    mine, theirs = list[float](), list[float]()
    for lap in range(ROUNDS):
        path = folder / f"core{lap}.db"
        memory = await SqliteMemory.open(path)
        for number in range(2 * TURNS):
            await memory.claim(Incoming(place(number % 10), ANN, TEXT, "c", str(number)))
        for number in range(TURNS + 1, 2 * TURNS + 1):
            await timed(memory.finish(number, Answer(TEXT), Message(Role.USER, TEXT, ANN.name)), mine)
        await memory.close()
        theirs += await memory_core.measure(path, TURNS, TEXT)
    return mine, theirs


def rewrite(path: Path, messages: int) -> float:
    """Seconds to write one JSON file with all messages anew, as it would be done for each of them."""
    conversation = [{"role": "user", "content": TEXT}] * IN_A_PLACE
    start = time.perf_counter()
    with path.open("w") as file:
        file.write("{")
        for number in range(messages // IN_A_PLACE):  # in slices: the figure is about time, not about room
            file.write(f'{"," if number else ""}"{place(number)}": {json.dumps(conversation)}')
        file.write("}")
    return time.perf_counter() - start


async def compare(folder: Path) -> dict[int, Times]:
    """The times of each step at each size, rounds of the sizes in turn so that a busy machine is fair to both."""
    memories = {size: await SqliteMemory.open(folder / f"{size}.db") for size in SIZES}
    times: dict[int, Times] = {size: defaultdict(list) for size in SIZES}
    for lap in range(ROUNDS):
        for size, memory in memories.items():
            await measure(memory, size, f"round {lap}", times[size])
    for memory in memories.values():
        await memory.close()
    for size in SIZES:
        times[size]["(one JSON file rewritten)"] = [rewrite(folder / "all.json", size) for _ in range(REWRITES)]
    return times


def report(times: dict[int, Times]) -> str:
    """Medians in microseconds, and how they grow."""
    small, large = (times[size] for size in SIZES)
    rows = [
        (step, median(small[step]) * 1e6, median(large[step]) * 1e6, median(large[step]) / median(small[step]))
        for step in small
    ]
    headers = ("µs, median", *(f"at {size:,}" for size in SIZES), "ratio")
    return tabulate(rows, headers, floatfmt=("", ",.0f", ",.0f", ".2f"))


def main() -> None:
    """Fill, measure, print."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for size in SIZES:
            fill(folder / f"{size}.db", size)
        times = asyncio.run(compare(folder))
        contrasted = asyncio.run(contrast(folder))
    print(f"SQLite {sqlite3.sqlite_version}, messages of {len(TEXT)} bytes, {ROUNDS * TURNS} turns at each size\n")
    print(report(times))
    mine, theirs = contrasted
    if theirs:
        ratio = median(mine) / median(theirs)
        print(
            f"\nAn append takes {ratio:.2f} of what the same statements take by SQLAlchemy Core, both synchronous=FULL."
        )
    else:
        print("\nSQLAlchemy is not installed: `pip install sqlalchemy greenlet` adds a comparison with its Core.")
    append, write = "append question and answer", "(one JSON file rewritten)"
    for size in SIZES:
        factor = median(times[size][write]) / median(times[size][append]) * 2
        print(f"At {size:,} messages, appending one is {factor:,.0f} times cheaper than rewriting the JSON file.")


if __name__ == "__main__":
    main()
