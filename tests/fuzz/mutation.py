"""Real payloads, changed in one place or in a few: what is missing, of another kind, huge or odd."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

SAMPLES = Path(__file__).parents[1] / "samples"
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, 10**30, 1.5, "", " ", "x" * 5000, "\x00", "\u202e", "\ud800", "١٢", "1e9", "-1",
    "<@U0PARLEY>", "<!channel>", "D1", "message", "im", [], {}, [[]], [None], [{}], {"": None}, ["x"], {"id": 1},
)  # fmt: skip
"""What may stand in the place of anything."""
values = st.one_of(st.sampled_from(ODD), st.text(max_size=20), st.integers(), st.floats(allow_nan=False))
GONE = object()


def recorded(prefix: str, key: str = "") -> list[Any]:
    """Every recorded payload of the files that begin so; of those with a `key`, what stands there."""
    texts = (file.read_text(encoding="utf-8") for file in sorted(SAMPLES.glob(f"{prefix}*.json")))
    payloads = (payload for text in texts for payload in json.loads(text).values() if isinstance(payload, dict))
    return [payload[key] if key else payload for payload in payloads if not key or key in payload]


def ways(payload: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value of a payload."""
    inner = payload.items() if isinstance(payload, dict) else enumerate(payload) if isinstance(payload, list) else ()
    return [way for key, value in inner for way in ((*here, key), *ways(value, (*here, key)))]


def change(payload: Any, way: tuple[Any, ...], value: Any) -> None:
    """Put a value in its place, or take out what stands there."""
    home = at(payload, way[:-1])
    if value is GONE:
        del home[way[-1]]
    else:
        home[way[-1]] = value


def at(payload: Any, way: tuple[Any, ...]) -> Any:
    """What stands there."""
    for key in way:
        payload = payload[key]
    return payload


def like(value: Any) -> st.SearchStrategy[Any]:
    """Something else of the same kind, or nothing."""
    if isinstance(value, str):
        return st.one_of(st.just(GONE), st.sampled_from([odd for odd in ODD if isinstance(odd, str)]), st.text())
    if isinstance(value, int) and not isinstance(value, bool):
        return st.one_of(st.just(GONE), st.integers(0, 2**63))
    return st.one_of(st.just(GONE), st.just([]) if isinstance(value, list) else st.just(value))


@st.composite
def mutated(draw: st.DrawFn, payloads: list[Any], most: int = 4, kinds: bool = False) -> Any:
    """One of the payloads, changed in up to so many places; with `kinds`, every value keeps its kind."""
    payload = copy.deepcopy(draw(st.sampled_from(payloads)))
    for _ in range(draw(st.integers(1, most))):
        if known := ways(payload):
            way = draw(st.sampled_from(known))
            value = draw(like(at(payload, way)) if kinds else st.one_of(st.just(GONE), values))
            change(payload, way, copy.deepcopy(value) if value is not GONE else GONE)
    return payload
