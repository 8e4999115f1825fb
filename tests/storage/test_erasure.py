"""What is deleted is gone: from the file, from its log, from what it cost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.messages import Author, Incoming, Message, Place, Role, Usage
from bot.domain.records import Answer
from tests.contracts.memory import Opener, claim, converse, incoming
from tests.storage.test_sqlite import opener, path, query, written

__all__ = ["opener", "path"]


async def test_forgotten_texts_are_nowhere_on_the_disk(opener: Opener, path: Path) -> None:
    """After `/reset` neither the file nor its log holds a byte of what was said, answered or not."""
    memory = await opener()
    for number in range(40):
        await converse(memory, f"marker{number}", answer="marker" * 500)
    await memory.claim(incoming("x", text="marker of an open turn"))
    assert b"marker" in written(path)
    await memory.forget("discord:7")
    assert b"marker of" not in written(path)
    assert b"qmarker" not in written(path)
    assert b"markermarker" not in written(path)


def logged(path: Path, text: str) -> bool:
    """Whether a text is in the write-ahead log."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and text.encode() in log.read_bytes()


def stored(path: Path, text: str) -> bool:
    """Whether a text is in the file itself."""
    return text.encode() in path.read_bytes()


async def test_a_forgotten_person_s_own_conversation_loses_their_id(opener: Opener, path: Path) -> None:
    """A day later, as all else of theirs does; while somebody's questions are known by their author it stays."""
    memory = await opener()
    for person in ("u1", "u2"):
        place = Place(f"discord:7:{person}", shared=True, person=person)
        assert await memory.claim(Incoming(place, Author(person, "A"), "hello", "7", person))
    await memory.forget_person("discord", "u1")
    await memory.expire(0)
    assert query(path, "SELECT key FROM places") == [("discord:7:u1",), ("discord:7:u2",)]
    with sqlite3.connect(path) as db:
        db.execute("UPDATE turns SET created = created - 100000")
    await memory.expire(0)
    assert query(path, "SELECT key, person FROM places") == [("discord:7:#1", ""), ("discord:7:u2", "u2")]
    assert "u1" not in str(query(path, "SELECT place, author, question FROM turns"))
    assert await memory.asked("discord:7:u2")


@pytest.mark.parametrize("how", ["amend", "retract", "forget", "forget_person", "expire"])
async def test_what_was_deleted_is_in_no_file(opener: Opener, path: Path, how: str) -> None:
    """Neither in the database nor in its log; while somebody reads the file, as soon as something is written later."""
    memory = await opener()
    asked = Incoming(Place("discord:7", shared=True), Author("u1", "Ann"), "my salary is 5000", "7", "1")
    turn = await memory.claim(asked)
    assert turn
    await memory.finish(turn.id, Answer("so much"), Message(Role.USER, asked.text))
    assert logged(path, "5000")
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN").execute("SELECT count(*) FROM messages").fetchone()
        match how:
            case "amend":
                await memory.amend(replace(asked, text="(removed)"))
            case "retract":
                await memory.retract("discord", "7", "1")
            case "forget":
                await memory.forget("discord:7")
            case "forget_person":
                await memory.forget_person("discord", "u1")
            case "expire":
                await memory.expire(1e12)
        assert logged(path, "5000")
    await converse(memory, "2", "discord:8")
    assert not logged(path, "5000")
    assert not stored(path, "5000")


async def test_who_was_turned_away_long_ago_is_forgotten(opener: Opener, path: Path) -> None:
    """A week is longer than any platform brings a message again."""
    memory = await opener()
    await memory.decline(Incoming(Place("discord:7"), Author("u1", "Ann"), "x", "7", "1"))
    await memory.expire(0)
    assert query(path, "SELECT platform, channel, message FROM declined") == [("discord", "7", "1")]
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE declined SET created = created - 700000")
    await memory.expire(0)
    assert query(path, "SELECT * FROM declined") == []


async def test_the_limits_of_the_day_hold_for_whoever_is_forgotten(opener: Opener, path: Path) -> None:
    """What they used today of an old question is theirs until a day has passed."""
    memory = await opener()
    turn = await claim(memory, "1")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE turns SET created = created - 200000")
    await memory.finish(turn, Answer("y", usage=Usage(1000), model="openai/x"), Message(Role.USER, "q"))
    await memory.forget_person("discord", "u1")
    assert (await memory.toll(0, "discord:u1")).tokens == 1000
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE usage SET created = created - 200000")
    await memory.expire(0)
    assert (await memory.toll(0, "discord:u1")).tokens == 0
    assert (await memory.toll(0)).tokens == 1000


async def test_a_log_that_cannot_be_emptied_fails_no_write(
    opener: Opener, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and tried again with every later write until it succeeds."""
    memory = await opener()
    await converse(memory, "1", "discord:7", answer="It was the butler.")

    def fail(_: sqlite3.Connection) -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr("storage.sqlite._erase", fail)
        assert await memory.forget("discord:7")
        assert await claim(memory, "2", "discord:8")
        assert logged(path, "the butler")
    assert await claim(memory, "3", "discord:8")
    assert not logged(path, "the butler")
