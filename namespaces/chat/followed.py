"""The users with a socket here: what this node hears of their memberships."""

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from parley.namespaces import hints
from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.errors import Gone, NotFound
from parley.namespaces.session import user_room
from parley.namespaces.transport import Transport
from parley.namespaces.wire import SYSTEM, SystemCode
from parley.storage.base import MemberRepository
from parley.storage.errors import StorageUnavailable
from parley.storage.expiring import Bus, Subscription
from parley.storage.models import MemberState, Room, RoomId, UserId


@dataclass(slots=True)
class _Followed:
    """A user with a socket here."""

    subscription: Subscription
    revision: int  # of her memberships, when they were last looked at


class FollowedUsers:
    """Brings a user's sockets into rooms that she came into by another node, or by nobody's hint.

    Out of a room she comes by its feed, which runs as long as a socket of hers is in it.
    """

    def __init__(
        self, *, feeds: RoomFeeds, members: MemberRepository, bus: Bus, transport: Transport
    ) -> None:
        self._feeds = feeds
        self._members = members
        self._bus = bus
        self._transport = transport
        self._users: dict[UserId, asyncio.Task[_Followed]] = {}

    def announce(self, user_id: UserId, room_id: RoomId, by: UserId) -> None:
        """Tell the nodes of a user's sockets that ``by`` changed how she stands with a room."""
        self._bus.publish(user_room(user_id), next(hints.moved(room_id, [by])))
        self.moved(room_id, [user_id])

    def moved(self, room_id: RoomId, user_ids: Collection[UserId]) -> None:
        """Tell whoever follows memberships that these changed, and no socket of anybody."""
        for hint in hints.moved(room_id, user_ids):
            self._bus.publish(hints.MEMBERSHIPS, hint)

    async def follow(self, user_id: UserId) -> None:
        """Hear of the user's memberships from now on; call before reading them.

        Raises:
            StorageUnavailable: She is not followed.
        """
        following = self._users.get(user_id)
        if following is None:
            following = asyncio.create_task(self._follow(user_id))
            self._users[user_id] = following
            following.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            # Her other socket may wait for the same, so one that goes does not cancel it.
            await asyncio.shield(following)
        except Exception:
            if self._users.get(user_id) is following:
                del self._users[user_id]  # the next one tries again
            raise

    async def _follow(self, user_id: UserId) -> _Followed:
        listener = partial(self._hear, user_id)
        subscription = await self._bus.subscribe(user_room(user_id), listener)
        try:
            revisions = await self._members.revisions([user_id])
        except BaseException:
            await subscription.cancel()
            raise
        return _Followed(subscription, revisions[user_id])

    async def unfollow(self, user_id: UserId) -> None:
        """Stop when the user's last socket on this node is gone."""
        if self._transport.sockets(user_room(user_id)):
            return
        following = self._users.pop(user_id, None)
        if following is not None:
            with contextlib.suppress(StorageUnavailable):
                await (await following).subscription.cancel()

    async def audit(self) -> None:
        """Look at the memberships that changed, in case no announcement told of it.

        Raises:
            StorageUnavailable: Nothing is wrong by that; call again.
        """
        followed = {
            user_id: task.result()
            for user_id, task in self._users.items()
            if task.done() and task.exception() is None
        }
        revisions = await self._members.revisions(list(followed))
        for user_id, user in followed.items():
            if user.revision != revisions[user_id]:
                # Only rooms she is in by now: one she lost has a row that the audit of heads
                # finds. One that was deleted meanwhile has told everyone by its feed's end.
                for membership, _, _ in await self._members.of_user(user_id):
                    with contextlib.suppress(NotFound, Gone):
                        (await self._feeds.open(membership.room_id)).feed.welcome(user_id)
                user.revision = revisions[user_id]

    async def _hear(self, user_id: UserId, payload: bytes) -> None:
        if (changed := hints.read_moved(payload)) is None or len(changed[1]) != 1:
            return
        room_id, [by] = changed
        try:
            feed = (await self._feeds.open(room_id)).feed
        except (NotFound, Gone):
            return
        await feed.catch_up()  # this hint may be faster than the one about the row
        membership = feed.members.get(user_id)
        if membership is not None and membership.state is MemberState.INVITED:
            self._transport.broadcast(user_room(user_id), SYSTEM, _invitation(feed.room, by))
        else:
            feed.welcome(user_id)


def _invitation(room: Room, by: str) -> dict[str, object]:
    shown = {"id": room.id, "name": room.name, "type": room.type}
    return {"code": SystemCode.INVITED, "room_id": room.id, "room": shown, "by": by}
