"""Rows that change a room, decided by the room's state at the position they take."""

from collections.abc import Callable
from functools import partial

from parley.namespaces.chat import access
from parley.namespaces.chat.drafts import Asked, Drafts
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.feeds import OpenRoom, RoomFeeds
from parley.namespaces.chat.followed import FollowedUsers
from parley.namespaces.chat.room_schemas import AboutMember
from parley.namespaces.errors import ClientError, ClientIdReused
from parley.storage.base import MessageRepository
from parley.storage.models import Draft, Duplicate, Membership, Timestamp, UserId

Decide = Callable[[RoomFeed], Draft | None]
"""The rules of one request: the row to write, None if it would change nothing.

Raises a `ClientError` if it is not allowed. It looks at nothing but the room it is given and the
clock, and may be called any number of times.
"""


class _NoChange(Exception):
    """The row would change nothing, so it takes no position."""


class _Moved(Exception):
    """The room changed before the row's turn came; make the row anew."""


class ControlRows:
    """Writes what changes a room or who is in it."""

    def __init__(
        self,
        *,
        feeds: RoomFeeds,
        users: FollowedUsers,
        messages: MessageRepository,
        drafts: Drafts,
        now: Callable[[], Timestamp],
    ) -> None:
        self._feeds = feeds
        self._users = users
        self._messages = messages
        self._drafts = drafts
        self._now = now

    def check(self, event: str, feed: RoomFeed, by: UserId) -> Membership:
        """Return the membership of somebody who may send ``event``; see `access.check`."""
        return access.check(event, feed.room, feed.members, by, self._now())

    async def write_about(self, by: UserId, asked: Asked, decide: Decide) -> Membership | None:
        """Write a row about one user and return how she stands with the room then.

        Raises:
            NotFound, Gone: There is no such room, or no more.
            ClientIdReused: The client_id stands for another request.
        """
        request: AboutMember = asked.payload
        room = await self._feeds.open(request.room_id)
        await self.write(room, decide, by=by, about=request.user_id, asked=asked)
        return room.feed.members.get(request.user_id)

    async def write(
        self,
        room: OpenRoom,
        decide: Decide,
        *,
        by: UserId,
        about: UserId | None = None,
        asked: Asked | None = None,
    ) -> None:
        """Append the row that ``decide`` makes of the position it takes; None writes nothing.

        Args:
            about: The user whose membership it changes; the nodes of her sockets are told.
            asked: Where it has a client_id, a retry gets its first outcome, whatever has
                become of the room since.

        Raises:
            ClientError: What ``decide`` raises.
            ClientIdReused: The client_id stands for another request.
            Unavailable: Asking again is safe.
        """
        head = -1
        while True:
            refusal, draft = None, None
            try:
                draft = decide(room.feed)
            except ClientError as error:
                refusal = error
            if draft is None and head != room.feed.head:
                # It may be otherwise by a row of another node that is not here yet.
                await room.feed.catch_up()
                head = room.feed.head
                continue
            if draft is None:
                if not await self._was_done(room, by, asked) and refusal is not None:
                    raise refusal
                return
            try:
                outcome = await room.append(draft, partial(_still_fits, decide, draft))
            except _Moved:
                continue
            except _NoChange:
                return
            if isinstance(outcome, Duplicate) and outcome.digest != draft.digest:
                raise ClientIdReused(client_id=draft.client_id)
            # A duplicate tells nobody: what came after it may have made it untrue. If the first
            # try died before it told, the audit of memberships does.
            if about is not None and not isinstance(outcome, Duplicate):
                self._users.announce(about, room.feed.room.id, by)
            return

    async def _was_done(self, room: OpenRoom, by: UserId, asked: Asked | None) -> bool:
        """Return whether this is a retry; raise `ClientIdReused` for another request."""
        if asked is None or asked.client_id is None:
            return False
        first = await self._messages.stored(room.feed.room.id, by, asked.client_id)
        if first is not None and first.digest != self._drafts.digest_of(asked):
            raise ClientIdReused(client_id=asked.client_id)
        return first is not None


def _still_fits(decide: Decide, draft: Draft, feed: RoomFeed) -> None:
    """Check a row at its position: the same request must still lead to the same row."""
    again = decide(feed)
    if again is None:
        raise _NoChange
    if (again.type, again.content) != (draft.type, draft.content):
        raise _Moved
