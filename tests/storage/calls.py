"""Calls that cost the same however large a room or an inbox is, for every store to show."""

from collections.abc import Awaitable, Callable, Sequence

from parley.namespaces.notification.publishing import PAGE_USERS
from parley.storage.models import ClientId, MessageId, RoomId, Timestamp
from parley.storage.notifications import Ending, Notification, NotificationDraft, PushTerms
from tests.storage.drafts import ANN, BOB, append, deleted, edited, reacted, said
from tests.storage.inboxes import AT, notice
from tests.storage.stores import Store

SMALL, LARGE = 100, 3_000  # rows in the room

Call = Callable[[Store, RoomId, int, MessageId], Awaitable[object]]

FUTURE = Timestamp(1 << 50)


async def unread_rooms(store: Store, room_id: RoomId, head: int) -> None:
    await store.members.mark_read(room_id, ANN, head)
    await store.members.unread(ANN)


async def overviews(store: Store, room_id: RoomId, head: int) -> None:
    await store.members.mark_read(room_id, ANN, head)
    await store.members.overviews(ANN, limit=20)


CALLS: dict[str, Call] = {
    "say": lambda s, room, _, _id: append(s, room, said(ANN)),
    "edit": lambda s, room, _, target: append(s, room, edited(BOB, target, "x")),
    "delete": lambda s, room, _, target: append(s, room, deleted(BOB, target)),
    "react": lambda s, room, _, target: append(s, room, reacted(ANN, target, "+1")),
    "read": lambda s, room, head, _: s.members.mark_read(room, ANN, head),
    "changes": lambda s, room, _, _id: s.messages.changes(room, after=20, limit=20),
    "nothing new": lambda s, room, head, _: s.messages.changes(room, after=head),
    "newest": lambda s, room, _, _id: s.messages.history(room, limit=20),
    "oldest": lambda s, room, _, _id: s.messages.history(room, after=0, limit=20),
    "get": lambda s, _room, _, target: s.messages.get(target),
    "nothing unread": lambda s, room, head, _: s.messages.unread(room, ANN, after=head),
    "unread rooms": lambda s, room, head, _: unread_rooms(s, room, head),
    "overviews": lambda s, room, head, _: overviews(s, room, head),
    "written by": lambda s, _room, _, _id: s.messages.written_by(BOB, reader=ANN, limit=20),
    "revised": lambda s, _room, _, _id: s.messages.revised(after=(Timestamp(0), ""), limit=20),
    "purge": lambda s, room, _, _id: s.messages.purge(room, before=FUTURE, limit=20),
    "oldest kept": lambda s, room, _, _id: s.messages.oldest(room),
    "among": lambda s, room, _, _id: s.members.among(ANN, [room]),
    "rooms": lambda s, _room, _, _id: s.members.of_user(ANN),
    "room": lambda s, room, _, _id: s.rooms.get(room),
    "heads": lambda s, room, _, _id: s.rooms.heads([room]),
}


async def fill(
    store: Store, drafts: Sequence[NotificationDraft], *, push: PushTerms | None = None
) -> None:
    """Add many notifications, as many at once as the product does."""
    for start in range(0, len(drafts), PAGE_USERS):
        await store.notifications.add(drafts[start : start + PAGE_USERS], push=push)


async def an_inbox_of(store: Store, rows: int) -> Notification:
    """Fill an inbox of which most was read and a little has ended; return one of the others."""
    expires_at = Timestamp(AT + 1)
    await fill(store, [notice(ANN, expires_at=expires_at) for _ in range(rows)])
    while await store.notifications.mark_read(ANN, at=AT, limit=500):
        pass
    drafts = [notice(ANN) for _ in range(60)]
    added = await store.notifications.add([*drafts, notice(ANN, collapse_key="tea")])
    ended = [draft.id for draft in drafts[:30]]
    await store.notifications.end(ANN, ended, how=Ending.DELETE, at=AT)
    return added[-2].notification


InboxCall = Callable[[Store, Notification], Awaitable[object]]

INBOX_CALLS: dict[str, InboxCall] = {
    "heads": lambda s, _: s.notifications.heads([ANN]),
    "nothing new": lambda s, one: s.notifications.changes(ANN, after=one.seq + 31),
    "changes": lambda s, _: s.notifications.changes(ANN, after=20, limit=20),
    "newest": lambda s, _: s.notifications.listed(ANN, limit=20),
    "newest unread": lambda s, _: s.notifications.listed(ANN, unread=True, limit=20),
    "unread": lambda s, _: s.notifications.unread(ANN),
    "nothing to expire": lambda s, _: s.notifications.expire(now=AT, made_before=AT, limit=20),
    "add": lambda s, _: s.notifications.add([notice(ANN)]),
    "add with a push": lambda s, _: s.notifications.add(
        [notice(ANN)], push=PushTerms(due_at=AT, most=9)
    ),
    "due": lambda s, _: s.pushes.due(now=AT, limit=20),
    "add again": lambda s, one: s.notifications.add(
        [notice(ANN, id=one.id, client_id=f"test-{one.id}")]
    ),
    "collapse": lambda s, _: s.notifications.add([notice(ANN, collapse_key="tea")]),
    "read one": lambda s, one: s.notifications.mark_read(ANN, ids=[one.id], at=AT, limit=9),
    "read some": lambda s, _: s.notifications.mark_read(ANN, at=AT, limit=9),
    "delete": lambda s, one: s.notifications.end(ANN, [one.id], how=Ending.DELETE, at=AT),
    "retract": lambda s, _: s.notifications.retract(ClientId("msg:1"), at=AT, limit=20),
    "holders": lambda s, _: s.notifications.holders(ClientId("msg:1")),
    "retract among": lambda s, _: s.notifications.retract(
        ClientId("msg:1"), among=[ANN], at=AT, limit=20
    ),
    "revise": lambda s, one: s.notifications.revise(
        ClientId(f"test-{one.id}"), among=[ANN], content={"title": "x"}, at=AT, limit=20
    ),
    "purge": lambda s, _: s.notifications.purge(before=FUTURE, limit=20),
    "expire": lambda s, _: s.notifications.expire(now=FUTURE, limit=20),
}
