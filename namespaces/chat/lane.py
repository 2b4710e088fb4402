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
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.errors import Unavailable
from parley.storage import fold
from parley.storage.base import MessageRepository
from parley.storage.errors import (
    EpochChanged,
    OutcomeUnknown,
    PositionTaken,
    StorageUnavailable,
)
from parley.storage.models import SPOKEN, Draft, Duplicate, Message, Outcome, RowKind, Stored

logger = logging.getLogger(__name__)

BATCH = 200  # rows
DEADLINE_S = 5.0  # from the batch's first try; a client's own time-out is longer
PAUSE_S = 0.05  # between tries whose outcome is unknown
CONTENDED_S = 1.0  # since another node wrote into the room, until this is alone again
GIVE_WAY_S = 0.1  # at most

Check = Callable[[RoomFeed], None]
"""Raises a `ClientError` if the row may not be stored at this position."""


@dataclass(frozen=True, slots=True, eq=False)
class _Write:
    draft: Draft
    check: Check
    outcome: asyncio.Future[Outcome]


class Lane:
    """The writes of one room on this node."""

    def __init__(
        self,
        feed: RoomFeed,
        *,
        messages: MessageRepository,
        announce: Callable[[RoomFeed, int, Sequence[Message]], None],
    ) -> None:
        self._feed = feed
        self._messages = messages
        self._announce = announce
        self._waiting: deque[_Write] = deque()
        self._jobs: deque[Callable[[], Awaitable[None]]] = deque()  # that want no batch beside them
        self._worker: asyncio.Task[None] | None = None
        self._alone = 0  # how many of the waiting go one by one, after a batch that broke
        self._written: int | None = None  # the head that this lane has made
        self._contended_until = 0.0  # by the event loop's clock, as the next
        self._ready_at = 0.0

    def append(self, draft: Draft, check: Check) -> asyncio.Future[Outcome]:
        """Queue one row; its place among this room's rows from here is fixed when this returns.

        The future raises what ``check`` raises, or `Unavailable`.
        """
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(draft, check, outcome))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return outcome

    async def alone(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run ``job`` before the next batch: nothing is written by this node meanwhile."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def run() -> None:
            try:
                await job()
            except Exception as exc:
                if not done.done():
                    done.set_exception(exc)
            else:
                if not done.done():
                    done.set_result(None)

        self._jobs.append(run)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        await done

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
                    await self._jobs.popleft()()
                    continue
                try:
                    await self._give_way()
                    written = await self._write()
                except EpochChanged:
                    self._feed.drop()
                    self.refuse(Unavailable())
                except StorageUnavailable as exc:
                    logger.warning("room %s: writes were refused: %s", self._feed.room.id, exc)
                    self.refuse(Unavailable())
                except Exception as exc:
                    self._narrow(exc)
                else:
                    await self._show(written)
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
                    raise StorageUnavailable from taken
            except OutcomeUnknown:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(PAUSE_S)
            else:
                # As long as that took, another one takes to hear of it and to write.
                self._ready_at = loop.time() + min(loop.time() - began, GIVE_WAY_S)
                self._alone = max(0, self._alone - len(batch))
                for write, outcome in zip(batch, outcomes, strict=True):
                    self._waiting.popleft()
                    _answer(write, outcome)
                return outcomes
        return []

    async def _allowed(self) -> Sequence[_Write]:
        """Return the writes that may go next, still first in the queue."""
        head = -1
        while True:
            batch, refused = self._batch()
            if not refused:
                return batch
            if head != self._feed.head:
                # What refuses them may be over, by a row of another node that is not here yet.
                await self._feed.catch_up()
                head = self._feed.head
                continue
            # Members may change while this reads, so the others are checked again after it.
            for write, reason in refused:
                self._waiting.remove(write)
                _answer(write, await self._first_outcome(write.draft) or reason)

    async def _first_outcome(self, draft: Draft) -> Outcome | Exception | None:
        """Return what a retry was answered the first time, None for a new request."""
        room_id = self._feed.room.id
        try:
            return await self._messages.stored(room_id, draft.sender, draft.client_id)
        except StorageUnavailable:
            return Unavailable()

    def _batch(self) -> tuple[list[_Write], list[tuple[_Write, Exception]]]:
        """Return the next writes, and those among them that may not be stored, with why."""
        batch: list[_Write] = []
        refused: list[tuple[_Write, Exception]] = []
        most = 1 if self._alone else BATCH
        for write in self._waiting:
            changes_room = _changes_room(write.draft)
            if len(batch) == most or (batch and changes_room):
                break
            try:
                write.check(self._feed)
            except Exception as exc:
                refused.append((write, exc))
                continue
            batch.append(write)
            if changes_room:
                break
        return batch, refused

    async def _show(self, outcomes: Sequence[Outcome]) -> None:
        """Deliver stored rows to this node's sockets and tell the other nodes."""
        if not outcomes:
            return
        last = outcomes[-1]
        try:
            rows = [outcome.message for outcome in outcomes if isinstance(outcome, Stored)]
            gap = not all(self._feed.accept(message) for message in rows)
            self._written = self._feed.head
            # A duplicate is announced again: the first time may have died before it was.
            told = last.message.rev if isinstance(last, Stored) else last.rev
            self._announce(self._feed, told, rows)
            if gap or last.message.rev > self._feed.head:
                await self._feed.catch_up()
        except StorageUnavailable:
            logger.warning("room %s: rows are shown later, by the audit", self._feed.room.id)
        except Exception:
            # Stored and answered; the feed has dropped itself and clients sync.
            logger.exception("room %s: stored rows were not shown", self._feed.room.id)

    def _narrow(self, exc: Exception) -> None:
        """A row that storage chokes on fails alone: find it by writing one row at a time."""
        if self._alone or len(self._waiting) == 1:
            self._alone = max(0, self._alone - 1)
            _answer(self._waiting.popleft(), exc)
        else:
            self._alone = min(len(self._waiting), BATCH)

    def refuse(self, exc: Exception) -> None:
        """Fail everything that waits, in one go."""
        waiting, self._waiting = self._waiting, deque()
        for write in waiting:
            _answer(write, exc)


def _changes_room(draft: Draft) -> bool:
    return draft.kind is RowKind.CREATE and draft.type not in SPOKEN


def _answer(write: _Write, outcome: Outcome | Exception) -> None:
    if write.outcome.done():
        return
    if isinstance(outcome, Exception):
        write.outcome.set_exception(outcome)
    else:
        write.outcome.set_result(_first(write.draft, outcome))


def _first(draft: Draft, outcome: Outcome) -> Outcome:
    """Return what a new row is told that an earlier try of the same write had stored.

    Nobody else's row has its id. So its sender, who sent it once, is not told of a duplicate,
    and what follows from a new message follows.
    """
    if isinstance(outcome, Duplicate) and outcome.message.id == draft.id:
        message = fold.created(outcome.message.room_id, draft, outcome.rev)
        return Stored(message=message)
    return outcome
