"""After CONNECT: bring a socket up to date in its user's inbox, then let it live there."""

from collections.abc import Callable
from functools import partial

from parley.namespaces.catch_ups import CatchUps
from parley.namespaces.notification.feeds import InboxFeeds
from parley.namespaces.notification.sync import InboxSync
from parley.namespaces.notification.wire import Notice, notification_to_wire
from parley.namespaces.session import Session
from parley.namespaces.transport import Transport
from parley.storage.base import UserRepository
from parley.storage.models import Timestamp


class InboxResume:
    """One catch-up per socket, pulled at the pace at which the socket reads."""

    def __init__(
        self,
        *,
        server_id: str,
        feeds: InboxFeeds,
        sync: InboxSync,
        users: UserRepository,
        transport: Transport,
        now: Callable[[], Timestamp],
    ) -> None:
        self._catch_ups = CatchUps(server_id=server_id, transport=transport)
        self._feeds = feeds
        self._sync = sync
        self._users = users
        self._transport = transport
        self._now = now

    def begin(self, session: Session, cursor: str | None) -> None:
        """Greet a socket and start its catch-up."""
        self._catch_ups.begin(session, partial(self._catch_up, session, cursor))

    async def end(self, session: Session) -> None:
        """Stop the catch-up of a socket that is gone."""
        await self._catch_ups.end(session)
        await self._feeds.release(session.user_id)

    async def _catch_up(self, session: Session, cursor: str | None) -> None:
        await self._users.see(session.user_id, session.identity.name, self._now())
        while True:
            reply = await self._sync.read(session, cursor)
            wire = reply.to_wire(events=cursor is not None)
            if cursor is None:
                # One by one: a client that only listens for notifications gets them all.
                for notification in reply.notifications:
                    one = notification_to_wire(notification)
                    self._transport.send(session.sid, Notice.NOTIFICATION, one)
            done = {} if reply.more else {"done": True}
            # One step: the reply is in the outbox before anything live is.
            self._transport.send(session.sid, Notice.SYNC, {**wire, **done})
            reply.hand_over()
            if not reply.more:
                return
            cursor = str(reply.upto)
            # Pulled, not pushed: the next page when this one has left.
            await self._transport.drained(session.sid)
