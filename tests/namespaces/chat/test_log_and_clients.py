"""The guarantee, attacked: random interleavings of writers, nodes, bus, storage and clients.

The properties are those of the model checker that the rules were found with: positions are
dense and taken once; what is acked is stored, once; a cursor never passes a change its client
does not have; when all is quiet, every client holds exactly what storage holds.
"""

import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.storage.models import RoomId
from parley.storage.sqlite.database import Database
from tests.namespaces.chat.world import Client, Delays, LossyBus, Node, Rule, make_node

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

Stored = dict[str, tuple[int, int, bool]]  # id → (seq, rev, deleted)


@pytest.fixture(scope="module")
def rule() -> Iterator[Rule]:
    process = Rule()
    yield process
    process.close()


class Run:
    """One random history of two nodes and four devices."""

    def __init__(self, rule: Rule, database: Database, path: Path) -> None:
        self.delays, self.bus = Delays(), LossyBus()
        self.nodes = [make_node(database, self.delays, self.bus) for _ in range(2)]
        self.serial = 0
        names = {"a1": "alice", "a2": "alice", "b1": "bob", "c1": "carol"}
        self.clients = [
            Client(name, user, rule, self.nodes[i % 2])
            for i, (name, user) in enumerate(names.items())
        ]
        self.requests: dict[str, tuple[str, dict[str, Any]]] = {}
        self.room_id = ""
        self._tasks: list[asyncio.Future[None]] = []
        self._storage = sqlite3.connect(path / "parley.sqlite3")

    async def begin(self) -> None:
        """Bring everyone online, in one room of alice's and bob's."""
        self.delays.open = True
        for client in self.clients:
            await self._connect(client, client.node)
        created = {"name": "r", "type": "public", "members": ["bob"]}
        await self.clients[0].request("create_room", created, "create")
        await self._until(lambda: any("create" in c.acks for c in self.clients))
        self.room_id = self.clients[0].acks["create"]["data"]["room"]["id"]
        await self.quiet()
        self.delays.open = False

    async def step(self, choice: int) -> None:
        """Do one of the things that can happen now."""
        actions = self._possible(choice)
        result = actions[choice % len(actions)]()
        if asyncio.iscoroutine(result):
            await result
        await self.delays.settle()
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
        for client in self.clients:
            if client.node.wire.outboxes.get(client.sid):
                actions += [client.read] * 3
            actions += [partial(self._write, client, choice)] * 2
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
                await node.feeds.settled()
            while self.bus.on_the_way:
                await self._announce(0)
            await asyncio.gather(*self._tasks)  # none of them failed
            for client in self.clients:
                while client.node.wire.outboxes[client.sid]:
                    await client.read()
                    moved = True

    def close(self) -> None:
        """Let go of the storage."""
        self._storage.close()

    def stored(self) -> Stored:
        """Return what storage holds, by a connection of the test's own."""
        rows = self._storage.execute(
            "SELECT message_id, seq, state_rev, deleted FROM log WHERE kind = 'create'"
        )
        return {id: (seq, rev, bool(deleted)) for id, seq, rev, deleted in rows}

    def check_log(self) -> None:
        """Positions are dense; what was acked is stored, once; an ack names its place."""
        revs = [r for (r,) in self._storage.execute("SELECT rev FROM log ORDER BY rev")]
        assert revs == list(range(1, len(revs) + 1))
        stored = self.stored()
        acks = {tag: ack for c in self.clients for tag, ack in c.acks.items() if tag != "sync"}
        places: dict[int, str] = {}
        for tag, ack in acks.items():
            if ack["ok"] and "seq" in ack["data"]:
                data = ack["data"]
                assert stored[data["id"]][0] == data["seq"]
                client_id = self.requests[tag][1]["client_id"]
                assert places.setdefault(data["seq"], client_id) == client_id

    def check_cursors(self) -> None:
        """No live client's cursor is past a change it does not have."""
        stored = self.stored()
        for client in self.clients:
            room = client.rooms.get(self.room_id)
            if room is None or room["cursor"] is None or room["syncing"]:
                continue
            position, start = _rev(room["cursor"]), self._start(client)
            if start is None:  # she left, and has not read it yet
                continue
            for id, (seq, rev, _) in stored.items():
                if start < seq and rev <= position:
                    known = room["messages"].get(id)
                    assert known is not None, f"{client.name} at {position} lost {id}@{rev}"
                    assert known["rev"] >= rev

    def check_seam(self) -> None:
        """A client that is live and has read everything is not behind its node's feed."""
        for client in self.clients:
            node, room = client.node, client.rooms.get(self.room_id)
            live = client.sid in node.wire.sockets(f"room:{self.room_id}")
            if room is None or room["syncing"] or not live or node.wire.outboxes[client.sid]:
                continue
            feed = node.feeds.running(RoomId(self.room_id))
            assert feed is not None, "a live socket without a feed"
            assert _rev(room["cursor"]) >= feed.head, f"{client.name} is behind the feed"

    def check_final(self) -> None:
        """Every member's client holds exactly what storage holds."""
        stored = self.stored()
        for client in self.clients:
            start = self._start(client)
            if start is None:
                assert self.room_id not in client.rooms
                continue
            room = client.rooms[self.room_id]
            assert not room["syncing"]
            assert _rev(room["cursor"]) == max(rev for _, rev, _ in stored.values())
            wanted = {id: rev for id, (seq, rev, _) in stored.items() if seq > start}
            held = {id: m["rev"] for id, m in room["messages"].items() if m["seq"] > start}
            assert held == wanted, client.name

    def _start(self, client: Client) -> Any:
        row = self._storage.execute(
            "SELECT joined_rev FROM members WHERE user_id = ?", [client.user_id]
        ).fetchone()
        return row[0] if row is not None else None

    async def _write(self, client: Client, choice: int) -> None:
        kind = ("chat", "chat", "edit_message", "react", "delete_message", "retry", "move")
        event, tag = kind[choice // 7 % len(kind)], f"request-{len(self.requests):04d}"
        if event == "retry" and self.requests:
            tag = sorted(self.requests)[choice % len(self.requests)]
            event, payload = self.requests[tag]
            await client.request(event, payload, tag)
            return
        if client.user_id == "carol" and event == "move":
            event = "join_room" if choice % 2 else "leave_room"
            await client.request(event, {"room_id": self.room_id}, "move")
            return
        own = self._storage.execute(
            "SELECT message_id FROM log WHERE kind = 'create' AND type = 'chat'"
            " AND sender = ? ORDER BY rev",
            [client.user_id],
        ).fetchall()
        payload = {"client_id": tag, "content": {"text": tag}}
        if event in ("edit_message", "react", "delete_message") and own:
            payload["message_id"] = own[choice % len(own)][0]
            if event != "edit_message":
                del payload["content"]
            if event == "react":
                payload |= {"emoji": "👍", "on": bool(choice % 3)}
        else:
            event = "chat"
            payload["room_id"] = self.room_id
        self.requests[tag] = (event, payload)
        await client.request(event, payload, tag)

    async def _announce(self, index: int) -> None:
        listener, payload = self.bus.on_the_way.pop(index)
        # In a task, as a bus does it: a listener may wait for storage.
        self._tasks.append(asyncio.ensure_future(listener(payload)))
        await self.delays.settle()

    def _audit(self, node: Node) -> None:
        self._tasks.append(asyncio.ensure_future(node.audit.once()))

    async def _reconnect(self, choice: int) -> None:
        client = self.clients[choice % len(self.clients)]
        await client.lose_connection()
        await self._connect(client, self.nodes[choice // 3 % 2])

    async def _connect(self, client: Client, node: Node) -> None:
        self.serial += 1
        await client.connect(node, self.serial)

    async def _until(self, done: Callable[[], bool]) -> None:
        while not done():
            await self.delays.settle()
            for client in self.clients:
                while client.node.wire.outboxes[client.sid]:
                    await client.read()


def _rev(cursor: str) -> int:
    return int(cursor.partition(".")[2])


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(choices=st.lists(st.integers(0, 2**20), min_size=40, max_size=160))
def test_no_interleaving_loses_a_change(rule: Rule, choices: list[int]) -> None:
    """Whatever order things happen in, clients end up with exactly what is stored."""

    async def history() -> None:
        rule("clear")
        with tempfile.TemporaryDirectory() as folder:
            async with Database.open(Path(folder)) as database:
                run = Run(rule, database, Path(folder))
                with contextlib.closing(run):
                    await run.begin()
                    for choice in choices:
                        await run.step(choice)
                    await run.quiet()
                    run.check_log()
                    run.check_cursors()
                    run.check_final()

    asyncio.run(history())
