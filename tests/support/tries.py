"""How many examples a property is tried with: a few, the same in every run; with FUZZ=<number> so many random ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

MANY = int(os.environ.get("FUZZ") or 0)
"""Examples of each property in a long run; 0 in an ordinary one."""
SHARED = (HealthCheck.function_scoped_fixture, HealthCheck.differing_executors)
"""Examples may share a fixture: each leaves it as it found it."""


def tries(count: int) -> settings:
    """So many examples in an ordinary run."""
    checks = (*SHARED, *((HealthCheck.too_slow,) if MANY else ()))
    return settings(
        max_examples=MANY or count,
        derandomize=not MANY,
        deadline=None,
        database=None,
        print_blob=bool(MANY),
        suppress_health_check=checks,
    )
