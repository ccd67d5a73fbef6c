"""The one door to background tasks."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger()
_running: set[asyncio.Task[object]] = set()


def spawn(coroutine: Coroutine[object, object, T], name: str) -> asyncio.Task[T]:
    """Run `coroutine` as a task that is referenced until it ends, and log its failure; needs a running loop."""
    task = asyncio.get_running_loop().create_task(coroutine, name=name)
    _running.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: "asyncio.Task[T]") -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("task failed", task=task.get_name(), exc_info=error)
