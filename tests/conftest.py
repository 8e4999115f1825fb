"""The same examples in every run, so that what a property test has found is found by everybody; the longest first."""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

LONGEST = (
    "fuzz/test_description",
    "web/test_hostile",
    "stories/test_chaos",
    "stories/test_program",
    "models/test_local_model",
    "web/test_page",
    "web/test_markdown",
    "stories/test_providers",
)
"""Files of the tests that take longest: begun last, they would keep one worker busy while the others have ended."""

settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


gc.disable()  # What the tests import stays: looking through it again and again takes a tenth of the time.


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, then those that start the program, then all others."""
    items.sort(key=_rank)
    gc.freeze()
    gc.enable()


def _rank(item: pytest.Item) -> int:
    folder, name = item.path.parts[-2], item.path.stem
    place = f"{folder}/{name}"
    return LONGEST.index(place) if place in LONGEST else len(LONGEST) + (folder != "stories")
