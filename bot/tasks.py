"""Tasks that nobody awaits."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

log = structlog.get_logger(__name__)


def report(task: asyncio.Task[Any]) -> None:
    """Let no task end in silence: a callback for those that nobody awaits."""
    if not task.cancelled() and (error := task.exception()):
        log.error("a task broke", task=task.get_name(), exc_info=error)
