"""What a child process that opens a stranger's file may use."""

from __future__ import annotations

import os
from contextlib import suppress

CPU = 10
"""Seconds of processor time, after which the system kills it."""
BASE = 400_000_000
"""Bytes of address space for Python and a library, without what the file itself becomes."""


def confine(memory: int) -> None:
    """Bound this process: `CPU` seconds, `BASE` and `memory` bytes, and behind everybody else for the processor.

    Where the system knows no such limits (Windows), only the parent's clock bounds it.
    """
    try:
        import resource
    except ImportError:
        return
    os.nice(10)
    for limit, most in ((resource.RLIMIT_CPU, CPU), (resource.RLIMIT_AS, BASE + memory), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):  # a stricter limit holds already, or the system has none of this kind
            resource.setrlimit(limit, (most, most))
