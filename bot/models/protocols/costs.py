"""What a gateway says that an answer cost, where it says it: OpenRouter does, in US dollars. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any


def read_cost(usage: Mapping[str, Any]) -> float | None:
    """US dollars of an answer by the usage of its provider; None where that does not say it.

    `cost` is what the gateway takes; with a key of one's own at the provider behind it, that takes the rest.
    """
    cost, details = _read(usage.get("cost")), usage.get("cost_details")
    upstream = _read(details.get("upstream_inference_cost")) if isinstance(details, Mapping) else None
    if cost is None:
        return None
    return cost + (upstream or 0.0) if usage.get("is_byok") is True else cost


def _read(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and isfinite(value) and value >= 0 else None
