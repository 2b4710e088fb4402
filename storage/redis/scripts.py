"""Lua scripts, sent whole only where Redis does not know them."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from importlib import resources
from typing import Any, TypeVar

from redis.exceptions import NoScriptError

from parley.storage.redis.database import ANSWER_S, RedisDatabase, translated

R = TypeVar("R")

_FOLDER = "parley.storage.redis"

Call = tuple[Sequence[str], Sequence[str | bytes]]
"""The keys of one call of a script, and its arguments."""


class Script:
    """A file of this folder, run by Redis in one step."""

    def __init__(self, name: str) -> None:
        """Read the script ``name``."""
        self._text = resources.files(_FOLDER).joinpath(name).read_bytes()
        self._sha = hashlib.sha1(self._text, usedforsecurity=False).hexdigest()

    async def run(self, database: RedisDatabase, call: Call) -> Any:
        """Return what it answers.

        Raises:
            StorageUnavailable: It may have been done, or not.
        """
        [answer] = await self.run_each(database, [call])
        return answer

    async def run_each(self, database: RedisDatabase, calls: Sequence[Call]) -> list[Any]:
        """Return what it answers to each of some calls, which go in one go.

        Raises:
            StorageUnavailable: Some may have been done, or none.
        """
        answers = dict[int, Any]()
        waiting = list(range(len(calls)))
        with translated():
            while waiting:
                some = await self._send(database, [calls[i] for i in waiting], "EVALSHA", self._sha)
                answers.update(zip(waiting, some, strict=True))
                waiting = [i for i in waiting if isinstance(answers[i], NoScriptError)]
                if waiting:
                    # Redis keeps scripts until it restarts; on a cluster each node has its own.
                    # One call brings it there, the others follow: it is longer than what they say.
                    first = waiting.pop(0)
                    [answers[first]] = await self._send(
                        database, [calls[first]], "EVAL", self._text
                    )
            for answer in answers.values():
                if isinstance(answer, Exception):
                    raise answer
        return [answers[i] for i in range(len(calls))]

    @staticmethod
    async def _send(
        database: RedisDatabase, calls: Sequence[Call], command: str, script: str | bytes
    ) -> list[Any]:
        pipeline = pipeline_of(database)
        for keys, arguments in calls:
            pipeline.execute_command(command, script, len(keys), *keys, *arguments)
        return list(await in_time(partial(pipeline.execute, raise_on_error=False)))


def pipeline_of(database: RedisDatabase) -> Any:
    """Return what collects commands that go in one go; each is done or not."""
    commands: Any = database.commands
    return commands.pipeline(transaction=False)


async def answers(pipeline: Any) -> list[Any]:
    """Return what each command of a pipeline answers.

    Raises:
        StorageUnavailable: Some may have been done, or none.
    """
    if not len(pipeline):
        return []
    with translated():
        return list(await in_time(pipeline.execute))


async def clock(database: RedisDatabase) -> int:
    """Return the time of Redis, in microseconds."""
    with translated():
        commands: Any = database.commands
        seconds, microseconds = await in_time(commands.time)
    return int(seconds) * 1_000_000 + int(microseconds)


async def in_time(call: Callable[[], Awaitable[R]]) -> R:
    """Return what a call returns, or raise `TimeoutError`.

    In a task of its own: a handler may begin without one (`namespaces.eager`), and the driver
    wants one for its deadlines. And the driver may swallow it that it was cancelled; who is
    cancelled here, or is out of time, waits for it no longer.
    """
    task = asyncio.ensure_future(call())
    try:
        # A connection and its answer count together.
        await asyncio.wait([task], timeout=ANSWER_S)
        if not task.done():
            raise TimeoutError(f"no answer within {ANSWER_S} s")
        return task.result()
    finally:
        if not task.done():
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            task.cancel()
