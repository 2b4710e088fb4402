"""Users with their stock clients, and what they do about rooms."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.clients import ChatClient, Refused, new_client_id, new_user
from tests.e2e.stock import Enter

Payload = Mapping[str, Any]


class Person:
    """A user on one device; `again` is the same user on another."""

    def __init__(self, user_id: str, io: ChatClient, enter: Enter) -> None:
        self.id = user_id
        self.io = io
        self._enter = enter

    @classmethod
    async def come(cls, enter: Enter, name: str) -> "Person":
        """Connect somebody new."""
        user_id = new_user(name)
        return cls(user_id, await enter(user_id), enter)

    async def again(self, since: Mapping[str, str | None] | None = None) -> "Person":
        """Connect her once more."""
        return Person(self.id, await self._enter(self.id, since=since), self._enter)

    # Rooms

    async def make(self, *members: "Person", kind: str = "public", **settings: Any) -> str:
        """Make a room with people in it and return its id."""
        named = [person.id for person in members]
        made = await self.io.call(
            "create_room", name="Tea", type=kind, members=named, settings=settings
        )
        room_id: str = made["room"]["id"]
        for person in members:
            # Whoever is told to sync a room is not live in it before she has.
            await person.io.event("room_behind", lambda data: data["room_id"] == room_id)
            await person.io.call("sync", rooms={room_id: None})
        return room_id

    async def call(self, event: str, room_id: str, **more: Any) -> Any:
        """Send an event about a room that takes no ``client_id``."""
        return await self.io.call(event, room_id=room_id, **more)

    async def do(self, event: str, room_id: str, whom: "Person | None" = None, **more: Any) -> Any:
        """Send an event that changes the room, or how somebody stands with it."""
        about = {} if whom is None else {"user_id": whom.id}
        return await self.call(event, room_id, client_id=new_client_id(), **about, **more)

    async def say(self, room_id: str, text: str) -> Any:
        """Send one message."""
        return await self.io.say(room_id, text)

    async def refused(self, event: str, **payload: Any) -> str:
        """Send an event and return the code of its error."""
        ack = await self.io.ack(event, payload)
        assert not ack["ok"], ack
        return str(ack["error"]["code"])

    async def refusal(
        self, event: str, room_id: str, whom: "Person | None" = None, **more: Any
    ) -> str:
        """Do the same with an event as of `do`."""
        try:
            await self.do(event, room_id, whom, **more)
        except Refused as refused:
            return refused.code
        raise AssertionError(f"{event} was not refused")

    async def silence(self, room_id: str) -> str:
        """Try to speak and return the code of the error."""
        return await self.refusal("chat", room_id, content={"text": "me, too"})

    # What she knows

    async def view(self, room_id: str) -> Any:
        """Return the room as she sees it."""
        return await self.call("room", room_id)

    async def head(self, room_id: str) -> int:
        """Return where the log ends."""
        head: int = (await self.call("history", room_id, limit=1))["head"]
        return head

    async def told(self, room_id: str) -> list[Any]:
        """Return the history as she sees it, each row as short as `row` has it."""
        return [row(message) for message in (await self.call("history", room_id))["messages"]]

    async def hears(
        self, name: str, room_id: str, matches: Callable[[Any], bool] = lambda _: True
    ) -> Any:
        """Wait for an event about a room and return it."""
        return await self.io.event(
            name, lambda data: data.get("room_id") == room_id and matches(data)
        )

    async def hears_text(self, room_id: str, text: str) -> Any:
        """Wait for a message; everything sent before it is in the record then."""
        return await self.hears("chat", room_id, lambda data: data["content"].get("text") == text)

    def heard(self, room_id: str, *names: str) -> list[Any]:
        """Return the events of these names about a room so far."""
        return [
            data
            for name, data in self.io.events
            if name in names and data.get("room_id") == room_id
        ]

    def system(self, code: str) -> list[Any]:
        """Return the notices with a code so far."""
        return [data for data in self.io.of("system") if data["code"] == code]


def row(message: Payload) -> tuple[str, Any]:
    """Return a message as its type and what it says."""
    return message["type"], message["content"].get("text", message["content"])
