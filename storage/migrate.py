"""Bringing a file up to the program's version: numbered SQL files, applied in order, all or none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bot.errors import StorageError

APPLICATION = int.from_bytes(b"Prly")
"""What `PRAGMA application_id` says in a file of ours."""
FOLDER = Path(__file__).parent / "migrations"


def migrate(db: sqlite3.Connection, path: Path, folder: Path = FOLDER) -> None:
    """Make the file what the program expects, in one transaction; `path` is its name for the errors.

    `NNNN_*.sql` of the folder takes a file from version NNNN - 1, as `PRAGMA user_version` has it, to NNNN. Raises
    StorageError for a file that is newer or not ours, and sqlite3.Error for the rest; the file is then as it was.
    """
    migrations = sorted(folder.glob("*.sql"))
    with db:
        db.execute("BEGIN IMMEDIATE")  # even where nothing is to be done: a file that cannot be written shows it here
        version = _identify(db, path, len(migrations))
        for file in migrations[version:]:
            for statement in _split(file.read_text(encoding="utf-8")):
                db.execute(statement)
        if version < len(migrations):
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {len(migrations)}")


def _identify(db: sqlite3.Connection, path: Path, newest: int) -> int:
    """The version of the file; 0 for one that is empty."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and (application or version or tables):
        raise StorageError(f"{path} is another program's database: set storage.path to another file.")
    if version > newest:
        raise StorageError(
            f"{path} was written by a newer Parley (version {version}, this one knows {newest}): upgrade this one, "
            "or set storage.path to another file."
        )
    return int(version)


def _split(script: str) -> Iterator[str]:
    """The statements of a script. sqlite3's own executescript would commit what came before."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement
