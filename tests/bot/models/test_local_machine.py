"""A machine that cannot run model files is told so in one sentence with the mend, before anything native is loaded."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from bot.models.trial.hardware import INSTRUCTIONS, Machine, explain, obstacle

FIT = Machine("Linux", "x86_64", musl=False, flags=INSTRUCTIONS | {"sse2"}, installed=True)


@pytest.mark.parametrize(
    "machine",
    [
        FIT,
        replace(FIT, flags=frozenset()),
        replace(FIT, architecture="aarch64", flags=frozenset({"asimd"})),
        replace(FIT, system="Darwin", architecture="arm64", flags=frozenset()),
        replace(FIT, system="Windows", architecture="amd64", flags=frozenset()),
        replace(FIT, musl=True),
    ],
)
def test_nothing_stands_in_the_way_of_a_fit_machine(machine: Machine) -> None:
    """Processors whose instructions are not known are trusted; so is a runtime that somebody built for Alpine."""
    assert obstacle(machine) == ""


@pytest.mark.parametrize(
    ("machine", "sentence"),
    [
        (
            replace(FIT, installed=False, musl=True),
            "xllamacpp has no wheel for Alpine Linux (musl): use an image with Debian or Ubuntu.",
        ),
        (
            replace(FIT, installed=False, system="Windows", architecture="arm64"),
            "xllamacpp has no wheel for Windows on ARM: start Ollama or LM Studio instead.",
        ),
        (
            replace(FIT, installed=False),
            f"xllamacpp is not installed: run `{sys.executable} -m pip install xllamacpp`.",
        ),
        (
            replace(FIT, flags=frozenset({"avx", "sse2", "f16c"})),
            "This processor lacks AVX2, BMI2, FMA, which xllamacpp needs: set a key, or use a server on another "
            "machine.",
        ),
    ],
)
def test_an_unfit_machine_gets_one_sentence_with_the_mend(machine: Machine, sentence: str) -> None:
    """Each obstacle that is known has its own."""
    assert obstacle(machine) == sentence


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (
            "libgomp.so.1: cannot open shared object file: No such file or directory",
            "The system library libgomp is missing: run `apt-get install libgomp1` (as root).",
        ),
        (
            "libstdc++.so.6: cannot open shared object file: No such file or directory",
            "The system library libstdc++ is missing: run `apt-get install libstdc++6` (as root).",
        ),
        (
            "version `GLIBC_2.99' not found",
            "xllamacpp cannot be loaded on this machine (version `GLIBC_2.99' not found): set a key, or start a server "
            "such as Ollama.",
        ),
    ],
)
def test_a_missing_system_library_is_named_with_its_package(problem: str, sentence: str) -> None:
    """What the loader says is for experts; the command is for everybody."""
    assert explain(problem) == sentence


def test_this_machine_is_read_without_loading_the_runtime() -> None:
    """The look at the machine imports nothing native."""
    already = "xllamacpp" in sys.modules
    machine = Machine.here()
    assert machine.system
    assert machine.architecture == machine.architecture.lower()
    assert ("xllamacpp" in sys.modules) == already
