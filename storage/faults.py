"""What SQLite and the file system refuse, as one sentence for the operator."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import StorageError

SENTENCES = {
    sqlite3.SQLITE_NOTADB: "{path} is not a SQLite file: move it away, or set storage.path to another file.",
    sqlite3.SQLITE_CORRUPT: "{path} is damaged: stop Parley and put a backup in its place.",
    sqlite3.SQLITE_FULL: "The disk of {path} is full: free some space there.",
    sqlite3.SQLITE_BUSY: "{path} is locked by another process: stop that one, or set storage.path to another file.",
    sqlite3.SQLITE_READONLY: "{path} cannot be written: give Parley the right to write the file and its folder.",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened: it must be a file, in a folder that Parley may write.",
    sqlite3.SQLITE_IOERR: "The disk of {path} refuses to read or write: see whether it is full, failing or gone.",
}
"""By SQLite's primary result code, https://sqlite.org/rescode.html."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Within it, whatever SQLite or the file system raises becomes a StorageError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary code; errors of the Python module itself have none.
        sentence = SENTENCES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "{path} failed: {error}.")
        raise StorageError(sentence.format(path=path, error=error)) from error
    except OSError as error:
        where = f"{error.filename}: {error.strerror}"
        raise StorageError(
            f"The folder of {path} cannot be made ({where}): set storage.path to another file."
        ) from error
