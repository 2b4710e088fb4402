"""Calls that cost the same however large a room is, for every store to show."""

from collections.abc import Awaitable, Callable

from parley.storage.models import MessageId, RoomId, Timestamp
from tests.storage.drafts import ANN, BOB, append, deleted, edited, reacted, said
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
