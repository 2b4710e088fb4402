"""The events of ``/chat``, described, and the table of them: `NOTICES`."""

from collections.abc import Mapping
from typing import ClassVar

from marshmallow import fields

from parley.namespaces import fields as shared
from parley.namespaces.chat.message_shapes import ROWS
from parley.namespaces.chat.room_schemas import (
    SignalSchema,
    signal_data,
    signal_name,
)
from parley.namespaces.chat.room_shapes import BriefRoomShape
from parley.namespaces.chat.shapes import sync_parts
from parley.namespaces.chat.wire import Notice
from parley.namespaces.fields import about
from parley.namespaces.shapes import (
    AnnouncementShape,
    ConnectedShape,
    DrainingShape,
    Either,
    RejectedShape,
    RevokedShape,
    Said,
    Shape,
    always,
    count,
    true,
)
from parley.namespaces.wire import SystemCode


class SyncNoticeShape(Shape):
    """What you missed, after CONNECT."""

    rooms = sync_parts("Up to 50 rooms.")
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
    expires_in_ms = count(
        required=True, **about("After this time without another sign it has ended.", 12_000)
    )


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
    by = shared.user_id(required=True, **about("Who invites you."))
    room = fields.Nested(BriefRoomShape, required=True)


class JoinRequestedShape(Shape):
    """Somebody asks to be let into a room of which you are owner or admin."""

    code = always(SystemCode.JOIN_REQUESTED)
    room_id = shared.room_id(required=True)
    user_id = shared.user_id(required=True, **about("Who asks.", "bob"))


class SystemShape(Either):
    """About the connection and its user, by ``code``."""

    by = "code"
    shapes: ClassVar = {
        SystemCode.CONNECTED: ConnectedShape,
        SystemCode.INVITED: InvitedShape,
        SystemCode.JOIN_REQUESTED: JoinRequestedShape,
        SystemCode.ANNOUNCEMENT: AnnouncementShape,
        SystemCode.DRAINING: DrainingShape,
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
