"""What a provider says when it refuses: the words of its error's body in whatever shape, and which fault they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from bot.domain.errors import ModelFault
from bot.models.protocols.json_shapes import read_object, read_strings

CODES = ("type", "code", "status", "reason", "error_type", "error_code")
MESSAGES = ("message", "detail", "details", "msg", "error", "errors", "error_message", "title")
MOST = 10_000
"""Characters of an error's body that are looked at."""

WORDS = (
    (
        ModelFault.REFUSED,
        r"\bcontent_?filter\b|\bcontent_policy_violation\b|\bflagged_input\b|data_inspection_failed|content exists risk"
        r"|\b(?:input|prompt|content|message|request|text)s?\b[^.]{0,40}\bflagged\b|\bcontent moderation\b"
        r"|responsible ai policy|prohibited_content|moderation_blocked",
    ),
    (
        ModelFault.CONTEXT,
        r"context_length_exceeded|exceed_context_size|request_too_large|request too large|prompt (?:is )?too long"
        r"|maximum (?:context|prompt|input) |context (?:length|window|size|limit)|input is too long"
        r"|input token count|reduce (?:the|your) (?:length|size|message|prompt)"
        r"|longer than the maximum model|exceeds? max(?:imum)? (?:input )?length"
        r"|exceeded (?:the )?(?:model|maximum) token|range of input length|too long for requested model"
        r"|tokens to keep from the initial prompt|inputs` tokens",
    ),
    (
        ModelFault.QUOTA,
        r"insufficient_quota|billing_\w|_billing|spend_limit|current quota|credit balance|more credits"
        r"|insufficient (?:credit|balance|funds)|quota exceeded|exceeded your quota",
    ),
    (
        ModelFault.KEY,
        r"invalid_api_key|api_key_invalid|api[ _-]?key (?:is )?(?:not valid|invalid|expired|missing|incorrect)"
        r"|(?:incorrect|invalid|wrong|expired|missing) (?:x-)?api[ _-]?key|no api[ _-]?key",
    ),
    (
        ModelFault.MODEL,
        r"model_not_found|not a valid model|(?:invalid|unknown|no such) model"
        r"|model\b[^.]{0,80}\b(?:not found|(?:does )?not exist)",
    ),
)
"""What the words of an error say, whatever its status: providers disagree about statuses."""
MANY = re.compile(r"too many (?:input |prompt |total )?tokens", re.IGNORECASE)
"""A prompt that is too long, unless it is said of a minute's tokens."""
MINUTE = re.compile(r"please wait|per.?(?:minute|min|second)|rate.?limit|throttl", re.IGNORECASE)
"""What is said of a limit that soon allows more."""
DAY = re.compile(r"per.?day|daily", re.IGNORECASE)
PATH = re.compile(
    r"unexpected endpoint|(?:unknown|invalid|no such) (?:endpoint|path|route|url)|invalid url", re.IGNORECASE
)
"""What servers say of an address that they do not serve; LM Studio does so with status 200."""
TYPES = (
    (ModelFault.RATE, r"rate.?limit|too many requests|resource_exhausted|throttl"),
    (ModelFault.OVERLOAD, r"overload|server_error|api_error|internal|unavailable|capacity|too busy"),
    (ModelFault.KEY, r"authentication|permission|api_key|unauthorized|unauthenticated"),
    (ModelFault.MODEL, r"not_found"),
    (ModelFault.TIMEOUT, r"timeout|timed out"),
    (ModelFault.REQUEST, r"invalid_request|invalid_argument"),
)
"""What an error says that comes within an answer, without a status."""
STATUSES = {
    401: ModelFault.KEY,
    402: ModelFault.QUOTA,
    403: ModelFault.KEY,
    404: ModelFault.MODEL,
    408: ModelFault.TIMEOUT,
    413: ModelFault.CONTEXT,
    429: ModelFault.RATE,
}
UNITS = {"ms": 0.001, "milli": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms\b|milli|s|m|h)[a-z]*\s*", re.IGNORECASE)
WAIT = re.compile(
    r"(?:retry(?:ing)?|try|again|wait)[^\d.]{0,25}((?:\d+(?:\.\d+)?\s*(?:ms|milliseconds?|s|secs?|seconds?|m|mins?"
    r"|minutes?|h|hours?)\b\s*|\d+(?:\.\d+)?(?:h|m|s)(?=\d))+)",
    re.IGNORECASE,
)
"""A time to wait within a text: "try again in 6.5s", "retryDelay": "2s", "again in 1m30.5s"."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error's body, understood: its types and codes, its own words, all of its words, and the seconds to wait."""

    status: int | None
    codes: str
    message: str
    words: str
    wait: float | None

    @property
    def fault(self) -> ModelFault:
        """Which fault it is: its words count more than its status."""
        failing = (self.status or 0) >= 500
        text = f"{self.codes} {self.words}"
        if self.status != 429 and MANY.search(text) and not MINUTE.search(text):
            return ModelFault.CONTEXT
        for fault, pattern in WORDS:
            if re.search(pattern, text, re.IGNORECASE) and not (
                failing and fault in (ModelFault.MODEL, ModelFault.KEY)
            ):
                soon = self.wait is not None or MINUTE.search(text)
                passes = fault is ModelFault.QUOTA and self.status != 402 and soon and not DAY.search(text)
                return ModelFault.RATE if passes else fault
        if PATH.search(text) and not failing:
            return ModelFault.REQUEST
        if self.status is None:
            found = (fault for fault, pattern in TYPES if re.search(pattern, text, re.IGNORECASE))
            return next(found, ModelFault.CUT)
        return STATUSES.get(self.status, ModelFault.OVERLOAD if failing else ModelFault.REQUEST)


def read_refusal(status: int | None, body: Any, headers: Mapping[str, str]) -> Refusal:
    """Understand an error's body: its JSON or its text, with a status unless it came within an answer."""
    body = _load(body)
    outer = read_object(body[0] if isinstance(body, list) and body else body)
    error = outer.get("error") or outer
    inner = error if isinstance(error, dict) else {}
    codes = [str(holder[key]) for holder in (inner, outer) for key in CODES if isinstance(holder.get(key), str | int)]
    message = _read_message(error if outer else body)
    if raw := _read_upstream(inner):
        message = f"{message} ({raw})" if message else raw
    if status is None:
        status = next((int(code) for code in codes if re.fullmatch(r"[1-5]\d\d", code)), None)
        codes = [code for code in codes if not code.isdigit()]
    words = " ".join(read_strings(body))[:MOST]
    if outer:  # the names of fields say things, too
        words += " " + " ".join(str(key) for key in (*outer, *inner, *read_object(inner.get("metadata"))))
    wait = _read_headers(headers)
    wait = _read_wait(json.dumps(body, default=str)[:MOST]) if wait is None else wait
    return Refusal(status, " ".join(dict.fromkeys(codes)), message, words, wait)


def _load(body: Any) -> Any:
    """The JSON of a text, where it is some."""
    if isinstance(body, str) and body.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(body, strict=False)
        except (ValueError, RecursionError):
            return body
    return body


def _read_message(error: Any) -> str:
    """An error's own words, at whatever depth."""
    if isinstance(error, dict):
        inner = next((error[key] for key in MESSAGES if error.get(key)), None)
        return _read_message(inner) if isinstance(inner, dict) else " ".join(read_strings(inner))
    return " ".join(read_strings(error))


def _read_upstream(error: dict[str, Any]) -> str:
    """What OpenRouter passes on: the words of the provider behind it, or why an input was refused."""
    metadata = read_object(error.get("metadata"))
    raw = _load(metadata.get("raw"))
    return _read_message(read_object(raw).get("error") or raw) or ", ".join(read_strings(metadata.get("reasons")))


def _read_wait(text: str) -> float | None:
    """Seconds to wait, where a text says it."""
    found = WAIT.search(text)
    if not found:
        return None
    return sum(float(number) * UNITS[unit.lower()] for number, unit in DURATION.findall(found[1]))


def _read_headers(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, where the headers say it: in milliseconds, in seconds, or as a date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        return max(0.0, seconds) if isfinite(seconds) else None
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
