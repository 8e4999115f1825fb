"""Whether this machine can run model files itself, and if not, why; nothing native is imported to find out."""

from __future__ import annotations

import platform
import re
import sys
import sysconfig
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

RUNTIME = "xllamacpp"
INSTRUCTIONS = frozenset({"avx2", "bmi2", "f16c", "fma"})
"""What the runtime's wheel for 64-bit Intel and AMD needs of a processor: without them it dies on the spot."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides whether the runtime can work: `flags` are the processor's, empty where they are not known."""

    system: str
    architecture: str
    musl: bool
    flags: frozenset[str]
    installed: bool

    @classmethod
    def here(cls) -> Machine:
        """The machine that this runs on."""
        try:
            cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            cpu = ""
        line = re.search(r"^flags\s*:(.*)$", cpu, re.MULTILINE)
        return cls(
            platform.system(),
            platform.machine().lower(),
            "musl" in str(sysconfig.get_config_var("SOABI")),
            frozenset(line[1].split() if line else ()),
            find_spec(RUNTIME) is not None,
        )


def obstacle(machine: Machine) -> str:
    """Why this machine cannot run model files, and the mend, in one sentence; empty if nothing stands in the way."""
    if not machine.installed:
        if machine.musl:
            return f"{RUNTIME} has no wheel for Alpine Linux (musl): use an image with Debian or Ubuntu."
        if machine.system == "Windows" and machine.architecture not in ("amd64", "x86_64"):
            return f"{RUNTIME} has no wheel for Windows on ARM: start Ollama or LM Studio instead."
        return f"{RUNTIME} is not installed: run `{sys.executable} -m pip install {RUNTIME}`."
    missing = INSTRUCTIONS - machine.flags
    if machine.architecture in ("amd64", "x86_64") and machine.flags and missing:
        names = ", ".join(sorted(missing)).upper()
        return f"This processor lacks {names}, which {RUNTIME} needs: set a key, or use a server on another machine."
    return ""


def explain(problem: str) -> str:
    """What the loader says of the runtime, as a sentence with the mend."""
    for library, package in (("libgomp", "libgomp1"), ("libstdc++", "libstdc++6")):
        if library in problem and "cannot open" in problem:
            return f"The system library {library} is missing: run `apt-get install {package}` (as root)."
    return f"{RUNTIME} cannot be loaded on this machine ({problem}): set a key, or start a server such as Ollama."
