"""The data of the acks of ``/chat``, described; see `parley.namespaces.shapes`.

What they are made of is in `message_shapes` and `room_shapes`.
"""

from typing import ClassVar

from marshmallow import fields

from parley.namespaces import fields as shared
from parley.namespaces.chat.message_shapes import MessageShape
from parley.namespaces.chat.room_shapes import (
    MemberListingShape,
    MembershipShape,
    RoomEntryShape,
    RoomViewShape,
    mention_count,
    unread_count,
)
from parley.namespaces.fields import about
from parley.namespaces.shapes import (
    Either,
    Shape,
    count,
    one_of,
    time,
    true,
)
from parley.storage.models import UNREAD_CAP

# Catching up


class SyncedShape(Shape):
    """What changed in a room since a cursor."""

    state = one_of(["ok", "reset"], required=True, **about("What it says of your cursor."))
    upto = shared.cursor(required=True, **about("Your next cursor."))
    head = shared.position(required=True, **about("Where the log ends. Never a cursor."))
    events = fields.List(fields.Nested(MessageShape), required=True)
    more = shared.flag(required=True, **about("Whether to sync again from `upto`."))
    floor_seq = shared.position(
        required=True,
        **about("Messages before it are not there for you: from before you joined, or purged."),
    )
    read_seq = shared.position(**about("Your read mark. Of members only, as what follows."))
    unread = unread_count()
    mentions = mention_count()


class LostShape(Shape):
    """A room that there is nothing to say about, to this user."""

    state = one_of(["denied", "gone"], required=True, **about("What it says of your cursor."))


class SyncPartShape(Either):
    """One room's part of a sync."""

    by = "state"
    shapes: ClassVar = {
        "ok": SyncedShape,
        "reset": SyncedShape,
        "denied": LostShape,
        "gone": LostShape,
    }


def sync_parts(description: str) -> fields.Dict:
    """Return a field for the parts of a sync, by room."""
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

    rooms = sync_parts("One for each room that was asked for.")


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
