"""Bringing a file up to the program's version: numbered SQL files, applied in order, all or none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import structlog

from bot.domain.errors import StorageError
from storage.snapshot import copy, reading

APPLICATION = int.from_bytes(b"Prly")
"""What `PRAGMA application_id` says in a file of ours."""
FOLDER = Path(__file__).parent / "migrations"

log = structlog.get_logger(__name__)


def migrate(db: sqlite3.Connection, path: Path, folder: Path = FOLDER) -> None:
    """Make the file what the program expects, in one transaction; `path` is its name for the errors.

    `NNNN_*.sql` of the folder takes a file from version NNNN - 1, as `PRAGMA user_version` has it, to NNNN. Raises
    StorageError for a file that is newer or not ours, and sqlite3.Error for the rest; the file is then as it was.
    One that has a version already is copied before to a file beside it that ends in `.before-NNNN`, the number of the
    first migration that it gets.
    """
    migrations = sorted(folder.glob("*.sql"))
    with db:
        db.execute("BEGIN IMMEDIATE")  # even where nothing is to be done: a file that cannot be written shows it here
        version = identify(db, path, len(migrations))
        if 0 < version < len(migrations):
            _keep(db, path, version + 1)
        for file in migrations[version:]:
            for statement in _split(file.read_text(encoding="utf-8")):
                db.execute(statement)
        if version < len(migrations):
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {len(migrations)}")


def newest() -> int:
    """The version that this program writes."""
    return len(list(FOLDER.glob("*.sql")))


def identify(db: sqlite3.Connection, path: Path, known: int | None = None) -> int:
    """The version of the file; 0 for one that is empty. Raises StorageError for one that is newer or not ours."""
    known = newest() if known is None else known
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and (application or version or tables):
        raise StorageError(f"{path} is another program's database: set storage.path to another file.")
    if version > known:
        raise StorageError(
            f"{path} was written by a newer Parley (version {version}, this one knows {known}): upgrade this one, "
            "or set storage.path to another file."
        )
    return int(version)


def _keep(db: sqlite3.Connection, path: Path, number: int) -> None:
    """Copy the file beside itself; a copy that was made before the same migration is replaced."""
    file = Path(db.execute("PRAGMA database_list").fetchone()[2])
    kept = file.with_name(f"{file.name}.before-{number:04}")
    unfinished = kept.with_name(f"{kept.name}.part")
    unfinished.unlink(missing_ok=True)
    with reading(file) as now:  # SQLite copies nothing from a connection that has begun to write
        copy(now, path, unfinished)
    unfinished.replace(kept)
    log.info("the memory is brought up to date; a copy of it as it was is kept", path=str(path), copy=str(kept))


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
