"""People come, go, hide and move against a model: what each client knows is what it may know.

Two nodes, hints in any order or lost, requests that are answered while all this goes on. After
every few steps the view of each client, built by the rule of docs/protocol.md from acks and
events, is what the model says that its user may see. In the end all leave, and nothing is kept.

More histories: PARLEY_TEST_HISTORIES=1000. The same again: PARLEY_TEST_SEED=…, as was printed.
"""

import asyncio
import os
import secrets
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from parley.namespaces.chat.services import ChatServices
from parley.namespaces.presence import room_list
from parley.namespaces.session import Session
from parley.storage.models import RoomId, UserId
from tests.namespaces.presence.house import LEASE_S, START, House, Node
from tests.namespaces.presence.model import Client, Content, Model, Person

pytestmark = pytest.mark.timeout(3_000)

NAMES = ("ann", "bob", "cid", "dot")
STATUSES = ("online", "busy", "away")
LABELS = ("phone", "desk", "")
HISTORIES = int(os.environ.get("PARLEY_TEST_HISTORIES", "40"))
SEED = int(os.environ.get("PARLEY_TEST_SEED", str(secrets.randbelow(2**32))))
STEPS = 60
LARGE = 3  # members, for this test

KINDS = (
    *("connect", "connect", "connect", "open", "close", "close", "report", "report"),
    *("hide", "hide", "wait", "wait", "stand still"),
    *("subscribe", "subscribe", "unsubscribe", "get", "room", "room", "room", "leave list"),
    *("behind", "behind", "behind and leave", "join", "join", "leave", "leave", "delete"),
)


class Play:
    """One history, in the house and in the model."""

    def __init__(self, house: House, chance: Random) -> None:
        self._house = house
        self._chance = chance
        self._model = Model({name: Person() for name in NAMES})
        self._devices: list[tuple[Node, Session, str]] = []
        self._clients: dict[Session, Client] = {}
        self._followed: dict[Session, set[str]] = {}
        self._owners: dict[str, str] = {}

    async def step(self, kind: str, *numbers: int) -> None:
        """Do one thing while others are on the way."""
        sys.stdout.write(f"{kind} {numbers}\n")
        await getattr(self, f"_{kind.replace(' ', '_')}")(*numbers)
        await self._house.deliver(self._chance, lost=0.2)

    async def settle(self) -> None:
        """Let everything arrive, and compare."""
        await self._house.answered()
        await self._house.step()
        await self._house.deliver(self._chance, lost=0.2)
        await self._house.audit()
        await self._house.deliver(self._chance)
        for node in self._house.nodes:
            await node.presence.lists.tell_all()
        # Who was behind is told the rest when she has read what was there.
        while self._read():
            for _ in range(4):
                await asyncio.sleep(0)
        self._compare()

    async def finish(self) -> None:
        """Let everybody leave, and see that nothing is kept of anybody."""
        while self._devices:
            await self._close(0, 0, 0)
        await self._wait(60, 0, 0)
        await self._house.audit()
        await self._house.deliver(self._chance)
        for node in self._house.nodes:
            await node.presence.lists.tell_all()
            assert node.left_over() == {}
        assert self._house.memory.size == 0

    # What happens

    async def _connect(self, who: int, where: int, _: int) -> None:
        node, name = self._house.nodes[where % 2], NAMES[who % len(NAMES)]
        session = await node.connect(name)
        self._clients[session] = Client(name)
        self._followed[session] = set()
        await self._came(node, session, name)

    async def _open(self, who: int, where: int, _: int) -> None:
        node, name = self._house.nodes[where % 2], NAMES[who % len(NAMES)]
        await self._came(node, node.open(name), name)

    async def _came(self, node: Node, session: Session, name: str) -> None:
        self._devices.append((node, session, name))
        self._model.come(name, session)
        await self._house.step()

    async def _close(self, which: int, _: int, __: int) -> None:
        if not self._devices:
            return
        node, session, name = self._devices.pop(which % len(self._devices))
        await self._house.answered()
        self._clients.pop(session, None)
        await node.close(session)
        self._model.go(name, session)
        await self._house.step()

    async def _report(self, which: int, a: int, b: int) -> None:
        said: dict[str, Any] = {"status": STATUSES[a % 3]}
        if b % 2:
            said["device"] = LABELS[b % 3]
        await self._say(which, said)

    async def _hide(self, which: int, a: int, b: int) -> None:
        await self._say(which, {"status": STATUSES[a % 3], "invisible": bool(b % 3)})

    async def _say(self, which: int, said: dict[str, Any]) -> None:
        if (found := self._client(which)) is not None:
            node, session, name = found
            node.ask(session, "set_status", said)
            await self._house.answered()
            self._model.report(name, session, said)

    async def _wait(self, tenths: int, _: int, __: int) -> None:
        seconds = tenths % 80 / 10
        self._house.seconds += seconds
        await self._house.step()
        self._model.wait(seconds)

    async def _stand_still(self, tenths: int, a: int, _: int) -> None:
        """Let both nodes stand still for longer than a lease, while a connection may end.

        They go on at once, and put all again before either of them claims what the other had.
        """
        await self._house.answered()
        self._house.seconds += LEASE_S + 1
        self._model.wait(LEASE_S + 1)
        crowded = [
            device
            for device in self._devices
            # What ends last has no grace: its node puts nothing, so the lease stays over.
            if sum(node is device[0] for node, *_ in self._devices) > 1
        ]
        if tenths % 2 and crowded:
            node, session, name = device = crowded[a % len(crowded)]
            self._devices.remove(device)
            self._clients.pop(session, None)
            await node.close(session)
            self._model.go(name, session)
        for do in ("renew", "_settle"):
            for node in self._house.nodes:
                await getattr(node.presence.devices, do)()
        await self._house.step()

    async def _subscribe(self, which: int, a: int, b: int) -> None:
        if (found := self._client(which)) is not None:
            node, session, _ = found
            names = sorted({NAMES[a % len(NAMES)], NAMES[b % len(NAMES)]})
            # It is answered whenever it is: other things happen meanwhile.
            node.ask(session, "subscribe", {"user_ids": names})
            self._followed[session] |= set(names)

    async def _get(self, which: int, a: int, _: int) -> None:
        if (found := self._client(which)) is not None:
            node, session, _name = found
            node.ask(session, "get", {"user_ids": [NAMES[a % len(NAMES)]]})

    async def _unsubscribe(self, which: int, a: int, _: int) -> None:
        if (found := self._client(which)) is not None:
            node, session, _name = found
            node.ask(session, "unsubscribe", {"user_ids": [NAMES[a % len(NAMES)]]})
            self._followed[session].discard(NAMES[a % len(NAMES)])

    async def _room(self, which: int, a: int, _: int) -> None:
        found = self._client(which)
        if found is not None and self._owners:
            node, session, name = found
            room_id = list(self._owners)[a % len(self._owners)]
            self._clients[session].inside.append(name in self._model.rooms[room_id])
            node.ask(session, "room", {"room_id": room_id})

    async def _leave_list(self, which: int, a: int, _: int) -> None:
        found = self._client(which)
        if found is not None and self._owners:
            node, session, _name = found
            room_id = list(self._owners)[a % len(self._owners)]
            node.ask(session, "unsubscribe", {"room_id": room_id})

    async def _behind(self, which: int, a: int, _: int) -> None:
        """Let a client read so slowly that what waits for it of one room is given up."""
        if (found := self._client(which)) is not None:
            node, session, _name = found
            rooms = sorted({room for *_, room in node.wire.outboxes[session.sid] if room})
            if rooms:
                self._give_up(node, session, rooms[a % len(rooms)])

    async def _behind_and_leave(self, who: int, a: int, b: int) -> None:
        """Let all clients have missed something of everybody when one leaves a room."""
        for node, session, name in self._devices:
            if session in self._clients:
                node.wire.send(session.sid, "system", {})  # else they have caught up at once
                followed = self._followed[session] - {name}
                for room in (f"user:{name}", *(f"of:{who}" for who in sorted(followed))):
                    self._give_up(node, session, room)
        await self._leave(who, a, b)

    @staticmethod
    def _give_up(node: Node, session: Session, room: str) -> None:
        waiting = node.wire.outboxes[session.sid]
        node.wire.outboxes[session.sid] = [f for f in waiting if f[2] != room]
        assert node.presence.namespace.fell_behind(session.sid, room)

    async def _join(self, who: int, a: int, _: int) -> None:
        name = NAMES[who % len(NAMES)]
        if len(self._owners) < 2:
            room_id: str = await self._house.make_room(name)
            self._owners[room_id] = name
            self._model.rooms[room_id] = {name}
            return
        room_id = list(self._owners)[a % len(self._owners)]
        services = await self._rooms_of(a)
        await services.membership.join(UserId(name), RoomId(room_id))
        self._model.rooms[room_id].add(name)

    async def _leave(self, who: int, a: int, _: int) -> None:
        rooms = [id for id, members in self._model.rooms.items() if len(members) > 1]
        if rooms:
            room_id = rooms[who % len(rooms)]
            guests = sorted(self._model.rooms[room_id] - {self._owners[room_id]})
            name = guests[a % len(guests)]
            services = await self._rooms_of(a)
            await services.membership.leave(UserId(name), RoomId(room_id))
            self._model.rooms[room_id].discard(name)
            for client in self._clients.values():
                if client.user_id == name:
                    client.left.add(room_id)

    async def _rooms_of(self, where: int) -> ChatServices:
        """Return a node's chat when it knows who is where: a hint to it may have been lost."""
        chat = self._house.nodes[where % 2].chat
        await chat.audit.once()
        return chat.services

    async def _delete(self, which: int, _: int, __: int) -> None:
        if self._owners and not which % 3:
            room_id = list(self._owners)[which % len(self._owners)]
            await self._house.delete_room(RoomId(room_id), self._owners.pop(room_id))
            del self._model.rooms[room_id]
            for client in self._clients.values():
                client.left.add(room_id)

    def _client(self, which: int) -> tuple[Node, Session, str] | None:
        found = [each for each in self._devices if each[1] in self._clients]
        return found[which % len(found)] if found else None

    # What is seen

    def _read(self) -> bool:
        """Let every client read all that is there; return whether there was anything."""
        found = False
        for node, session, _name in self._devices:
            client = self._clients.get(session)
            while client is not None and node.wire.outboxes[session.sid]:
                client.hears(*node.wire.read(session.sid))
                found = True
        return found

    def _compare(self) -> None:
        for _node, session, name in self._devices:
            client = self._clients.get(session)
            if client is None:
                continue
            assert set(client.people) - {name} == self._followed[session] - {name}
            for who, content in client.people.items():
                assert _seen(content) == self._model.sees(name, who), (name, who)
            assert client.asked - client.left <= client.counts.keys()
            for room_id, count in client.counts.items():
                self._compare_room(client, room_id, count)

    def _compare_room(self, client: Client, room_id: str, count: int) -> None:
        here = self._model.here(room_id)
        assert client.user_id in self._model.rooms.get(room_id, ())
        assert count == len(here)
        if len(self._model.rooms[room_id]) > LARGE:
            assert room_id not in client.rooms
        else:
            known = client.rooms[room_id]
            assert {who: _seen(content) for who, content in known.items()} == here


def _seen(content: Content) -> Content:
    """Return a content as the model says it: without its version, times in seconds."""
    seen = {k: v for k, v in content.items() if k in ("status", "devices", "invisible")}
    if content["status"] == "offline" and "last_seen" in content:
        at = datetime.fromisoformat(content["last_seen"]).timestamp()
        seen["last_seen"] = pytest.approx(at - START / 1_000, abs=0.01)
    return seen


async def play(chance: Random) -> None:
    """Run one history."""
    with tempfile.TemporaryDirectory() as folder:
        async with House.open(Path(folder) / "data") as house:
            history = Play(house, chance)
            for number in range(STEPS):
                await history.step(chance.choice(KINDS), *chance.choices(range(10_000), k=3))
                if number % 3 == 2:
                    await history.settle()
            await history.settle()
            await history.finish()


def test_what_a_client_knows_is_what_it_may_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_list, "MAX_LISTED", LARGE)
    for number in range(HISTORIES):
        sys.stdout.write(f"PARLEY_TEST_SEED={SEED}, history {number}\n")
        asyncio.run(play(Random(f"{SEED}/{number}")))
