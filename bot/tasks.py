"""Background tasks whose failures are logged, never lost."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

log = structlog.get_logger(__name__)


def report(task: asyncio.Task[Any]) -> None:
    """Log the exception that a task ended with: a done callback for tasks whose result nobody awaits."""
    if not task.cancelled() and (error := task.exception()):
        log.error("a task broke", task=task.get_name(), exc_info=error)
