"""What went wrong with a provider, told to the operator: which fault, in its own words without secrets, the mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from pydantic import SecretStr

from bot.errors import ModelError, ModelFault

LONGEST = 300
"""Characters of a provider's own message that are passed on."""
MASK = "[masked]"
SECRETS = (
    re.compile(r"(?<=//)[^/@\s]+(?=@)"),
    re.compile(r"\S*\*{3,}\S*"),  # a key that is echoed with its middle starred out
    re.compile(r"\b(?:sk|pk|rk|gsk|xai|hf|sess)[-_][\w.-]{4,}", re.IGNORECASE),
    re.compile(r"(?:(?<=bearer )|(?<=key provided: )|(?<=api key: )|(?<=x-api-key: ))\S+", re.IGNORECASE),
)
OPAQUE = re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{32,}")

WORDS = (
    (ModelFault.REFUSED, r"\b(?:content_filter|content_policy_violation)\b"),
    (
        ModelFault.CONTEXT,
        r"context_length_exceeded|exceed_context_size|request_too_large|prompt is too long|request too large"
        r"|maximum context|context (?:length|window|size)|input is too long",
    ),
    (
        ModelFault.QUOTA,
        r"insufficient_quota|billing_\w|_billing|spend_limit|current quota|credit balance"
        r"|insufficient (?:credit|balance|funds)",
    ),
    (
        ModelFault.MODEL,
        r"model_not_found|not a valid model|(?:invalid|unknown|no such) model"
        r"|model\b[^.]{0,80}\b(?:not found|(?:does )?not exist)",
    ),
)
"""What the words of an error say, whatever its status: providers disagree about statuses."""
TYPES = (
    (ModelFault.OVERLOAD, r"overloaded|server_error|api_error|internal|unavailable"),
    (ModelFault.RATE, r"rate_limit"),
    (ModelFault.KEY, r"authentication|permission|api_key|unauthorized"),
    (ModelFault.MODEL, r"not_found"),
    (ModelFault.TIMEOUT, r"timeout"),
    (ModelFault.REQUEST, r"invalid_request"),
)
"""What the type of an error says that comes within an answer, without a status."""
STATUSES = {
    401: ModelFault.KEY,
    402: ModelFault.QUOTA,
    403: ModelFault.KEY,
    404: ModelFault.MODEL,
    408: ModelFault.TIMEOUT,
    413: ModelFault.CONTEXT,
    429: ModelFault.RATE,
}
MENDS = {
    ModelFault.KEY: "Set {variable} to a key that is valid and may use this model.",
    ModelFault.MODEL: "Set bot.model to a model that exists and that the key may use.",
    ModelFault.QUOTA: "Add credit to the account, or raise its limits.",
    ModelFault.RATE: "It passes; if it comes often, raise the limits of the account.",
    ModelFault.OVERLOAD: "It passes; the provider has too much to do.",
    ModelFault.TIMEOUT: "If the model needs longer, raise {section}.timeout.",
    ModelFault.CONTEXT: "Lower bot.history or bot.max_tokens, or take a model with a longer context.",
    ModelFault.REQUEST: "Check bot.model, bot.temperature and bot.max_tokens.",
}


@dataclass(frozen=True, slots=True)
class Faults:
    """Words the faults of one model. `section` is that of its settings, `variable` the one that holds its key.

    `custom` says that the URL is not the provider's own. Every error is free of secrets and says what mends it.
    """

    model: str
    section: str
    variable: str
    url: str
    key: SecretStr
    custom: bool = False

    def refused(self, status: int | None, body: Any, headers: Mapping[str, str] | None = None) -> ModelError:
        """The provider answered with an error; `body` is its JSON, or its text. No status: it came in an answer."""
        words, message = _said(body)
        if status is None and words.isdigit():
            status, words = int(words), ""
        fault = _classify(status, words, message)
        if status == 404 and self.custom and "model" not in f"{words} {message}".lower():
            fault = ModelFault.REQUEST
        where = f"status {status}" if status else "an error within the answer"
        what = f"{where}: {self._clean(message or words) or 'no reason given'}"
        return self.error(fault, what, self._mend(fault, message), _wait(headers or {}))

    def unreachable(self, why: str) -> ModelError:
        """No response came."""
        what = f"{self.url} cannot be reached: {self._clean(why)}"
        mend = "Does the server run, and is its address right?" if self.custom else "Check the network and its proxy."
        return self.error(ModelFault.NETWORK, what, mend)

    def late(self, seconds: float, begun: bool) -> ModelError:
        """Nothing came for too long."""
        what = "the answer stood still" if begun else "there was no answer"
        return self.error(ModelFault.TIMEOUT, f"{what} for {seconds:g} seconds")

    def broken(self, why: str) -> ModelError:
        """The answer broke off."""
        return self.error(ModelFault.CUT, self._clean(why))

    def error(self, fault: ModelFault, what: str, mend: str = "", retry_after: float | None = None) -> ModelError:
        """`what` without a full stop, and the mend: that of the fault if there is no better one."""
        mend = mend or self._mend(fault, "")
        return ModelError(fault, f"{self.model}: {what.rstrip('.')}. {mend}".strip(), retry_after)

    def _mend(self, fault: ModelFault, message: str) -> str:
        if fault is ModelFault.REQUEST and "temperature" in message:
            return "Take bot.temperature out of the settings: this model does not let it be set."
        if fault is ModelFault.REQUEST and self.custom:
            return f"Is {self.url} the address that the server's manual gives? Then check bot.model and bot.max_tokens."
        if fault is ModelFault.KEY and self.section == "local":
            return f"The server wants a key: set OPENAI_API_KEY to it, and OPENAI_BASE_URL to {self.url}."
        return MENDS.get(fault, "").format(section=self.section, variable=self.variable)

    def _clean(self, text: str) -> str:
        """A foreign text on one line, not too long, with everything masked that looks like a key."""
        text = " ".join(text[: 10 * LONGEST].split())
        if key := self.key.get_secret_value():
            text = text.replace(key, MASK)
        for pattern in SECRETS:
            text = pattern.sub(MASK, text)
        text = OPAQUE.sub(lambda found: found[0] if found[0] in self.model else MASK, text)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _said(body: Any) -> tuple[str, str]:
    """(type and codes, message) of an error's body, in any of the shapes that servers give it."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return "", str(error or "")
    details = error.get("details")
    codes = [error.get("type"), error.get("code"), details.get("error_code") if isinstance(details, dict) else None]
    message = error.get("message") or error.get("detail") or error.get("error") or ""
    return " ".join(str(code) for code in codes if code), str(message)


def _classify(status: int | None, words: str, message: str) -> ModelFault:
    passing = (status or 0) >= 500
    for fault, pattern in WORDS:
        if re.search(pattern, f"{words} {message}", re.IGNORECASE) and not (passing and fault is ModelFault.MODEL):
            return fault
    if status is None:
        return next((fault for fault, pattern in TYPES if re.search(pattern, words, re.IGNORECASE)), ModelFault.CUT)
    return STATUSES.get(status, ModelFault.OVERLOAD if passing else ModelFault.REQUEST)


def _wait(headers: Mapping[str, str]) -> float | None:
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
