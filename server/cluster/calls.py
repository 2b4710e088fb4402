"""What one node asks of all others: to do something to their sockets, and to say what it was."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from parley.storage.errors import StorageUnavailable
from parley.storage.expiring import Bus, NodeRegistry

logger = logging.getLogger(__name__)

ALL = "nodes"
"""The channel that all nodes listen to; answers come on one of the asker's own."""

ANSWER_S = 1.0  # for all answers together

Do = Callable[[Mapping[str, Any]], Awaitable[Any]]
"""Does on this node what is asked for, and returns what is answered; both are JSON."""

Check = Callable[[Any], bool]
"""Whether a node can have said this: anybody who can write to the bus may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What can be asked for under one name."""

    do: Do
    asked: Check
    answered: Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What other nodes answered, and whether all did."""

    found: Sequence[Any]
    complete: bool


class NodeCalls:
    """Calls that go over the bus, so at most once: who does not answer in time is left out."""

    def __init__(self, *, server_id: str, nodes: NodeRegistry, bus: Bus) -> None:
        self._server_id = server_id
        self._nodes = nodes
        self._bus = bus
        self._kinds: dict[str, Kind] = {}
        # Where answers go, by the id of the question, and which are taken.
        self._asked: dict[str, tuple[Check, asyncio.Queue[Any]]] = {}
        self._work = set[asyncio.Task[None]]()

    def answers(self, name: str, do: Do, *, asked: Check, answered: Check) -> None:
        """Do this where another node asks for ``name``; what no node can have said is dropped."""
        self._kinds[name] = Kind(do=do, asked=asked, answered=answered)

    async def ask(self, name: str, **said: Any) -> Answers:
        """Let every other node do something; return what they answer."""
        question = secrets.token_hex(8)
        answered = asyncio.Queue[Any]()
        self._asked[question] = (self._kinds[name].answered, answered)
        asked = {"id": question, "from": self._server_id, "name": name, "said": said}
        try:
            self._bus.publish(ALL, orjson.dumps(asked))
            found, complete = list[Any](), False
            with contextlib.suppress(TimeoutError, StorageUnavailable):
                async with asyncio.timeout(ANSWER_S):
                    for _ in await self._nodes.others():
                        found.append(await answered.get())
                    complete = True
            return Answers(found=found, complete=complete)
        finally:
            del self._asked[question]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Hear what others ask and answer meanwhile."""
        subscriptions = [
            await self._bus.subscribe(ALL, self._hear),
            await self._bus.subscribe(_of(self._server_id), self._hear_answer),
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

    async def _hear(self, payload: bytes) -> None:
        match _read(payload):
            case {"id": str(), "from": str(asker), "name": str(name), "said": said} as asked:
                kind = self._kinds.get(name)
                if asker == self._server_id or kind is None or not kind.asked(said):
                    return
            case _:
                return  # no node has asked that
        # Beside it: a listener must not block, and a socket may take its time to close.
        task = asyncio.create_task(self._answer(asked))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _answer(self, asked: Mapping[str, Any]) -> None:
        try:
            answer = await self._kinds[asked["name"]].do(asked["said"])
        except Exception:
            logger.exception("what another node asks for failed: %s", asked["name"])
            return
        answered = orjson.dumps({"id": asked["id"], "answer": answer})
        self._bus.publish(_of(asked["from"]), answered)

    async def _hear_answer(self, payload: bytes) -> None:
        match _read(payload):
            case {"id": str(id), "answer": answer} if id in self._asked:
                can_be, answered = self._asked[id]
                if can_be(answer):
                    answered.put_nowait(answer)
            case _:
                pass  # it comes too late, or from nobody


def _read(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None


def _of(server_id: str) -> str:
    return f"node:{server_id}"
