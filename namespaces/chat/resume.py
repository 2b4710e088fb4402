"""After CONNECT: bring a socket up to date in every room of its user, then let it live there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from weakref import WeakKeyDictionary

from marshmallow import ValidationError

from parley.namespaces.catch_ups import CatchUps
from parley.namespaces.chat.followed import FollowedUsers
from parley.namespaces.chat.schemas import Sync, SyncSchema
from parley.namespaces.chat.sync import Cursors, Synchronizer
from parley.namespaces.chat.wire import Notice
from parley.namespaces.errors import Invalid, pointers
from parley.namespaces.session import Session
from parley.namespaces.since import since_of
from parley.namespaces.transport import Transport
from parley.storage.base import MemberRepository, UserRepository
from parley.storage.models import RoomId, Timestamp

ROOMS_A_REPLY = 50
_schema = SyncSchema()


def read_since(auth: Mapping[str, Any]) -> Cursors:
    """Return ``auth.since``, an object or its JSON text; {} if there is none.

    Raises:
        Invalid: It is neither, or holds something that is no cursor.
    """
    since = since_of(auth)
    try:
        loaded = cast("Sync", _schema.load({"rooms": {} if since is None else since}))
    except ValidationError as error:
        messages = error.messages_dict["rooms"]
        raise Invalid(errors=pointers(messages, "/since")) from error
    return loaded.rooms


class Resume:
    """One catch-up per socket, pulled at the pace at which the socket reads."""

    def __init__(
        self,
        *,
        server_id: str,
        followed: FollowedUsers,
        sync: Synchronizer,
        members: MemberRepository,
        users: UserRepository,
        transport: Transport,
        now: Callable[[], Timestamp],
    ) -> None:
        self._catch_ups = CatchUps(server_id=server_id, transport=transport)
        self._followed = followed
        self._sync = sync
        self._members = members
        self._users = users
        self._transport = transport
        self._now = now
        self._under_way: WeakKeyDictionary[Session, _CatchUp] = WeakKeyDictionary()

    def begin(self, session: Session, since: Cursors) -> None:
        """Greet a socket and start its catch-up."""
        catch_up = self._under_way[session] = _CatchUp(since)
        self._catch_ups.begin(session, partial(self._catch_up, session, catch_up))

    def leave_out(self, session: Session, room_id: RoomId) -> None:
        """Leave a room to the ack that has all of it, if the socket's catch-up still goes on.

        So that a client that knows nothing of cursors hears what it says in a room that it has
        just made: to be caught up there it would be taken out of the room once more.
        """
        catch_up = self._under_way.get(session)
        # A request without the cursor that CONNECT had was answered from the read mark on.
        if catch_up is not None and catch_up.since.get(room_id) is None:
            catch_up.left_out.add(room_id)

    async def end(self, session: Session) -> None:
        """Stop the catch-up of a socket that is gone."""
        await self._catch_ups.end(session)
        await self._followed.unfollow(session.user_id)

    async def _catch_up(self, session: Session, catch_up: "_CatchUp") -> None:
        await self._followed.follow(session.user_id)
        await self._users.see(session.user_id, session.identity.name, self._now())
        mine = await self._members.of_user(session.user_id)
        # All rooms of the user, also those she does not name: she may have been let in since.
        left: dict[RoomId, str | None] = {room.id: None for _, room, _ in mine}
        left.update(catch_up.since)
        while True:
            chunk = dict(list(left.items())[:ROOMS_A_REPLY])
            reply = await self._sync.read(session, chunk, but=catch_up.left_out)
            for room_id in chunk:
                del left[room_id]
            left |= reply.unfinished()
            done = {} if left else {"done": True}
            # One step: the reply is in the outbox before anything live is.
            self._transport.send(session.sid, Notice.SYNC, {"rooms": reply.rooms, **done})
            reply.hand_over()
            if not left:
                del self._under_way[session]
                return
            # Pulled, not pushed: the next page when this one has left.
            await self._transport.drained(session.sid)


@dataclass(frozen=True, slots=True)
class _CatchUp:
    """What is known of a catch-up that is under way."""

    since: Cursors  # of CONNECT
    left_out: set[RoomId] = field(default_factory=set[RoomId])
