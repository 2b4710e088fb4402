"""What ``/chat`` sends, described: the data of its acks, and its events (`NOTICES`).

See `parley.namespaces.shapes`; the rows of a room's log are in `message_shapes`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validate

from parley.namespaces import fields as shared
from parley.namespaces.chat.content import MAX_TEXT
from parley.namespaces.chat.message_shapes import ROWS, MessageShape
from parley.namespaces.chat.room_schemas import (
    MAX_DESCRIPTION,
    MAX_NAME,
    SettingsSchema,
    SignalSchema,
    signal_data,
    signal_name,
)
from parley.namespaces.chat.settings import DEFAULTS, MAX_MEMBERS, RETENTION_DAYS
from parley.namespaces.chat.wire import LISTED_MEMBERS, Notice
from parley.namespaces.fields import about
from parley.namespaces.shapes import (
    ConnectedShape,
    Either,
    RejectedShape,
    RevokedShape,
    Said,
    Shape,
    always,
    count,
    one_of,
    time,
    true,
)
from parley.namespaces.wire import SystemCode
from parley.storage.models import UNREAD_CAP, MemberState, Role, RoomType

CURSOR = "11e0994e.41"  # an example


# Rooms and who is in them


class SettingsShape(SettingsSchema):
    """The settings of a room."""

    example: ClassVar = {"max_members": 1_000, "allowed_types": ["text", "image", "file"]}

    is_private = shared.flag(
        required=True,
        **about("Not listed, and entered by invitation. Only public rooms can have false."),
    )
    max_members = fields.Integer(
        strict=True, required=True, validate=validate.Range(2, MAX_MEMBERS)
    )
    allowed_types = fields.List(
        one_of(DEFAULTS["allowed_types"]),
        required=True,
        validate=validate.Length(min=1, max=len(DEFAULTS["allowed_types"])),
        **about("What `message_type` may be here."),
    )
    mute_all = shared.flag(required=True, **about("Only owner and admins speak."))
    require_approval = shared.flag(
        required=True, **about("Who joins without an invitation waits to be let in.")
    )
    retention_days = fields.Integer(
        strict=True,
        validate=validate.Range(*RETENTION_DAYS),
        **about(
            "Messages are purged after so many days. Absent: kept as long as the server keeps them."
        ),
    )


class BriefRoomShape(Shape):
    """A room in short."""

    id = shared.room_id(required=True)
    name = fields.String(
        required=True,
        validate=validate.Length(max=MAX_NAME),
        **about("Empty for a direct room.", "Tea"),
    )
    type = one_of(RoomType, required=True)


class RoomShape(BriefRoomShape):
    """A room."""

    description = fields.String(validate=validate.Length(min=1, max=MAX_DESCRIPTION))
    owner = shared.user_id(
        **about("Absent in direct rooms, and where everybody has left.", "alice")
    )
    member_count = count(required=True)
    members = fields.List(
        shared.user_id(),
        validate=validate.Length(max=LISTED_MEMBERS),
        **about("Absent in large rooms and in lists of rooms."),
    )
    settings = fields.Nested(SettingsShape, required=True)
    rev = shared.position(
        required=True,
        **about("The position of the room's own latest change: `if_rev`, and the ETag over HTTP."),
    )
    created_at = time(required=True)
    updated_at = time(required=True)


class MembershipShape(Shape):
    """Where somebody stands with a room."""

    user_id = shared.user_id(required=True)
    role = one_of(Role, required=True)
    state = one_of(MemberState, required=True)
    muted_until = time(**about("Present while she is muted."))
    visible_from_seq = shared.position(
        required=True,
        **about("Older messages do not exist for this member. 0: she sees all."),
    )
    joined_at = time(
        required=True,
        **about("When her `state` began.", "2026-03-01T09:00:00.000Z"),
    )


class MemberListingShape(MembershipShape):
    """An entry of the list of members."""

    name = fields.String(**about("From her token, if she ever came with one.", "Alice"))
    read_seq = shared.position(**about("Her read mark. Of members only."))


def _can() -> fields.List[Any]:
    events = fields.String(validate=validate.Length(min=1))
    told = about("The events you may send about this room now.", ["chat", "leave_room"])
    return fields.List(events, required=True, **told)


class RoomViewShape(Shape):
    """A room as one user sees it."""

    room = fields.Nested(RoomShape, required=True)
    membership = fields.Nested(MembershipShape, **about("Yours. Absent if you have none."))
    can = _can()


class RoomEntryShape(RoomViewShape):
    """An entry of the list of one's rooms."""

    membership = fields.Nested(MembershipShape, required=True, **about("Yours."))
    head = shared.position(required=True, **about("Where the log ends. Never a cursor."))
    read_seq = shared.position(required=True, **about("Your read mark."))
    unread = count(UNREAD_CAP, required=True)
    mentions = count(UNREAD_CAP, required=True)
    last_message = fields.Nested(MessageShape, **about("The newest one you may see."))


# Catching up


class SyncedShape(Shape):
    """What changed in a room since a cursor."""

    state = one_of(["ok", "reset"], required=True, **about("See Cursors.", "ok"))
    upto = shared.cursor(required=True, **about("Your next cursor.", CURSOR))
    head = shared.position(required=True, **about("Where the log ends. Never a cursor."))
    events = fields.List(fields.Nested(MessageShape), required=True)
    more = shared.flag(required=True, **about("Whether to sync again from `upto`."))
    floor_seq = shared.position(
        required=True,
        **about(
            "Messages before it are not for this member to see: from before she joined, or purged."
        ),
    )
    read_seq = shared.position(**about("Your read mark. Of members only, as what follows."))
    unread = count(
        UNREAD_CAP,
        **about("Messages of others after it: `chat`, `group` and `private`, not deleted."),
    )
    mentions = count(UNREAD_CAP, **about("Those among them that mention you."))


class LostShape(Shape):
    """A room that there is nothing to say about, to this user."""

    state = one_of(["denied", "gone"], required=True, **about("See Cursors."))


class SyncPartShape(Either):
    """One room's part of a sync."""

    by = "state"
    shapes: ClassVar = {
        "ok": SyncedShape,
        "reset": SyncedShape,
        "denied": LostShape,
        "gone": LostShape,
    }


def _parts(description: str) -> fields.Dict:
    part = fields.Nested(SyncPartShape)
    return fields.Dict(keys=shared.room_id(), values=part, required=True, **about(description))


# Acks


class CreatedShape(RoomViewShape):
    """The ack of ``create_room``."""

    membership = fields.Nested(MembershipShape, required=True, **about("Yours."))
    sync = fields.Nested(SyncPartShape, required=True)


class JoinedShape(RoomViewShape):
    """The ack of ``join_room``."""

    membership = fields.Nested(
        MembershipShape, required=True, **about("Yours. `pending` where you have to be let in.")
    )
    sync = fields.Nested(SyncPartShape, **about("Absent while you are `pending`."))


class WatchedShape(RoomViewShape):
    """The ack of ``watch``."""

    sync = fields.Nested(SyncPartShape, required=True)


class RoomListShape(Shape):
    """The ack of ``rooms``."""

    rooms = fields.List(fields.Nested(RoomEntryShape), required=True)
    waiting = fields.List(
        fields.Nested(RoomViewShape),
        **about("Where you are invited, or wait to be let in. On the first page only."),
    )
    next = shared.page_cursor(**about("The `cursor` of the next page. Absent on the last one."))


class DiscoverShape(Shape):
    """The ack of ``discover``."""

    rooms = fields.List(fields.Nested(RoomViewShape), required=True)
    next = shared.page_cursor(**about("The `cursor` of the next page. Absent on the last one."))


class MemberListShape(Shape):
    """The ack of ``members``."""

    members = fields.List(fields.Nested(MemberListingShape), required=True)
    next = shared.page_cursor(**about("The `cursor` of the next page. Absent on the last one."))


class MembershipAckShape(Shape):
    """The ack of an event about somebody's membership."""

    membership = fields.Nested(
        MembershipShape, **about("Hers as it is now. Absent if she has none, or no more.")
    )


class ReceiptShape(Shape):
    """The ack of ``chat`` and ``group``: where the message is."""

    id = shared.message_id(required=True)
    seq = shared.position(required=True, **about("", 42))
    rev = shared.position(required=True, **about("As at the first try.", 42))
    timestamp = time(required=True, **about("As at the first try.", "2026-03-01T09:30:00.000Z"))
    duplicate = true(**about("Present if true: this was a retry."))


class PrivateReceiptShape(ReceiptShape):
    """The ack of ``private``."""

    room_id = shared.room_id(required=True, **about("The direct room."))


class ChangedShape(Shape):
    """The ack of ``edit_message``, ``delete_message`` and ``react``."""

    message = fields.Nested(MessageShape, required=True, **about("As it is now."))


class HistoryShape(Shape):
    """The ack of ``history``."""

    messages = fields.List(fields.Nested(MessageShape), required=True)
    head = shared.position(required=True)
    more = shared.flag(
        required=True,
        **about("Whether there is more in the direction asked, for `around` in either."),
    )


class SyncShape(Shape):
    """The ack of ``sync``."""

    rooms = _parts("One for each room that was asked for.")


class ReadShape(Shape):
    """The ack of ``read``."""

    read_seq = shared.position(required=True, **about("The mark as it is now."))
    unread = count(UNREAD_CAP, required=True, **about("What is left."))


class UnreadCountShape(Shape):
    """What a user has not read in one room."""

    unread = count(UNREAD_CAP, required=True)
    mentions = count(UNREAD_CAP, required=True)


class UnreadShape(Shape):
    """What a user has not read, over HTTP."""

    unread = count(required=True)
    mentions = count(required=True)
    rooms = fields.Dict(
        keys=shared.room_id(),
        values=fields.Nested(UnreadCountShape),
        required=True,
        **about("Rooms without unread messages are left out."),
    )


# Events


class SyncNoticeShape(Shape):
    """What you missed, after CONNECT."""

    rooms = _parts("Up to 50 rooms.")
    done = true(**about("Present if true: this is the last one."))


class RoomBehindShape(Shape):
    """This socket has to sync a room."""

    room_id = shared.room_id(required=True)
    head = shared.position(required=True, **about("Where the log ends. Never a cursor."))


class SkipShape(Shape):
    """A change that you may not see; it only moves the cursor."""

    room_id = shared.room_id(required=True)
    rev = shared.position(required=True)
    prev = shared.position()


class TypingNoticeShape(Shape):
    """Somebody is typing, or has stopped."""

    room_id = shared.room_id(required=True)
    user_id = shared.user_id(required=True)
    typing = shared.flag(required=True)
    expires_in_ms = count(required=True)


class ReadNoticeShape(Shape):
    """Somebody's read mark has moved."""

    room_id = shared.room_id(required=True)
    user_id = shared.user_id(required=True)
    read_seq = shared.position(required=True)


class SignalNoticeShape(Shape):
    """A member's signal."""

    example: ClassVar = SignalSchema.example

    room_id = shared.room_id(required=True)
    user_id = shared.user_id(required=True, **about("Whose."))
    name = signal_name()
    data = signal_data()


# The codes of ``system`` that are about chat


class InvitedShape(Shape):
    """Somebody invited you."""

    code = always(SystemCode.INVITED)
    room_id = shared.room_id(required=True)
    by = shared.user_id(required=True)
    room = fields.Nested(BriefRoomShape, required=True)


class JoinRequestedShape(Shape):
    """Somebody asks to be let into a room of which you are owner or admin."""

    code = always(SystemCode.JOIN_REQUESTED)
    room_id = shared.room_id(required=True)
    user_id = shared.user_id(required=True)


class AnnouncementContentShape(Shape):
    """What the operator says."""

    text = fields.String(required=True, validate=validate.Length(min=1, max=MAX_TEXT))
    metadata = shared.metadata()


class AnnouncementShape(Shape):
    """The operator says something."""

    code = always(SystemCode.ANNOUNCEMENT)
    content = fields.Nested(AnnouncementContentShape, required=True)
    sender = shared.user_id(data_key="from", required=True, **about("", "operator"))


class SystemShape(Either):
    """About the connection and its user, by ``code``."""

    by = "code"
    shapes: ClassVar = {
        SystemCode.CONNECTED: ConnectedShape,
        SystemCode.INVITED: InvitedShape,
        SystemCode.JOIN_REQUESTED: JoinRequestedShape,
        SystemCode.ANNOUNCEMENT: AnnouncementShape,
        SystemCode.REVOKED: RevokedShape,
        SystemCode.REJECTED: RejectedShape,
    }


NOTICES: Mapping[str, Said] = {
    **{name: Said(shape=shape) for name, shape in ROWS.items()},
    Notice.SYNC: Said(shape=SyncNoticeShape),
    Notice.ROOM_BEHIND: Said(shape=RoomBehindShape),
    Notice.SKIP: Said(shape=SkipShape),
    Notice.TYPING: Said(shape=TypingNoticeShape, at_most_once=True),
    Notice.READ: Said(shape=ReadNoticeShape, at_most_once=True),
    Notice.SIGNAL: Said(shape=SignalNoticeShape, at_most_once=True),
    Notice.SYSTEM: Said(shape=SystemShape, at_most_once=True),
}
"""Every event of the server, by name."""
