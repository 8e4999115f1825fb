"""`parley usage` and `/usage`: what was asked and what it cost, for the operator and for a person."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli.usage import add_up, format_table
from bot.domain.spending import UsageRow
from bot.interactions.usage import describe_usage
from storage.migrate import migrate
from tests.loopback.openai import FakeOpenAI
from tests.storage.test_ledger import ask
from tests.support.program import Program, asking, call
from tests.support.webserver import asked

ROW = UsageRow("openai/a", turns=3, input=12_000, cached=8000, written=500, output=345, cost=1.2345, requests=4)


def test_the_table_has_a_row_for_each_and_their_sum() -> None:
    """Thousands are grouped, money has cents, and what has no price has a question mark, alone or beside the rest."""
    rows = [ROW, UsageRow("local/b", 1, 10, 0, 0, 5, 0.0, 2, 2), UsageRow("openai/c", 1, 10, 0, 0, 5, 0.004, 1, 2)]
    lines = [re.sub(" {2,}", " | ", line) for line in format_table(rows, "model").splitlines()]
    assert [line for line in lines if "---" not in line] == [
        "model | questions | tokens in | cached | written | out | US $",
        "openai/a | 3 | 12,000 | 8,000 | 500 | 345 | 1.23",
        "local/b | 1 | 10 | 0 | 0 | 5 | ?",
        "openai/c | 1 | 10 | 0 | 0 | 5 | 0.00 + ?",
        "total | 5 | 12,020 | 8,000 | 500 | 355 | 1.24 + ?",
    ]


def test_a_number_for_a_name_stays_what_it_is() -> None:
    """A name that looks like a number is not aligned or written as one."""
    assert "1e5 " in format_table([UsageRow("1e5", 1, requests=1)], "model")


def test_nothing_is_said_in_words() -> None:
    """An empty table is a sentence."""
    assert format_table([], "day") == "Nothing is written down of that time: nobody has asked anything."
    assert add_up([]) == UsageRow("total")


@pytest.mark.parametrize(
    ("today", "month", "said"),
    [
        (UsageRow(), UsageRow(), "You have asked me nothing in the last 30 days."),
        (
            UsageRow(),
            ROW,
            "Today you have asked me nothing.\n"
            "In the last 30 days: 3 questions, 12,345 tokens, 8,000 of them from the cache. That cost $1.23.",
        ),
        (
            UsageRow("x", 1, 10, 0, 0, 5, 0.004, 0, 1),
            UsageRow("x", 2, 20, 0, 0, 10, 0.1, 1, 2),
            "Today: 1 question, 15 tokens, 0 of them from the cache. That cost less than a cent.\n"
            "In the last 30 days: 2 questions, 30 tokens, 0 of them from the cache. "
            "That cost $0.10 and something more, of which the price is not known.",
        ),
        (
            UsageRow("x", 1, 10, 0, 0, 5, 0.0, 1, 1),
            UsageRow("x", 1, 10, 0, 0, 5, 0.0, 0, 1),
            "Today: 1 question, 15 tokens, 0 of them from the cache. What that cost is not known.\n"
            "In the last 30 days: 1 question, 15 tokens, 0 of them from the cache. That cost $0.00.",
        ),
    ],
)
def test_a_person_is_told_in_sentences(today: UsageRow, month: UsageRow, said: str) -> None:
    """Today and the last 30 days; what is not known is said, not left out."""
    assert describe_usage(today, month) == said


async def test_the_program_counts_up_what_its_file_has(tmp_path: Path) -> None:
    """Each kind of row and each span of days; without a file, or without anything in it, one sentence."""
    nothing = await call(tmp_path, "usage")
    assert (nothing.code, nothing.err) == (0, "")
    assert nothing.out == "Nothing is written down of that time: nobody has asked anything.\n"
    path = tmp_path / "data" / "parley.db"
    assert not path.exists()
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        migrate(db, path)
        ask(db, at=time.time(), cost=1.5)
        ask(db, turn=2, at=time.time() - 20 * 86_400, place="slack:T:C", author="slack:8", model="local/c", cost=None)
    for by, names in {
        "place": "discord:1 slack:T:C",
        "person": "discord:7 slack:8",
        "model": "openai/a local/c",
    }.items():
        ended = await call(tmp_path, "usage", "--by", by)
        first, _, *rows = [line.split()[0] for line in ended.out.splitlines()]
        assert (first, rows) == (by, [*names.split(), "total"])
        assert ended.out.splitlines()[-1].endswith("1.50 + ?")
    assert "slack" not in (await call(tmp_path, "usage", "--by", "place", "--days", "19")).out
    assert (await call(tmp_path, "usage")).out.count("\n") == 5


@pytest.mark.parametrize("arguments", [("--by", "colour"), ("--days", "0"), ("--days", "x"), ("--days", "99999")])
async def test_what_cannot_be_counted_is_refused(tmp_path: Path, arguments: tuple[str, str]) -> None:
    """The sentence says what can be given."""
    ended = await call(tmp_path, "usage", *arguments)
    assert ended.code == 2
    assert re.search("choose from|give a whole number from 1 to 36500", ended.err)


async def test_a_running_parley_is_not_in_the_way(tmp_path: Path) -> None:
    """What was asked over the page a moment ago is in the table of another process."""
    async with FakeOpenAI() as provider, Program(tmp_path, **asking(provider)) as program:
        async with program.http.post("/chat", json=asked("hello", None)) as response:
            assert response.status == 200
        ended = await call(tmp_path, "usage", "--by", "model")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[2].split()[:2] == ["openai/test-model", "1"]
