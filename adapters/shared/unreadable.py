"""Events that cannot be read: told to the operator by their kind, without a word of what people wrote."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import structlog

UNREADABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What reading an object of another shape than its documentation says can raise."""

log = structlog.get_logger(__name__)


def log_skipped(platform: str, kind: Any, error: BaseException) -> None:
    """Log that an event is skipped: its kind, the error's class and where it arose, never the error's own words."""
    log.error("an event is skipped", platform=platform, kind=str(kind)[:100], error=type(error).__name__, at=_at(error))


def _at(error: BaseException) -> str:
    """The file and line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
