"""What a connection could not be given yet, in order and within bounds."""

from collections import Counter, deque
from typing import NamedTuple

from parley.server.engine.rooms import Room


class _Waiting(NamedTuple):
    frame: bytes
    room: Room | None  # None: meant for this connection alone, never dropped
    ephemeral: bool  # may be lost: typing, presence


class Backlog:
    """Frames that wait for a transport. Whoever adds looks at `size` and decides what gives way."""

    __slots__ = ("_waiting", "size")

    def __init__(self) -> None:
        self.size = 0  # bytes
        self._waiting: deque[_Waiting] = deque()

    def add(self, frame: bytes, room: Room | None, *, ephemeral: bool) -> None:
        """Let one more wait."""
        self._waiting.append(_Waiting(frame, room, ephemeral))
        self.size += len(frame)

    def take(self, most: int | None = None) -> list[bytes]:
        """Return the first ``most`` frames, or all; they wait no more."""
        count = len(self._waiting) if most is None else min(most, len(self._waiting))
        frames = [self._waiting.popleft().frame for _ in range(count)]
        self.size -= sum(map(len, frames))
        return frames

    def shed(self) -> None:
        """Drop everything ephemeral."""
        self._keep([waiting for waiting in self._waiting if not waiting.ephemeral])

    def drop(self, room: Room) -> None:
        """Drop everything that came through one room."""
        self._keep([waiting for waiting in self._waiting if waiting.room is not room])

    def heaviest(self) -> Room | None:
        """Return the room with the most bytes here, None if nothing came through any."""
        weights: Counter[Room] = Counter()
        for waiting in self._waiting:
            if waiting.room is not None:
                weights[waiting.room] += len(waiting.frame)
        return max(weights, key=weights.__getitem__, default=None)

    def _keep(self, waiting: list[_Waiting]) -> None:
        self._waiting = deque(waiting)
        self.size = sum(len(one.frame) for one in waiting)
