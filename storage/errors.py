"""What SQLite and the file system refuse, as one sentence for the operator."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.domain.errors import StorageError

DAMAGED = "{path} is damaged: stop Parley and bring a backup back with `parley restore`."
SENTENCES = {
    sqlite3.SQLITE_NOTADB: "{path} is not a SQLite file: move it away, or set storage.path to another file.",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_FULL: "The disk of {path} is full: free some space there.",
    sqlite3.SQLITE_BUSY: "{path} is locked by another process: stop that one, or set storage.path to another file.",
    sqlite3.SQLITE_READONLY: "{path} cannot be written: give Parley the right to write the file and its folder.",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened: it must be a file, in a folder that Parley may write.",
    sqlite3.SQLITE_IOERR: "The disk of {path} refuses to read or write: see whether it is full, failing or gone.",
}
"""By SQLite's primary result code, https://sqlite.org/rescode.html."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Within it, whatever SQLite or the file system raises becomes a StorageError that names the file.

    So does what is read and makes no sense. The sentence has nothing of what people wrote.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(_describe(error).format(path=path, error=error)) from error
    except ValueError as error:  # a word or JSON that Parley did not write so
        raise StorageError(DAMAGED.format(path=path)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(SENTENCES[sqlite3.SQLITE_FULL].format(path=path)) from error
        where = f"{error.filename}: {error.strerror}"
        raise StorageError(f"{path} cannot be made or used ({where}): set storage.path to another file.") from error


def _describe(error: sqlite3.Error) -> str:
    """The sentence for an error. The low byte of its code is the primary one; the Python module's own have none."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None and isinstance(error, sqlite3.OperationalError):  # text that is not UTF-8; the error quotes it
        return DAMAGED
    return SENTENCES.get((code or 0) & 0xFF, "{path} failed: {error}.")
