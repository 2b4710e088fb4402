"""Records to documents and back.

What a client wrote is kept as JSON in bytes: keys such as ``$set`` or ``a.b`` mean nothing to
MongoDB then, and every number comes back as it was.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from parley.storage.models import (
    JSON,
    SPOKEN,
    Draft,
    Head,
    Membership,
    MemberState,
    Message,
    MessageType,
    Role,
    Room,
    RoomId,
    RoomType,
    RowKind,
    UserId,
)
from parley.storage.naming import is_listed, name_key

Document = dict[str, Any]

CREATE = RowKind.CREATE.value
GONE = "gone"  # kind of the row that ends the log of a deleted room

_TYPES = {type_.value: type_ for type_ in MessageType}  # a fifth of the time of `MessageType(…)`


def row_of_create(room_id: RoomId, draft: Draft, rev: int) -> Document:
    """Return the row that adds a message at ``rev``; the message's present state is in it."""
    document = _row(room_id, draft, rev) | {
        "type": draft.type.value,
        "state_rev": rev,
        "content": orjson.dumps(draft.content),
    }
    if draft.to is not None:
        document["to"] = draft.to
    if draft.metadata is not None:
        document["metadata"] = orjson.dumps(draft.metadata)
    if draft.type in SPOKEN:
        document["spoken"] = True
        if mentions := mentions_in(draft.content, draft.sender):
            document["mentions"] = mentions
    return document


def row_of_change(room_id: RoomId, draft: Draft, rev: int, before: Message) -> Document:
    """Return the row that changes the message ``before`` at ``rev``."""
    document = _row(room_id, draft, rev) | {"message_id": before.id, "seq": before.seq}
    if draft.kind is RowKind.EDIT and not before.deleted:
        document["delta"] = orjson.dumps(draft.content)
    elif draft.kind is RowKind.REACT:
        document["delta"] = orjson.dumps([draft.emoji, draft.on])
    return document


def _row(room_id: RoomId, draft: Draft, rev: int) -> Document:
    return {
        "_id": draft.id,
        "room_id": room_id,
        "rev": rev,
        "kind": draft.kind.value,
        "from": draft.sender,
        "client_id": draft.client_id,
        "digest": draft.digest,
        "created_at": draft.created_at,
    }


def state_of(message: Message) -> Mapping[str, Document]:
    """Return the update that writes a spoken message's present state into its row."""
    state: Document = {
        "state_rev": message.rev,
        "content": orjson.dumps(message.content),
        "metadata": None if message.metadata is None else orjson.dumps(message.metadata),
        "edited_at": message.edited_at,
        "deleted": message.deleted or None,
        "reactions": orjson.dumps(message.reactions) if message.reactions else None,
        "spoken": None if message.deleted else True,
        "mentions": mentions_in(message.content, message.sender) or None,
    }
    absent = dict.fromkeys((name for name, value in state.items() if value is None), "")
    present = {name: value for name, value in state.items() if value is not None}
    return {"$set": present} | ({"$unset": absent} if absent else {})


def mentions_in(content: JSON, sender: UserId) -> list[UserId]:
    """Return who is mentioned, never the author: unread mentions are one range of an index."""
    return sorted(set(content.get("mentions") or ()) - {sender})


def message_from(document: Mapping[str, Any]) -> Message:
    """Return the message of a ``create`` row."""
    metadata, reactions = document.get("metadata"), document.get("reactions")
    return Message(
        id=document["_id"],
        room_id=document["room_id"],
        type=_TYPES[document["type"]],
        seq=document["rev"],
        rev=document["state_rev"],
        sender=document["from"],
        to=document.get("to"),
        client_id=document["client_id"],
        content=orjson.loads(document["content"]),
        metadata=None if metadata is None else orjson.loads(metadata),
        created_at=document["created_at"],
        edited_at=document.get("edited_at"),
        deleted=document.get("deleted", False),
        reactions={}
        if reactions is None
        else {emoji: tuple(users) for emoji, users in orjson.loads(reactions).items()},
    )


def document_of_room(room: Room) -> Document:
    """Return what is kept of a room, but for ``_id`` and ``member_count``."""
    fields = asdict(room) | {
        "type": room.type.value,
        "settings": orjson.dumps(room.settings),
        "name_key": name_key(room.name),
        "listed": is_listed(room),
    }
    del fields["id"]
    return fields


def room_from(document: Mapping[str, Any]) -> Room:
    """Return a room."""
    return Room(
        id=document["_id"],
        name=document["name"],
        type=RoomType(document["type"]),
        description=document["description"],
        owner=document["owner"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        rev=document["rev"],
        epoch=document["epoch"],
        log_floor=document["log_floor"],
        settings=orjson.loads(document["settings"]),
        deleted=document["deleted"],
    )


def head_of(room: Mapping[str, Any], rev: int | None) -> Head:
    """Return where a log ends whose newest row is at ``rev``; that of a deleted room is empty."""
    return Head(
        epoch=room["epoch"],
        rev=0 if room["deleted"] else rev or 0,
        log_floor=room["log_floor"],
    )


def document_of_membership(membership: Membership) -> Document:
    """Return what is kept of a membership."""
    return asdict(membership) | {
        "role": membership.role.value,
        "state": membership.state.value,
    }


def membership_from(document: Mapping[str, Any]) -> Membership:
    """Return a membership."""
    return Membership(
        room_id=document["room_id"],
        user_id=document["user_id"],
        role=Role(document["role"]),
        state=MemberState(document["state"]),
        visible_from_seq=document["visible_from_seq"],
        joined_rev=document["joined_rev"],
        joined_at=document["joined_at"],
        read_seq=document["read_seq"],
        muted_until=document["muted_until"],
    )
