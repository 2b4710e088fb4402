"""What may be lost gives way first, when a client does not keep up: past half of its budget."""

# pyright: standard
# (python-socketio ships without types)

from collections.abc import Callable
from typing import Any

import pytest
from socketio import packet

from parley.server.engine.server import Server
from tests.server.engine.pipes import FULL, Client

BUDGET = 2_000  # bytes
MOST_OF_HALF = "x" * 900
BEGINNING = "y" * FULL


class Slow:
    """A client in a room, whose pipe is full from the beginning."""

    def __init__(self) -> None:
        self._server = Server(queue_bytes=BUDGET)
        self._client = Client(self._server)
        self._server.manager.basic_enter_room(self._client.sid, "/", "tea")
        self._server.send_packet(self._client.connection, packet.ACK, "/", [BEGINNING], 1)
        self._server.eio.fanout.flush()

    def chat(self, what: Any) -> None:
        """Send something to the room."""
        self._server.manager.deliver("/", "chat", what, room="tea")

    def typing(self, what: Any) -> None:
        """Send something to the room that may be lost."""
        self._server.manager.deliver("/", "typing", what, room="tea", ephemeral=True)

    def ack(self, what: Any) -> None:
        """Answer the client."""
        self._server.send_packet(self._client.connection, packet.ACK, "/", ["ack", what], 2)

    def heard(self) -> list[Any]:
        """Let it read, and return all that it has heard but for what filled its pipe."""
        self._server.eio.fanout.flush()
        assert not self._client.connection.closed
        filled, *heard = self._client.events()
        assert filled == [BEGINNING]
        return heard


async def test_below_half_nothing_is_lost() -> None:
    """Typing keeps its place between chat and acks while there is room for it."""
    slow = Slow()
    slow.chat(1)
    slow.typing(2)
    slow.ack(3)
    slow.chat(4)
    assert slow.heard() == [["chat", 1], ["typing", 2], ["ack", 3], ["chat", 4]]


@pytest.mark.parametrize("crosses", [Slow.chat, Slow.ack])
async def test_past_half_typing_is_gone_and_no_more_is_taken(
    crosses: Callable[[Slow, Any], None],
) -> None:
    """Chat and acks stay in order, whichever goes past half; once they are read, it is back."""
    slow, name = Slow(), crosses.__name__
    slow.chat(1)
    slow.typing(2)
    slow.ack(3)
    slow.typing(4)
    crosses(slow, MOST_OF_HALF)
    crosses(slow, "more")
    slow.typing(5)
    slow.ack(6)
    slow.chat(7)
    stayed = [["chat", 1], ["ack", 3], [name, MOST_OF_HALF], [name, "more"], ["ack", 6]]
    assert slow.heard() == [*stayed, ["chat", 7]]
    slow.typing(8)
    assert slow.heard() == [*stayed, ["chat", 7], ["typing", 8]]


async def test_typing_that_would_go_past_half_sheds_nothing() -> None:
    """It alone is not taken; what may be lost and came before it stays."""
    slow = Slow()
    slow.typing(1)
    slow.typing(MOST_OF_HALF)
    slow.typing(MOST_OF_HALF)
    slow.chat(2)
    assert slow.heard() == [["typing", 1], ["typing", MOST_OF_HALF], ["chat", 2]]
