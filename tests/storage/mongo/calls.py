"""Every call of the durable Protocols, for tests of what all of them have in common.

Each is made on a room with Ann in it, whose head is 1.
"""

from collections.abc import Awaitable, Callable

from parley.storage.models import ClientId, MemberState, MessageId, RoomId, Timestamp
from tests.storage.drafts import ANN, BOB, EPOCH, a_room, founding, joined, said
from tests.storage.stores import Store

AT = Timestamp(1)
ID = MessageId("0" * 24)

Call = Callable[[Store, RoomId], Awaitable[object]]

CALLS: dict[str, dict[str, Call]] = {
    "rooms": {
        "create": lambda s, _: s.rooms.create(a_room(), founding(ANN)),
        "get": lambda s, room: s.rooms.get(room),
        "heads": lambda s, room: s.rooms.heads([room]),
        "listed": lambda s, _: s.rooms.listed(containing="a", limit=1),
        "page": lambda s, _: s.rooms.page(limit=1),
        "delete": lambda s, room: s.rooms.delete(
            room, epoch=EPOCH, after=1, new_epoch="11111111", at=AT
        ),
        "sweep": lambda s, _: s.rooms.sweep(limit=1),
    },
    "members": {
        "of_user": lambda s, _: s.members.of_user(ANN),
        "waiting": lambda s, _: s.members.waiting(ANN),
        "of_room": lambda s, room: s.members.of_room(room, state=MemberState.MEMBER, limit=1),
        "overviews": lambda s, _: s.members.overviews(ANN, limit=1),
        "unread": lambda s, _: s.members.unread(ANN),
        "count": lambda s, _: s.members.count(ANN),
        "revisions": lambda s, _: s.members.revisions([ANN]),
        "get": lambda s, room: s.members.get(room, ANN),
        "among": lambda s, room: s.members.among(ANN, [room]),
        "sharing": lambda s, _: s.members.sharing(ANN, [BOB]),
        "neighbours": lambda s, _: s.members.neighbours(ANN),
        "mark_read": lambda s, room: s.members.mark_read(room, ANN, 1),
    },
    "messages": {
        "append": lambda s, room: s.messages.append(room, epoch=EPOCH, after=1, drafts=[said(ANN)]),
        "append a change": lambda s, room: s.messages.append(
            room, epoch=EPOCH, after=1, drafts=[joined(BOB)]
        ),
        "stored": lambda s, room: s.messages.stored(room, ANN, ClientId("c")),
        "changes": lambda s, room: s.messages.changes(room, after=0),
        "history": lambda s, room: s.messages.history(room, limit=1),
        "get": lambda s, _: s.messages.get(ID),
        "unread": lambda s, room: s.messages.unread(room, ANN, after=0),
        "written_by": lambda s, _: s.messages.written_by(ANN, reader=ANN, limit=1),
        "spoken": lambda s, _: s.messages.spoken(after="", limit=1),
        "revised": lambda s, _: s.messages.revised(after=(AT, ""), limit=1),
        "purge": lambda s, room: s.messages.purge(room, before=AT, limit=1),
        "oldest": lambda s, room: s.messages.oldest(room),
    },
    "users": {
        "see": lambda s, _: s.users.see(BOB, "Bob", AT),
        "get": lambda s, _: s.users.get(ANN),
        "names": lambda s, _: s.users.names([ANN]),
        "page": lambda s, _: s.users.page(limit=1),
        "count": lambda s, _: s.users.count(),
        "known": lambda s, _: s.users.known([ANN]),
        "saw": lambda s, _: s.users.saw({ANN: AT}),
        "set_invisible": lambda s, _: s.users.set_invisible(ANN, True, AT),
    },
}
EVERY = [(f"{noun}.{name}", call) for noun, calls in CALLS.items() for name, call in calls.items()]
