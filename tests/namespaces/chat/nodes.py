"""Two nodes over one storage, and what is on its way from one to the other."""

from typing import Any

from parley.namespaces.chat.assembly import Others
from parley.namespaces.seal import Seal
from parley.storage.models import RoomId, RoomType, UserId
from parley.storage.sqlite.database import Database
from tests.clients import new_client_id
from tests.namespaces.chat.house import House
from tests.namespaces.chat.world import LossyBus, LossyCalls
from tests.storage.drafts import a_room, founding

SEAL = Seal(b"a" * 32)


class Nodes:
    """Two of them, and what is on its way from one to the other."""

    def __init__(self, database: Database, **options: Any) -> None:
        """Take what else `assemble` does."""
        self.bus, self.calls = LossyBus(), LossyCalls()
        self.one, self.two = (
            House(
                database,
                bus=self.bus,
                server_id=name,
                others=Others(seal=SEAL, calls=self.calls.of(name)),
                **options,
            )
            for name in ("n1", "n2")
        )

    async def deliver(self) -> None:
        """Let everything arrive that was published."""
        while self.bus.on_the_way:
            listener, payload = self.bus.on_the_way.pop(0)
            await listener(payload)

    def lose(self) -> None:
        """Let nothing arrive of what was published until now."""
        self.bus.on_the_way.clear()


async def a_room_of(nodes: Nodes, *users: UserId, **settings: Any) -> RoomId:
    """Make a public room in which these are."""
    room = a_room(room_type=RoomType.PUBLIC, owner=users[0], settings=settings, rev=1)
    await nodes.one.build(room, founding(*users))
    return room.id


async def do(house: House, user: UserId, event: str, room_id: str, **more: Any) -> Any:
    """Return the ack of what somebody asks for."""
    payload = {"room_id": room_id, "client_id": new_client_id(), **more}
    return await house.ask(user, event, payload)


async def say(house: House, user: UserId, room_id: str, text: str = "tea", **more: Any) -> Any:
    """Return the ack of a message."""
    return await do(house, user, "chat", room_id, content={"text": text}, **more)


async def enter(house: House, user: UserId, room_id: str) -> None:
    """Have somebody live in a room."""
    assert (await house.ask(user, "join_room", {"room_id": room_id}))["ok"]


def texts(house: House, user: UserId) -> list[str]:
    """Return what somebody was told since the last time."""
    return [data["content"]["text"] for name, data in house.heard(user) if name == "chat"]
