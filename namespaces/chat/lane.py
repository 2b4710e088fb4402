"""Where a room's writes wait their turn: positions, group commit, rights at the position.

Rules of this file (docs/design.md, "Writing"):
- One batch of a room is under way at a time; what comes meanwhile is the next batch.
- A write is checked against the room as of the position before it, right before the batch
  leaves. After a conflict the missed rows are applied and the check is made again, so nothing
  said after a kick is stored.
- A row that changes the room goes alone: if it turns out to be a duplicate, no row was checked
  against a change that did not happen.
- Outcome unknown → the same rows again, until the deadline; then everyone waiting is told
  `unavailable`, in one go, so that order holds among what is acked.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.errors import Unavailable
from parley.storage.base import MessageRepository
from parley.storage.errors import (
    EpochChanged,
    OutcomeUnknown,
    PositionTaken,
    StorageUnavailable,
)
from parley.storage.models import SPOKEN, Draft, Outcome, RowKind, Stored

logger = logging.getLogger(__name__)

BATCH = 200  # rows
DEADLINE_S = 5.0  # from the batch's first try; a client's own time-out is longer
PAUSE_S = 0.05  # between tries whose outcome is unknown

Check = Callable[[RoomFeed], None]
"""Raises a `ClientError` if the row may not be stored at this position."""


@dataclass(frozen=True, slots=True)
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
        announce: Callable[[RoomFeed, int], None],
    ) -> None:
        self._feed = feed
        self._messages = messages
        self._announce = announce
        self._waiting: deque[_Write] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._alone = 0  # how many of the waiting go one by one, after a batch that broke

    def append(self, draft: Draft, check: Check) -> asyncio.Future[Outcome]:
        """Queue one row; its place among this room's rows from here is fixed when this returns.

        The future raises what ``check`` raises, or `Unavailable`.
        """
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(draft, check, outcome))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return outcome

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
            while self._waiting:
                try:
                    await self._write()
                except EpochChanged:
                    self._feed.drop()
                    self._fail_all(Unavailable())
                except StorageUnavailable:
                    self._fail_all(Unavailable())
                except Exception as exc:
                    self._narrow(exc)
        finally:
            self._worker = None

    async def _write(self) -> None:
        """Write one batch, however many tries it takes; its writes are settled on return."""
        deadline = asyncio.get_running_loop().time() + DEADLINE_S
        while batch := self._batch():
            try:
                outcomes = await self._messages.append(
                    self._feed.room.id,
                    epoch=self._feed.room.epoch,
                    after=self._feed.head,
                    drafts=[write.draft for write in batch],
                )
            except PositionTaken as taken:
                # Somebody was faster, or this feed missed rows: apply them, check again.
                await self._feed.catch_up()
                if asyncio.get_running_loop().time() > deadline:
                    raise StorageUnavailable from taken
            except OutcomeUnknown:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(PAUSE_S)
            else:
                self._alone = max(0, self._alone - len(batch))
                await self._settle(batch, outcomes)
                return

    def _batch(self) -> list[_Write]:
        """Return the writes that may go next, still queued; those that may not have failed."""
        batch: list[_Write] = []
        refused: set[int] = set()
        for index, write in enumerate(self._waiting):
            if len(batch) == (1 if self._alone else BATCH) or (
                batch and _changes_room(write.draft)
            ):
                break
            try:
                write.check(self._feed)
            except Exception as exc:
                refused.add(index)
                _fail(write, exc)
                continue
            batch.append(write)
            if _changes_room(write.draft):
                break
        if refused:
            self._waiting = deque(w for i, w in enumerate(self._waiting) if i not in refused)
        return batch

    async def _settle(self, batch: Sequence[_Write], outcomes: Sequence[Outcome]) -> None:
        """Answer the writers, show the rows to this node's sockets, tell the other nodes."""
        for write, outcome in zip(batch, outcomes, strict=True):
            self._waiting.popleft()
            if not write.outcome.done():
                write.outcome.set_result(outcome)
        rows = [outcome.message for outcome in outcomes if isinstance(outcome, Stored)]
        gap = not all(self._feed.accept(message) for message in rows)
        # A duplicate is announced again: the first time may have died before it was.
        last = outcomes[-1]
        self._announce(self._feed, last.message.rev if isinstance(last, Stored) else last.rev)
        if gap or last.message.rev > self._feed.head:
            await self._feed.catch_up()

    def _narrow(self, exc: Exception) -> None:
        """A row that storage chokes on fails alone: find it by writing one row at a time."""
        if not self._waiting:
            logger.error("room %s: stored rows were not shown", self._feed.room.id, exc_info=exc)
        elif self._alone or len(self._waiting) == 1:
            self._alone = max(0, self._alone - 1)
            _fail(self._waiting.popleft(), exc)
        else:
            self._alone = min(len(self._waiting), BATCH)

    def _fail_all(self, exc: Exception) -> None:
        waiting, self._waiting = self._waiting, deque()
        for write in waiting:
            _fail(write, exc)


def _changes_room(draft: Draft) -> bool:
    return draft.kind is RowKind.CREATE and draft.type not in SPOKEN


def _fail(write: _Write, exc: Exception) -> None:
    if not write.outcome.done():
        write.outcome.set_exception(exc)
