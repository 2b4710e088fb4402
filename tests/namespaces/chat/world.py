"""Two nodes over one storage, clients that follow the page's rule, and a hand on every delay.

Everything but the wire is the product's own: door, services, lanes, feeds, sync, storage and the
client's rule. A test decides the order in which storage answers, announcements arrive or are
lost, and clients read what they were sent.
"""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from parley.namespaces.chat.assembly import ChatStorage, Others, assemble
from parley.namespaces.chat.audit import Audit
from parley.namespaces.chat.events import ChatNamespace
from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.chat.services import ChatServices
from parley.namespaces.identity import Identity
from parley.namespaces.seal import Seal
from parley.namespaces.transport import Close
from parley.storage.expiring import Listener
from parley.storage.models import Timestamp, UserId
from tests.storage.stores import Store


class Rule:
    """The page's ``rule.js`` in a Node.js process."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("rule.mjs")
        self._node = subprocess.Popen(
            ["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __call__(self, *operation: Any) -> tuple[Any, Any]:
        """Return the operation's result and the room's state after it."""
        asked, answered = self._node.stdin, self._node.stdout
        assert asked is not None
        assert answered is not None
        asked.write(json.dumps(operation).encode() + b"\n")
        asked.flush()
        result, state = json.loads(answered.readline())
        return result, state

    def close(self) -> None:
        """End the process."""
        self._node.communicate()


Call = Callable[..., Awaitable[Any]]


class Delays:
    """Calls that wait until the test lets them go on."""

    def __init__(self) -> None:
        self.held: list[tuple[str, asyncio.Future[None]]] = []
        self.open = False  # at the end of a test nothing waits any more
        self._running = 0

    async def pause(self, name: str) -> None:
        """Wait for `release`."""
        if not self.open:
            self.held.append((name, future := asyncio.get_running_loop().create_future()))
            await future

    def release(self, index: int) -> None:
        """Let one held call go on."""
        _, waiting = self.held.pop(index)
        if not waiting.done():  # its caller may have been cancelled
            waiting.set_result(None)

    async def held_call(self, name: str, call: Call, *args: Any, **options: Any) -> Any:
        """Hold a call before it happens, and its answer after."""
        await self.pause(f"{name} asked")
        answer = await self.call(call, *args, **options)
        await self.pause(f"{name} answered")
        return answer

    async def call(self, call: Call, *args: Any, **options: Any) -> Any:
        """Make a call that `settle` waits for."""
        self._running += 1
        try:
            return await call(*args, **options)
        finally:
            self._running -= 1

    async def settle(self) -> None:
        """Return when nothing moves any more until the test does something."""
        quiet = 0
        while quiet < 8:
            await asyncio.sleep(0)
            quiet = 0 if self._running else quiet + 1


class Delayed:
    """A repository whose calls `Delays` knows of, and holds if they are named."""

    def __init__(self, repository: Any, delays: Delays, names: Collection[str]) -> None:
        self._repository = repository
        self._delays = delays
        self._names = names

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._repository, name)
        if not iscoroutinefunction(method):
            return method  # it takes note of something, and nobody waits for that
        if name not in self._names:
            return partial(self._delays.call, method)
        return partial(self._delays.held_call, name, method)


class LossyBus:
    """See `Bus`: announcements wait here until the test delivers or drops them."""

    def __init__(self) -> None:
        self.on_the_way: list[tuple[Listener, bytes]] = []
        self._channels: dict[str, list[Listener]] = {}
        self.reconnected: list[Callable[[], None]] = []  # to be called by the test
        self.deaf = False

    def on_reconnect(self, callback: Callable[[], None]) -> None:
        """See `Bus`."""
        self.reconnected.append(callback)

    async def subscribe(self, channel: str, listener: Listener) -> "_Subscription":
        """See `Bus`."""
        self._channels.setdefault(channel, []).append(listener)
        return _Subscription(self._channels[channel], listener)

    def publish(self, channel: str, payload: bytes) -> None:
        """See `Bus`."""
        self.on_the_way += [(listener, payload) for listener in self._channels.get(channel, ())]


@dataclass
class Question:
    """What one node asked of another, until its asker has an answer or has given up."""

    do: Callable[[], Awaitable[Any]]
    answered: asyncio.Future[Any]

    def give_up(self) -> None:
        """Let the asker have no answer."""
        if not self.answered.done():
            self.answered.set_result(None)

    async def be_heard(self) -> None:
        """Let it be done, and the answer arrive."""
        answer = await self.do()
        if not self.answered.done():
            self.answered.set_result(answer)


class LossyCalls:
    """Questions wait here until the test lets them be heard, or lost."""

    def __init__(self) -> None:
        self.on_the_way: list[Question] = []
        self.does: dict[tuple[str, str], Callable[[Mapping[str, Any]], Awaitable[Any]]] = {}

    def of(self, server_id: str) -> "NodesCalls":
        """Return what one node asks and is asked."""
        return NodesCalls(self, server_id)


@dataclass
class NodesCalls:
    """See `Calls`."""

    of_all: LossyCalls
    server_id: str

    def answers(self, name: str, do: Callable[[Mapping[str, Any]], Awaitable[Any]]) -> None:
        """See `Calls`."""
        self.of_all.does[self.server_id, name] = do

    async def ask_one(self, server_id: str, name: str, *, within_s: float, **said: Any) -> Any:
        """See `Calls`."""
        answered = asyncio.get_running_loop().create_future()
        do = partial(self.of_all.does[server_id, name], json.loads(json.dumps(said)))
        self.of_all.on_the_way.append(Question(do, answered))
        return await answered


@dataclass
class _Subscription:
    listeners: list[Listener]
    listener: Listener

    async def cancel(self) -> None:
        if self.listener in self.listeners:
            self.listeners.remove(self.listener)


class Wire:
    """See `Transport`: frames wait in a socket's outbox until its client reads them."""

    def __init__(self) -> None:
        self.outboxes: dict[str, list[tuple[str, str, str]]] = {}  # event, JSON, room or ""
        self.closed: dict[str, Close] = {}  # by the server, and not yet noticed
        self._rooms: dict[str, dict[str, None]] = {}
        self._drained: dict[str, asyncio.Event] = {}

    def open(self, sid: str) -> None:
        """Begin a socket's life."""
        self.outboxes[sid] = []
        self._drained[sid] = asyncio.Event()

    def shut(self, sid: str) -> None:
        """End it; what it did not read is lost."""
        del self.outboxes[sid]
        self.closed.pop(sid, None)
        self._drained.pop(sid).set()
        for members in self._rooms.values():
            members.pop(sid, None)

    def read(self, sid: str) -> tuple[str, Any]:
        """Take the first frame."""
        name, text, _ = self.outboxes[sid].pop(0)
        if not self.outboxes[sid]:
            self._drained[sid].set()
        return name, json.loads(text)

    def send(
        self,
        sid: str,
        event: str,
        data: Any,
        *,
        through: str | None = None,
        ephemeral: bool = False,
    ) -> None:
        """See `Transport`."""
        self._put(sid, event, data, through or "")

    def broadcast(
        self,
        room: str,
        event: str,
        data: Any,
        *,
        also: str | None = None,
        skip: Collection[str] = (),
        ephemeral: bool = False,
    ) -> None:
        """See `Transport`."""
        for name in (room, also):
            for sid in self._rooms.get(name or "", ()):
                if sid not in skip:
                    self._put(sid, event, data, name or "")

    def _put(self, sid: str, event: str, data: Any, room: str) -> None:
        if sid in self.outboxes:
            self.outboxes[sid].append((event, json.dumps(data), room))
            self._drained[sid].clear()

    def overflow(self, sid: str) -> str | None:
        """Drop what a socket did not read yet of the room that has most there; return its name."""
        rooms = [
            room
            for *_, room in self.outboxes[sid]
            if room.startswith(("room:", "watch:", "inbox:"))
        ]
        if not rooms:
            return None
        room = max(rooms, key=rooms.count)
        self.outboxes[sid] = [frame for frame in self.outboxes[sid] if frame[2] != room]
        return room

    def enter(self, sid: str, room: str) -> None:
        """See `Transport`."""
        if sid in self.outboxes:
            self._rooms.setdefault(room, {})[sid] = None

    def leave(self, sid: str, room: str) -> None:
        """See `Transport`."""
        self._rooms.get(room, {}).pop(sid, None)

    def sockets(self, room: str) -> Collection[str]:
        """See `Transport`."""
        return list(self._rooms.get(room, ()))

    async def drained(self, sid: str) -> None:
        """See `Transport`."""
        if self.outboxes.get(sid):
            await self._drained[sid].wait()

    def close(self, sid: str, how: Close) -> None:
        """See `Transport`."""
        self.closed[sid] = how


@dataclass
class Node:
    """One server process, as far as the chat goes."""

    wire: Wire
    feeds: RoomFeeds
    audit: Audit
    chat: ChatNamespace
    services: ChatServices


def at_noon() -> Timestamp:
    """Return the time where time stands still."""
    return Timestamp(1_800_000_000_000)


def make_node(
    store: Store,
    delays: Delays,
    bus: LossyBus,
    calls: LossyCalls,
    *,
    server_id: str = "n1",
    now: Callable[[], Timestamp] = at_noon,
) -> Node:
    """Assemble a node over the shared storage, bus and calls."""
    wire = Wire()
    rooms: Any = Delayed(store.rooms, delays, ("get", "heads", "delete"))
    messages: Any = Delayed(store.messages, delays, ("append", "changes", "history"))
    members: Any = Delayed(store.members, delays, ())
    users: Any = Delayed(store.users, delays, ())
    chat = assemble(
        ChatStorage(rooms=rooms, members=members, messages=messages, users=users, bus=bus),
        server_id=server_id,
        transport=wire,
        authenticate=_identity,
        digest_key=b"k" * 32,
        others=Others(seal=Seal(b"a" * 32), calls=calls.of(server_id)),
        now=now,
    )
    return Node(wire, chat.feeds, chat.audit, chat.namespace, chat.services)


def _identity(token: str) -> Identity:
    return Identity(user_id=UserId(token), expires_at=2e9)


FEED = {"chat", "group", "private", "join_room", "leave_room", "room_update", "skip"}
ENTERS = {"create_room", "join_room", "watch"}  # their acks have a part of a sync


@dataclass
class Client:
    """A device of a user: it follows the client's rule of docs/protocol.md, by rule.js."""

    name: str
    user_id: str
    rule: Rule
    node: Node
    sid: str = ""
    resumed: bool = False
    rooms: dict[str, Any] = field(default_factory=dict[str, Any])  # the rule's state of each
    since: dict[str, int] = field(default_factory=dict[str, int])  # it has all that changed after
    watching: set[str] = field(default_factory=set[str])  # rooms its user is not a member of
    acks: dict[str, Any] = field(default_factory=dict[str, Any])
    _given: dict[str, Any] = field(default_factory=dict[str, Any])  # its cursors at CONNECT

    async def connect(self, node: Node, serial: int) -> None:
        """Connect with the cursors it has; the answers come as ``sync`` events."""
        self.node, self.sid, self.resumed = node, f"{self.name}-{serial}", False
        node.wire.open(self.sid)
        for room_id in self.rooms:
            self._apply("begin", room_id)
        cursors = {id: room["cursor"] for id, room in self.rooms.items()}
        self._given = {id: rev for id, rev in cursors.items() if id not in self.watching}
        auth = {"token": self.user_id, "since": self._given}
        await node.chat.trigger_event("connect", self.sid, {}, auth)
        await node.chat.admitted(self.sid, auth)

    async def lose_connection(self) -> None:
        """Vanish; what was on the way is lost."""
        self.node.wire.shut(self.sid)
        await self.node.chat.trigger_event("disconnect", self.sid, "transport close")

    async def request(self, event: str, payload: Mapping[str, Any], tag: str) -> None:
        """Send an event; its ack comes as a frame like any other."""
        sent = {"tag": tag, "event": event, "payload": dict(payload)}

        def reply(ack: dict[str, Any]) -> None:
            self.node.wire.send(sid, "ack", {**sent, "ack": ack})

        sid = self.sid
        session = self.node.chat.sessions[sid]
        self.node.chat.receive(session, [event, dict(payload)], size=0, reply=reply)

    def fall_behind(self) -> None:
        """Read so slowly that the server gives up what it wanted to send of a room."""
        room = self.node.wire.overflow(self.sid)
        if room is not None:
            assert self.node.chat.fell_behind(self.sid, room)

    async def read(self) -> tuple[str, Any]:
        """Read one frame and do what the rule says."""
        name, data = self.node.wire.read(self.sid)
        if name == "sync":
            for room_id, part in data["rooms"].items():
                self._synced(room_id, part, self._given.get(room_id))
                self._given[room_id] = part.get("upto")
            if data.get("done"):
                await self._rest()
        elif name == "ack":
            await self._acked(data)
        elif name == "room_behind":
            await self._follow(data["room_id"], self._apply("behind", data["room_id"]))
        elif name in FEED:
            await self._live(data)
        return name, data

    def since_of(self, room_id: str) -> dict[str, str]:
        """Return what a request that begins a sync says of what this device has."""
        cursor = self.rooms[room_id]["cursor"] if room_id in self.rooms else None
        return {} if cursor is None else {"since": cursor}

    def forget(self, room_id: str) -> None:
        """Have nothing of a room any more."""
        self.rule("forget", self.name, room_id)
        self.rooms.pop(room_id, None)
        self.since.pop(room_id, None)
        self.watching.discard(room_id)

    async def _rest(self) -> None:
        """Ask for what nobody pushes: watched rooms, and those that came meanwhile."""
        self.resumed = True
        for room_id, room in list(self.rooms.items()):
            if room["syncing"]:
                await self._follow(room_id, "sync")

    async def _live(self, data: Mapping[str, Any]) -> None:
        room_id = data["room_id"]
        if room_id not in self.rooms and outside(data, self.user_id):
            return
        verdict = self._apply("event", room_id, data)
        if joins(data, self.user_id):
            self.watching.discard(room_id)
        if verdict == "applied" and self._is_over(data):
            self.forget(room_id)
        else:
            await self._follow(room_id, verdict)

    def _is_over(self, data: Mapping[str, Any]) -> bool:
        """Whether a row is the last of its room that comes to this device."""
        if data["room_id"] in self.watching and closes(data):
            return True
        return leaves(data, self.user_id)

    async def _acked(self, data: Mapping[str, Any]) -> None:
        ack, event, payload = data["ack"], data["event"], data["payload"]
        self.acks[data["tag"]] = ack
        if not ack["ok"]:
            await self._refused(data["tag"], event, payload, ack["error"])
        elif event == "unwatch" and payload["room_id"] in self.watching:
            self.forget(payload["room_id"])
        elif event == "sync":
            for room_id, part in ack["data"]["rooms"].items():
                verdict = self._synced(room_id, part, payload["rooms"][room_id])
                await self._follow(room_id, verdict)
        elif event in ENTERS and "sync" in ack["data"]:
            room_id = ack["data"]["room"]["id"]
            inside = ack["data"].get("membership", {}).get("state") == "member"
            if event == "watch" and not inside:
                self.watching.add(room_id)
            verdict = self._synced(room_id, ack["data"]["sync"], payload.get("since"))
            await self._follow(room_id, verdict)

    async def _refused(self, tag: str, event: str, payload: Any, error: Mapping[str, Any]) -> None:
        if error["retryable"] and event in ("sync", *ENTERS):
            await self.request(event, payload, tag)
        elif event in ("join_room", "watch"):
            ended = event == "watch" and (payload["room_id"] in self.watching or tag == "sync")
            if ended or error["code"] == "gone":
                self.forget(payload["room_id"])

    async def _follow(self, room_id: str, verdict: str | None) -> None:
        if verdict not in ("sync", "more"):
            return
        cursor = self.rooms[room_id]["cursor"]
        if room_id in self.watching:
            payload = {"room_id": room_id, **self.since_of(room_id)}
            await self.request("watch", payload, "sync")
        else:
            await self.request("sync", {"rooms": {room_id: cursor}}, "sync")

    def _synced(self, room_id: str, part: Any, asked: str | None) -> str | None:
        if asked is None and room_id in self.since:
            # This goes on at the read mark, not where that ends.
            self.rule("forget", self.name, room_id)
            del self.since[room_id]
        if part["state"] == "reset":
            self.since[room_id] = rev_of(part["upto"])
        elif part["state"] == "ok" and room_id not in self.since:
            self.since[room_id] = part["read_seq"] if asked is None else rev_of(asked)
        if "read_seq" in part:
            self.watching.discard(room_id)
        verdict: str | None = self._apply("sync", room_id, part)
        if verdict == "gone":
            self.forget(room_id)
        return verdict

    def _apply(self, operation: str, room_id: str, *rest: Any) -> Any:
        verdict, self.rooms[room_id] = self.rule(operation, self.name, room_id, *rest)
        return verdict


def rev_of(cursor: str) -> int:
    """Return the position in a cursor."""
    return int(cursor.partition(".")[2])


def joins(row: Mapping[str, Any], user_id: str) -> bool:
    """Whether a row makes the user a member."""
    return row.get("type") == "join_room" and row["content"]["user_id"] == user_id


def leaves(row: Mapping[str, Any], user_id: str) -> bool:
    """Whether a row ends what the user had in the room; who only waited may go on watching."""
    if row.get("type") != "leave_room" or row["content"]["user_id"] != user_id:
        return False
    return "was" not in row["content"] or row["content"]["reason"] == "banned"


def closes(row: Mapping[str, Any]) -> bool:
    """Whether a row ends every watch of its room."""
    changed = row.get("content", {}).get("changed", {})
    return bool(changed.get("settings", {}).get("is_private"))


def outside(row: Mapping[str, Any], user_id: str) -> bool:
    """Whether a row says that the user is not inside its room."""
    content = row.get("content", {})
    about = content.get("member", content)
    if about.get("user_id") != user_id:
        return False
    return row["type"] == "leave_room" or (row["type"] == "room_update" and "role" not in about)
