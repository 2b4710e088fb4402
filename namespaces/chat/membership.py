"""Who comes into a room, and who leaves it. What is done to members is in `moderation`.

Every method writes at most one row, decided at the position it takes (`control`). What is so
already writes nothing. Rights are in `access`; each method says only what else it asks.
"""

from parley.namespaces.chat import access
from parley.namespaces.chat.control import ControlRows, Decide
from parley.namespaces.chat.drafts import Asked, Drafts
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.feeds import OpenRoom, RoomFeeds
from parley.namespaces.chat.room_schemas import AboutMember
from parley.namespaces.chat.rooms import RoomService
from parley.namespaces.chat.settings import setting
from parley.namespaces.errors import ClientError, Conflict, Forbidden, Gone, NotFound, RoomFull
from parley.namespaces.session import Session
from parley.storage.models import (
    WAITING,
    Draft,
    Membership,
    MemberState,
    Role,
    RoomId,
    RoomType,
    UserId,
)

MAX_WAITING = 1_000  # invited to a room or asking to join it


class MembershipService:
    """Lets people in and out of rooms."""

    def __init__(
        self,
        *,
        feeds: RoomFeeds,
        rooms: RoomService,
        control: ControlRows,
        drafts: Drafts,
    ) -> None:
        self._feeds = feeds
        self._rooms = rooms
        self._control = control
        self._drafts = drafts

    async def join(
        self, user_id: UserId, room_id: RoomId, *, session: Session | None = None
    ) -> OpenRoom:
        """Make the user a member, or note that she asks to be one.

        The ``session``'s socket stays out of the room until its sync hands it over.

        Raises:
            NotFound: There is no such room, or it takes invited people only.
            Forbidden: She is banned, or in as many rooms as one may be.
            RoomFull: It has ``max_members``, or too many wait.
        """
        room = await self._feeds.open(room_id)
        if room.feed.is_member(user_id):
            # Another node may have acknowledged a moment ago that she left.
            await room.feed.catch_up()
        if room.feed.is_member(user_id):
            return room
        await self._rooms.check_count(user_id)
        room = await self._feeds.open(room_id)
        watched = session is not None and room.feed.audience.watches(session)
        if session is not None:
            # Before the row: else it would bring this socket in, live and without its cursor.
            room.feed.audience.detach(session)
        try:
            await self._control.write(room, self._joining(user_id), by=user_id, about=user_id)
        finally:
            if session is not None and not room.feed.is_member(user_id):
                room.feed.put_back(session, watched=watched)
        return room

    async def leave(self, user_id: UserId, room_id: RoomId) -> None:
        """End a membership, decline an invitation or take back a request.

        Raises:
            Forbidden: A direct room cannot be left.
        """
        try:
            room = await self._feeds.open(room_id)
        except (NotFound, Gone):
            return

        def decide(feed: RoomFeed) -> Draft | None:
            membership = feed.members.get(user_id)
            if membership is None or membership.state is MemberState.BANNED:
                return None
            if feed.room.type is RoomType.DIRECT:
                raise Forbidden("a direct room cannot be left", room_id=room_id)
            heir = _heir(feed, user_id)
            return self._drafts.left(
                user_id, by=user_id, reason="left", was=membership.state, heir=heir
            )

        await self._control.write(room, decide, by=user_id, about=user_id)

    async def invite(self, by: UserId, request: AboutMember) -> Membership | None:
        """Invite a user; one who has asked to join is let in if ``by`` may approve that.

        Raises:
            Conflict: She is banned.
            RoomFull: Too many wait, or the room has ``max_members``.
            Forbidden: She comes in by it, and is in as many rooms as one may be.
        """
        room = await self._feeds.open(request.room_id)
        if _state(room.feed, request.user_id) is MemberState.PENDING:
            await self._check_count("invite", room.feed, by, request.user_id)

        asked = Asked("invite", request)

        def decide(feed: RoomFeed) -> Draft | None:
            membership = self._control.check("invite", feed, by)
            guest = feed.members.get(request.user_id)
            if guest is None:
                _check_waiting(feed)
                member = {"user_id": request.user_id, "state": MemberState.INVITED}
                return self._drafts.updated(by, {"member": member}, asked)
            _check_not_banned(guest)
            if guest.state is MemberState.PENDING and membership.role in access.STAFF:
                return self._approved(feed, by, asked)
            return None

        return await self._control.write_about(by, asked, decide)

    async def approve(self, by: UserId, request: AboutMember) -> Membership | None:
        """Let in a user who has asked to join; to refuse her, kick.

        Raises:
            NotFound: She has not asked.
            RoomFull: The room has ``max_members``.
            Forbidden: She is in as many rooms as one may be.
        """
        room = await self._feeds.open(request.room_id)
        await self._check_count("approve", room.feed, by, request.user_id)

        asked = Asked("approve", request)

        def decide(feed: RoomFeed) -> Draft | None:
            self._control.check("approve", feed, by)
            guest = feed.members.get(request.user_id)
            if guest is None or guest.state not in (MemberState.PENDING, MemberState.MEMBER):
                raise NotFound("no request of this user", user_id=request.user_id)
            return None if guest.is_member else self._approved(feed, by, asked)

        return await self._control.write_about(by, asked, decide)

    async def add(self, by: UserId, request: AboutMember) -> Membership | None:
        """Make a user a member without asking her; rights are those of ``invite``.

        Raises:
            Conflict: She is banned.
            RoomFull: The room has ``max_members``.
            Forbidden: She is in as many rooms as one may be.
        """
        room = await self._feeds.open(request.room_id)
        await self._check_count("invite", room.feed, by, request.user_id)

        asked = Asked("add", request)

        def decide(feed: RoomFeed) -> Draft | None:
            self._control.check("invite", feed, by)
            guest = feed.members.get(request.user_id)
            if guest is not None and guest.is_member:
                return None
            if guest is not None:
                _check_not_banned(guest)
            _check_room_left(feed)
            return self._drafts.joined(request.user_id, by=by, reason="invited", asked=asked)

        return await self._control.write_about(by, asked, decide)

    def _joining(self, user_id: UserId) -> Decide:
        def decide(feed: RoomFeed) -> Draft | None:
            state = _state(feed, user_id)
            if state is MemberState.MEMBER:
                return None
            invited = state is MemberState.INVITED
            asks = setting(feed.room, "require_approval") and feed.room.owner is not None
            if state is MemberState.BANNED or not (invited or asks):
                # Says why a stranger may not: banned, or there is no such room for her.
                access.visitor(feed.room, feed.members, user_id)
            if asks and not invited:
                if state is MemberState.PENDING:
                    return None
                _check_waiting(feed)
                member = {"user_id": user_id, "state": MemberState.PENDING}
                return self._drafts.updated(user_id, {"member": member})
            _check_room_left(feed)
            # Whoever enters a room that everybody left takes it over.
            role = Role.MEMBER if feed.room.owner is not None else Role.OWNER
            reason = "invited" if invited else "joined"
            return self._drafts.joined(user_id, by=user_id, role=role, reason=reason)

        return decide

    async def _check_count(self, event: str, feed: RoomFeed, by: UserId, guest: UserId) -> None:
        """Raise `Forbidden` for a guest in too many rooms, if ``by`` may let her in at all.

        Who may not is told so by the request's own rules, and nothing about the guest.
        """
        if feed.is_member(guest):
            return
        try:
            self._control.check(event, feed, by)
        except ClientError:
            return
        await self._rooms.check_count(guest)

    def _approved(self, feed: RoomFeed, by: UserId, asked: Asked) -> Draft:
        _check_room_left(feed)
        user_id: UserId = asked.payload.user_id
        return self._drafts.joined(user_id, by=by, reason="approved", asked=asked)


def _state(feed: RoomFeed, user_id: UserId) -> MemberState | None:
    membership = feed.members.get(user_id)
    return membership.state if membership is not None else None


def _check_not_banned(guest: Membership) -> None:
    if guest.state is MemberState.BANNED:
        raise Conflict("banned from this room; unban first", user_id=guest.user_id)


def _check_room_left(feed: RoomFeed) -> None:
    if feed.member_count >= setting(feed.room, "max_members"):
        raise RoomFull(room_id=feed.room.id)


def _check_waiting(feed: RoomFeed) -> None:
    if feed.count(*WAITING) >= MAX_WAITING:
        raise RoomFull("too many are invited or ask to join", room_id=feed.room.id)


def _heir(feed: RoomFeed, leaving: UserId) -> UserId | None:
    """Return who owns the room when this user is gone: the oldest admin, else member."""
    if feed.room.owner != leaving:
        return None
    others = [m for m in feed.members.values() if m.is_member and m.user_id != leaving]
    ranked = sorted(others, key=lambda m: (m.role is not Role.ADMIN, m.joined_rev))
    return ranked[0].user_id if ranked else None
