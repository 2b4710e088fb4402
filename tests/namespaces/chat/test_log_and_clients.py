"""The guarantee, attacked: random interleavings of writers, nodes, bus, storage and clients.

The properties are those of the model checker that the rules were found with: positions are
dense and taken once; what is acked is stored, once; a cursor never passes a change its client
does not have; when all is quiet, every client holds exactly what storage holds. Every row was
allowed by the room as of the position before it, and nobody is shown a row from a time at which
she was not inside, or was not let watch.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.namespaces.chat import lane, sync
from parley.storage.models import RoomId
from parley.storage.sqlite.database import Database
from tests import mongod
from tests.namespaces.chat.ledger import Ledger, MongoLedger, SqliteLedger
from tests.namespaces.chat.model import STAFF, Room, Wire, is_confidential
from tests.namespaces.chat.model_requests import Model
from tests.namespaces.chat.timeline import Timeline
from tests.namespaces.chat.world import (
    FEED,
    Client,
    Delays,
    LossyBus,
    LossyCalls,
    Node,
    Question,
    Rule,
    closes,
    make_node,
    rev_of,
)
from tests.storage.stores import Store, empty_mongo, mongo_store, sqlite_store

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

USERS = {"a1": "alice", "a2": "alice", "b1": "bob", "c1": "carol", "d1": "dora"}
NAMES = ("alice", "bob", "carol", "dora")
KINDS = (
    *("chat",) * 5,
    *("manage",) * 6,
    *("move",) * 3,
    *("edit_message", "react", "delete_message", "retry", "watch", "history") * 2,
    *("unwatch", "delete_room"),
)
MANAGE = (
    *("update_room",) * 5,
    *("kick", "invite", "set_role") * 2,
    *("ban", "unban", "mute", "approve"),
)
FITTING = {  # how those stand with a room about whom something can be done
    "kick": {"member", "invited", "pending"},
    "ban": {"", "member", "invited", "pending"},
    "unban": {"banned"},
    "invite": {"", "pending"},
    "approve": {"pending"},
    "mute": {"member"},
    "set_role": {"member"},
}
CHANGES = ("edit_message", "react", "delete_message")


@pytest.fixture(scope="module")
def rule() -> Iterator[Rule]:
    process = Rule()
    yield process
    process.close()


@pytest.fixture(scope="module", autouse=True)
def _in_no_time() -> Iterator[None]:
    """Let nobody wait for anything but what the test holds back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane, "GIVE_WAY_S", 0.0)
        yield


class Run:
    """One random history of two nodes and five devices."""

    def __init__(self, rule: Rule, store: Store, ledger: Ledger) -> None:
        self.delays, self.bus, self.calls = Delays(), LossyBus(), LossyCalls()
        self.nodes = [
            make_node(store, self.delays, self.bus, self.calls, server_id=name)
            for name in ("n1", "n2")
        ]
        self.serial = 0
        self.clients = [
            Client(name, user, rule, self.nodes[i % 2])
            for i, (name, user) in enumerate(USERS.items())
        ]
        self.requests: dict[str, tuple[str, Wire]] = {}  # by tag: who asked what
        self.heads: dict[str, int] = {}  # what its node had applied when it was asked
        self.room_id = ""  # of the room they have by now
        self.logs: dict[str, Timeline] = {}
        self.deleted = set[str]()
        self.watched = set[tuple[str, str]]()  # sockets that asked to watch, and rooms
        self._model = Model(lambda: 0)
        self._tasks: list[asyncio.Future[None]] = []
        self._ledger = ledger

    async def begin(self) -> None:
        """Bring everyone online, in one room of alice's, bob's and carol's."""
        self.delays.open = True
        for client in self.clients:
            await self._connect(client, client.node)
        await self._create(self.clients[0])
        await self.quiet()
        self.delays.open = False

    async def step(self, choice: int) -> None:
        """Do one of the things that can happen now."""
        actions = self._possible(choice)
        result = actions[choice % len(actions)]()
        if asyncio.iscoroutine(result):
            await result
        await self.delays.settle()
        self._look_at_storage()
        await self._come_back()
        self.check_cursors()
        self.check_seam()

    def _possible(self, choice: int) -> list[Callable[[], Any]]:
        """Return what can happen now; what moves things on is there more often."""
        actions: list[Callable[[], Any]] = []
        for index in range(len(self.delays.held)):
            actions += [partial(self.delays.release, index)] * 3
        on_the_way = self.bus.on_the_way
        actions += [partial(self._announce, index) for index in range(len(on_the_way))]
        if on_the_way:
            actions.append(partial(on_the_way.pop, choice % len(on_the_way)))  # lost
        for question in self.calls.on_the_way:
            actions += [partial(self._be_heard, question)] * 2
            actions.append(question.give_up)  # and heard later, or lost
            actions.append(partial(self._lose, question))
        for client in self.clients:
            if client.node.wire.outboxes.get(client.sid):
                actions += [partial(self._read, client)] * 3
            actions += [partial(self._write, client, choice)] * 2
            if choice % 3 == 0:
                actions.append(client.fall_behind)
        actions.append(partial(self._reconnect, choice))
        actions.append(partial(self._audit, self.nodes[choice % 2]))
        return actions

    async def quiet(self) -> None:
        """Let everything that is under way arrive, announcements first lost, then audited."""
        self.bus.on_the_way.clear()
        self.delays.open = True
        while self.delays.held:
            self.delays.release(0)
        moved = True
        while moved:
            await self.delays.settle()
            moved = False
            for node in self.nodes:
                await node.audit.once()
                await self._settled(node)
            while self.bus.on_the_way:
                await self._announce(0)
            await asyncio.gather(*self._tasks)  # none of them failed
            self._look_at_storage()
            moved = await self._come_back()
            for client in self.clients:
                while client.node.wire.outboxes[client.sid]:
                    await self._read(client)
                    moved = True

    async def _settled(self, node: Node) -> None:
        """Wait until a node has written everything, by itself or by the other one."""
        settled = asyncio.ensure_future(node.feeds.settled())
        while not settled.done() or self.calls.on_the_way:
            for question in list(self.calls.on_the_way):
                self._be_heard(question)
            await asyncio.sleep(0)

    async def finish(self) -> None:
        """Heal everything, then let the owner change the room once more: everyone hears it."""
        await self.quiet()
        owner = self.logs[self.room_id].now.owner
        if self.room_id not in self.deleted and owner is not None:
            client = next(client for client in self.clients if client.user_id == owner)
            payload = {"changes": {"name": "The end"}}
            await self._ask(client, "update_room", {"room_id": self.room_id, **payload})
            await self.quiet()

    # What is checked

    def check_log(self) -> None:
        """Positions are dense; what was acked is stored, once; every row was allowed."""
        for room_id, log in self.logs.items():
            if room_id in self.deleted:
                continue
            assert [row["rev"] for row in log.rows] == list(range(1, log.head + 1))
            for row in log.rows:
                if row["content"].get("reason") != "created":
                    self._check_right(room_id, row)
            self._check_members(room_id)
        acks = {tag: ack for c in self.clients for tag, ack in c.acks.items()}
        places: dict[tuple[str, int], str] = {}
        for tag, (user, ask) in self.requests.items():
            ack = acks.get(tag, {"ok": False})
            if ack["ok"] and "seq" in ack["data"] and ask["room_id"] not in self.deleted:
                data, log = ack["data"], self.logs[ask["room_id"]]
                assert log.messages[data["id"]]["seq"] == data["seq"]
                assert log.messages[data["id"]]["from"] == user
                place = (ask["room_id"], data["seq"])
                assert places.setdefault(place, ask["client_id"]) == ask["client_id"]

    def _check_right(self, room_id: str, row: Wire) -> None:
        """A row was allowed by the room as of the position before it."""
        before: Room = self.logs[room_id].moments[int(row["rev"]) - 1]
        user: str = row["from"]
        asks = (ask for who, ask in self.requests.values() if who == user)
        ask = next((a for a in asks if a.get("client_id") == row["client_id"]), None)
        if ask is None:
            ask = {"event": "leave_room" if row["type"] == "leave_room" else "join_room"}
        verdict = self._model.verdict(before, user, ask)
        # Whether a message was changed or deleted meanwhile is not looked at again.
        fine = {"change"} | ({"nothing", "gone"} if "message_id" in ask else set[str]())
        assert verdict <= fine, f"{user}'s {ask} at {row['rev']} was {verdict}: {before.people}"

    def _check_members(self, room_id: str) -> None:
        """What storage keeps of the members is what the log adds up to."""
        people = self.logs[room_id].now.people
        assert self._ledger.members(room_id) == {
            user: (p.role, p.state, p.floor) for user, p in people.items()
        }

    def check_cursors(self) -> None:
        """No live client's cursor is past a change it does not have."""
        for client in self.clients:
            for room_id, room in client.rooms.items():
                if room["cursor"] is not None and not room["syncing"]:
                    self._check_cursor(client, room_id, room)

    def _check_cursor(self, client: Client, room_id: str, room: Wire) -> None:
        log, position = self.logs[room_id], rev_of(room["cursor"])
        if room_id in self.deleted or position > log.head:
            return
        then = log.moments[position]
        if not then.role(client.user_id) and room_id not in client.watching:
            return  # she left, and has not read it yet
        for id, rev in log.newest.items():
            due = client.since[room_id] < rev <= position and not is_confidential(log.messages[id])
            if due and then.shows(client.user_id, log.messages[id]):
                known = room["messages"].get(id)
                assert known is not None, f"{client.name} at {position} lost {id}@{rev}"
                assert known["rev"] >= rev

    def check_seam(self) -> None:
        """A client that is live and has read everything is not behind its node's feed."""
        for client in self.clients:
            wire = client.node.wire
            for room_id, room in client.rooms.items():
                keys = (f"room:{room_id}", f"watch:{room_id}")
                live = any(client.sid in wire.sockets(key) for key in keys)
                if room["syncing"] or not live or wire.outboxes[client.sid]:
                    continue
                feed = client.node.feeds.running(RoomId(room_id))
                assert feed is not None, "a live socket without a feed"
                assert rev_of(room["cursor"]) >= feed.head, f"{client.name} is behind the feed"

    def check_final(self) -> None:
        """Every member's client holds exactly what storage holds, and so does every watcher's."""
        for client in self.clients:
            for room_id, log in self.logs.items():
                inside = log.now.role(client.user_id) != ""
                if room_id in self.deleted or not (inside or room_id in client.watching):
                    assert room_id not in client.rooms, client.name
                else:
                    assert room_id in client.rooms, f"{client.name} does not know {room_id}"
                    self._check_client(client, client.rooms[room_id], log)

    def _check_client(self, client: Client, room: Wire, log: Timeline) -> None:
        user, since = client.user_id, client.since[log.now.id]
        assert not room["syncing"], client.name
        assert rev_of(room["cursor"]) == log.head, f"{client.name} is at {room['cursor']}"
        assert log.now.reads(user), f"{client.name} watches a closed room"
        held = {id: message["rev"] for id, message in room["messages"].items()}
        for id, rev in log.newest.items():
            # Requests to join are shown to who is owner or admin at the time, and stay.
            if log.now.shows(user, log.messages[id]) and not is_confidential(log.messages[id]):
                assert held.get(id, rev) == rev, f"{client.name} holds {id}@{held[id]}, not {rev}"
                assert id in held or rev <= since, f"{client.name} lacks {id}@{rev}"
        for id in held:
            inside = log.now.role(user) != ""
            assert not inside or log.messages[id]["seq"] >= log.now.people[user].floor

    # What clients are sent

    async def _read(self, client: Client) -> None:
        name, data = await client.read()
        if name == "ack":
            ack, tag = data["ack"], data["tag"]
            if ack["ok"] and data["event"] == "create_room":
                self.room_id = ack["data"]["room"]["id"]
            if ack["ok"]:
                self._check_shown(client, ack["data"])
            if tag in self.requests:
                self._check_outcome(tag, ack)
        elif name == "sync":
            self._check_shown(client, data)
        elif name in FEED:
            self._check_live(client, data)

    def _check_live(self, client: Client, row: Wire) -> None:
        """A live row is of a time at which she was inside, or watched."""
        log = self._log(row["room_id"], row["rev"])
        content = row.get("content", {})
        if row.get("type") == "leave_room" and content["user_id"] == client.user_id:
            return
        if row["room_id"] in self.deleted:
            return  # its last rows may have gone before they were looked at
        if (client.sid, row["room_id"]) not in self.watched:
            assert log.was_inside(client.user_id, row["rev"]), f"{client.name} heard {row}"
        elif "id" in row:
            rev = row["rev"] - closes(row)  # what ends a watch is shown to who watched
            assert log.could_see(client.user_id, row["id"], rev, as_visitor=True), (client, row)

    def _check_shown(self, client: Client, data: Wire) -> None:
        """Every message in an answer is one that she could read as it is there, at some time."""
        parts = dict(data.get("rooms", {})) if isinstance(data.get("rooms"), dict) else {}
        if "sync" in data:
            parts[data["room"]["id"]] = data["sync"]
        messages = [(m, False) for part in parts.values() for m in part.get("events", ())]
        messages += [(m, True) for m in data.get("messages", ())]
        messages += [(data["message"], True)] if "message" in data else []
        for message, as_visitor in messages:
            visits = as_visitor or (client.sid, message["room_id"]) in self.watched
            log = self._log(message["room_id"], message["rev"])
            seen = log.could_see(client.user_id, message["id"], message["rev"], as_visitor=visits)
            assert seen or message["room_id"] in self.deleted, f"{client.name} was shown {message}"

    def _check_outcome(self, tag: str, ack: Wire) -> None:
        """An answer without a row was right at some time between the request and now."""
        user, ask = self.requests[tag]
        room_id = ask.get("room_id", "")
        log = self.logs.get(room_id)
        if log is None or room_id in self.deleted or ask["event"] in ("history", "watch"):
            return
        if "client_id" in ask and log.stored(user, ask["client_id"]) is not None:
            return
        code = ack.get("error", {}).get("code", "nothing")
        if ack.get("error", {}).get("retryable"):
            return
        verdicts = set[str]()
        for room in log.moments[self.heads[tag] :]:  # what its node had applied, and later
            verdicts |= self._model.verdict(room, user, ask)
        if "client_id" not in ask:
            verdicts |= {"nothing"} if "change" in verdicts else set[str]()
        assert code in verdicts, f"{user}'s {ask} was told {code}, but could be {verdicts}"

    def _log(self, room_id: str, rev: int = 0) -> Timeline:
        # Rows are written beside this: one may be there since it looked.
        if room_id not in self.logs or self.logs[room_id].head < rev:
            self._look_at_storage()
        return self.logs[room_id]

    def _look_at_storage(self) -> None:
        """Read what is stored; of a deleted room what it was at last."""
        for room_id, deleted, head in self._ledger.heads():
            if deleted:
                self.deleted.add(room_id)
            elif room_id not in self.logs or self.logs[room_id].head != head:
                self.logs[room_id] = Timeline(self._ledger, room_id)

    # What happens

    async def _write(self, client: Client, choice: int) -> None:
        kind = KINDS[choice // 7 % len(KINDS)]
        if kind == "retry" and self.requests:
            await self._retry(client, choice)
        elif self.room_id in self.deleted:
            await self._create(client)
        elif kind == "manage":
            await self._manage(client, choice // 3)
        elif kind == "move":
            inside = self.logs[self.room_id].now.role(client.user_id) != ""
            event = "leave_room" if inside and choice // 5 % 2 else "join_room"
            await self._ask(client, event, {"room_id": self.room_id})
        elif kind in CHANGES:
            await self._change(client, kind, choice)
        elif kind in ("watch", "unwatch", "history") or (
            kind == "delete_room" and choice // 11 % 3 == 0
        ):
            await self._ask(client, kind, {"room_id": self.room_id})
        else:
            await self._say(client)

    async def _ask(self, client: Client, event: str, payload: Wire) -> None:
        tag = f"request-{len(self.requests):04d}"
        if event not in ("join_room", "leave_room", "watch", "unwatch", "history"):
            payload = {"client_id": tag, **payload}
        self.requests[tag] = (client.user_id, {"event": event, **payload})
        await self._send(client, tag)

    async def _send(self, client: Client, tag: str) -> None:
        _, ask = self.requests[tag]
        if ask["event"] == "watch":
            self.watched.add((client.sid, ask["room_id"]))
        feed = client.node.feeds.running(RoomId(ask.get("room_id", "")))
        applied = feed.head if feed is not None else 0
        self.heads[tag] = min(self.heads.get(tag, applied), applied)
        payload = {name: value for name, value in ask.items() if name != "event"}
        if ask["event"] in ("join_room", "watch"):
            payload |= client.since_of(ask["room_id"])
        await client.request(ask["event"], payload, tag)

    async def _retry(self, client: Client, choice: int) -> None:
        mine = sorted(tag for tag, (user, _) in self.requests.items() if user == client.user_id)
        if mine:
            await self._send(client, mine[choice % len(mine)])

    async def _create(self, client: Client) -> None:
        members = [name for name in NAMES[:3] if name != client.user_id]
        await self._ask(client, "create_room", {"name": "r", "type": "public", "members": members})

    async def _say(self, client: Client) -> None:
        text = f"request-{len(self.requests):04d}"
        await self._ask(client, "chat", {"room_id": self.room_id, "content": {"text": text}})

    async def _change(self, client: Client, event: str, choice: int) -> None:
        log = self.logs[self.room_id]
        every = event == "react" or choice // 13 % 2
        ids = [
            id
            for id, message in log.messages.items()
            if message["type"] == "chat" and (every or message["from"] == client.user_id)
        ]
        if not ids:
            await self._say(client)
            return
        payload: Wire = {"message_id": ids[choice % len(ids)]}
        if event == "edit_message":
            payload["content"] = {"text": f"edited-{len(self.requests):04d}"}
        elif event == "react":
            payload |= {"emoji": "👍", "on": bool(choice % 3)}
        await self._ask(client, event, payload)

    async def _manage(self, client: Client, choice: int) -> None:
        """Ask for something about the room or somebody in it, mostly such that it is done."""
        room = self.logs[self.room_id].now
        staff = [c for c in self.clients if room.role(c.user_id) in STAFF]
        if staff and choice % 8:
            client = staff[choice // 8 % len(staff)]
        event, choice = MANAGE[choice // 64 % len(MANAGE)], choice // 1024
        payload: Wire = {"room_id": self.room_id}
        if event == "update_room":
            payload["changes"] = {"settings": _flipped(room, choice)}
        else:
            fitting = [u for u in NAMES if room.state(u) in FITTING[event] and u != room.owner]
            among = fitting if choice % 8 and fitting else NAMES
            payload["user_id"] = among[choice // 8 % len(among)]
        if event == "mute":
            payload["muted_for_ms"] = 0 if choice // 64 % 3 == 0 else 60_000
        elif event == "set_role":
            payload["role"] = ("admin", "admin", "member", "owner")[choice // 64 % 4]
        await self._ask(client, event, payload)

    async def _announce(self, index: int) -> None:
        listener, payload = self.bus.on_the_way.pop(index)
        # In a task, as a bus does it: a listener may wait for storage.
        self._tasks.append(asyncio.ensure_future(listener(payload)))
        await self.delays.settle()

    def _be_heard(self, question: Question) -> None:
        self.calls.on_the_way.remove(question)
        self._tasks.append(asyncio.ensure_future(question.be_heard()))

    def _lose(self, question: Question) -> None:
        self.calls.on_the_way.remove(question)
        question.give_up()

    def _audit(self, node: Node) -> None:
        self._tasks.append(asyncio.ensure_future(node.audit.once()))

    async def _reconnect(self, choice: int) -> None:
        client = self.clients[choice % len(self.clients)]
        await client.lose_connection()
        if choice // 31 % 8 == 0:  # a device that knows nothing yet
            for room_id in list(client.rooms):
                client.forget(room_id)
        await self._connect(client, self.nodes[choice // 3 % 2])

    async def _come_back(self) -> bool:
        """Connect again who was sent away, which happens when a room is deleted meanwhile."""
        closed = [client for client in self.clients if client.sid in client.node.wire.closed]
        for client in closed:
            assert self.deleted, f"{client.sid} was closed: {client.node.wire.closed}"
            await client.lose_connection()
            await self._connect(client, client.node)
        return bool(closed)

    async def _connect(self, client: Client, node: Node) -> None:
        self.serial += 1
        await client.connect(node, self.serial)
        self.watched |= {(client.sid, room_id) for room_id in client.watching}


def _flipped(room: Room, choice: int) -> Wire:
    """Return one setting of a room as it is not."""
    present = {
        "is_private": room.is_private,
        "require_approval": room.setting("require_approval"),
        "mute_all": room.setting("mute_all"),
    }
    name = ("is_private", "is_private", "require_approval", "mute_all")[choice % 4]
    return {name: not present[name]}


CHOICES = st.lists(st.integers(0, 2**20), min_size=60, max_size=160)


def _histories(count: int) -> settings:
    unhurried = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=count, deadline=None, suppress_health_check=unhurried)


@_histories(100)
@given(choices=CHOICES)
def test_no_interleaving_loses_a_change(rule: Rule, choices: list[int]) -> None:
    """Whatever order things happen in, clients end up with exactly what is stored."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with Database.open(Path(folder)) as database:
                with contextlib.closing(SqliteLedger(Path(folder))) as ledger:
                    await history(rule, sqlite_store(database), ledger, choices)

    asyncio.run(run())


@pytest.mark.mongo
@pytest.mark.slow
@_histories(30)
@given(choices=CHOICES)
def test_no_interleaving_loses_a_change_on_mongodb(rule: Rule, choices: list[int]) -> None:
    """The same, where the nodes have one database and nothing else in common."""

    async def run() -> None:
        async with empty_mongo(mongod.url()) as database:
            with contextlib.closing(MongoLedger(database.name)) as ledger:
                await history(rule, mongo_store(database), ledger, choices)

    asyncio.run(run())


async def history(rule: Rule, store: Store, ledger: Ledger, choices: list[int]) -> None:
    """Run one history, with pages of a sync so small that there are several."""
    rule("clear")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync, "PAGE_ROWS", 5)
        patch.setattr(sync, "RESET_MESSAGES", 6)
        run = Run(rule, store, ledger)
        await run.begin()
        for choice in choices:
            await run.step(choice)
        await run.finish()
        run.check_log()
        run.check_cursors()
        run.check_final()
