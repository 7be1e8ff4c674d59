"""Does every task end for the thread that waits, however the loop ends it?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from core.gateway.errors import ClosedError
from core.gateway.runtime import Runtime


async def _nothing() -> None:
    return


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    one = Runtime(_nothing)
    yield one
    one.close()


async def _answer() -> int:
    return 42


async def _fail() -> int:
    raise KeyError("x")


async def _sleep() -> int:
    await asyncio.sleep(30)
    return 1


def test_a_result_comes_back(runtime: Runtime) -> None:
    assert runtime.run(_answer(), 5) == 42


def test_an_error_comes_back_without_frames_of_the_loop(runtime: Runtime) -> None:
    with pytest.raises(KeyError) as caught:
        runtime.run(_fail(), 5)
    assert all(entry.name != "_run" for entry in caught.traceback)


def test_a_task_that_is_cancelled_at_once_ends_at_once(runtime: Runtime) -> None:
    for _ in range(50):
        task = runtime.submit(_sleep())
        task.cancel()
        assert task.wait(5)
        assert isinstance(task.error, ClosedError)


def test_a_task_cancelled_before_its_first_step_ends(runtime: Runtime) -> None:
    async def both() -> bool:
        from core.gateway.runtime import Task

        task = Task(asyncio.get_running_loop(), _sleep())
        task.start()
        assert task._task is not None
        task._task.cancel()
        await asyncio.sleep(0.01)
        return isinstance(task.error, ClosedError) and task.wait(0)

    assert runtime.run(both(), 5)


def test_close_ends_what_runs(runtime: Runtime) -> None:
    task = runtime.submit(_sleep())
    runtime.close()
    assert task.wait(5)
    assert isinstance(task.error, ClosedError)
    with pytest.raises(ClosedError):
        runtime.run(_answer(), 5)
