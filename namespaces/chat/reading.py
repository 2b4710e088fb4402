"""What people read of messages, and how far they have: no rows of the log come of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from parley.namespaces.chat import access
from parley.namespaces.chat.feeds import RoomFeeds
from parley.namespaces.chat.schemas import History, WrittenBy
from parley.namespaces.chat.wire import message_to_wire
from parley.namespaces.errors import NotFound
from parley.namespaces.paging import fitting, from_cursor, to_cursor
from parley.storage.base import MemberRepository, MessageRepository
from parley.storage.models import Message, MessageId, RoomId, Unread, UserId

HIDDEN_STEP = 500  # rows, where a page would have nothing that this user may see
HISTORY_BYTES = 1_048_576  # of a page: stock clients do not take a frame of any size


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """A stretch of a room's history by rising ``seq``."""

    messages: Sequence[Message]
    more: bool  # is there more in the direction that was asked for?
    head: int = 0  # of the room, when the page was read


class ReadingService:
    """Answers what was said, and keeps read marks."""

    def __init__(
        self, *, feeds: RoomFeeds, messages: MessageRepository, members: MemberRepository
    ) -> None:
        self._feeds = feeds
        self._messages = messages
        self._members = members

    async def history(self, user_id: UserId, request: History) -> HistoryPage:
        """Return a page of what a member, or a visitor of a listed room, may see.

        ``around`` is its middle. Her rights are those of the newest row that the page shows.

        Raises:
            NotFound, Forbidden: See `access.visitor`.
        """
        wanted = request
        while True:
            page, shown = await self._read(user_id, wanted)
            if shown or not page.messages or not page.more:
                return _cut(replace(page, messages=shown), wanted, request.limit)
            # A page of nothing would not say where to go on.
            wanted = _beyond(wanted, page)

    async def _read(
        self, user_id: UserId, request: History
    ) -> tuple[HistoryPage, Sequence[Message]]:
        """Return a page as it is stored, and what the user may see of it."""
        feed = (await self._feeds.open(request.room_id, by=user_id)).feed
        membership = access.visitor(feed.room, feed.members, user_id)
        is_member = membership is not None and membership.is_member
        floor = membership.visible_from_seq if membership is not None and is_member else 0
        if request.around is not None:
            page = await self._around(request, request.around, floor=floor)
        else:
            page = await self._page(request, floor=floor)
        # Another node may have written that the room is closed to her.
        await feed.reach(max((message.rev for message in page.messages), default=0))
        # Asked again, of a room that may have been deleted or started anew meanwhile.
        feed = (await self._feeds.open(request.room_id, by=user_id)).feed
        membership = access.visitor(feed.room, feed.members, user_id)
        shown = [message for message in page.messages if access.sees(membership, message)]
        return replace(page, head=feed.head), shown

    async def _page(self, request: History, *, floor: int) -> HistoryPage:
        found = await self._messages.history(
            request.room_id,
            before=request.before,
            after=request.after,
            limit=request.limit + 1,  # one more than asked tells whether there is more
            floor=floor,
        )
        backwards = request.after is None
        page = found[-request.limit :] if backwards else found[: request.limit]
        messages = fitting(page, HISTORY_BYTES, message_to_wire, from_end=backwards)
        return HistoryPage(messages=messages, more=len(messages) < len(found))

    async def mark_read(self, user_id: UserId, room_id: RoomId, seq: int) -> tuple[int, Unread]:
        """Raise the member's read mark, at most to the head; it never goes back.

        The room, and the user's other devices, hear of it; at most once.

        Raises:
            NotFound, Forbidden: See `access.member`.
        """
        feed = (await self._feeds.open(room_id, by=user_id)).feed
        membership = access.member(feed.room, feed.members, user_id)
        read_seq = await self._members.mark_read(room_id, user_id, seq)
        after = replace(membership, read_seq=read_seq).unread_after
        return read_seq, await self._messages.unread(room_id, user_id, after=after)

    async def mark_read_upto(
        self, user_id: UserId, message_id: MessageId
    ) -> tuple[RoomId, int, Unread]:
        """Do the same up to one message, in its room.

        Raises:
            NotFound: There is no such message for her.
        """
        message = await self._messages.get(message_id)
        if message is not None:
            feed = (await self._feeds.open(message.room_id, by=user_id)).feed
            membership = feed.members.get(user_id)
            if feed.is_member(user_id) and access.sees(membership, message):
                return message.room_id, *await self.mark_read(user_id, feed.room.id, message.seq)
        raise NotFound("no such message", message_id=message_id)

    async def unread(self, user_id: UserId) -> Mapping[RoomId, Unread]:
        """Return what the user has not read, by room; rooms with nothing are left out."""
        return await self._members.unread(user_id)

    async def written_by(
        self, user_id: UserId, request: WrittenBy
    ) -> tuple[Sequence[Message], str | None]:
        """Return what an author wrote where the user is a member too, newest first.

        With the cursor of the next page, None after the last.
        """
        before = from_cursor(request.cursor, 1)[0] if request.cursor is not None else None
        found = await self._messages.written_by(
            request.user_id,
            reader=user_id,
            before=MessageId(before) if before is not None else None,
            limit=request.limit + 1,
        )
        page = found[: request.limit]
        return page, to_cursor(page[-1].id) if len(found) > len(page) else None

    async def _around(self, request: History, middle: int, *, floor: int) -> HistoryPage:
        older, half = request.limit // 2, HISTORY_BYTES // 2
        before = await self._messages.history(
            request.room_id, before=middle, limit=older + 1, floor=floor
        )
        after = await self._messages.history(
            request.room_id, after=middle - 1, limit=request.limit - older + 1, floor=floor
        )
        nearest = before[len(before) - older :] if older else []
        kept = [
            *fitting(nearest, half, message_to_wire, from_end=True),
            *fitting(after[: request.limit - older], half, message_to_wire),
        ]
        more = len(kept) < len(before) + len(after)
        return HistoryPage(messages=kept, more=more)


def _beyond(request: History, page: HistoryPage) -> History:
    """Return the request for what follows a page of hidden messages, in bigger steps."""
    if request.after is not None:
        return replace(request, after=page.messages[-1].seq, limit=HIDDEN_STEP)
    return replace(request, around=None, before=page.messages[0].seq, limit=HIDDEN_STEP)


def _cut(page: HistoryPage, request: History, limit: int) -> HistoryPage:
    """Return at most ``limit`` messages of a page, from where it was asked to begin."""
    if len(page.messages) <= limit:
        return page
    kept = page.messages[:limit] if request.after is not None else page.messages[-limit:]
    return replace(page, messages=kept, more=True)
