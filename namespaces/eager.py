"""Coroutines that begin at once, and become a task only where they have to wait."""

import asyncio
import logging
import sys
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


def start(coro: Coroutine[Any, Any, T]) -> tuple[asyncio.Task[T], None] | tuple[None, T]:
    """Run a coroutine up to its first wait; return the task that goes on, or what it returned.

    A task costs several microseconds and a turn of the event loop; most handlers never wait. On
    Python 3.11 there is no current task until the first wait, so `asyncio.timeout` cannot be used
    there, and a task that is cancelled in the turn in which it was made does not tell its
    coroutine. What ``coro`` raises before its first wait is raised here.
    """
    if sys.version_info >= (3, 12):
        # Python does the same by itself since, with a current task.
        loop = asyncio.get_running_loop()
        eager: asyncio.Task[T] = asyncio.Task(coro, loop=loop, eager_start=True)
        return (None, eager.result()) if eager.done() else (eager, None)
    try:
        waited = coro.send(None)
    except StopIteration as through:
        return None, through.value
    if waited is not None:
        # A future notes that it was yielded, for the task that takes it from there. Others may
        # come to wait for the same one before this one's task has begun.
        waited._asyncio_future_blocking = False  # noqa: SLF001 (asyncio's name for all futures)
    return asyncio.create_task(_go_on(coro, waited)), None


async def _go_on(coro: Coroutine[Any, Any, Any], waited: Any) -> Any:
    return await _rest(coro, waited)


@coroutine
def _rest(coro: Coroutine[Any, Any, Any], waited: Any) -> Generator[Any, Any, Any]:
    """Be what is left of a coroutine that waits for ``waited``.

    A coroutine yields the futures that it waits for, to its task. The first came to `start`; it
    is yielded to the new task as if the coroutine had begun there.
    """
    if waited is not None:
        waited._asyncio_future_blocking = True  # noqa: SLF001
    while True:
        try:
            sent = yield waited
        except GeneratorExit:
            coro.close()
            raise
        except BaseException as exc:
            step: Any = (coro.throw, exc)
        else:
            step = (coro.send, sent)
        try:
            waited = step[0](step[1])
        except StopIteration as done:
            return done.value


class Crew:
    """Coroutines that nobody waits for, kept until they are through. What one raises is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, coro: Coroutine[Any, Any, Any]) -> None:
        """Begin one at once."""
        try:
            task, _ = start(coro)
        except Exception:
            logger.exception("%s failed", coro)
            return
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._through)

    async def settled(self) -> None:
        """Wait until all are through."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _through(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            logger.error("%s failed", task.get_name(), exc_info=failure)
