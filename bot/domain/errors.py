"""What can go wrong, as a tree.

ParleyError
├── SettingsError   the operator's settings cannot be used; says which key or file, and what to do
├── StorageError    the memory cannot be read or written
├── ModelError      no answer, or not a whole one; `fault` says why
└── PlatformError   a chat platform refused a call; `fault` says why
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.domain.model_info import Bill


class ParleyError(Exception):
    """Anything that Parley itself raises."""


class SettingsError(ParleyError):
    """The settings cannot be used: one sentence that names the key or file and what to do. Never retried."""


class StorageError(ParleyError):
    """The memory cannot be read or written: one sentence for the operator."""


class ModelFault(StrEnum):
    """Why a model did not answer."""

    UNSET = "unset"
    KEY = "key"
    MODEL = "model"
    QUOTA = "quota"
    RATE = "rate"
    OVERLOAD = "overload"
    TIMEOUT = "timeout"
    NETWORK = "network"
    CONTEXT = "context"
    REQUEST = "request"
    REFUSED = "refused"
    CUT = "cut"
    EMPTY = "empty"
    LENGTH = "length"


class ModelError(ParleyError):
    """A model gave no answer, or broke off.

    `str(error)` is for the log and the operator, free of secrets. `retry_after` is in seconds, where the provider
    said it; `model` is the name of the one that failed, where several were asked; `bill` is what the attempt may cost,
    None where the provider asks nothing for it.
    """

    def __init__(self, fault: ModelFault, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.fault = fault
        self.retry_after = retry_after
        self.model = ""
        self.bill: Bill | None = None


class PlatformFault(StrEnum):
    """Why a platform refused a post or an edit."""

    RATE = "rate"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    REJECTED = "rejected"
    MODERATED = "moderated"
    NETWORK = "network"


class PlatformError(ParleyError):
    """A chat platform refused a call.

    RATE: try again after `retry_after` seconds. NETWORK: try again, it may or may not have happened. GONE: the
    message or channel is no more. FORBIDDEN: the bot may not. REJECTED: it does not take a message of this form, or no
    further edit of it. MODERATED: it does not let these words stand, in whatever form.
    """

    def __init__(self, fault: PlatformFault, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.fault = fault
        self.retry_after = retry_after
