"""The least mean lag that any policy could reach, if it knew every arrival beforehand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import sqrt

STEP = 0.02
"""Seconds of the lattice; halving it moves the bound by under 1 %."""
LONGEST = 3.0
"""Seconds between two calls, at most: three times the interval that is always there."""


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
    best = [[infinite] * (full + 1) for _ in range(steps + 1)]
    best[0][full - unit] = 0.0
    for old in range(steps):
        reached = [(level, value) for level, value in enumerate(best[old]) if value < infinite]
        if not reached:
            continue
        for new in range(old + reach, min(steps, old + round(LONGEST / STEP)) + 1):
            first, last = arrived[old], arrived[new]
            price = (last - first) * (start + new * STEP) - (summed[last] - summed[first])
            target = best[new]
            for level, value in reached:
                left = min(full, level + new - old) - unit
                if left >= 0 and value + price < target[left]:
                    target[left] = value + price
    return min(best[steps]) / count + trip / 2


def shared_bound(answers: Sequence[Sequence[float]], limit: int, interval: float, trip: float) -> float:
    """A relaxed bound for answers that share one bucket and end promptly (each final text within 0.3 s).

    Only the number of calls is counted: the bucket and what comes back until the end. Each answer spends one on its
    first token, equal gaps between the others are best for it, and calls are best shared as √(tokens × seconds).
    """
    span = max(times[-1] for times in answers) + 0.3 - min(times[0] for times in answers)
    calls = limit + span / interval - len(answers)
    weight = sum(sqrt(len(times) * (times[-1] - times[0])) for times in answers)
    tokens = sum(len(times) for times in answers)
    spacing = sum((times[-1] - times[0]) / len(times) for times in answers) / len(answers)
    return trip / 2 + weight**2 / (2 * calls * tokens) - spacing / 2
