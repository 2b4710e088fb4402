"""Where a room's writes wait their turn: positions, group commit, rights at the position.

Rules of this file (docs/design.md, "Writing"):
- One batch of a room is under way at a time; what comes meanwhile is the next batch.
- A write is checked against the room as of the position before it, right before the batch
  leaves. After a conflict the missed rows are applied and the check is made again, so nothing
  said after a kick is stored.
- A row that changes the room goes alone: if it turns out to be a duplicate, no row was checked
  against a change that did not happen.
- A write that may not be stored now may be one that was stored before: a retry gets its first
  outcome whatever happened to its author since.
- Outcome unknown → the same rows again, until the deadline; then everyone waiting is told
  `unavailable`, in one go, so that order holds among what is acked.
- Where other nodes write into the room as well, one of them does it for all (`relay`).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import takewhile

from parley.namespaces.chat.feed import NOBODY, RoomFeed
from parley.namespaces.chat.relay import Relay, part_of
from parley.namespaces.chat.write_queue import Check, Write, WriteQueue, as_told
from parley.namespaces.errors import Unavailable
from parley.storage import fold
from parley.storage.base import MessageRepository
from parley.storage.errors import (
    EpochChanged,
    OutcomeUnknown,
    PositionTaken,
    StorageUnavailable,
)
from parley.storage.models import Draft, Message, Outcome, Stored

logger = logging.getLogger(__name__)

DEADLINE_S = 5.0  # from the batch's first try; a client's own time-out is longer
PAUSE_S = 0.05  # between tries whose outcome is unknown
CONTENDED_S = 1.0  # since another node wrote into the room, until this is alone again
GIVE_WAY_S = 0.1  # at most


class Lane:
    """The writes of one room on this node."""

    def __init__(
        self,
        feed: RoomFeed,
        *,
        messages: MessageRepository,
        stored: Callable[[RoomFeed, int, Sequence[Message]], None],
        relay: Relay | None = None,
    ) -> None:
        """Write into ``feed``'s room.

        Args:
            stored: Told of rows that are stored and acknowledged, and where they end; behind a
                gap they are shown later.
            relay: To have another node write; None: there is no other.
        """
        self._feed = feed
        self._messages = messages
        self._stored = stored
        self._relay = relay
        self._waiting = WriteQueue()
        # What wants no batch beside it, and who waits for that.
        self._jobs: deque[tuple[Callable[[], Awaitable[None]], asyncio.Future[None]]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._written: int | None = None  # the head that this lane has made
        self._contended_until = 0.0  # by the event loop's clock, as the next
        self._ready_at = 0.0
        self.is_asking = False  # another node, which is not to wait for this one meanwhile

    def append(self, draft: Draft, check: Check, *, here: bool = False) -> asyncio.Future[Outcome]:
        """Queue one row; its place among this room's rows from here is fixed when this returns.

        The future raises what ``check`` raises, or `Unavailable`.

        Args:
            here: This node is to write it, and to ask no other one.
        """
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(Write(draft, check, outcome, here))
        self._begin()
        return outcome

    async def alone(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run ``job`` before the next batch: nothing is written by this node meanwhile."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._jobs.append((job, done))
        self._begin()
        await done

    def _begin(self) -> None:
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    @property
    def idle(self) -> bool:
        """Whether nothing waits or is being written."""
        return self._worker is None

    async def settled(self) -> None:
        """Wait until everything queued so far and after is written or has failed."""
        while self._worker is not None:
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        try:
            while self._waiting or self._jobs:
                if self._jobs:
                    await _run(*self._jobs.popleft())
                    continue
                try:
                    await self._give_way()
                    written = [] if await self._relayed() else await self._write()
                except EpochChanged:
                    self._feed.drop()
                    self.refuse(Unavailable())
                except StorageUnavailable as exc:
                    logger.warning("room %s: writes were refused: %s", self._feed.room.id, exc)
                    self.refuse(Unavailable())
                except Exception as exc:
                    self._waiting.narrow(exc)
                else:
                    await self._show(written)
        except BaseException:
            # It is cancelled, or something ended that nobody thought of: nobody shall wait on.
            self.refuse(Unavailable())
            raise
        finally:
            self._worker = None

    async def _give_way(self) -> None:
        """Let nodes go first that were too late for the last batch.

        Who has written knows the head before all others, and would be first again and again.
        """
        now = asyncio.get_running_loop().time()
        if self._written not in (None, self._feed.head):
            self._contended_until = now + CONTENDED_S
        if now < min(self._ready_at, self._contended_until):
            await asyncio.sleep(self._ready_at - now)

    async def _relayed(self) -> bool:
        """Have another node store what may go next; return whether it has stored all of that.

        What it has not is still first in the queue. One that is gone is not asked twice: `Relay`.
        """
        writer = None if self._relay is None else self._relay.writer(self._feed)
        if self._relay is None or writer is None or self._feed.dropped:
            return False
        batch = await self._allowed()
        drafts = part_of([write.draft for write in batch])
        if not drafts or any(write.here for write in batch):
            return False
        self.is_asking = True
        try:
            last, shown = await self._relay.store(writer, self._feed, drafts)
        finally:
            self.is_asking = False
        room_id = self._feed.room.id
        stored = list(takewhile(lambda draft: draft.message_id in shown, drafts))
        messages = [fold.created(room_id, draft, shown[draft.message_id]) for draft in stored]
        self._waiting.answer([Stored(message=message) for message in messages])
        # Whoever was asked tells of what it knows to be stored. Of the rest, nobody else may.
        for message in messages:
            if message.rev > last:
                self._stored(self._feed, message.rev, [message])
        return len(stored) == len(drafts)

    async def _write(self) -> Sequence[Outcome]:
        """Store one batch, however many tries it takes, and answer its writers."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DEADLINE_S
        while batch := await self._allowed():
            if self._feed.dropped:
                raise StorageUnavailable("the room's log was started anew")
            began = loop.time()
            try:
                outcomes = await self._messages.append(
                    self._feed.room.id,
                    epoch=self._feed.room.epoch,
                    after=self._feed.head,
                    drafts=[write.draft for write in batch],
                )
            except PositionTaken as taken:
                # Somebody was faster, or this feed missed rows: apply them, check again. Mostly
                # they are here by now, for whoever wrote them has told.
                await self._feed.reach(taken.head)
                self._contended_until = loop.time() + CONTENDED_S
                if loop.time() > deadline:
                    raise StorageUnavailable("other nodes are always faster") from taken
                if await self._relayed():
                    return []
            except OutcomeUnknown:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(PAUSE_S)
            else:
                # As long as that took, another one takes to hear of it and to write.
                self._ready_at = loop.time() + min(loop.time() - began, GIVE_WAY_S)
                outcomes = [as_told(w.draft, o) for w, o in zip(batch, outcomes, strict=True)]
                self._waiting.answer(outcomes)
                return outcomes
        return []

    async def _allowed(self) -> Sequence[Write]:
        """Return the writes that may go next, still first in the queue."""
        head = -1
        while True:
            batch, refused = self._waiting.batch(self._feed)
            if not refused:
                return batch
            if head != self._feed.head:
                # What refuses them may be over, by a row of another node that is not here yet.
                await self._feed.catch_up()
                head = self._feed.head
                continue
            # Members may change while this reads, so the others are checked again after it.
            for write, reason in refused:
                first = await self._first_outcome(write.draft)
                self._waiting.take_out(write, first or reason)
                if isinstance(first, Stored):  # by a try of this node that was never told of
                    self._stored(self._feed, first.message.rev, [first.message])

    async def _first_outcome(self, draft: Draft) -> Outcome | Exception | None:
        """Return what a retry was answered the first time, None for a new request."""
        room_id = self._feed.room.id
        try:
            first = await self._messages.stored(room_id, draft.sender, draft.client_id)
        except StorageUnavailable:
            return Unavailable()
        return None if first is None else as_told(draft, first)

    async def _show(self, outcomes: Sequence[Outcome]) -> None:
        """Deliver stored rows to this node's sockets and tell the other nodes."""
        if not outcomes:
            return
        last = outcomes[-1]
        try:
            rows = [outcome.message for outcome in outcomes if isinstance(outcome, Stored)]
            gap = not all(self._feed.accept(message) for message in rows)
            if rows and rows[-1].rev == self._feed.head:
                # Own rows are the newest, whoever has shown them here, so nobody is asked.
                self._written, self._feed.writer = self._feed.head, NOBODY
            # A duplicate is announced again: the first time may have died before it was.
            told = last.message.rev if isinstance(last, Stored) else last.rev
            self._stored(self._feed, told, rows)
            if gap or last.message.rev > self._feed.head:
                await self._feed.catch_up()
        except StorageUnavailable:
            logger.warning("room %s: rows are shown later, by the audit", self._feed.room.id)
        except Exception:
            # Stored and answered; the feed has dropped itself and clients sync.
            logger.exception("room %s: stored rows were not shown", self._feed.room.id)

    def refuse(self, exc: Exception) -> None:
        """Fail everything that waits, in one go."""
        self._waiting.refuse(exc)


async def _run(job: Callable[[], Awaitable[None]], done: asyncio.Future[None]) -> None:
    try:
        await job()
    except Exception as exc:
        if not done.done():  # else nobody waits for it any more
            done.set_exception(exc)
    else:
        if not done.done():
            done.set_result(None)
