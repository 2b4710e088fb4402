"""A file of an older version opens as one of today, with all that was in it."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from parley.storage.models import MemberState, Role, RoomId, RoomType, Timestamp, User, UserId
from parley.storage.sqlite.database import FILE, Database
from parley.storage.sqlite.schema import MIGRATIONS
from tests.storage.drafts import (
    ANN,
    BOB,
    EPOCH,
    EVE,
    append,
    banned,
    head_of,
    joined,
    member,
    said,
    snapshot,
)
from tests.storage.stores import sqlite_store

VERSION_1 = MIGRATIONS[0]
ROOMS: dict[str, tuple[str, str, dict[str, Any]]] = {  # name, type, settings
    "a" * 24: ("ÄRGER und Tee", "public", {"max_members": 5}),
    "b" * 24: ("Hidden", "public", {"is_private": True}),
    "c" * 24: ("Group", "group", {}),
}
TEA = RoomId("a" * 24)


def write_version_1(folder: Path) -> None:
    """Write a file as the first release left it: rooms, two members in each, a message."""
    folder.mkdir()
    connection = sqlite3.connect(folder / FILE)
    connection.executescript(VERSION_1 + "PRAGMA user_version = 1;")
    for room_id, (name, room_type, settings) in ROOMS.items():
        room = (room_id, name, room_type, None, ANN, 1, 2, EPOCH, 0, orjson.dumps(settings))
        connection.execute(f"INSERT INTO rooms VALUES ({', '.join('?' * 10)})", room)
        for rev, (user, role) in enumerate([(ANN, "owner"), (BOB, "member")], 1):
            content = orjson.dumps({"user_id": user, "role": role, "reason": "created"})
            _create(connection, room_id, rev, "join_room", user, content)
            row = (room_id, user, role, "member", 0, rev, 1, rev)
            connection.execute(f"INSERT INTO members VALUES ({', '.join('?' * 8)})", row)
        text = orjson.dumps({"text": "hello", "message_type": "text"})
        _create(connection, room_id, 3, "chat", BOB, text)
    connection.executemany("INSERT INTO membership_revisions VALUES (?, 3)", [(ANN,), (BOB,)])
    connection.execute("INSERT INTO users VALUES (?, ?, ?)", (BOB, "Bob", 1))
    connection.commit()
    connection.close()


def _create(
    connection: sqlite3.Connection,
    room_id: str,
    rev: int,
    type_: str,
    sender: UserId,
    content: bytes,
) -> None:
    row_id = f"{room_id[:20]}{rev:04}"
    connection.execute(
        "INSERT INTO log (room_id, rev, seq, kind, message_id, sender, client_id, digest, "
        "created_at, type, state_rev, content) VALUES (?, ?, ?, 'create', ?, ?, ?, ?, 1, ?, ?, ?)",
        (room_id, rev, rev, row_id, sender, f"sys:{row_id}", b"", type_, rev, content),
    )


async def test_rooms_of_version_1_are_whole(folder: Path) -> None:
    """Rooms, members and messages are what they were; what is new has its default."""
    write_version_1(folder)
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        tea = await snapshot(store, TEA)
        assert (tea.room.name, tea.room.type, tea.room.owner) == (
            "ÄRGER und Tee",
            RoomType.PUBLIC,
            ANN,
        )
        assert (tea.room.settings, tea.room.rev, tea.room.deleted) == ({"max_members": 5}, 0, False)
        assert (tea.head, tea.room.updated_at) == (3, 2)
        assert [(m.user_id, m.role) for m in tea.members] == [
            (ANN, Role.OWNER),
            (BOB, Role.MEMBER),
        ]
        assert {(m.state, m.muted_until) for m in tea.members} == {(MemberState.MEMBER, None)}
        assert [m.type for m in await store.messages.history(TEA, limit=9)] == [
            "join_room",
            "join_room",
            "chat",
        ]
        assert (await store.members.revisions([ANN]))[ANN] == 3


async def test_rooms_of_version_1_are_found(folder: Path) -> None:
    """Lists have them: by name in any case, with their members counted, if they are public."""
    write_version_1(folder)
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        (listing,) = await store.rooms.listed(limit=9)
        assert (listing.room.id, listing.member_count) == (TEA, 2)
        assert [r.room.id for r in await store.rooms.listed(containing="ärger", limit=9)] == [TEA]
        overviews = await store.members.overviews(ANN, limit=9)
        assert [o.room.id for o in overviews] == list(ROOMS)
        assert {(o.member_count, o.unread.count) for o in overviews} == {(2, 1)}
        assert len(await store.messages.written_by(BOB, reader=ANN, limit=9)) == 3


async def test_rooms_of_version_1_go_on(folder: Path) -> None:
    """Rows of every new kind fold, and the file opens again as it is."""
    write_version_1(folder)
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        await append(store, TEA, said(ANN), joined(EVE), member(ANN, EVE, muted_for_ms=5))
        await append(store, TEA, banned(ANN, BOB))
        before = await snapshot(store, TEA)
        (listing,) = await store.rooms.listed(limit=9)
        assert listing.member_count == 2
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        assert await snapshot(store, TEA) == before
        assert (await head_of(store, TEA)).rev == 7


async def test_users_of_version_1_are_known(folder: Path) -> None:
    """They have their name, were never seen online, and hide nothing."""
    write_version_1(folder)
    async with Database.open(folder) as database:
        store = sqlite_store(database)
        bob = User(id=BOB, name="Bob", first_seen=Timestamp(1))
        assert await store.users.known([ANN, BOB]) == {BOB: bob}
        await store.users.saw({BOB: Timestamp(5)})
        assert await store.users.get(BOB) == replace(bob, last_seen=Timestamp(5))
