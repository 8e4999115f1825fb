"""The turns: each platform message is claimed once, and closed with what came of it."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict

from bot.domain.errors import StorageError
from bot.domain.messages import Incoming, Message, Role, State, Usage
from bot.domain.records import Answer, Material, Turn

SURROGATES = re.compile("[\ud800-\udfff]")
"""Half characters: JSON can bring them, UTF-8 cannot write them."""


def claim(db: sqlite3.Connection, incoming: Incoming) -> Turn | None:
    """Write a turn for this message; None if it has one, or was turned away."""
    if heard(db, incoming):
        return None
    place = enroll(db, incoming.place.key, incoming.place.person)
    (first,) = db.execute("SELECT NOT EXISTS (SELECT 1 FROM turns WHERE place = ?)", (place,)).fetchone()
    values = {
        "place": place,
        "platform": incoming.place.platform,
        "channel": incoming.channel_id,
        "message": incoming.message_id,
        "author": incoming.author.id,
        "command": incoming.command,
        "question": write(incoming),
        "state": State.GROWING.value,
        "created": time.time(),
    }
    written = db.execute(
        "INSERT INTO turns (place, platform, channel, message, author, command, question, state, created) VALUES "
        "(:place, :platform, :channel, :message, :author, :command, :question, :state, :created) "
        "ON CONFLICT DO NOTHING",
        values,
    )
    return Turn(written.lastrowid or 0, bool(first)) if written.rowcount else None


def heard(db: sqlite3.Connection, incoming: Incoming) -> bool:
    """Whether this message has a turn or was turned away."""
    ids = incoming.place.platform, incoming.channel_id, incoming.message_id
    one = "platform = ? AND channel = ? AND message = ?"
    found = db.execute(
        f"SELECT EXISTS (SELECT 1 FROM turns WHERE {one}) OR EXISTS (SELECT 1 FROM declined WHERE {one})",  # noqa: S608
        (*ids, *ids),
    ).fetchone()
    return bool(found[0])


def decline(db: sqlite3.Connection, incoming: Incoming) -> None:
    """Write down that a message is turned away: its ids, and nothing that it says or who said it."""
    ids = incoming.place.platform, incoming.channel_id, incoming.message_id
    db.execute("INSERT OR IGNORE INTO declined VALUES (?, ?, ?, ?)", (*ids, time.time()))


def begin(db: sqlite3.Connection, turn: int, others: Sequence[int]) -> None:
    """Say that a turn is about to be answered, with other turns as a part of it; they are closed with it."""
    db.execute("UPDATE turns SET begun = 1 WHERE id = ?", (turn,))
    db.executemany("UPDATE turns SET joined = ? WHERE id = ?", [(turn, other) for other in others])
    changed = "EXISTS (SELECT 1 FROM turns AS other WHERE other.joined = turns.id AND other.amended)"
    db.execute(f"UPDATE turns SET amended = 1 WHERE id = ? AND {changed}", (turn,))  # noqa: S608


def supply(db: sqlite3.Connection, turn: int, material: Material) -> None:
    """Write down what came with a question; unless its place was forgotten meanwhile."""
    db.execute("UPDATE turns SET material = ? WHERE id = ? AND forgotten = 0", (clean(material.text), turn))
    db.executemany(
        "INSERT OR IGNORE INTO quoted SELECT platform, ?, id FROM turns WHERE id = ? AND forgotten = 0",
        [(clean(author), turn) for author in material.quoted],
    )
    db.executemany(
        "INSERT OR REPLACE INTO files (place, turn, position, name, media_type, data, pages) "
        "SELECT place, id, ?, ?, ?, ?, ? FROM turns WHERE id = ? AND forgotten = 0",
        [
            (at, clean(file.name), file.media_type, file.data, file.pages, turn)
            for at, file in enumerate(material.files)
        ],
    )


def progress(db: sqlite3.Connection, turn: int, posts: Sequence[str], draft: str) -> None:
    """Write down the posts that show the answer of a turn so far, unless the place was forgotten meanwhile the text."""
    db.execute(
        "UPDATE turns SET posts = ?, draft = iif(forgotten, '', ?) WHERE id = ?",
        (json.dumps(posts), clean(draft), turn),
    )
    _own(db, turn, posts)


def reopen(db: sqlite3.Connection, turn: int) -> int:
    """Begin a turn anew; what is remembered of it stays until it is closed again."""
    rows = db.execute(
        "UPDATE turns SET attempt = attempt + 1, state = ?, finished = NULL WHERE id = ? RETURNING attempt",
        (State.GROWING.value, turn),
    ).fetchall()
    if not rows:
        raise StorageError(f"There is no turn {turn} to answer anew.")
    db.execute("INSERT INTO retries VALUES (?, ?)", (turn, time.time()))
    return int(rows[0][0])


def finish(db: sqlite3.Connection, turn: int, answer: Answer, question: Message | None) -> None:
    """Close a turn; a question with an answer enters the memory, unless its place was forgotten meanwhile.

    What an earlier attempt left in the memory is replaced. A turn is closed once: a second time changes nothing.
    """
    found = db.execute("SELECT place, forgotten, finished FROM turns WHERE id = ?", (turn,)).fetchone()
    if found is None:
        raise StorageError(f"There is no turn {turn} to finish.")
    place, forgotten, finished = found
    if finished is not None:
        return
    db.execute("UPDATE turns SET state = ?, finished = ? WHERE joined = ?", (answer.state.value, time.time(), turn))
    if db.execute(
        "DELETE FROM messages WHERE place = ? AND number IN (?, ?)", (place, 2 * turn, 2 * turn + 1)
    ).rowcount:
        void(db, place, 2 * turn)
    if question and answer.text.strip() and not forgotten:
        _remember(db, place, turn, question, answer.text)
    values = {
        "turn": turn,
        "state": answer.state.value,
        "posts": json.dumps(answer.posts),
        "model": answer.model,
        "fault": answer.fault,
        "finished": time.time(),
    }
    db.execute(
        "UPDATE turns SET state = :state, posts = :posts, model = :model, fault = :fault, draft = '', "
        "finished = :finished WHERE id = :turn",
        values,
    )
    _own(db, turn, answer.posts)
    if answer.model:
        spend(db, turn, answer.model, "answer", answer.usage)
    for other in answer.others:
        spend(db, turn, other.model, "answer", other.usage)


def spend(db: sqlite3.Connection, turn: int, model: str, purpose: str, usage: Usage) -> None:
    """Write down what a model was asked for in a turn, and what it cost."""
    values = {"turn": turn, "model": model, "purpose": purpose, "created": time.time(), **asdict(usage)}
    db.execute(
        "INSERT INTO usage (turn, place, author, model, purpose, input, output, cached, written, cost, created) "
        "SELECT id, place, platform || ':' || author, :model, :purpose, :input, :output, :cached, :written, :cost, "
        ":created FROM turns WHERE id = :turn",
        values,
    )


def void(db: sqlite3.Connection, place: int, number: int) -> None:
    """Take away every summary that knows this message, and those that build on them."""
    db.execute("DELETE FROM summaries WHERE place = ? AND until >= ?", (place, number))
    db.execute("UPDATE places SET revision = revision + 1 WHERE id = ?", (place,))


def enroll(db: sqlite3.Connection, key: str, person: str = "") -> int:
    """The id of a place, which is written down if it is new; `person` is whose own conversation it is."""
    found = db.execute("SELECT id FROM places WHERE key = ?", (clean(key),)).fetchone()
    if found:
        return int(found[0])
    values = (clean(key), clean(person), time.time())
    return db.execute("INSERT INTO places (key, person, created) VALUES (?, ?, ?)", values).lastrowid or 0


def write(incoming: Incoming) -> str:
    """An incoming message as JSON."""
    return json.dumps(asdict(incoming))


def clean(text: str) -> str:
    """Text that can be written: half characters become the replacement character."""
    return SURROGATES.sub("\ufffd", text)


def _own(db: sqlite3.Connection, turn: int, posts: Sequence[str]) -> None:
    """Write down that these messages answer a turn."""
    db.executemany(
        "INSERT OR IGNORE INTO posts (platform, channel, post, turn) SELECT platform, channel, ?, id FROM turns "
        "WHERE id = ?",
        [(post, turn) for post in posts],
    )


def _remember(db: sqlite3.Connection, place: int, turn: int, question: Message, answer: str) -> None:
    now = time.time()
    messages = (question, Message(Role.ASSISTANT, answer))
    db.executemany(
        "INSERT INTO messages (place, number, role, author, content, moment, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                place,
                2 * turn + part,
                message.role.value,
                clean(message.author),
                clean(message.content),
                message.moment,
                now,
            )
            for part, message in enumerate(messages)
        ],
    )
