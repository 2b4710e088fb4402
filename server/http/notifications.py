"""Notifications over HTTP: one's own inbox, and publishing for administrators."""

from dataclasses import dataclass
from http import HTTPStatus

from parley.namespaces.errors import ClientIdReused, Gone, NotFound
from parley.namespaces.fields import Nothing, NothingSchema, RequestSchema, message_id
from parley.namespaces.notification.schemas import (
    DeleteNotifications,
    DeleteNotificationsSchema,
    ListNotifications,
    ListNotificationsSchema,
    Publish,
    PublishSchema,
    ReadNotifications,
    ReadNotificationsSchema,
)
from parley.namespaces.notification.shapes import (
    InboxDeletedShape,
    InboxReadShape,
    InboxUnreadShape,
    NotificationShape,
    PublicationShape,
)
from parley.namespaces.notification.wire import notification_to_wire, publication_to_wire
from parley.server.http.api import Call, Reply, Routes, page_of
from parley.server.http.connections import ADMIN
from parley.storage.notifications import PublicationId

routes = Routes("Notifications", "Your inbox, and publishing to the inboxes of others.")


@routes.add(
    "POST",
    "/notifications",
    takes=PublishSchema,
    gives={200: PublicationShape, 201: PublicationShape, 202: PublicationShape},
    fails=[NotFound, Gone, ClientIdReused],
    role=ADMIN,
    names={"publication_id": "/publication_id"},
)
async def publish(call: Call, request: Publish) -> Reply:
    """Publish a notification to users, to a room, or to everybody.

    It is kept before this is answered, and reaches everyone once, whatever happens to the server
    meanwhile. 201 if all have it, 202 if it is still on its way: ask for its progress, or send the
    same request again. 200 with `duplicate` if it was sent before.
    """
    publication, new = await call.notifications.publisher.publish(call.user_id, request)
    wire = publication_to_wire(publication)
    if not new:
        return Reply({**wire, "duplicate": True})
    return Reply(wire, HTTPStatus.CREATED if publication.finished else HTTPStatus.ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePublication:
    """Names a publication."""

    publication_id: PublicationId


class OnePublicationSchema(RequestSchema):
    """Load a `OnePublication`."""

    makes = OnePublication

    publication_id = message_id(required=True)


@routes.add(
    "GET",
    "/notifications/publications/{publication_id}",
    takes=OnePublicationSchema,
    gives={200: PublicationShape},
    fails=[NotFound],
    role=ADMIN,
)
async def get_publication(call: Call, request: OnePublication) -> Reply:
    """See how far a publication has come.

    They are known for a week.
    """
    found = await call.notifications.publisher.progress(request.publication_id)
    return Reply(publication_to_wire(found))


@routes.add(
    "GET",
    "/notifications",
    takes=ListNotificationsSchema,
    gives={200: page_of(NotificationShape, "NotificationPageShape")},
)
async def list_notifications(call: Call, request: ListNotifications) -> Reply:
    """List your notifications, newest first."""
    page = await call.notifications.inbox.listed(call.user_id, request)
    return Reply.page(map(notification_to_wire, page.notifications), page.following)


@routes.add(
    "GET", "/notifications/unread/count", takes=NothingSchema, gives={200: InboxUnreadShape}
)
async def count_unread_notifications(call: Call, _request: Nothing) -> Reply:
    """Count the notifications that you have not read."""
    return Reply({"unread": await call.notifications.inbox.unread(call.user_id)})


@routes.add(
    "POST", "/notifications/read", takes=ReadNotificationsSchema, gives={200: InboxReadShape}
)
async def read_notifications(call: Call, request: ReadNotifications) -> Reply:
    """Mark notifications as read.

    Those of `ids`, those up to the position `up_to`, or all. Your devices hear of each.
    """
    read = await call.notifications.inbox.mark_read(call.user_id, request)
    unread = await call.notifications.inbox.unread(call.user_id)
    return Reply({"read": read, "unread": unread})


@routes.add(
    "POST", "/notifications/delete", takes=DeleteNotificationsSchema, gives={200: InboxDeletedShape}
)
async def delete_notifications(call: Call, request: DeleteNotifications) -> Reply:
    """Delete notifications.

    What they said is erased. Those that are not there, or not yours, are passed over.
    """
    deleted = await call.notifications.inbox.delete(call.user_id, request.ids)
    unread = await call.notifications.inbox.unread(call.user_id)
    return Reply({"deleted": deleted, "unread": unread})
