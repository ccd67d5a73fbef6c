"""Background tasks."""

import asyncio
import gc

import pytest
import structlog

from srs.tasks import spawn


def test_a_task_is_kept_and_gives_its_result():
    async def work():
        await asyncio.sleep(0.01)
        return 7

    async def script():
        task = spawn(work(), "work")
        gc.collect()
        assert task.get_name() == "work"
        assert await task == 7

    asyncio.run(script())


def test_a_failure_is_logged_with_the_name():
    async def work():
        raise ValueError("broken")

    async def script():
        task = spawn(work(), "work")
        with pytest.raises(ValueError, match="broken"):
            await task

    with structlog.testing.capture_logs() as logs:
        asyncio.run(script())
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task failed", "work")]


def test_a_cancelled_task_is_no_failure():
    async def script():
        task = spawn(asyncio.sleep(10), "sleep")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with structlog.testing.capture_logs() as logs:
        asyncio.run(script())
    assert logs == []
