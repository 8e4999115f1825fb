"""The least mean lag that any policy could reach, if it knew every arrival beforehand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

STEP = 0.04
"""Seconds of the lattice; halving it moves the bound by under 1 %."""


def offline_bound(arrivals: Sequence[float], limit: int, interval: float, trip: float) -> float:
    """Mean seconds from a token's arrival to its visibility, for serial calls under a sliding limit.

    Exact dynamic programme over (time of the last call, calls left), both on the lattice: the first call goes with
    the first token, the last when the last has come, each `trip` after the one before, all out of one bucket.
    """
    start, count = arrivals[0], len(arrivals)
    steps = int((arrivals[-1] - start) / STEP) + 1
    unit = round(interval / STEP)  # levels in a call
    full = limit * unit
    reach = max(1, round(trip / STEP))
    arrived = [bisect_right(arrivals, start + step * STEP) for step in range(steps)] + [count]
    summed = [0.0, *accumulate(arrivals)]
    infinite = float("inf")

    def cost(old: int, new: int) -> float:
        a, b = arrived[old], arrived[new]
        return (b - a) * (start + new * STEP) - (summed[b] - summed[a])

    best = [[infinite] * (full + 1) for _ in range(steps + 1)]
    best[0][full - unit] = cost_first = 0.0
    assert cost_first == 0.0
    for old in range(steps):
        row = best[old]
        if min(row) == infinite:
            continue
        for new in range(old + reach, steps + 1):
            price = cost(old, new)
            gained = new - old
            target = best[new]
            for level, value in enumerate(row):
                if value == infinite:
                    continue
                left = min(full, level + gained) - unit
                if left >= 0 and value + price < target[left]:
                    target[left] = value + price
    total = min(best[steps])
    return total / count + trip / 2
