"""How the benchmarks print figures and goals."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate


def lay(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table, figures to the right."""
    return tabulate(rows, headers=headers, disable_numparse=True, colalign=("left", *["right"] * (len(headers) - 1)))


def verdict(met: bool) -> str:
    """How a figure stands to its goal."""
    return "within the goal of" if met else "short of the goal of"
