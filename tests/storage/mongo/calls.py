"""Every call of the durable Protocols, for tests of what all of them have in common.

Each is made on a room with Ann in it, whose head is 1.
"""

from collections.abc import Awaitable, Callable

from parley.storage.models import ClientId, MemberState, MessageId, RoomId, Timestamp
from parley.storage.notifications import Ending, NotificationId, PublicationId, PushTerms
from tests.storage.drafts import ANN, BOB, EPOCH, a_room, founding, joined, said
from tests.storage.inboxes import notice, publication
from tests.storage.stores import Store

AT = Timestamp(1)
ID = MessageId("0" * 24)
NOTICE = NotificationId(ID)

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
    "notifications": {
        "add": lambda s, _: s.notifications.add([notice(ANN)]),
        "add with a push": lambda s, _: s.notifications.add(
            [notice(ANN)], push=PushTerms(due_at=AT, most=9)
        ),
        "add in place of another": lambda s, _: s.notifications.add(
            [notice(ANN, collapse_key="tea")]
        ),
        "mark_read": lambda s, _: s.notifications.mark_read(ANN, at=AT, limit=1),
        "end": lambda s, _: s.notifications.end(ANN, [NOTICE], how=Ending.DELETE, at=AT),
        "expire": lambda s, _: s.notifications.expire(now=AT, made_before=AT, limit=1),
        "purge": lambda s, _: s.notifications.purge(before=AT, limit=1),
        "retract": lambda s, _: s.notifications.retract(ClientId("c"), at=AT, limit=1),
        "holders": lambda s, _: s.notifications.holders(ClientId("c")),
        "revise": lambda s, _: s.notifications.revise(
            ClientId("c"), among=[ANN], content={}, at=AT, limit=1
        ),
        "heads": lambda s, _: s.notifications.heads([ANN]),
        "changes": lambda s, _: s.notifications.changes(ANN, after=0),
        "listed": lambda s, _: s.notifications.listed(ANN, limit=1),
        "unread": lambda s, _: s.notifications.unread(ANN),
    },
    "mutes": {
        "set_muted": lambda s, room: s.mutes.set_muted(ANN, room, muted=True),
        "of_user": lambda s, _: s.mutes.of_user(ANN),
        "muting": lambda s, room: s.mutes.muting(room, [ANN]),
    },
    "publications": {
        "begin": lambda s, _: s.publications.begin(publication()),
        "get": lambda s, _: s.publications.get(PublicationId(ID)),
        "advance": lambda s, _: s.publications.advance(publication(finished=True)),
        "unfinished": lambda s, _: s.publications.unfinished(),
        "forget": lambda s, _: s.publications.forget(before=AT),
        "checkpoint": lambda s, _: s.publications.checkpoint("chat"),
        "keep_checkpoint": lambda s, _: s.publications.keep_checkpoint("chat", "a"),
    },
    "pushes": {
        "due": lambda s, _: s.pushes.due(now=AT, limit=1),
        "next_due": lambda s, _: s.pushes.next_due(),
        "postpone": lambda s, _: s.pushes.postpone(NOTICE, due_at=AT),
        "settle": lambda s, _: s.pushes.settle([NOTICE]),
        "size": lambda s, _: s.pushes.size(),
    },
}
EVERY = [(f"{noun}.{name}", call) for noun, calls in CALLS.items() for name, call in calls.items()]
