"""What owner and admins do to those in a room, and to those who should not be.

Every method writes at most one row, decided at the position it takes (`control`), and returns
how the user stands with the room then; None: not at all. What is so already writes nothing.
Rights are in `access`; who acts on somebody must also outrank her.
"""

from collections.abc import Callable

from parley.namespaces.chat import access
from parley.namespaces.chat.control import ControlRows
from parley.namespaces.chat.drafts import Asked, Drafts
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.room_schemas import AboutMember, Mute, SetRole
from parley.namespaces.errors import NotFound, RoomFull
from parley.storage.models import Draft, Membership, MemberState, Timestamp, UserId

MAX_BANNED = 1_000  # from one room


class ModerationService:
    """Takes people out of rooms, silences them, gives them other roles."""

    def __init__(
        self, *, control: ControlRows, drafts: Drafts, now: Callable[[], Timestamp]
    ) -> None:
        self._control = control
        self._drafts = drafts
        self._now = now

    async def kick(self, by: UserId, request: AboutMember) -> Membership | None:
        """Take a user out, withdraw her invitation or refuse her request."""
        asked = Asked("kick", request)

        def decide(feed: RoomFeed) -> Draft | None:
            membership = self._control.check("kick", feed, by)
            guest = feed.members.get(request.user_id)
            access.outranks(membership, guest, request.user_id)
            if guest is None or guest.state is MemberState.BANNED:
                return None
            return self._drafts.left(
                request.user_id, by=by, reason="kicked", was=guest.state, asked=asked
            )

        return await self._control.write_about(by, asked, decide)

    async def ban(self, by: UserId, request: AboutMember) -> Membership | None:
        """Take a user out, member or not, and let her in no more."""
        asked = Asked("ban", request)

        def decide(feed: RoomFeed) -> Draft | None:
            membership = self._control.check("ban", feed, by)
            guest = feed.members.get(request.user_id)
            access.outranks(membership, guest, request.user_id)
            state = guest.state if guest is not None else None
            if state is MemberState.BANNED:
                return None
            if feed.count(MemberState.BANNED) >= MAX_BANNED:
                raise RoomFull("too many are banned", room_id=feed.room.id)
            return self._drafts.left(
                request.user_id, by=by, reason="banned", was=state, asked=asked
            )

        return await self._control.write_about(by, asked, decide)

    async def unban(self, by: UserId, request: AboutMember) -> Membership | None:
        """End a ban; the user may join or be invited again."""
        asked = Asked("unban", request)

        def decide(feed: RoomFeed) -> Draft | None:
            self._control.check("unban", feed, by)
            guest = feed.members.get(request.user_id)
            if guest is None or guest.state is not MemberState.BANNED:
                return None
            member = {"user_id": request.user_id}
            return self._drafts.updated(by, {"member": member}, asked)

        return await self._control.write_about(by, asked, decide)

    async def mute(self, by: UserId, request: Mute) -> Membership | None:
        """Let a member not speak for a while, from now on; 0 ms lets her speak again.

        Raises:
            NotFound: She is not a member.
        """
        asked = Asked("mute", request)

        def decide(feed: RoomFeed) -> Draft | None:
            guest = self._inferior("mute", feed, by, request)
            if not request.muted_for_ms and not guest.is_muted(self._now()):
                return None
            member = {"user_id": request.user_id, "muted_for_ms": request.muted_for_ms}
            return self._drafts.updated(by, {"member": member}, asked)

        return await self._control.write_about(by, asked, decide)

    async def set_role(self, by: UserId, request: SetRole) -> Membership | None:
        """Give a member another role; a new owner makes the one before an admin.

        Raises:
            NotFound: She is not a member.
        """
        asked = Asked("set_role", request)

        def decide(feed: RoomFeed) -> Draft | None:
            guest = self._inferior("set_role", feed, by, request)
            if guest.role is request.role:
                return None
            member = {"user_id": request.user_id, "role": request.role}
            return self._drafts.updated(by, {"member": member}, asked)

        return await self._control.write_about(by, asked, decide)

    def _inferior(self, event: str, feed: RoomFeed, by: UserId, request: AboutMember) -> Membership:
        membership = self._control.check(event, feed, by)
        guest = feed.members.get(request.user_id)
        if guest is None or not guest.is_member:
            raise NotFound("not a member of this room", user_id=request.user_id)
        access.outranks(membership, guest, request.user_id)
        return guest
