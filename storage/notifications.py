"""Records of the inbox and of what goes out: notifications, publications, pushes. No I/O here.

An inbox is a log like that of a room (see `storage.models`): each change takes its next position,
and a `Notification` is what the rows about it add up to.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from parley.storage.models import JSON, ClientId, MessageId, RoomId, Timestamp, UserId

NotificationId = NewType("NotificationId", str)  # 24 hex
PublicationId = NewType("PublicationId", str)  # 24 hex


class Ending(StrEnum):
    """How a notification ends: the kind of its last row. What it said is erased then."""

    DELETE = "delete"  # by its user, or with the message it was about
    EXPIRE = "expire"  # its time is over
    COLLAPSE = "collapse"  # a newer one with its ``collapse_key`` took its place


def told_of(message_id: MessageId) -> ClientId:
    """Return the client_id of the notifications about a message, one in each inbox."""
    return ClientId(f"msg:{message_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationDraft:
    """A notification that has no position in its user's inbox yet."""

    id: NotificationId
    user_id: UserId
    client_id: ClientId  # unique in the inbox; the same over every try
    content: JSON
    created_at: Timestamp
    collapse_key: str | None = None
    expires_at: Timestamp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A notification's state as of ``rev``, the position of its latest change."""

    id: NotificationId
    user_id: UserId
    seq: int  # position it was created at: its place in the inbox
    rev: int
    content: JSON  # {} once it has ended
    created_at: Timestamp
    expires_at: Timestamp | None = None
    read: bool = False
    deleted: bool = False  # it has ended, in whatever way


def created(draft: NotificationDraft, rev: int) -> Notification:
    """Return what a draft is at the position ``rev``."""
    return Notification(
        id=draft.id,
        user_id=draft.user_id,
        seq=rev,
        rev=rev,
        content=draft.content,
        created_at=draft.created_at,
        expires_at=draft.expires_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of a draft."""

    notification: Notification  # of a duplicate the first one, as of today
    duplicate: bool = False
    push_refused: bool = False  # the outbox was full; the notification is in the inbox


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """Changes of a stretch of an inbox: each notification once, at its newest row of all.

    A notification whose newest row lies beyond ``last`` is left out; it comes with the page that
    reaches that row.
    """

    notifications: tuple[Notification, ...]  # by rising ``rev``
    last: int  # newest position examined; the asked-for position where there was none
    more: bool  # are there rows after ``last``?
    dense: bool = True  # False: a position up to ``last`` is missing, which is damage


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom a publication is for: exactly one of these."""

    user_ids: tuple[UserId, ...] = ()  # in order, each once
    room_id: RoomId | None = None  # who is inside, when the fan-out gets to them
    everyone: bool = False  # who has been seen, when the fan-out gets to them


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One notification for many, and how far its fan-out has come."""

    id: PublicationId
    publisher: UserId
    client_id: ClientId  # unique among the publisher's
    digest: bytes  # keyed digest of the request, tells a retry from another request
    audience: Audience
    content: JSON
    created_at: Timestamp
    dedupe_key: str | None = None
    collapse_key: str | None = None
    expires_at: Timestamp | None = None
    total: int = 0  # how many users, as of its beginning
    done: int = 0  # users that are through
    stored: int = 0  # of those, who got it by this publication
    after: UserId | None = None  # the last user that is through
    finished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTerms:
    """When what is added is to be pushed, and how many pushes may wait at all."""

    due_at: Timestamp
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A notification that may have to be told to a device that is not connected."""

    notification: Notification  # as of today
    tries: int = 0
