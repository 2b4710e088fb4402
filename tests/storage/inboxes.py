"""Notifications to test with, and an inbox as it ought to be."""

from dataclasses import dataclass, field, replace
from typing import Any

from parley.storage.ids import new_id
from parley.storage.models import JSON, ClientId, Timestamp, UserId
from parley.storage.notifications import (
    Audience,
    Notification,
    NotificationDraft,
    NotificationId,
    Publication,
    PublicationId,
)
from tests.storage.drafts import ANN, BOB

AT = Timestamp(1_700_000_000_000)


def notice(user: UserId, title: str = "Tea", **fields: Any) -> NotificationDraft:
    """Return the draft of a notification with ids of its own."""
    notification_id = NotificationId(new_id())
    defaults: dict[str, Any] = {
        "id": notification_id,
        "client_id": ClientId(f"test-{notification_id}"),
        "content": {"title": title, "body": "is ready"},
        "created_at": AT,
    }
    return NotificationDraft(user_id=user, **defaults | fields)


def publication(**fields: Any) -> Publication:
    """Return a publication to two users, with an id of its own."""
    defaults: dict[str, Any] = {
        "id": PublicationId(new_id()),
        "publisher": ANN,
        "client_id": ClientId("01HZX3W9A1"),
        "digest": b"digest",
        "audience": Audience(user_ids=(ANN, BOB)),
        "content": {"title": "Tea"},
        "created_at": AT,
        "total": 2,
    }
    return Publication(**defaults | fields)


@dataclass
class InboxModel:
    """One inbox in plain words: what is in it, and the log of what happened."""

    user: UserId
    rev: int = 0
    kept: dict[NotificationId, Notification] = field(
        default_factory=dict[NotificationId, Notification]
    )
    ended: dict[NotificationId, Notification] = field(
        default_factory=dict[NotificationId, Notification]
    )
    keys: dict[str, NotificationId] = field(default_factory=dict[str, NotificationId])
    known: dict[ClientId, NotificationId] = field(default_factory=dict[ClientId, NotificationId])

    def add(self, draft: NotificationDraft) -> bool:
        """Add a notification; False if it is there already."""
        if draft.client_id in self.known:
            return False
        if draft.collapse_key is not None:
            older = self.keys.get(draft.collapse_key)
            if older is not None and older in self.kept:
                self.end(older)
            self.keys[draft.collapse_key] = draft.id
        self.rev += 1
        self.known[draft.client_id] = draft.id
        self.kept[draft.id] = Notification(
            id=draft.id,
            user_id=draft.user_id,
            seq=self.rev,
            rev=self.rev,
            content=draft.content,
            created_at=draft.created_at,
            expires_at=draft.expires_at,
        )
        return True

    def read(self, *ids: NotificationId) -> int:
        """Make those read that are there and were not; return how many."""
        found = sorted(
            (self.kept[i] for i in set(ids) if i in self.kept and not self.kept[i].read),
            key=lambda notification: notification.seq,
        )
        for notification in found:
            self.rev += 1
            self.kept[notification.id] = replace(notification, read=True, rev=self.rev)
        return len(found)

    def revise(self, client_id: ClientId, content: JSON) -> bool:
        """Let one that is there say something else; False if there is nothing to change."""
        found = self.kept.get(self.known.get(client_id, NotificationId("")))
        if found is None or found.content == content:
            return False
        self.rev += 1
        self.kept[found.id] = replace(found, content=content, rev=self.rev)
        return True

    def end(self, *ids: NotificationId) -> int:
        """End those that are there, oldest first; return how many."""
        found = sorted((i for i in set(ids) if i in self.kept), key=lambda i: self.kept[i].seq)
        for notification_id in found:
            self.rev += 1
            gone = self.kept.pop(notification_id)
            self.ended[gone.id] = replace(gone, rev=self.rev, content={}, deleted=True)
        return len(found)

    @property
    def unread(self) -> int:
        """Count what was not read."""
        return sum(not notification.read for notification in self.kept.values())

    def changes(self, after: int) -> list[Notification]:
        """Return what changed after a position, by rev."""
        every = [*self.kept.values(), *self.ended.values()]
        return sorted((n for n in every if n.rev > after), key=lambda n: n.rev)

    def listed(self) -> list[Notification]:
        """Return what is there, newest first."""
        return sorted(self.kept.values(), key=lambda n: -n.seq)
