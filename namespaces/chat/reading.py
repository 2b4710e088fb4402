"""What a member sees without changing the log: her rooms, their history, her read mark."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from parley.namespaces.chat import access
from parley.namespaces.chat.feeds import OpenRoom, RoomFeeds
from parley.namespaces.chat.schemas import History
from parley.namespaces.chat.wire import message_to_wire
from parley.namespaces.errors import NotFound
from parley.storage.base import MemberRepository, MessageRepository
from parley.storage.ids import direct_room_id
from parley.storage.models import Membership, Message, Room, RoomId, Unread, UserId

HISTORY_BYTES = 1_048_576  # of a page: stock clients do not take a frame of any size


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSummary:
    """One of my rooms, as the list of rooms shows it."""

    room: OpenRoom
    membership: Membership
    unread: Unread
    last_message: Message | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """A stretch of a room's history by rising ``seq``."""

    messages: Sequence[Message]
    head: int
    more: bool  # is there more in the direction that was asked for?


class ReadingService:
    """Answers what members ask about their rooms."""

    def __init__(
        self, *, feeds: RoomFeeds, messages: MessageRepository, members: MemberRepository
    ) -> None:
        self._feeds = feeds
        self._messages = messages
        self._members = members

    async def rooms(self, user_id: UserId) -> Sequence[RoomSummary]:
        """Return the user's rooms, by id, with what she has not read."""
        mine = await self._members.of_user(user_id)
        return [await self._summary(membership, room) for membership, room, _ in mine]

    async def room(self, user_id: UserId, room_id: RoomId) -> tuple[OpenRoom, Membership]:
        """Return a room of the user's with her membership, without its read mark.

        Raises:
            NotFound: There is no such room.
            Forbidden: She is not a member.
        """
        room = await self._feeds.open(room_id)
        return room, access.member(room.feed.room, room.feed.members, user_id)

    async def conversation(
        self, user_id: UserId, room_id: RoomId | None, to: UserId | None
    ) -> Room | None:
        """Return the room, or the direct room with ``to``; None before its first message.

        Raises:
            NotFound, Forbidden: No such room, or not hers.
        """
        if room_id is not None:
            room, _ = await self.room(user_id, room_id)
            return room.feed.room
        if to is None:
            return None
        try:
            room, _ = await self.room(user_id, direct_room_id(user_id, to))
        except NotFound:
            return None
        return room.feed.room

    async def history(self, user_id: UserId, request: History) -> HistoryPage:
        """Return a page of what the member may see; ``around`` is its middle.

        Raises:
            NotFound, Forbidden: No such room, or not hers.
        """
        room, membership = await self.room(user_id, request.room_id)
        head, floor = room.feed.head, membership.visible_from_seq
        if request.around is not None:
            return await self._around(request, request.around, head=head, floor=floor)
        found = await self._messages.history(
            request.room_id,
            before=request.before,
            after=request.after,
            limit=request.limit + 1,  # one more than asked tells whether there is more
            floor=floor,
        )
        backwards = request.after is None
        page = found[-request.limit :] if backwards else found[: request.limit]
        messages = _fitting(page, HISTORY_BYTES, from_end=backwards)
        return HistoryPage(messages=messages, head=head, more=len(messages) < len(found))

    async def mark_read(self, user_id: UserId, room_id: RoomId, seq: int) -> tuple[int, Unread]:
        """Raise the member's read mark, at most to the head; it never goes back.

        Raises:
            NotFound, Forbidden: No such room, or not hers.
        """
        _, membership = await self.room(user_id, room_id)
        read_seq = await self._members.mark_read(room_id, user_id, seq)
        return read_seq, await self._unread(replace(membership, read_seq=read_seq))

    async def _around(self, request: History, middle: int, *, head: int, floor: int) -> HistoryPage:
        older, half = request.limit // 2, HISTORY_BYTES // 2
        before = await self._messages.history(
            request.room_id, before=middle, limit=older + 1, floor=floor
        )
        after = await self._messages.history(
            request.room_id, after=middle - 1, limit=request.limit - older + 1, floor=floor
        )
        kept = [
            *_fitting(before[len(before) - older :] if older else [], half, from_end=True),
            *_fitting(after[: request.limit - older], half, from_end=False),
        ]
        more = len(kept) < len(before) + len(after)
        return HistoryPage(messages=kept, head=head, more=more)

    async def _summary(self, membership: Membership, room: Room) -> RoomSummary:
        newest = await self._messages.history(room.id, limit=1, floor=membership.visible_from_seq)
        return RoomSummary(
            room=await self._feeds.open(room.id),
            membership=membership,
            unread=await self._unread(membership),
            last_message=newest[0] if newest else None,
        )

    async def _unread(self, membership: Membership) -> Unread:
        return await self._messages.unread(
            membership.room_id, membership.user_id, after=membership.unread_after
        )


def _fitting(messages: Sequence[Message], size: int, *, from_end: bool) -> Sequence[Message]:
    """Return as many messages as fit, without a gap; at least one."""
    kept: list[Message] = []
    for message in reversed(messages) if from_end else messages:
        size -= len(orjson.dumps(message_to_wire(message)))
        if size < 0 and kept:
            break
        kept.append(message)
    return kept[::-1] if from_end else kept
