"""One node writes into a room where several would be in one another's way: they ask it to.

Rules of this file (docs/design.md, "Writing"):
- Who wrote the newest row goes on: it knows the head before all others. It is asked while that is
  a moment ago; nobody else has to agree.
- This is about speed, never about truth. Every node may write at any time, and storage decides who
  was first. What is asked for may be lost, late, or done twice.
- Who asks believes its own feed: a message is stored when it was shown here. One that was not, in
  time, it writes itself under the same ids, so it is there once.
- Who is asked checks rights again, for it knows the position, and never asks on. What it cannot
  store in time, and all that was said after it, goes back to who asked: so order is kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from parley.namespaces.chat.feed import NOBODY, RoomFeed
from parley.storage.models import (
    ClientId,
    Draft,
    MessageId,
    MessageType,
    RoomId,
    RowKind,
    Timestamp,
    UserId,
)

STORE = "store"  # what it is called among nodes
ANSWER_S = 2.0  # a client waits five times as long
SILENT_S = 5.0  # in which a node is not asked that did not answer
HEARD_S = 2.0  # since a node wrote into a room, in which it is likely to be in another's way
MOST_BYTES = 32_768  # of the messages in one question


class Calls(Protocol):
    """What nodes ask of one another."""

    def answers(self, name: str, do: Callable[[Mapping[str, Any]], Awaitable[Any]]) -> None:
        """Do this where another node asks for ``name``, and answer what it returns."""
        ...

    async def ask_one(self, server_id: str, name: str, *, within_s: float, **said: Any) -> Any:
        """Have one other node do something and return its answer; None: it gave none in time."""
        ...


class Relay:
    """Has other nodes write, and knows which of them did not answer."""

    def __init__(self, calls: Calls) -> None:
        """Ask by ``calls``."""
        self._calls = calls
        self._silent_until: dict[str, float] = {}  # by the event loop's clock

    def writer(self, feed: RoomFeed) -> str | None:
        """Return which other node is writing into a room; None: this one may as well do it."""
        now = asyncio.get_running_loop().time()
        server_id, heard_at = feed.writer
        is_recent = now - heard_at < HEARD_S
        is_silent = now < self._silent_until.get(server_id, 0.0)
        return server_id if is_recent and not is_silent else None

    async def store(
        self, server_id: str, feed: RoomFeed, drafts: Sequence[Draft]
    ) -> tuple[int, Mapping[MessageId, int]]:
        """Ask a node to store messages; return the positions of those that were shown here since.

        Those that are not among them may be stored all the same. Before them comes the position up
        to which that node says that it has stored and told of them, 0 for none.

        Raises:
            StorageUnavailable: So may all of them.
        """
        # One lane asks for one batch at a time, so nobody else expects anything.
        feed.expected = dict.fromkeys(draft.message_id for draft in drafts)
        try:
            last = await self._calls.ask_one(
                server_id,
                STORE,
                within_s=ANSWER_S,
                room_id=feed.room.id,
                drafts=[_packed(draft) for draft in drafts],
            )
            await self._settle(server_id, feed, last)
        finally:
            expected, feed.expected = feed.expected, {}
        return last or 0, {id: seq for id, seq in expected.items() if seq is not None}

    async def _settle(self, server_id: str, feed: RoomFeed, last: int | None) -> None:
        if last is None:
            self._silent_until[server_id] = asyncio.get_running_loop().time() + SILENT_S
        elif last:
            await feed.reach(last)  # mostly it is here: told before it was answered
        else:
            # It follows the room no more, or may store none of them.
            feed.writer = NOBODY


def part_of(drafts: Sequence[Draft]) -> Sequence[Draft]:
    """Return the first of some rows, as many as another node may be asked to store at once."""
    size, count = 0, 0
    for draft in drafts:
        size += len(orjson.dumps(_packed(draft)))
        if not draft.is_spoken or size > MOST_BYTES:
            break
        count += 1
    return drafts[:count]


def drafts_in(said: Mapping[str, Any]) -> tuple[RoomId, Sequence[Draft]]:
    """Return what another node asks to have stored, and where."""
    return RoomId(said["room_id"]), [_unpacked(fields) for fields in said["drafts"]]


def _packed(draft: Draft) -> list[Any]:
    return [
        draft.id,
        draft.sender,
        draft.client_id,
        draft.digest.hex(),
        draft.created_at,
        draft.type,
        draft.to,
        draft.content,
        draft.metadata,
    ]


def _unpacked(fields: list[Any]) -> Draft:
    return Draft(
        id=fields[0],
        kind=RowKind.CREATE,
        message_id=MessageId(fields[0]),
        sender=UserId(fields[1]),
        client_id=ClientId(fields[2]),
        digest=bytes.fromhex(fields[3]),
        created_at=Timestamp(fields[4]),
        type=MessageType(fields[5]),
        to=None if fields[6] is None else UserId(fields[6]),
        content=fields[7],
        metadata=fields[8],
    )
