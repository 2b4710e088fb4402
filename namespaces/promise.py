"""What a result that is on its way leads to, without a task that waits for it."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


class Promise(Generic[T]):
    """A future's result, and steps that turn it into what is wanted.

    A coroutine that waits for a future costs a task and two turns of the event loop; of ten
    thousand messages a second each has one. The steps run when somebody asks for the result, once
    for each who asks; what a step raises is the result's exception.
    """

    __slots__ = ("_steps", "future")

    def __init__(self, future: "asyncio.Future[Any]", *steps: Callable[[Any], Any]) -> None:
        self.future = future
        self._steps = steps

    def then(self, step: Callable[[T], U]) -> "Promise[U]":
        """Return the promise of what ``step`` makes of the result."""
        return Promise(self.future, *self._steps, step)

    def result(self) -> T:
        """Return the result; the future is done."""
        value: Any = self.future.result()
        for step in self._steps:
            value = step(value)
        return value  # type: ignore[no-any-return]

    def __await__(self) -> Generator[Any, None, T]:
        """Wait for it."""
        yield from self.future.__await__()
        return self.result()
