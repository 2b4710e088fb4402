"""After CONNECT: a socket hears who it is, and how its own user is."""

import logging

from parley.namespaces.eager import Crew
from parley.namespaces.presence.devices import Devices
from parley.namespaces.presence.followers import Followers
from parley.namespaces.presence.lists import RoomLists
from parley.namespaces.presence.tracked import TrackedUsers
from parley.namespaces.presence.wire import Notice
from parley.namespaces.session import Session
from parley.namespaces.transport import Close, Transport
from parley.namespaces.wire import greeting
from parley.storage.errors import StorageUnavailable

logger = logging.getLogger(__name__)


class Greeting:
    """The first and the last moment of a socket."""

    def __init__(
        self,
        *,
        server_id: str,
        devices: Devices,
        tracked: TrackedUsers,
        followers: Followers,
        lists: RoomLists,
        transport: Transport,
        crew: Crew,
    ) -> None:
        self._server_id = server_id
        self._devices = devices
        self._tracked = tracked
        self._followers = followers
        self._lists = lists
        self._transport = transport
        self._crew = crew

    def begin(self, session: Session) -> None:
        """Greet a socket, and let it hear of its own user from now on."""
        notice = greeting(session.user_id, self._server_id)
        self._transport.send(session.sid, Notice.SYSTEM, notice)
        self._followers.begin(session)
        self._lists.begin(session)
        self._crew.start(self._tell_how_she_is(session))

    def end(self, session: Session) -> None:
        """Forget a socket that is gone."""
        self._lists.end(session)
        self._followers.end(session)

    async def _tell_how_she_is(self, session: Session) -> None:
        try:
            await self._devices.settled()
            await self._tracked.look([session.user_id])
        except StorageUnavailable:
            self._transport.close(session.sid, Close.UNAVAILABLE)
            return
        if not session.closed:
            self._followers.tell(session, session.user_id)
