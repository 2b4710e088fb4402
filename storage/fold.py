"""How rows of the log add up: the one meaning of each row, for every storage and every node.

Pure functions. A row is an operation ("add this user's thumb"), never a value computed from a
read, so rows of writers that did not see one another fold to the same state everywhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from parley.storage.models import (
    Draft,
    Membership,
    MemberState,
    Message,
    MessageType,
    Role,
    Room,
    RoomId,
    RoomType,
    RowKind,
    Timestamp,
    UserId,
)

MAX_EMOJI = 20  # different ones on a message; one more is ignored


def created(room_id: RoomId, draft: Draft, rev: int) -> Message:
    """Return the message that a ``create`` row at ``rev`` is."""
    return Message(
        id=draft.message_id,
        room_id=room_id,
        type=draft.type,
        seq=rev,
        rev=rev,
        sender=draft.sender,
        to=draft.to,
        client_id=draft.client_id,
        content=draft.content,
        metadata=draft.metadata,
        created_at=draft.created_at,
    )


def changed(message: Message, draft: Draft, rev: int) -> Message:
    """Return ``message`` after the row at ``rev``; a deleted message stays as it is."""
    if message.deleted:
        return replace(message, rev=rev)
    match draft.kind:
        case RowKind.EDIT:
            return replace(message, rev=rev, content=draft.content, edited_at=draft.created_at)
        case RowKind.DELETE:
            return replace(message, rev=rev, content={}, metadata=None, deleted=True, reactions={})
        case RowKind.REACT:
            reactions = _reacted(dict(message.reactions), draft)
            return replace(message, rev=rev, reactions=reactions)
        case RowKind.CREATE:
            raise ValueError("a create row is its own message")


def is_full(message: Message, emoji: str) -> bool:
    """Whether a reaction with ``emoji`` would be one kind too many and so change nothing."""
    return emoji not in message.reactions and len(message.reactions) >= MAX_EMOJI


def _reacted(
    reactions: dict[str, tuple[UserId, ...]], draft: Draft
) -> dict[str, tuple[UserId, ...]]:
    others = tuple(u for u in reactions.get(draft.emoji, ()) if u != draft.sender)
    if draft.on and (draft.emoji in reactions or len(reactions) < MAX_EMOJI):
        # Her place in the list stays where it was when she reacts twice.
        already = draft.sender in reactions.get(draft.emoji, ())
        reactions[draft.emoji] = reactions[draft.emoji] if already else (*others, draft.sender)
    elif not draft.on and others:
        reactions[draft.emoji] = others
    elif not draft.on:
        reactions.pop(draft.emoji, None)
    return reactions


def memberships_after(
    room: Room, membership_of: Callable[[UserId], Membership | None], message: Message
) -> Iterator[tuple[UserId, Membership | None]]:
    """Yield every membership that a control ``message`` changes; None: the user is out.

    Folding the same message again changes nothing.
    """
    user_id = subject(message)
    if user_id is None:
        return
    before = membership_of(user_id)
    if before is not None and before.joined_rev >= message.seq:
        return  # folded already, or of an earlier membership
    after = _membership_after(room, user_id, before, message)
    if after != before:
        yield user_id, after
    yield from _owners_after(membership_of, user_id, message)


def _membership_after(
    room: Room, user_id: UserId, before: Membership | None, message: Message
) -> Membership | None:
    match message.type:
        case MessageType.JOIN_ROOM:
            return _joined(room, user_id, message)
        case MessageType.LEAVE_ROOM:
            is_ban = message.content["reason"] == "banned"
            return _standing(user_id, MemberState.BANNED, message) if is_ban else None
        case _:
            return _updated(user_id, before, message)


def _updated(user_id: UserId, before: Membership | None, message: Message) -> Membership | None:
    """Return a membership after the ``member`` of a ``room_update``."""
    member = message.content["member"]
    if "state" in member:
        return _standing(user_id, MemberState(member["state"]), message)
    if before is None:
        return None
    if "role" in member:
        return _promoted(before, Role(member["role"]))
    if "muted_for_ms" in member:
        until = Timestamp(message.created_at + member["muted_for_ms"])
        return replace(before, muted_until=until if member["muted_for_ms"] else None)
    return None  # nothing is left of it: the user was unbanned


def _promoted(before: Membership, role: Role) -> Membership:
    """Return a membership with another role; an owner is not muted, for nobody could end it."""
    muted_until = None if role is Role.OWNER else before.muted_until
    return replace(before, role=role, muted_until=muted_until)


def _joined(room: Room, user_id: UserId, message: Message) -> Membership:
    founding = message.content["reason"] == "created"
    sees_all = founding or room.type is RoomType.DIRECT or not room.is_private
    return Membership(
        room_id=message.room_id,
        user_id=user_id,
        role=Role(message.content["role"]),
        visible_from_seq=0 if sees_all else message.seq,
        joined_rev=message.seq,
        joined_at=message.created_at,
        read_seq=message.seq,
    )


def _standing(user_id: UserId, state: MemberState, message: Message) -> Membership:
    """Return what is kept of somebody who is not inside."""
    return Membership(
        room_id=message.room_id,
        user_id=user_id,
        role=Role.MEMBER,
        state=state,
        visible_from_seq=message.seq,
        joined_rev=message.seq,
        joined_at=message.created_at,
        read_seq=message.seq,
    )


def _owners_after(
    membership_of: Callable[[UserId], Membership | None], user_id: UserId, message: Message
) -> Iterator[tuple[UserId, Membership]]:
    """Yield who becomes owner, or stops being it, because of somebody else's row."""
    heir = _heir_of(message)
    inherits = membership_of(heir) if heir is not None else None
    if heir is not None and inherits is not None and inherits.role is not Role.OWNER:
        yield heir, _promoted(inherits, Role.OWNER)
    if _is_handed_over(message):
        # The row was checked to come from the owner; it names nobody else.
        giver = membership_of(message.sender)
        if giver is not None and giver.role is Role.OWNER and message.sender != user_id:
            yield message.sender, replace(giver, role=Role.ADMIN)


def room_after(room: Room, message: Message) -> Room:
    """Return ``room`` after a control ``message``."""
    changed = {"owner": _owner_after(room, message), **_changes(room, message)}
    if all(getattr(room, name) == value for name, value in changed.items()):
        return room
    return replace(room, **changed, rev=message.seq, updated_at=message.created_at)


def _owner_after(room: Room, message: Message) -> UserId | None:
    if message.type is MessageType.JOIN_ROOM and message.content["role"] == Role.OWNER:
        return subject(message)
    if message.type is MessageType.LEAVE_ROOM and room.owner == subject(message):
        # The row names the heir, so that every node folds to the same owner.
        return _heir_of(message)
    return subject(message) if _is_handed_over(message) else room.owner


def _changes(room: Room, message: Message) -> dict[str, Any]:
    """Return the fields of the room that a ``room_update`` sets."""
    changed = dict(message.content.get("changed", {}))
    if "settings" in changed:
        changed["settings"] = {**room.settings, **changed["settings"]}
    if "description" in changed:
        changed["description"] = changed["description"] or None
    return changed


def _is_handed_over(message: Message) -> bool:
    return bool(message.content.get("member", {}).get("role") == Role.OWNER)


def _heir_of(message: Message) -> UserId | None:
    if message.type is not MessageType.LEAVE_ROOM or "owner" not in message.content:
        return None
    return UserId(message.content["owner"])


def subject(message: Message) -> UserId | None:
    """Return the user a control message is about, None if it is about the room itself."""
    member = message.content.get("member", message.content)
    return UserId(member["user_id"]) if "user_id" in member else None
