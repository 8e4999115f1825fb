"""What went wrong with a provider, told to the operator: which fault, in its own words without secrets, the mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import SecretStr

from bot.domain.errors import ModelError, ModelFault
from bot.domain.plain_text import strip_controls
from bot.models.protocols.refusals import PATH, Refusal, read_refusal
from bot.models.protocols.surrogates import join_halves

LONGEST = 300
"""Characters of a provider's own message that are passed on."""
MASK = "[masked]"
SECRETS = (
    re.compile(r"(?<=//)[^/@\s]+(?=@)"),
    re.compile(r"\S*\*{3,}\S*"),  # a key that is echoed with its middle starred out
    re.compile(r"\b(?:sk|pk|rk|gsk|xai|hf|sess)[-_][\w.-]{4,}", re.IGNORECASE),
    re.compile(r"(?:(?<=bearer )|(?<=key provided: )|(?<=api key: )|(?<=x-api-key: ))\S+", re.IGNORECASE),
)
REQUEST_IDS = ("x-request-id", "request-id", "x-amzn-requestid", "x-generation-id", "cf-ray")
"""The headers in which providers name a request, the best first: their support asks for it."""
ID = re.compile(r"[\w.:-]{1,100}")
OPAQUE = re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{32,}")

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

    `custom` says that the URL is not the provider's own, `request` which request it was, where the provider names it.
    Every error is free of secrets and says what mends it.
    """

    model: str
    section: str
    variable: str
    url: str
    key: SecretStr
    custom: bool = False
    request: str = ""

    def of(self, headers: Mapping[str, str]) -> Faults:
        """The same for one request, whose id the response has in its headers; every error names it."""
        ids = (headers.get(name, "") for name in REQUEST_IDS)
        return replace(self, request=next(filter(ID.fullmatch, ids), ""))

    def refused(self, status: int | None, body: Any, headers: Mapping[str, str] | None = None) -> ModelError:
        """The provider answered with an error; `body` is its JSON, or its text. No status: it came in an answer."""
        refusal = read_refusal(status, body, headers or {})
        fault = refusal.fault
        if refusal.status == 404 and self.custom and "model" not in refusal.words.lower():
            fault = ModelFault.REQUEST
        where = f"status {refusal.status}" if refusal.status else "an error within the answer"
        what = f"{where}: {self._clean(refusal.message or refusal.codes) or 'no reason given'}"
        return self.error(fault, what, self._mend_refusal(fault, refusal), refusal.wait)

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
        mend = mend or self._mend(fault)
        request = f" (request {self.request})" if self.request else ""
        return ModelError(fault, f"{self.model}: {what.rstrip('.')}{request}. {mend}".strip(), retry_after)

    def _mend_refusal(self, fault: ModelFault, refusal: Refusal) -> str:
        if fault is ModelFault.REQUEST and "temperature" in refusal.message:
            return "Take bot.temperature out of the settings: this model does not let it be set."
        if fault is ModelFault.QUOTA and "max_tokens" in refusal.message:
            return "Add credit to the account, or lower bot.max_tokens."
        if fault is ModelFault.REQUEST and PATH.search(refusal.words):
            return f"Is {self.url} the address that the server's manual gives?"
        return self._mend(fault)

    def _mend(self, fault: ModelFault) -> str:
        if fault is ModelFault.REQUEST and self.custom:
            return f"Is {self.url} the address that the server's manual gives? Then check bot.model and bot.max_tokens."
        if fault is ModelFault.KEY and self.section == "local":
            return f"The server wants a key: set OPENAI_API_KEY to it, and OPENAI_BASE_URL to {self.url}."
        return MENDS.get(fault, "").format(section=self.section, variable=self.variable)

    def _clean(self, text: str) -> str:
        """A foreign text on one line, not too long, with everything masked that looks like a key."""
        text = " ".join(strip_controls(join_halves(text[: 10 * LONGEST])).split())
        if key := self.key.get_secret_value():
            text = text.replace(key, MASK)
        for pattern in SECRETS:
            text = pattern.sub(MASK, text)
        text = OPAQUE.sub(lambda found: found[0] if found[0] in self.model else MASK, text)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
