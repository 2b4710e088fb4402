"""A server in this process, somebody who may say anything to it, and what reaches the disk."""

import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import aiohttp

from parley.namespaces.chat.events import ChatNamespace
from parley.namespaces.paging import to_cursor
from parley.server.app import running
from parley.server.assembly import Node
from parley.server.settings import Settings
from tests.clients import new_client_id
from tests.disk import Disk
from tests.e2e.payloads import Place, text_of, walk
from tests.raw_client import RawClient
from tests.server.http.conftest import Caller

EVENTS = sorted(ChatNamespace.events)
NO_ROOM = "0" * 24  # an id that no room and no message has


class Door:
    """Alice, a member of one room, with a message of hers and one of Bob's in it."""

    def __init__(self, node: Node, http: aiohttp.ClientSession, disk: Disk) -> None:
        self.url = f"http://127.0.0.1:{node.port}"
        self.alice = RawClient(http)
        self.bob = RawClient(http)
        self.room: dict[str, Any] = {}  # the ack of create_room
        self.spare = ""  # another room of Alice's, which may be deleted
        self.mine = self.his = ""  # ids of messages
        self.logged: list[logging.LogRecord] = []  # warnings and worse
        self._node = node
        self._http = http
        self._disk = disk

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, data_dir: Path) -> AsyncGenerator["Door"]:
        """Start the server and let the two talk."""
        async with (
            running(Settings(port=0, data_dir=data_dir)) as node,
            aiohttp.ClientSession() as http,
        ):
            with Disk.watched(data_dir) as disk, (door := cls(node, http, disk))._listening():
                await door._begin()
                yield door
                await door.alice.close()
                await door.bob.close()

    @property
    def room_id(self) -> str:
        """Return the room they are in."""
        room_id: str = self.room["room"]["id"]
        return room_id

    def token(self, user_id: str) -> str:
        """Return a token the server accepts."""
        return self._node.mint.mint(user_id, name=None, ttl_s=600)

    async def enter(self, user_id: str, **options: Any) -> RawClient:
        """Connect one more client."""
        client = await RawClient(self._http).connect(self.url, self.token(user_id), **options)
        await client.ready()
        return client

    def caller(self) -> Caller:
        """Return Alice as she asks over HTTP."""
        headers = {"Authorization": f"Bearer {self.token('alice')}"}
        return Caller(self._http, self.url, headers, self._disk)

    def stranger(self) -> RawClient:
        """Return a client that is not connected."""
        return RawClient(self._http)

    async def refusal(self, event: str, payload: Any) -> dict[str, Any]:
        """Return the error of an event; check that it wrote nothing and upset nobody."""
        return await self.refusal_of_text(f"[{json.dumps(event)},{text_of(payload)}]")

    async def refusal_of_text(self, arguments: str) -> dict[str, Any]:
        """Do the same with the text of an event's arguments."""
        before = self._disk.version
        ack = await self.alice.ack_text(arguments)
        assert ack["ok"] is False, ack
        assert self._disk.version == before
        assert self.logged == []
        error: dict[str, Any] = ack["error"]
        assert "Traceback" not in json.dumps(error)
        return error

    def valid(self, event: str) -> dict[str, Any]:
        """Return a payload that the event accepts, with every field that it knows."""
        payloads = {**self._of_rooms(), **self._of_members(), **self._of_messages()}
        return payloads[event]

    def _of_rooms(self) -> dict[str, dict[str, Any]]:
        room_id, upto = {"room_id": self.room_id}, self.room["sync"]["upto"]
        client_id = {"client_id": new_client_id()}
        settings = {
            "max_members": 2,
            "allowed_types": ["text", "image", "file"],
            "mute_all": False,
            "require_approval": False,
            "retention_days": 30,
        }
        changes = {
            "name": "Coffee",
            "description": "for more",
            "settings": {**settings, "is_private": False},
        }
        return {
            "create_room": {
                **client_id,
                "name": "Tea",
                "type": "group",
                "description": "for two",
                "members": ["bob"],
                "settings": {**settings, "is_private": True},
            },
            "room": room_id,
            "rooms": {"cursor": to_cursor(NO_ROOM), "limit": 5},
            "discover": {"q": "te", "cursor": to_cursor("a", NO_ROOM), "limit": 5},
            "watch": {**room_id, "since": upto},
            "unwatch": room_id,
            "update_room": {
                **room_id,
                **client_id,
                "changes": changes,
                "if_rev": self.room["room"]["rev"],
            },
            "delete_room": {"room_id": self.spare, **client_id},
        }

    def _of_members(self) -> dict[str, dict[str, Any]]:
        room_id, upto = {"room_id": self.room_id}, self.room["sync"]["upto"]
        bob = {**room_id, "user_id": "bob", "client_id": new_client_id()}
        return {
            "join_room": {**room_id, "since": upto},
            "leave_room": room_id,
            "members": {**room_id, "state": "member", "cursor": to_cursor("al"), "limit": 5},
            "invite": {**bob, "user_id": "carol"},
            "approve": bob,
            "kick": bob,
            "ban": {**bob, "user_id": "eve"},
            "unban": {**bob, "user_id": "eve"},
            "mute": {**bob, "muted_for_ms": 1},
            "set_role": {**bob, "role": "admin"},
        }

    def _of_messages(self) -> dict[str, dict[str, Any]]:
        client_id = {"client_id": new_client_id()}
        room_id = {"room_id": self.room_id}
        text = {"text": "hello", "mentions": ["bob"], "metadata": {"app": {"n": [1, "one"]}}}
        picture = {"message_type": "image", "image": "https://example.org/cat.png"}
        content = {**text, **picture, "reply_to": self.his, "file": "https://example.org/a.pdf"}
        said = {**client_id, "content": content, "metadata": {"thread": {"id": "t1"}}}
        return {
            "chat": {**room_id, **said},
            "group": {**room_id, **said},
            "private": {"to": "bob", **client_id, "content": text, "metadata": {"n": 1}},
            "edit_message": {"message_id": self.mine, **client_id, "content": text},
            "delete_message": {"message_id": self.mine, **client_id},
            "react": {"message_id": self.mine, **client_id, "emoji": "👍", "on": True},
            "typing": {**room_id, "typing": True},
            "signal": {**room_id, "name": "cursor", "data": {"line": 3, "to": [1, "one"]}},
            "read": {**room_id, "seq": 1},
            "history": {**room_id, "before": 9, "limit": 5},
            "sync": {"rooms": {self.room_id: self.room["sync"]["upto"]}},
        }

    def places(self, event: str) -> list[Place]:
        """Return every value inside the valid payload, from the outside in."""
        return [Place(event, path, value) for path, value in walk(self.valid(event))]

    def every_place(self) -> list[Place]:
        """Return the places of all events."""
        return [place for event in EVENTS for place in self.places(event)]

    async def _begin(self) -> None:
        for name, client in (("alice", self.alice), ("bob", self.bob)):
            await client.connect(self.url, self.token(name))
            await client.ready()
        spare = await self.alice.call("create_room", name="Spare", type="public")
        self.spare = spare["room"]["id"]
        self.room = await self.alice.call("create_room", name="Tea", type="public")
        await self.bob.call("join_room", room_id=self.room_id)
        self.mine = (await self.alice.say(self.room_id, "mine"))["id"]
        self.his = (await self.bob.say(self.room_id, "his"))["id"]

    @contextlib.contextmanager
    def _listening(self) -> Generator[None]:
        handler = _Listener(self.logged)
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)


class _Listener(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.WARNING)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)
