"""The parts of python-socketio's managers that server/cluster/manager.py stands on.

A failure here says what an upgrade has moved.
"""

# pyright: standard
# (python-socketio ships without types)

import inspect
from typing import Any

import pytest
import socketio
from socketio.async_pubsub_manager import AsyncPubSubManager

from parley.server.cluster.manager import ClusterManager
from parley.server.engine.manager import LocalManager

ARGUMENTS: dict[str, list[str]] = {
    "emit": ["event", "data", "namespace", "room", "skip_sid", "callback", "to", "kwargs"],
    "can_disconnect": ["sid", "namespace"],
    "enter_room": ["sid", "namespace", "room", "eio_sid"],
    "leave_room": ["sid", "namespace", "room"],
    "close_room": ["room", "namespace"],
    "_publish": ["data"],
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_method_takes_what_it_took(name: str) -> None:
    """What is overridden, or publishes, has its name and its arguments."""
    method = getattr(socketio.AsyncRedisManager, name, None)
    assert inspect.iscoroutinefunction(method), f"{name} has moved; see server/cluster/manager.py"
    assert list(inspect.signature(method).parameters)[1:] == ARGUMENTS[name]


def test_a_manager_has_what_is_read() -> None:
    """The attributes that its constructor sets are there under their names."""
    manager = socketio.AsyncRedisManager("redis+cluster://none")  # and does not look at the URL
    gone = [
        name for name in ("channel", "host_id", "json", "redis_url") if not hasattr(manager, name)
    ]
    assert gone == [], f"a manager has lost {gone}; see server/cluster/manager.py"


def test_it_begins_to_listen_in_initialize_alone() -> None:
    """Overridden, it keeps stock's own listener from ever starting."""
    callers = [
        name
        for manager in (socketio.AsyncRedisManager, AsyncPubSubManager)
        for name, member in vars(manager).items()
        if inspect.isfunction(member) and "_thread" in member.__code__.co_names
    ]
    assert callers == ["initialize"]


def test_our_own_manager_comes_behind_all_of_stocks() -> None:
    """What stock does for its own clients, by `super`, is done by `LocalManager`."""
    order = [each.__name__ for each in ClusterManager.__mro__]
    assert order[1:4] == ["AsyncRedisManager", "AsyncPubSubManager", "LocalManager"]


async def test_what_a_manager_emits_goes_to_the_next_class_and_to_publish() -> None:
    """The message has the fields that `orders` reads."""
    published: list[dict[str, Any]] = []
    sent: list[Any] = []

    class Local(LocalManager):
        """The class behind."""

        async def emit(self, event: str, data: Any, *_: Any, **__: Any) -> None:
            """Note what is sent here."""
            sent.append((event, data))

    class Manager(AsyncPubSubManager, Local):  # type: ignore[misc]  # socketio is untyped
        """Stock's, with a channel that ends here."""

        async def _publish(self, data: Any) -> None:
            published.append(data)

    manager = Manager("channel")  # type: ignore[call-arg]
    await manager.emit("n", (1, b"\x02"), namespace="/chat", room="tea", skip_sid="s")
    assert sent == [("n", (1, b"\x02"))]
    [message] = published
    assert message == {
        "method": "emit",
        "event": "n",
        "data": [[1, {"_placeholder": True, "num": 0}], "Ag=="],
        "binary": True,
        "namespace": "/chat",
        "room": "tea",
        "skip_sid": "s",
        "callback": None,
        "host_id": manager.host_id,
    }
