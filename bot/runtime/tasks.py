"""Tasks whose failures are logged, never lost, and work that is not left half done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

T = TypeVar("T")
log = structlog.get_logger(__name__)
_beside: set[asyncio.Task[Any]] = set()


def report(task: asyncio.Task[Any]) -> None:
    """Log the exception that a task ended with: a done callback for tasks whose result nobody awaits."""
    if not task.cancelled() and (error := task.exception()):
        log.error("a task broke", task=task.get_name(), exc_info=error)


async def complete(work: Coroutine[Any, Any, T]) -> T:
    """Await work to its end, also where the caller is cancelled meanwhile: the cancellation follows then."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


def run_beside(work: Coroutine[Any, Any, object]) -> None:
    """Run work that nobody waits for; it is kept until it has ended, and its failure is logged."""
    task = asyncio.create_task(work)
    _beside.add(task)
    task.add_done_callback(_beside.discard)
    task.add_done_callback(report)
