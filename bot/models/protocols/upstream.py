"""Which model wrote an answer that was asked of another one: gateways choose, or put another in its place. Pure."""

from __future__ import annotations

from bot.models.price_list import DATED
from bot.models.protocols.json_shapes import parse_json


def read_upstream(data: bytes, model: str) -> dict[str, str]:
    """What an event of an answer names beside the `model` that was asked for: another model, a gateway's provider."""
    try:
        event = parse_json(data)
    except ValueError:
        return {}
    if isinstance(event, dict) and isinstance(event.get("message"), dict):
        event = event["message"]
    if not isinstance(event, dict):
        return {}
    named = {key: event[key] for key in ("model", "provider") if isinstance(event.get(key), str) and event[key]}
    if _is_version(named.get("model", model), model):
        named.pop("model", None)
    return named


def _is_version(named: str, model: str) -> bool:
    return named.startswith(model) and bool(DATED.fullmatch(named[len(model) :]))
