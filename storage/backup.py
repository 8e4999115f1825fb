"""`parley backup` and `parley restore`: the memory copied while Parley runs, and a copy put back while it does not."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path

from bot.domain.errors import StorageError
from bot.domain.messages import State
from storage.errors import explained
from storage.lock import hold
from storage.migrate import APPLICATION, identify, newest
from storage.snapshot import copy, is_sound, reading

PATIENCE = 1.0
"""Seconds that a restore waits for a Parley that is just ending."""


def back_up(path: Path, target: Path) -> None:
    """Copy the memory as it is at this moment to a new file, also while Parley runs. Raises StorageError."""
    if not path.expanduser().is_file():
        raise StorageError(f"There is no memory at {path} to back up: see storage.path, and where you run this.")
    with explained(path), reading(path) as db:
        if not identify(db, path):
            raise StorageError(f"{path} is empty: there is nothing to back up.")
        copy(db, path, target)


async def restore(backup: Path, path: Path) -> Path | None:
    """Put a backup in the place of the memory; returns where the present one is kept, None if there was none.

    Its file is the old one or the new one at every moment. Raises StorageError for what is no sound backup of a Parley
    up to this one, and where a Parley runs; then nothing has changed.
    """
    async with hold(path, PATIENCE):
        with explained(path):
            return await asyncio.to_thread(_replace, path, backup)


def _replace(path: Path, backup: Path) -> Path | None:
    file = path.expanduser().resolve()
    new = _beside(file, ".restoring")
    new.unlink(missing_ok=True)
    try:
        _fetch(backup, new)
        return _exchange(file, new)
    finally:
        new.unlink(missing_ok=True)


def _fetch(backup: Path, new: Path) -> None:
    """Copy a backup to `new`, once it is found good."""
    if not backup.is_file():
        raise StorageError(f"There is no file {backup}: give one that `parley backup` made.")
    try:
        with explained(backup), reading(backup) as db:
            _examine(db, backup)
            copy(db, backup, new)
    except StorageError as error:
        code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise StorageError(f"{backup} is damaged, or no backup of Parley: give another one.") from error
        raise
    _settle(new)


def _examine(db: sqlite3.Connection, backup: Path) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise StorageError(f"{backup} is no backup of Parley: give one that `parley backup` made.")
    if version > newest():
        raise StorageError(
            f"{backup} was written by a newer Parley (version {version}, this one knows {newest()}): upgrade this one."
        )
    if not is_sound(db, "integrity_check"):
        raise StorageError(f"{backup} is damaged: give another backup.")


def _settle(new: Path) -> None:
    """Close the turns that were half shown when the backup was made: their answers have gone on since, elsewhere."""
    with explained(new), closing(sqlite3.connect(new)) as db, db:
        db.execute(
            "UPDATE turns SET state = ?, draft = '', finished = ? WHERE finished IS NULL AND posts <> '[]'",
            (State.INTERRUPTED.value, time.time()),
        )


def _exchange(file: Path, new: Path) -> Path | None:
    """Put `new` in the place of `file`, which is kept beside it with what its write-ahead log still has."""
    kept = _free(file) if file.exists() else None
    log = _beside(file, "-wal")
    with ExitStack() as failing:
        for old, copied in ((file, kept), (log, kept and _beside(kept, "-wal"))):
            if copied and old.exists():
                failing.callback(copied.unlink, missing_ok=True)
                shutil.copy2(old, copied)
        failing.pop_all()
    # Before the exchange: SQLite would write what is left of the old log into the new file.
    log.unlink(missing_ok=True)
    _beside(file, "-shm").unlink(missing_ok=True)
    new.replace(file)
    return kept


def _free(file: Path) -> Path:
    """A dated name beside the file that nothing has."""
    dated = _beside(file, f".until-{datetime.now().astimezone():%Y%m%d-%H%M%S}")
    names = (dated, *(_beside(dated, f"-{count}") for count in range(2, 100)))
    return next(name for name in names if not name.exists())


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)
