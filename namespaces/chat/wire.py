"""Rooms, messages and memberships as clients see them. What is absent is absent, never null."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from parley.namespaces.chat.settings import settings_of
from parley.namespaces.wire import SYSTEM, timestamp
from parley.storage.models import Membership, Message, Room, RoomId, Timestamp

LISTED_MEMBERS = 200  # a room with more shows only how many
LISTED_USERS = 20  # of each reaction


class Notice(StrEnum):
    """Events of the server beside messages, whose events are named by their `MessageType`."""

    SYSTEM = SYSTEM
    SYNC = "sync"  # the answer to ``auth.since``
    ROOM_BEHIND = "room_behind"  # this socket has to sync the room
    SKIP = "skip"  # a position whose change this member may not see
    READ = "read"  # a read mark has moved; at most once
    TYPING = "typing"  # at most once
    SIGNAL = "signal"  # what a member's application tells the others; at most once


def room_key(room_id: RoomId) -> str:
    """Return the Socket.IO room of a chat room."""
    return f"room:{room_id}"


def watch_key(room_id: RoomId) -> str:
    """Return the Socket.IO room of those who follow a chat room without being members."""
    return f"watch:{room_id}"


def room_of(key: str) -> RoomId | None:
    """Return the chat room of either; None for a Socket.IO room of another kind."""
    kind, _, room_id = key.partition(":")
    return RoomId(room_id) if kind in ("room", "watch") else None


def message_to_wire(message: Message) -> dict[str, Any]:
    """Return the message's whole present state."""
    wire: dict[str, Any] = {
        "type": message.type,
        "id": message.id,
        "room_id": message.room_id,
        "seq": message.seq,
        "rev": message.rev,
        "from": message.sender,
        "content": message.content,
        "timestamp": timestamp(message.created_at),
    }
    if message.to is not None:
        wire["to"] = message.to
    if not message.client_id.startswith("sys:"):
        wire["client_id"] = message.client_id
    if message.metadata is not None:
        wire["metadata"] = message.metadata
    if message.edited_at is not None:
        wire["edited_at"] = timestamp(message.edited_at)
    if message.deleted:
        wire["deleted"] = True
    if message.reactions:
        wire["reactions"] = [
            {"emoji": emoji, "count": len(users), "users": list(users[:LISTED_USERS])}
            for emoji, users in message.reactions.items()
        ]
    return wire


def room_to_wire(
    room: Room, *, member_count: int, members: Iterable[Membership] = ()
) -> dict[str, Any]:
    """Return a room; ``members`` are left out where there are many, or none are given."""
    wire: dict[str, Any] = {
        "id": room.id,
        "name": room.name,
        "type": room.type,
        "member_count": member_count,
        "settings": settings_of(room),
        "rev": room.rev,
        "created_at": timestamp(room.created_at),
        "updated_at": timestamp(room.updated_at),
    }
    if room.description is not None:
        wire["description"] = room.description
    if room.owner is not None:
        wire["owner"] = room.owner
    if member_count <= LISTED_MEMBERS:
        inside = [m.user_id for m in members if m.is_member]
        if inside:
            wire["members"] = inside
    return wire


def membership_to_wire(
    membership: Membership, now: Timestamp, *, name: str | None = None
) -> dict[str, Any]:
    """Return one user's place in a room as of ``now``."""
    wire: dict[str, Any] = {
        "user_id": membership.user_id,
        "role": membership.role,
        "state": membership.state,
        "visible_from_seq": membership.visible_from_seq,
        "joined_at": timestamp(membership.joined_at),
    }
    if name is not None:
        wire["name"] = name
    if membership.muted_until is not None and membership.is_muted(now):
        wire["muted_until"] = timestamp(membership.muted_until)
    return wire
