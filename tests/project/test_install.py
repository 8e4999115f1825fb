"""The way from a fresh machine to a running Parley: the Makefile's refusals, and locks that hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "requirements-local.txt", "requirements-dev.txt")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(.*?)\\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what `make install` reads, and no `.venv`."""
    for name in ("Makefile", "pyproject.toml", *LOCKS):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def pins(name: str) -> dict[str, str]:
    """The versions that a lock file pins."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(found[1]): found[2] for line in lines if (found := PINNED.match(line))}


def test_no_python_is_one_sentence(checkout: Path) -> None:
    """Without Python 3.11 or newer the install stops at once and says what to install."""
    ended = make(checkout, "run", "PYTHON=")
    assert ended.returncode != 0
    assert ended.stderr.splitlines()[0] == (
        "Parley needs Python 3.11 or newer. On Debian and Ubuntu: apt install python3 python3-venv"
    )
    assert not (checkout / ".venv").exists()


def test_a_python_without_venv_is_one_sentence(checkout: Path) -> None:
    """Debian's Python comes without the venv module: the sentence names its package."""
    python = checkout / "python"
    python.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    python.chmod(0o755)
    ended = make(checkout, "run", f"PYTHON={python}")
    assert ended.returncode != 0
    assert ended.stderr.splitlines()[0] == (
        "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"
    )
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements.txt", "requirements-local.txt"])
def test_the_install_is_repeated_only_when_what_it_reads_has_changed(checkout: Path, changed: str) -> None:
    """A second start goes straight on; a new version installs what it needs."""
    stamp = checkout / ".venv" / ".installed"
    stamp.parent.mkdir()
    stamp.touch()
    assert make(checkout, "--question", "PYTHON=python3", "install").returncode == 0
    later = stamp.stat().st_mtime + 10
    os.utime(checkout / changed, (later, later))
    assert make(checkout, "--question", "PYTHON=python3", "install").returncode == 1


def test_make_alone_says_what_it_can_do(checkout: Path) -> None:
    """Nothing is installed or run by accident; every target that is offered exists."""
    shown = make(checkout).stdout
    offered = re.findall(r"^make (\w+) ", shown, re.MULTILINE)
    assert offered[:3] == ["run", "install", "test"]
    for target in offered:
        assert (
            "No rule to make target"
            not in make(checkout, "--dry-run", "--always-make", "PYTHON=python3", target).stderr
        )


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_everything_by_hash_and_names_no_index(name: str) -> None:
    """Each line is a pinned version or a hash of it; where it comes from is the machine's own business."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not (line.startswith("#") or PINNED.match(line) or HASH.match(line))] == []
    assert pins(name)


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """Every dependency is in its lock, in a version that pyproject.toml allows; shared ones are the same in both."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {
        "requirements.txt": project["project"]["dependencies"],
        "requirements-local.txt": project["project"]["optional-dependencies"]["local"],
        "requirements-dev.txt": project["dependency-groups"]["dev"],
    }
    for name, requirements in asked.items():
        locked = pins(name)
        for requirement in map(Requirement, requirements):
            assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), requirement
    runtime, development = pins("requirements.txt"), pins("requirements-dev.txt")
    assert all(runtime[package] == development[package] for package in runtime.keys() & development.keys())
