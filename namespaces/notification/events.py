"""The ``/notification`` namespace: events in, acks out. Thin; the rules are in the services."""

from collections.abc import Mapping
from typing import Any

from parley.namespaces.base import BaseNamespace
from parley.namespaces.fields import Nothing, NothingSchema
from parley.namespaces.notification import schemas, shapes
from parley.namespaces.notification.inbox import InboxService
from parley.namespaces.notification.resume import InboxResume
from parley.namespaces.notification.sync import InboxSync, read_since
from parley.namespaces.notification.wire import Notice, inbox_key, notification_to_wire
from parley.namespaces.session import Session, user_room
from parley.namespaces.table import Answer, handles


class NotificationNamespace(BaseNamespace):
    """Translate ``/notification`` events into calls of the services; no rules here."""

    notices = shapes.NOTICES

    def __init__(
        self, *, inbox: InboxService, sync: InboxSync, resume: InboxResume, **door: Any
    ) -> None:
        super().__init__("/notification", **door)
        self._inbox = inbox
        self._sync = sync
        self._resume = resume

    # The life of a socket

    def check_auth(self, auth: Mapping[str, Any]) -> None:
        """Refuse an ``auth.since`` whose ``inbox`` is no cursor."""
        read_since(auth)

    async def connected(self, session: Session, auth: Mapping[str, Any]) -> None:
        """Enter the user's own room and begin the catch-up."""
        self._resume.begin(session, read_since(auth))

    async def disconnected(self, session: Session) -> None:
        """End the catch-up with its socket."""
        await self._resume.end(session)

    def fell_behind(self, sid: str, room: str) -> bool:
        """See `BaseNamespace`."""
        session = self.sessions.get(sid)
        if session is None or room != inbox_key(session.user_id):
            return False
        return self._sync.fell_behind(sid, session.user_id)

    # Events

    @handles("list", schemas.ListNotificationsSchema, answers=shapes.NotificationListShape)
    async def list_notifications(
        self, session: Session, request: schemas.ListNotifications
    ) -> object:
        """Acknowledge with a page of the inbox, newest first."""
        page = await self._inbox.listed(session.user_id, request)
        following = {} if page.following is None else {"next": page.following}
        return {
            "notifications": [notification_to_wire(one) for one in page.notifications],
            "unread": await self._inbox.unread(session.user_id),
            **following,
        }

    @handles("read", schemas.ReadNotificationsSchema, answers=shapes.InboxReadShape)
    async def read(self, session: Session, request: schemas.ReadNotifications) -> object:
        """Acknowledge when they are read; the user's sockets hear each."""
        read = await self._inbox.mark_read(session.user_id, request)
        return {"read": read, "unread": await self._inbox.unread(session.user_id)}

    @handles("unread_count", NothingSchema, answers=shapes.InboxUnreadShape)
    async def unread_count(self, session: Session, _request: Nothing) -> object:
        """Acknowledge with how much is unread."""
        return {"unread": await self._inbox.unread(session.user_id)}

    @handles("delete", schemas.DeleteNotificationsSchema, answers=shapes.InboxDeletedShape)
    async def delete(self, session: Session, request: schemas.DeleteNotifications) -> object:
        """Acknowledge when what they said is erased; the user's sockets hear each."""
        deleted = await self._inbox.delete(session.user_id, request.ids)
        return {"deleted": deleted, "unread": await self._inbox.unread(session.user_id)}

    @handles("mute", schemas.MuteRoomSchema, answers=shapes.MutedRoomShape)
    async def mute(self, session: Session, request: schemas.MuteRoom) -> object:
        """Acknowledge when the room is muted or not; the user's other sockets hear it."""
        await self._inbox.mute(session.user_id, request)
        told = {"room_id": request.room_id, "muted": request.muted}
        mine = user_room(session.user_id)
        self.transport.broadcast(mine, Notice.MUTE, told, skip=[session.sid], ephemeral=True)
        return told

    @handles("sync", schemas.SyncInboxSchema, answers=shapes.InboxShape)
    async def sync(self, session: Session, request: schemas.SyncInbox) -> Answer:
        """Acknowledge with what the cursor missed; without ``more`` the socket is live."""
        reply = await self._sync.read(session, request.inbox)
        return Answer(reply.to_wire(), then=reply.hand_over)
