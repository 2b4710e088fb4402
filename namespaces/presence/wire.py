"""The names of what `/presence` says, and of the Socket.IO rooms it says it in."""

from enum import StrEnum
from typing import Any

from parley.namespaces.presence.views import View
from parley.namespaces.wire import SYSTEM, timestamp
from parley.storage.models import RoomId, Timestamp, UserId
from parley.storage.presence import Status


class Notice(StrEnum):
    """Events of the server."""

    SYSTEM = SYSTEM
    USER_ONLINE = "user_online"  # somebody is here who was not
    USER_OFFLINE = "user_offline"  # somebody is here no more, as far as one may know
    STATUS = "status"  # anything else about somebody
    ROOM = "room"  # who is here of a room, or how many


def followers_key(user_id: UserId) -> str:
    """Return the Socket.IO room of those who follow a user, and may see her."""
    return f"of:{user_id}"


def list_key(room_id: RoomId) -> str:
    """Return the Socket.IO room of those who follow who is here of a chat room."""
    return f"list:{room_id}"


def subject_of(key: str) -> tuple[str, str] | None:
    """Return the kind of a Socket.IO room, and whom or what it is about; None: none of ours."""
    kind, _, subject = key.partition(":")
    return (kind, subject) if kind in ("of", "user", "list") else None


def notice_of(before: View, after: View) -> Notice:
    """Return which event tells the change."""
    if before.status is after.status:
        return Notice.STATUS
    if after.status is Status.OFFLINE:
        return Notice.USER_OFFLINE
    return Notice.USER_ONLINE if before.status is Status.OFFLINE else Notice.STATUS


def view_to_event(notice: Notice, view: View, now: Timestamp) -> dict[str, Any]:
    """Return the payload of an event about one user."""
    return {"type": notice, "content": view.to_wire(), "timestamp": timestamp(now)}
