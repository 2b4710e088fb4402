"""Hints within one process."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from parley.storage.expiring import Listener

logger = logging.getLogger(__name__)

MAX_WAITING = 10_000  # payloads of one subscription


class MemoryBus:
    """See `Bus`. Payloads of a channel keep their order.

    Where a listener is slower than its channel, the oldest payload is dropped: a hint is lost,
    which the audit makes good, and memory stays bounded.
    """

    def __init__(self, *, max_waiting: int = MAX_WAITING) -> None:
        """Let at most ``max_waiting`` payloads wait for a listener."""
        self._max_waiting = max_waiting
        self._channels: dict[str, list[MemorySubscription]] = {}

    @property
    def deaf(self) -> bool:
        """See `Bus`."""
        return False

    def on_reconnect(self, callback: Callable[[], None]) -> None:
        """See `Bus`. There is nothing that it could lose the connection to."""

    async def subscribe(self, channel: str, listener: Listener) -> "MemorySubscription":
        """See `Bus`."""
        subscription = MemorySubscription(self, channel, listener, self._max_waiting)
        self._channels.setdefault(channel, []).append(subscription)
        return subscription

    def publish(self, channel: str, payload: bytes) -> None:
        """See `Bus`."""
        for subscription in self._channels.get(channel, ()):
            subscription.offer(payload)

    def forget(self, subscription: "MemorySubscription") -> None:
        """Offer nothing to ``subscription`` any more."""
        subscriptions = self._channels.get(subscription.channel, [])
        if subscription in subscriptions:
            subscriptions.remove(subscription)
        if not subscriptions:
            self._channels.pop(subscription.channel, None)


class MemorySubscription:
    """See `Subscription`. It owns the task that calls the listener."""

    def __init__(self, bus: MemoryBus, channel: str, listener: Listener, max_waiting: int) -> None:
        """Start delivering to ``listener`` what is offered."""
        self.channel = channel
        self._bus = bus
        self._listener = listener
        self._waiting: deque[bytes] = deque(maxlen=max_waiting)
        self._something = asyncio.Event()
        self._task = asyncio.create_task(self._deliver(), name=f"bus {channel}")

    def offer(self, payload: bytes) -> None:
        """Queue one payload, in place of the oldest if the queue is full."""
        if len(self._waiting) == self._waiting.maxlen:
            logger.warning("the listener of %s is too slow, a hint is dropped", self.channel)
        self._waiting.append(payload)
        self._something.set()

    async def cancel(self) -> None:
        """See `Subscription`."""
        self._bus.forget(self)
        self._waiting.clear()
        self._task.cancel()
        # A listener may cancel its own subscription; it cannot wait for itself to end.
        if self._task is not asyncio.current_task():
            await asyncio.wait([self._task])

    async def _deliver(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                payload = self._waiting.popleft()
                try:
                    await self._listener(payload)
                except Exception:
                    logger.exception("a listener of %s failed", self.channel)
