"""How rows of the log add up: the one meaning of each row, for every storage and every node.

Pure functions. A row is an operation ("add this user's thumb"), never a value computed from a
read, so rows of writers that did not see one another fold to the same state everywhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

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


def membership_after(room: Room, before: Membership | None, message: Message) -> Membership | None:
    """Return a membership after the control ``message`` about its user; None: she is out.

    Folding the same message again changes nothing.
    """
    if before is not None and before.joined_rev >= message.seq:
        return before  # folded already, or of an earlier membership
    if message.type is MessageType.LEAVE_ROOM:
        return None
    if message.type is not MessageType.JOIN_ROOM:
        return before
    founding = message.content["reason"] == "created"
    sees_all = founding or room.type in (RoomType.PUBLIC, RoomType.DIRECT)
    return Membership(
        room_id=message.room_id,
        user_id=subject(message),
        role=Role(message.content["role"]),
        state=MemberState.MEMBER,
        visible_from_seq=0 if sees_all else message.seq,
        joined_rev=message.seq,
        joined_at=message.created_at,
        read_seq=message.seq,
    )


def memberships_after(
    room: Room, membership_of: Callable[[UserId], Membership | None], message: Message
) -> Iterator[tuple[UserId, Membership | None]]:
    """Yield every membership that a control ``message`` changes; None: the user is out."""
    if message.type is MessageType.ROOM_UPDATE:
        return
    user_id = subject(message)
    before = membership_of(user_id)
    after = membership_after(room, before, message)
    if after != before:
        yield user_id, after
    heir = _heir_of(message)
    inherits = membership_of(heir) if heir is not None else None
    if heir is not None and inherits is not None and inherits.role is not Role.OWNER:
        yield heir, replace(inherits, role=Role.OWNER)


def room_after(room: Room, message: Message) -> Room:
    """Return ``room`` after a control ``message``."""
    owner = room.owner
    if message.type is MessageType.JOIN_ROOM and message.content["role"] == Role.OWNER:
        owner = subject(message)
    if message.type is MessageType.LEAVE_ROOM and owner == subject(message):
        # The row names the heir, so that every node folds to the same owner.
        owner = _heir_of(message)
    return (
        room if owner == room.owner else replace(room, owner=owner, updated_at=message.created_at)
    )


def _heir_of(message: Message) -> UserId | None:
    if message.type is not MessageType.LEAVE_ROOM or "owner" not in message.content:
        return None
    return UserId(message.content["owner"])


def subject(message: Message) -> UserId:
    """Return the user a ``join_room`` or ``leave_room`` message is about."""
    return UserId(message.content["user_id"])
