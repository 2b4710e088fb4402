"""What ``/presence`` sends, described; see `parley.namespaces.shapes`."""

from typing import ClassVar

from marshmallow import fields, validate

from parley.namespaces import fields as shared
from parley.namespaces.fields import about
from parley.namespaces.presence.room_list import MAX_LISTED
from parley.namespaces.presence.schemas import label
from parley.namespaces.shapes import Shape, count, one_of, time, true
from parley.storage.presence import PRECEDENCE, Status


class DeviceShape(Shape):
    """One device of a user."""

    status = one_of(PRECEDENCE, required=True)
    device = label(**about("What it calls itself.", "phone"))
    location = label(**about("Where it says it is.", "on the train"))


class PresenceShape(Shape):
    """A user as you may see her."""

    user_id = shared.user_id(required=True, **about("", "alice"))
    status = one_of(Status, required=True, **about("The first of these that a device has."))
    devices = fields.List(
        fields.Nested(DeviceShape),
        required=True,
        **about("Oldest first, 20 at most; none when offline."),
    )
    last_seen = time(
        **about(
            "When this was last changed, or when she went offline. Absent: never, as far as you "
            "may know."
        )
    )
    version = shared.position(
        required=True,
        **about(
            "When this was so, by a clock of the server in microseconds. Drop what has a lower one "
            "than you know of this user.",
            1_800_000_000_000_000,
        ),
    )
    invisible = true(**about("Present if true, and of yourself only: others see you offline."))


class PeopleShape(Shape):
    """How users are, in the order in which they were named."""

    users = fields.List(fields.Nested(PresenceShape), required=True)


class WhoIsHereShape(Shape):
    """Who is here of a room."""

    room_id = shared.room_id(required=True)
    online = count(required=True, **about("How many members are not offline, as others see them."))
    users = fields.List(
        fields.Nested(PresenceShape),
        validate=validate.Length(max=MAX_LISTED),
        **about("They themselves. Absent in large rooms."),
    )


class UserNoticeShape(Shape):
    """A user is otherwise than she was."""

    type = one_of(("user_online", "user_offline", "status"), required=True)
    content = fields.Nested(PresenceShape, required=True)
    timestamp = time(required=True)


class UserOnlineShape(UserNoticeShape):
    """Somebody is here who was offline."""

    type = one_of(["user_online"], required=True)


class UserOfflineShape(UserNoticeShape):
    """Somebody is offline now, or you may not see her any more."""

    type = one_of(["user_offline"], required=True)


class StatusShape(UserNoticeShape):
    """Something else about somebody has changed."""

    type = one_of(["status"], required=True)


class RoomNoticeShape(Shape):
    """Who has come or gone of a room, or how many are here."""

    example: ClassVar = {"online": 3}

    room_id = shared.room_id(required=True)
    online = count(**about("How many members are not offline, as others see them."))
    users = fields.List(
        fields.Nested(PresenceShape),
        validate=validate.Length(max=MAX_LISTED),
        **about("Those who changed. Absent in large rooms: forget whom you know to be here."),
    )
    whole = true(**about("Present if true: `users` is everybody who is here, forget the others."))
    ended = true(**about("Present if true: you are not in the room any more. No more follows."))
