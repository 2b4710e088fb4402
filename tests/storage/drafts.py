"""Drafts and rooms to test with."""

from collections.abc import Sequence
from typing import Any

from parley.storage.ids import new_id
from parley.storage.models import (
    ClientId,
    Draft,
    Head,
    Membership,
    Message,
    MessageId,
    MessageType,
    Room,
    RoomId,
    RoomSnapshot,
    RoomType,
    RowKind,
    Timestamp,
    UserId,
)
from tests.storage.stores import Store

EPOCH = "0badcafe"
ANN = UserId("ann")
BOB = UserId("bob")
EVE = UserId("eve")


def draft(sender: UserId, kind: RowKind = RowKind.CREATE, **fields: Any) -> Draft:
    """Return a draft by ``sender`` with ids of its own."""
    row_id = new_id()
    defaults: dict[str, Any] = {
        "id": row_id,
        "message_id": MessageId(row_id),
        "client_id": ClientId(f"client-{row_id}"),
        "digest": b"digest of the request",
        "created_at": Timestamp(1_700_000_000_000),
    }
    return Draft(kind=kind, sender=sender, **defaults | fields)


def said(sender: UserId, text: str = "hello", **fields: Any) -> Draft:
    """Return the draft of a chat message."""
    content = {"text": text, "message_type": "text"}
    if "mentions" in fields:
        content["mentions"] = fields.pop("mentions")
    return draft(sender, content=content, **fields)


def edited(sender: UserId, target: str, text: str, **fields: Any) -> Draft:
    """Return the draft of an edit."""
    content = {"text": text, "message_type": "text"}
    if "mentions" in fields:
        content["mentions"] = fields.pop("mentions")
    return draft(sender, RowKind.EDIT, message_id=target, content=content, **fields)


def deleted(sender: UserId, target: str, **fields: Any) -> Draft:
    """Return the draft of a deletion."""
    return draft(sender, RowKind.DELETE, message_id=target, **fields)


def reacted(sender: UserId, target: str, emoji: str, *, on: bool = True, **fields: Any) -> Draft:
    """Return the draft of a reaction."""
    return draft(sender, RowKind.REACT, message_id=target, emoji=emoji, on=on, **fields)


def joined(user: UserId, role: str = "member", reason: str = "joined") -> Draft:
    """Return the control row that lets ``user`` in."""
    content = {"user_id": user, "role": role, "reason": reason}
    return draft(user, type=MessageType.JOIN_ROOM, content=content)


def left(user: UserId, *, heir: UserId | None = None, **more: Any) -> Draft:
    """Return the control row that lets ``user`` out."""
    content = {"user_id": user, "reason": "left"} | ({"owner": heir} if heir else {}) | more
    return draft(user, type=MessageType.LEAVE_ROOM, content=content)


def member(by: UserId, user: UserId, **change: Any) -> Draft:
    """Return the control row by which ``by`` changes what ``user`` is; no change: unbanned."""
    content = {"member": {"user_id": user, **change}}
    return draft(by, type=MessageType.ROOM_UPDATE, content=content)


def banned(by: UserId, user: UserId, **more: Any) -> Draft:
    """Return the control row that bans ``user``."""
    content = {"user_id": user, "reason": "banned", "by": by, **more}
    return draft(by, type=MessageType.LEAVE_ROOM, content=content)


def updated(by: UserId, at: int = 1_700_000_000_000, **changed: Any) -> Draft:
    """Return the control row that changes the room itself."""
    content = {"changed": changed}
    return draft(by, type=MessageType.ROOM_UPDATE, content=content, created_at=Timestamp(at))


def founding(*users: UserId) -> list[Draft]:
    """Return the first rows of a room; the first user owns it."""
    return [joined(user, "member" if i else "owner", "created") for i, user in enumerate(users)]


def a_room(room_id: str | None = None, room_type: RoomType = RoomType.GROUP, **fields: Any) -> Room:
    """Return a room that is not stored yet."""
    defaults: dict[str, Any] = {
        "name": "Tea",
        "owner": None,
        "created_at": Timestamp(1),
        "updated_at": Timestamp(1),
        "epoch": EPOCH,
    }
    return Room(id=RoomId(room_id or new_id()), type=room_type, **defaults | fields)


async def new_room(
    store: Store, *users: UserId, room_type: RoomType = RoomType.GROUP, **fields: Any
) -> RoomId:
    """Store a room with ``users`` in it, whose rows take the first positions."""
    room = a_room(room_type=room_type, **fields)
    return (await store.rooms.create(room, founding(*users))).room.id


async def snapshot(store: Store, room_id: RoomId) -> RoomSnapshot:
    """Return a room that exists."""
    found = await store.rooms.get(room_id)
    assert found is not None
    return found


async def membership(store: Store, room_id: RoomId, user: UserId) -> Membership:
    """Return a membership that exists."""
    found = await store.members.get(room_id, user)
    assert found is not None
    return found


async def head_of(store: Store, room_id: RoomId) -> Head:
    """Return where a room's log ends."""
    return (await store.rooms.heads([room_id]))[room_id]


async def append(store: Store, room_id: RoomId, *drafts: Draft) -> list[Message]:
    """Append ``drafts`` at the head and return the messages of their outcomes."""
    head = await head_of(store, room_id)
    outcomes = await store.messages.append(room_id, epoch=head.epoch, after=head.rev, drafts=drafts)
    return [outcome.message for outcome in outcomes]


def texts(messages: Sequence[Message]) -> list[str]:
    """Return what the messages say."""
    return [message.content.get("text", "") for message in messages]
