"""Coroutines begin at once, and go on in a task as if they had begun there."""

import asyncio
import contextvars
from collections.abc import Awaitable
from typing import Any

import pytest

from parley.namespaces.eager import Crew, start

_VARIABLE = contextvars.ContextVar("_VARIABLE", default="outside")


async def test_what_never_waits_is_through_at_once() -> None:
    """There is no task when a coroutine has nothing to wait for."""
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    task, result = start(work())
    assert task is None
    assert result is None
    assert done == [1]


async def test_what_is_raised_before_the_first_wait_is_raised_to_the_caller() -> None:
    """The caller hears of it when a coroutine fails before it waits."""

    async def work() -> None:
        raise LookupError("at once")

    with pytest.raises(LookupError, match="at once"):
        start(work())


async def test_what_waits_goes_on_in_a_task() -> None:
    """The part before the first wait has run, and the rest follows, when a coroutine waits."""
    steps: list[str] = []
    waits: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work() -> str:
        steps.append("before")
        steps.append(await waits)
        await asyncio.sleep(0)
        return "result"

    task, _ = start(work())
    assert task is not None
    assert steps == ["before"]
    waits.set_result("after")
    assert await task == "result"
    assert steps == ["before", "after"]


async def test_what_it_waits_for_may_fail() -> None:
    """The coroutine gets the exception of what it waits for, and may go on."""
    waits: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def work() -> str:
        try:
            await waits
        except OSError:
            await asyncio.sleep(0)
            return "caught"
        return "not caught"

    task, _ = start(work())
    assert task is not None
    waits.set_exception(OSError())
    assert await task == "caught"


@pytest.mark.parametrize("turns", [1, 2])
async def test_a_task_that_is_cancelled_cancels_its_coroutine(turns: int) -> None:
    """The coroutine sees CancelledError where it waits, however early the task is cancelled."""
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except BaseException as exc:
            seen.append(type(exc).__name__)
            raise

    task, _ = start(work())
    assert task is not None
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["CancelledError"]


async def _wait(waits: Awaitable[str]) -> str:
    return await waits


@pytest.mark.parametrize("others", ["eager", "tasks"])
async def test_several_may_wait_for_the_same(others: str) -> None:
    """Each gets the result when several coroutines wait for one future."""
    waits: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def begin() -> asyncio.Task[str] | None:
        return start(_wait(waits))[0]

    second = begin() if others == "eager" else asyncio.create_task(_wait(waits))
    tasks: list[Any] = [begin(), second, begin()]
    for task in tasks:
        assert task is not None
    await asyncio.sleep(0)
    waits.set_result("all")
    assert await asyncio.gather(*tasks) == ["all"] * 3


async def test_a_future_that_is_done_before_the_task_runs_is_no_trouble() -> None:
    """The result arrives when it was there before the task took its first step."""
    waits: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task, _ = start(_wait(waits))
    waits.set_result("early")
    assert task is not None
    assert await task == "early"


async def test_a_crew_waits_for_all_of_its_own() -> None:
    """A crew is settled when everything that was begun, by those that were, is through."""
    crew, done = Crew(), list[int]()

    async def work(depth: int) -> None:
        await asyncio.sleep(0)
        if depth:
            crew.start(work(depth - 1))
        done.append(depth)

    crew.start(work(3))
    await crew.settled()
    assert sorted(done) == [0, 1, 2, 3]
    await crew.settled()
