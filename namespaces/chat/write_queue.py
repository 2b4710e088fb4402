"""The writes of one room that wait: which of them may go next, and what each is answered."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from parley.namespaces.chat.feed import RoomFeed
from parley.storage import fold
from parley.storage.models import SPOKEN, Draft, Duplicate, Outcome, RowKind, Stored

BATCH = 200  # rows

Check = Callable[[RoomFeed], None]
"""Raises a `ClientError` if the row may not be stored at this position."""


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """A row that waits for its position."""

    draft: Draft
    check: Check
    outcome: asyncio.Future[Outcome]
    here: bool  # another node has asked for it, and is not to be asked in turn

    def answer(self, outcome: Outcome | Exception) -> None:
        """Tell what has become of it, once."""
        if self.outcome.done():
            return
        if isinstance(outcome, Exception):
            self.outcome.set_exception(outcome)
        else:
            self.outcome.set_result(outcome)


class WriteQueue:
    """A queue: what was put in first goes first."""

    def __init__(self) -> None:
        self._writes: deque[Write] = deque()
        self._alone = 0  # how many of them go one by one, after a batch that broke

    def __bool__(self) -> bool:
        return bool(self._writes)

    def append(self, write: Write) -> None:
        """Put one at the end."""
        self._writes.append(write)

    def batch(self, feed: RoomFeed) -> tuple[list[Write], list[tuple[Write, Exception]]]:
        """Return the next ones, and those among them that may not be stored, with why."""
        batch: list[Write] = []
        refused: list[tuple[Write, Exception]] = []
        most = 1 if self._alone else BATCH
        for write in self._writes:
            changes_room = _changes_room(write.draft)
            if len(batch) == most or (batch and changes_room):
                break
            try:
                write.check(feed)
            except Exception as exc:
                refused.append((write, exc))
                continue
            batch.append(write)
            if changes_room:
                break
        return batch, refused

    def answer(self, outcomes: Sequence[Outcome]) -> None:
        """Answer the first ones, which are through."""
        self._alone = max(0, self._alone - len(outcomes))
        for outcome in outcomes:
            self._writes.popleft().answer(outcome)

    def take_out(self, write: Write, outcome: Outcome | Exception) -> None:
        """Answer one, wherever it waits."""
        self._writes.remove(write)
        write.answer(outcome)

    def narrow(self, exc: Exception) -> None:
        """A row that storage chokes on fails alone: find it by writing one row at a time."""
        if self._alone or len(self._writes) == 1:
            self._alone = max(0, self._alone - 1)
            self._writes.popleft().answer(exc)
        else:
            self._alone = min(len(self._writes), BATCH)

    def refuse(self, exc: Exception) -> None:
        """Fail all of them, in one go."""
        writes, self._writes = self._writes, deque()
        for write in writes:
            write.answer(exc)


def as_told(draft: Draft, outcome: Outcome) -> Outcome:
    """Return what a new row is told that an earlier try of the same write had stored.

    Nobody else's row has its id. So its sender, who sent it once, is not told of a duplicate,
    and what follows from a new message follows.
    """
    if isinstance(outcome, Duplicate) and outcome.message.id == draft.id:
        message = fold.created(outcome.message.room_id, draft, outcome.rev)
        return Stored(message=message)
    return outcome


def _changes_room(draft: Draft) -> bool:
    return draft.kind is RowKind.CREATE and draft.type not in SPOKEN
