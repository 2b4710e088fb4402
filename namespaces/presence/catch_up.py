"""Sockets that did not keep up: what they missed is told anew when there is space."""

from parley.namespaces.eager import Crew
from parley.namespaces.presence.followers import Followers
from parley.namespaces.presence.lists import RoomLists
from parley.namespaces.presence.wire import subject_of
from parley.namespaces.session import Session, Sessions
from parley.namespaces.transport import Transport
from parley.storage.models import RoomId, UserId


class CatchUp:
    """Takes a socket out of rooms whose frames were dropped, and back with the state of then."""

    def __init__(
        self,
        *,
        followers: Followers,
        lists: RoomLists,
        transport: Transport,
        sessions: Sessions,
        crew: Crew,
    ) -> None:
        self._followers = followers
        self._lists = lists
        self._transport = transport
        self._sessions = sessions
        self._crew = crew
        self._missed: dict[Session, set[str]] = {}

    def fell_behind(self, sid: str, room: str) -> bool:
        """See `BaseNamespace`."""
        session = self._sessions.get(sid)
        if session is None or subject_of(room) is None:
            return False
        self._transport.leave(sid, room)
        missed = self._missed.get(session)
        if missed is not None:
            missed.add(room)
            return True
        self._missed[session] = {room}
        self._crew.start(self._resume(session))
        return True

    async def _resume(self, session: Session) -> None:
        try:
            await self._transport.drained(session.sid)
        finally:
            missed = self._missed.pop(session)
        if session.closed:
            return
        for room in missed:
            match subject_of(room):
                case ("list", room_id):
                    self._lists.resume(session, RoomId(room_id), room)
                case (_, user_id):
                    self._followers.resume(session, UserId(user_id), room)
                case None:
                    pass
