"""Sends what waits in the outbox to devices that are not connected, however long that takes.

A push waits a moment first: who has a live device by then, or has read it, needs none. One that
fails is tried again, later each time. Where the receiver as a whole does not answer, all wait for
it and one asks; what is older than a day is given up. So the outbox is bounded in number by
`PushTerms.most` and in time by `GIVE_UP_MS`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from parley.namespaces.notification.seams import Present, PushFailed, PushSender
from parley.namespaces.pausing import backoff_s
from parley.storage.errors import StorageUnavailable
from parley.storage.models import Timestamp
from parley.storage.notifications import Push, PushTerms
from parley.storage.outgoing import PushOutbox

logger = logging.getLogger(__name__)

BATCH = 100  # looked at together
PARALLEL = 8  # on their way to the receiver at once
GIVE_UP_MS = 24 * 3_600_000  # after the notification was made
FIRST_PAUSE_S = 1.0  # after a failure; twice as long after the next
LONGEST_PAUSE_S = 60.0
LOOK_S = 30.0  # at the longest: another node may have died with some


class Pushing:
    """The worker of one outbox."""

    def __init__(
        self,
        *,
        outbox: PushOutbox,
        sender: PushSender,
        present: Present,
        now: Callable[[], Timestamp],
        after_ms: int,
        most: int,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """Push what is ``after_ms`` old; let at most ``most`` wait."""
        self._outbox = outbox
        self._sender = sender
        self._present = present
        self._now = now
        self._after_ms = after_ms
        self._most = most
        self._first_pause_s = first_pause_s
        self._something = asyncio.Event()
        self._failures = 0  # in a row, of the receiver as a whole
        self._not_before = 0.0  # of the event loop's clock: the receiver is left alone until then

    def terms(self) -> PushTerms:
        """Return when what is stored now is due."""
        return PushTerms(due_at=Timestamp(self._now() + self._after_ms), most=self._most)

    def entered(self, *, refused: int) -> None:
        """Take note that pushes were entered, and of how many there was no room for."""
        if refused:
            logger.warning("the outbox of pushes is full: %d were not entered", refused)
        self._something.set()

    async def forever(self) -> None:
        """Send what is due when it is due, whatever storage and receiver do."""
        while True:
            self._something.clear()  # first: what is entered from here on is looked at again
            try:
                await self.once()
                pause = await self._pause()
            except StorageUnavailable:
                logger.warning("push: storage does not answer")
                pause = self._first_pause_s
            except Exception:
                logger.exception("push failed")  # the next round may not
                pause = LONGEST_PAUSE_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._something.wait()

    async def once(self) -> None:
        """Look at the first `BATCH` that are due, unless the receiver is left alone for now.

        Raises:
            StorageUnavailable: What was sent may be sent again.
        """
        if self._left_alone_s() > 0:
            return
        due = await self._outbox.due(now=self._now(), limit=BATCH)
        wanted = await self._wanted(due)
        unwanted = [push.notification.id for push in due if push not in wanted]
        if unwanted:
            await self._outbox.settle(unwanted)
        # One asks first whether a receiver that failed is back.
        first = wanted[:1] if self._failures else []
        for some in (first, wanted[len(first) :]):
            lanes = [self._send(some[lane::PARALLEL]) for lane in range(PARALLEL)]
            await asyncio.gather(*lanes)

    async def _wanted(self, due: Sequence[Push]) -> Sequence[Push]:
        oldest = self._now() - GIVE_UP_MS
        present = await self._present([push.notification.user_id for push in due]) if due else ()
        late = [push for push in due if push.notification.created_at < oldest]
        if late:
            logger.warning("%d pushes were given up after a day", len(late))
        return [
            push
            for push in due
            if push not in late
            and push.notification.user_id not in present
            and not push.notification.read
            and not push.notification.deleted
        ]

    async def _send(self, pushes: Sequence[Push]) -> None:
        for push in pushes:
            if self._left_alone_s() > 0:
                return
            try:
                await self._sender.send(push.notification)
            except PushFailed as failed:
                await self._failed(push, failed)
            else:
                self._failures = 0
                await self._outbox.settle([push.notification.id])

    async def _failed(self, push: Push, failed: PushFailed) -> None:
        if failed.everything and self._left_alone_s() <= 0:
            pause = self._backoff(self._failures)
            self._failures += 1
            self._not_before = asyncio.get_running_loop().time() + pause
            logger.warning("push: %s; again in %.1f s", failed, pause)
        elif not failed.everything:
            logger.warning("push %s: %s", push.notification.id, failed)
        due_at = Timestamp(self._now() + int(1000 * self._backoff(push.tries)))
        await self._outbox.postpone(push.notification.id, due_at=due_at)

    def _left_alone_s(self) -> float:
        return self._not_before - asyncio.get_running_loop().time()

    async def _pause(self) -> float:
        """Return the seconds until there may be something to send."""
        next_due = await self._outbox.next_due()
        if next_due is None:
            return LOOK_S
        return min(max((next_due - self._now()) / 1000, self._left_alone_s(), 0.0), LOOK_S)

    def _backoff(self, failures: int) -> float:
        return backoff_s(failures, first_s=self._first_pause_s, longest_s=LONGEST_PAUSE_S)
