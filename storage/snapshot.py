"""The file as it is at one moment: read while another process writes to it, and copied whole."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bot.domain.errors import StorageError
from storage.errors import DAMAGED, explained

PATIENCE = 5.0
"""Seconds to wait for another process that has locked the file."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """What the file holds now, whatever others write meanwhile; it is not changed. Raises sqlite3.Error."""
    address = path.expanduser().absolute().as_uri() + "?mode=ro"
    with closing(sqlite3.connect(address, timeout=PATIENCE, isolation_level=None, uri=True)) as db:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the moment; SQLite's BEGIN alone waits for a read
        yield db


def copy(db: sqlite3.Connection, path: Path, target: Path) -> None:
    """Write what `db` reads to a new file of one piece, for its owner's eyes; it is sound, or is not there.

    `db` must have begun to read; `path` is its name for the errors. Raises StorageError, also where the target exists.
    """
    with ExitStack() as stack:
        _reserve(target)
        stack.callback(target.unlink)
        with explained(target), closing(sqlite3.connect(target, isolation_level=None)) as new:
            db.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")
            if not is_sound(new):
                raise StorageError(DAMAGED.format(path=path))
        stack.pop_all()


def is_sound(db: sqlite3.Connection, check: str = "quick_check") -> bool:
    """Whether SQLite finds nothing wrong; `integrity_check` looks at the indexes too, and takes longer."""
    try:
        return bool(db.execute(f"PRAGMA {check}(1)").fetchall() == [("ok",)])
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return False
        raise


def _reserve(target: Path) -> None:
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise StorageError(f"{target} is there already: give a name that is free.") from None
    except OSError as error:
        raise StorageError(f"{target} cannot be made ({error.strerror}): give another place.") from error
