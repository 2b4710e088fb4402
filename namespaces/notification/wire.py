"""Notifications as clients see them. What is absent is absent, never null."""

from enum import StrEnum
from typing import Any

from parley.namespaces.wire import SYSTEM, timestamp
from parley.storage.models import UserId
from parley.storage.notifications import Notification, Publication


class Notice(StrEnum):
    """Events of the server."""

    NOTIFICATION = "notification"  # a new one, or a change of one
    SYNC = "sync"  # the answer to ``auth.since``
    INBOX_BEHIND = "inbox_behind"  # this socket has to sync
    MUTE = "mute"  # the user muted a room on another device; at most once
    SYSTEM = SYSTEM


def inbox_key(user_id: UserId) -> str:
    """Return the Socket.IO room of a user's sockets that hear her inbox live."""
    return f"inbox:{user_id}"


def notification_to_wire(notification: Notification) -> dict[str, Any]:
    """Return the notification's whole present state."""
    wire: dict[str, Any] = {
        "type": Notice.NOTIFICATION,
        "id": notification.id,
        "seq": notification.seq,
        "rev": notification.rev,
        "to": notification.user_id,
        "content": notification.content,
        "read": notification.read,
        "timestamp": timestamp(notification.created_at),
    }
    if notification.expires_at is not None:
        wire["expires_at"] = timestamp(notification.expires_at)
    if notification.deleted:
        wire["deleted"] = True
    return wire


def publication_to_wire(publication: Publication) -> dict[str, Any]:
    """Return how far a publication has come."""
    return {
        "publication_id": publication.id,
        "total": publication.total,
        "done": publication.done,
        "stored": publication.stored,
        "finished": publication.finished,
        "timestamp": timestamp(publication.created_at),
    }
