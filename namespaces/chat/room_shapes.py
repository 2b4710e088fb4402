"""Rooms and who is in them as ``/chat`` sends them, described; see `parley.namespaces.shapes`."""

from typing import Any, ClassVar

from marshmallow import fields, validate

from parley.namespaces import fields as shared
from parley.namespaces.chat.message_shapes import MessageShape
from parley.namespaces.chat.room_schemas import (
    MAX_DESCRIPTION,
    MAX_NAME,
    SettingsSchema,
)
from parley.namespaces.chat.settings import DEFAULTS, MAX_MEMBERS, RETENTION_DAYS
from parley.namespaces.chat.wire import LISTED_MEMBERS
from parley.namespaces.fields import about
from parley.namespaces.shapes import (
    Shape,
    count,
    one_of,
    time,
)
from parley.storage.models import UNREAD_CAP, MemberState, Role, RoomType


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
        **about("Absent in large rooms, and in lists of rooms but for direct ones."),
    )
    settings = fields.Nested(SettingsShape, required=True)
    rev = shared.position(
        required=True,
        **about(
            "Position of the latest change of what stands here: for `if_rev`, the ETag over HTTP."
        ),
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
    told = about("The events you may send about this room now.", ["chat", "leave_room"])
    return fields.List(fields.String(), required=True, **told)


def unread_count(**options: Any) -> fields.Integer:
    """Return a field for how many messages are unread."""
    told = about("Messages of others after it: `chat`, `group` and `private`, not deleted.")
    return count(UNREAD_CAP, **told, **options)


def mention_count(**options: Any) -> fields.Integer:
    """Return a field for how many of them mention the user."""
    return count(UNREAD_CAP, **about("Those among them that mention you."), **options)


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
    unread = unread_count(required=True)
    mentions = mention_count(required=True)
    last_message = fields.Nested(MessageShape, **about("The newest one you may see."))
