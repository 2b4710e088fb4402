"""What ``/notification`` says, described; see `parley.namespaces.shapes`."""

from collections.abc import Mapping
from typing import ClassVar

from marshmallow import fields

from parley.namespaces import fields as shared
from parley.namespaces.fields import about
from parley.namespaces.notification import content
from parley.namespaces.notification.wire import Notice
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
    one_of,
    time,
    true,
)
from parley.namespaces.wire import SystemCode
from parley.storage.models import UNREAD_CAP


class NotificationContentShape(content.NotificationContentSchema, Shape):
    """What a notification says; nothing once it is deleted."""

    title = content.title()
    body = content.body()


class NotificationShape(Shape):
    """A notification's whole present state."""

    type = always(Notice.NOTIFICATION)
    id = shared.message_id(required=True)
    seq = shared.position(required=True, **about("Its place in the inbox.", 42))
    rev = shared.position(required=True, **about("Its latest change.", 42))
    to = shared.user_id(required=True, **about("You."))
    content = fields.Nested(NotificationContentShape, required=True, **about("`{}` once deleted."))
    read = shared.flag(required=True)
    timestamp = time(required=True, **about("When it was made. Do not sort by it."))
    expires_at = time(**about("When it ends by itself."))
    deleted = true(
        **about("Present if true: it was deleted, has expired, or a newer one took its place.")
    )


class LiveNotificationShape(NotificationShape):
    """A notification, new or changed."""

    prev = shared.position(**about("Where it is not `rev` - 1."))


def unread() -> fields.Integer:
    """Return a field for how much is unread."""
    return count(UNREAD_CAP, required=True, **about("What is left unread."))


class InboxShape(Shape):
    """What changed in the inbox since a cursor."""

    state = one_of(["ok", "reset"], required=True, **about("What it says of your cursor."))
    upto = shared.cursor(required=True, **about("Your next cursor."))
    events = fields.List(fields.Nested(NotificationShape), required=True)
    more = shared.flag(required=True, **about("Whether to sync again from `upto`."))
    unread = unread()
    muted_rooms = fields.List(
        shared.room_id(), required=True, **about("The rooms that you have muted.")
    )


class InboxNoticeShape(InboxShape):
    """What you missed, after CONNECT."""

    done = true(**about("Present if true: this is the last one."))


class InboxBehindShape(Shape):
    """This socket has to sync the inbox."""

    head = shared.position(required=True, **about("Where the log ends. Never a cursor."))


class NotificationListShape(Shape):
    """The ack of ``list``."""

    notifications = fields.List(fields.Nested(NotificationShape), required=True)
    unread = unread()
    next = shared.page_cursor(**about("The `cursor` of the next page. Absent on the last one."))


class InboxReadShape(Shape):
    """The ack of ``read``."""

    read = count(required=True, **about("How many were unread before."))
    unread = unread()


class InboxDeletedShape(Shape):
    """The ack of ``delete``."""

    deleted = count(required=True, **about("How many there were."))
    unread = unread()


class InboxUnreadShape(Shape):
    """The ack of ``unread_count``."""

    unread = unread()


class MutedRoomShape(Shape):
    """Whether a room is muted."""

    room_id = shared.room_id(required=True)
    muted = shared.flag(required=True)


class PublicationShape(Shape):
    """How far a publication has come."""

    publication_id = shared.message_id(required=True)
    total = count(required=True, **about("How many users, when it began."))
    done = count(required=True, **about("How many of them are through."))
    stored = count(
        required=True, **about("Of those, how many got it: not who has muted the room, or had it.")
    )
    finished = shared.flag(required=True)
    timestamp = time(required=True, **about("When it began."))
    duplicate = true(**about("Present if true: this was a retry."))


class InboxSystemShape(Either):
    """About the connection and its user, by ``code``."""

    by = "code"
    shapes: ClassVar = {
        SystemCode.CONNECTED: ConnectedShape,
        SystemCode.ANNOUNCEMENT: AnnouncementShape,
        SystemCode.DRAINING: DrainingShape,
        SystemCode.REVOKED: RevokedShape,
        SystemCode.REJECTED: RejectedShape,
    }


NOTICES: Mapping[str, Said] = {
    Notice.NOTIFICATION: Said(shape=LiveNotificationShape),
    Notice.SYNC: Said(shape=InboxNoticeShape),
    Notice.INBOX_BEHIND: Said(shape=InboxBehindShape),
    Notice.MUTE: Said(shape=MutedRoomShape, at_most_once=True),
    Notice.SYSTEM: Said(shape=InboxSystemShape, at_most_once=True),
}
"""Every event of the server, by name."""
