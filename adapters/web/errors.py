"""How an answer's ending is told over HTTP (pure)."""

from __future__ import annotations

from bot.domain.errors import ModelFault
from bot.domain.messages import State
from bot.domain.records import Answer
from bot.texts import BROKEN, ENDINGS, FAULTS

STATUSES = {
    ModelFault.TIMEOUT: 504,
    ModelFault.UNSET: 503,
    ModelFault.QUOTA: 503,
    ModelFault.RATE: 503,
    ModelFault.OVERLOAD: 503,
    ModelFault.NETWORK: 503,
    "storage": 503,
    "full": 503,
    "limit": 429,
    "bug": 500,
}
"""What is worth a later try is 503 or 504; every other failure of the model is a 502."""
WORDLESS = {State.INTERRUPTED: 503, State.STOPPED: 409}


def failure(answer: Answer | None) -> tuple[int, str] | None:
    """The status and the sentence for an answer that is none; None where its text, whole or not, is the answer."""
    if answer is None:
        return 500, BROKEN
    if answer.state is State.FAILED:
        return STATUSES.get(answer.fault, 502), answer.note
    if answer.text.strip():
        return None
    return WORDLESS.get(answer.state, 502), answer.note or ENDINGS.get(answer.state) or FAULTS[ModelFault.EMPTY]


def ending(answer: Answer | None) -> dict[str, str]:
    """How an answer ended: its state, and a sentence where it is not all that it could be."""
    return {"state": answer.state.value, "note": answer.note} if answer else {}
