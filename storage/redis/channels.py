"""The channels of one connection: wanted, asked for, confirmed."""

import asyncio
from collections import Counter, defaultdict

CONFIRMED_S = 0.5  # for a confirmation; who waited longer relies on the audit


class Channels:
    """What a server was asked to subscribe to, and what it has confirmed.

    A confirmation names its channel and not the request, so requests are counted: one who leaves a
    channel and comes back at once must not take the first confirmation for the second.
    """

    def __init__(self) -> None:
        self._wanted: dict[bytes, None] = {}
        self._asked: Counter[bytes] = Counter()
        self._waiting: defaultdict[bytes, list[asyncio.Future[None]]] = defaultdict(list)

    def __contains__(self, channel: bytes) -> bool:
        return channel in self._wanted

    def wanted(self) -> list[bytes]:
        """Return what to ask for on a new connection."""
        return list(self._wanted)

    def want(self, channel: bytes) -> None:
        """Ask for a channel on every connection from now on."""
        self._wanted[channel] = None

    def leave(self, channel: bytes) -> bool:
        """Want a channel no more; return whether it was wanted."""
        self._release(channel)
        return self._wanted.pop(channel, self) is None

    def ask(self, channel: bytes) -> None:
        """Take note that the server is asked."""
        self._asked[channel] += 1

    def is_asked(self, channel: bytes) -> bool:
        """Whether a confirmation is still to come."""
        return channel in self._asked

    def forget(self, channel: bytes) -> None:
        """Expect no confirmation: the server has refused."""
        self._asked.pop(channel, None)

    def confirm(self, channel: bytes) -> None:
        """Take note of a confirmation."""
        self._asked[channel] -= 1
        if self._asked[channel] <= 0:
            del self._asked[channel]
            self._release(channel)

    def reset(self) -> None:
        """Forget what was asked on a connection that is gone; who waits goes on."""
        self._asked.clear()
        for channel in list(self._waiting):
            self._release(channel)

    async def confirmed(self, channel: bytes) -> None:
        """Wait for a confirmation, until it is clear that none comes, or for `CONFIRMED_S`."""
        if not self.is_asked(channel):
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting[channel].append(future)
        await asyncio.wait([future], timeout=CONFIRMED_S)

    def _release(self, channel: bytes) -> None:
        for future in self._waiting.pop(channel, ()):
            if not future.done():
                future.set_result(None)
