"""What one node asks of others: to do something to their sockets, or to write, and what came of it.

All of it is under the nodes' seal: whoever can only write to the bus cannot have sockets closed.
Who can listen there as well can have said once more what a node has said.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from parley.namespaces.seal import Seal
from parley.storage.errors import StorageUnavailable
from parley.storage.expiring import Bus, NodeRegistry

logger = logging.getLogger(__name__)

ALL = "nodes"
"""The channel that all nodes listen to; each has one of its own as well."""

ANSWER_S = 1.0  # for all answers together

Do = Callable[[Mapping[str, Any]], Awaitable[Any]]
"""Does on this node what is asked for, and returns what is answered; both are JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What other nodes answered, and whether all did."""

    found: Sequence[Any]
    complete: bool


class NodeCalls:
    """Calls that go over the bus, so at most once: who does not answer in time is left out."""

    def __init__(self, *, server_id: str, nodes: NodeRegistry, bus: Bus, seal: Seal) -> None:
        self._server_id = server_id
        self._nodes = nodes
        self._bus = bus
        self._seal = seal
        self._does: dict[str, Do] = {}
        self._asked: dict[str, asyncio.Queue[Any]] = {}  # for answers, by the id of the question
        self._work = set[asyncio.Task[None]]()

    def answers(self, name: str, do: Do) -> None:
        """Do this where another node asks for ``name``."""
        self._does[name] = do

    async def ask(self, name: str, **said: Any) -> Answers:
        """Let every other node do something; return what they answer."""
        found, complete = list[Any](), False
        gone = contextlib.suppress(TimeoutError, StorageUnavailable)
        with self._asking(ALL, name, said) as answered, gone:
            async with asyncio.timeout(ANSWER_S):
                for _ in await self._nodes.others():
                    found.append(await answered.get())
                complete = True
        return Answers(found=found, complete=complete)

    async def ask_one(self, server_id: str, name: str, *, within_s: float, **said: Any) -> Any:
        """Let one other node do something and return its answer; None: it gave none in time."""
        late = contextlib.suppress(TimeoutError)
        with self._asking(_of(server_id), name, said) as answered, late:
            async with asyncio.timeout(within_s):
                return await answered.get()
        return None

    @contextlib.contextmanager
    def _asking(
        self, channel: str, name: str, said: Mapping[str, Any]
    ) -> Iterator[asyncio.Queue[Any]]:
        question = secrets.token_hex(8)
        self._asked[question] = answered = asyncio.Queue[Any]()
        asked = {"id": question, "from": self._server_id, "name": name, "said": said}
        try:
            self._say(channel, asked)
            yield answered
        finally:
            del self._asked[question]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Hear what others ask and answer meanwhile."""
        subscriptions = [
            await self._bus.subscribe(channel, partial(self._hear, channel))
            for channel in (ALL, _of(self._server_id))
        ]
        try:
            yield
        finally:
            for subscription in subscriptions:
                await subscription.cancel()
            for task in self._work:
                task.cancel()
            if self._work:
                await asyncio.wait(self._work)

    async def _hear(self, channel: str, payload: bytes) -> None:
        text = self._seal.open(channel.encode(), payload)
        if text is None:
            return  # no node has said that
        heard = orjson.loads(text)
        if "answer" in heard:
            answered = self._asked.get(heard["id"])
            if answered is not None:  # or it comes too late
                answered.put_nowait(heard["answer"])
        elif heard["from"] != self._server_id:
            # Beside it: a listener must not block, and a socket may take its time to close.
            task = asyncio.create_task(self._answer(heard))
            self._work.add(task)
            task.add_done_callback(self._work.discard)

    async def _answer(self, asked: Mapping[str, Any]) -> None:
        do = self._does.get(asked["name"])
        if do is None:
            return  # a node of a newer release asks
        try:
            answer = await do(asked["said"])
        except Exception:
            logger.exception("what another node asks for failed: %s", asked["name"])
            return
        self._say(_of(asked["from"]), {"id": asked["id"], "answer": answer})

    def _say(self, channel: str, message: Mapping[str, Any]) -> None:
        self._bus.publish(channel, self._seal.seal(channel.encode(), orjson.dumps(message)))


def _of(server_id: str) -> str:
    return f"node:{server_id}"
