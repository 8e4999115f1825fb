"""The least mean lag that any policy could reach, if it knew every arrival beforehand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import inf, sqrt

STEP = 0.02
"""Seconds of the lattice; halving it moves the bound by under 1 %."""
COARSE = 0.05
"""Seconds of the lattice for fixed windows."""
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


def fixed_bound(arrivals: Sequence[float], limit: int, period: float, trip: float, kept: int = 0) -> float:
    """The same under a fixed limit, whose windows begin with a call: all calls are back at a window's end.

    Exact too, on a coarser lattice, over (time of the last call, calls left, the window's end). With `kept`, so many
    calls are left after each but the last, so that an answer might end at any moment and its final text go at once.
    """
    start, count = arrivals[0], len(arrivals)
    steps = int((arrivals[-1] - start) / COARSE) + 1
    window, reach = round(period / COARSE), max(1, round(trip / COARSE))
    arrived = [bisect_right(arrivals, start + step * COARSE) for step in range(steps)] + [count]
    summed = [0.0, *accumulate(arrivals)]
    best: list[dict[tuple[int, int], float]] = [{} for _ in range(steps + 1)]
    best[0][limit - 1, window] = 0.0
    for old in range(steps):
        for new in range(old + reach, min(steps, old + round(LONGEST / COARSE)) + 1):
            first, last = arrived[old], arrived[new]
            price = (last - first) * (start + new * COARSE) - (summed[last] - summed[first])
            for (left, ends), value in best[old].items():
                state = (left - 1, ends) if new < ends else (limit - 1, new + window)
                if state[0] >= (kept if new < steps else 0):
                    best[new][state] = min(best[new].get(state, inf), value + price)
    return min(best[steps].values()) / count + trip / 2


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
