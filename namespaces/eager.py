"""Coroutines that begin at once, and become a task only where they have to wait."""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any


def start(coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any] | None:
    """Run a coroutine up to its first wait; return the task that goes on, None if it is through.

    A task costs several microseconds and a turn of the event loop; most handlers never wait. Until
    the first wait there is no current task, so `asyncio.timeout` cannot be used there. What
    `coro` raises before it is raised here.
    """
    try:
        waited = coro.send(None)
    except StopIteration:
        return None
    return asyncio.create_task(_go_on(coro, waited))


async def _go_on(coro: Coroutine[Any, Any, Any], waited: Any) -> Any:
    return await _rest(coro, waited)


@coroutine
def _rest(coro: Coroutine[Any, Any, Any], waited: Any) -> Generator[Any, Any, Any]:
    """Be what is left of a coroutine that waits for ``waited``.

    A coroutine yields the futures that it waits for, to its task. The first came to `start`; it
    is yielded to the new task as if the coroutine had begun there.
    """
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
    """Coroutines that nobody waits for, kept until they are through."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, coro: Coroutine[Any, Any, Any]) -> None:
        """Begin one at once; what it raises is its own business, and logged by asyncio."""
        task = start(coro)
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until all are through."""
        while self._tasks:
            await asyncio.wait(self._tasks)
