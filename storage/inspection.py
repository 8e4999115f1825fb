"""Whether the file can be the memory, found out without changing it or being in the way of a Parley that runs."""

from __future__ import annotations

import os
from pathlib import Path

from bot.domain.errors import StorageError
from storage.errors import DAMAGED, explained
from storage.migrate import identify, newest
from storage.snapshot import is_sound, reading


def inspect(path: Path) -> str:
    """What was found, in a few words. Raises StorageError where Parley could not use the file."""
    file = path.expanduser().absolute()
    version = _read(file, path) if file.exists() else 0
    for place in (file, _folder(file)):
        if place.exists() and not os.access(place, os.W_OK):
            raise StorageError(f"{path} cannot be written: give Parley the right to write {place}.")
    if not version:
        return f"{path}, to be made at the first start"
    return f"{path}, sound" + (", to be brought up to date at the next start" if version < newest() else "")


def _read(file: Path, path: Path) -> int:
    with explained(path), reading(file) as db:
        version = identify(db, path)
        if not is_sound(db):
            raise StorageError(DAMAGED.format(path=path))
    return version


def _folder(file: Path) -> Path:
    """The nearest folder of the file that is there already."""
    nearest = next(folder for folder in file.parents if folder.exists())
    if not nearest.is_dir():
        raise StorageError(f"{file} cannot be made ({nearest} is no folder): set storage.path to another file.")
    return nearest
