"""Who of this node's sockets hears a room: members live in it, those catching up, watchers."""

from collections.abc import Collection, Mapping
from weakref import WeakKeyDictionary, WeakSet

from parley.namespaces.chat.access import STAFF, is_confidential, sees
from parley.namespaces.chat.wire import Notice, message_to_wire, room_key, watch_key
from parley.namespaces.session import Session, Sessions, user_room
from parley.namespaces.transport import Transport
from parley.namespaces.wire import SystemCode
from parley.storage.fold import subject
from parley.storage.models import Membership, Message, RoomId, UserId

Watched = WeakKeyDictionary[Session, set[RoomId]]
"""The rooms each socket of this node follows without being a member."""


class Audience:
    """The sockets of one room. Members are in one Socket.IO room, watchers in another."""

    def __init__(
        self,
        room_id: RoomId,
        members: Mapping[UserId, Membership],
        *,
        transport: Transport,
        sessions: Sessions,
        watched: Watched,
    ) -> None:
        self._room_id = room_id
        self._members = members  # the feed's own: as of its head
        self._transport = transport
        self._sessions = sessions
        self._live = room_key(room_id)
        self._watch = watch_key(room_id)

        self._watched = watched

        # Whose catch-up is under way. Weak: a client that leaves in the middle is forgotten
        # with its session.
        self._catching_up: WeakSet[Session] = WeakSet()

        # An upper bound: who has left may have been the one it comes from.
        self._visible_from = 0
        for membership in members.values():
            self.note(membership)

    @property
    def is_empty(self) -> bool:
        """Whether no local socket hears the room or is about to."""
        return not self._catching_up and not self._sockets()

    @property
    def is_catching_up(self) -> bool:
        """Whether a local socket is between detaching and entering."""
        return bool(self._catching_up)

    # Coming and going

    def detach(self, session: Session) -> None:
        """Take a socket out of the room until its catch-up is done (`enter`)."""
        self._catching_up.add(session)
        self._leave(session.sid)

    def enter(self, session: Session) -> None:
        """End a socket's catch-up and make it live, as a member or as a watcher."""
        self._catching_up.discard(session)
        if session.closed:
            return  # it left while its last page was read
        if self._is_member(session.user_id):
            self._transport.enter(session.sid, self._live)
        elif self.watches(session):
            self._transport.enter(session.sid, self._watch)

    def watch(self, session: Session) -> None:
        """Let a socket follow without a membership, from its hand-over on."""
        self._watched.setdefault(session, set()).add(self._room_id)

    def unwatch(self, session: Session) -> None:
        """End that; who is a member stays."""
        self._watched.get(session, set()).discard(self._room_id)
        self._transport.leave(session.sid, self._watch)

    def watches(self, session: Session) -> bool:
        """Whether the socket asked to follow without a membership, and has not stopped."""
        return self._room_id in self._watched.get(session, ())

    def bring_in(self, user_id: UserId, *, behind: int | None = None) -> None:
        """Make the sockets of a member live.

        Args:
            behind: The head, where no row brought her in: she joined before this feed ran. Her
                sockets are told to sync, which takes them out again until the hand-over; until
                that begins, a client ignores what is live. One that knows nothing of cursors
                hears the room from here on all the same.
        """
        inside = () if behind is None else self._transport.sockets(self._live)
        for sid in self._transport.sockets(user_room(user_id)):
            if sid in inside or self._sessions.get(sid) in self._catching_up:
                continue
            if behind is not None:
                self.tell_behind(sid, behind)
            self._transport.leave(sid, self._watch)
            self._transport.enter(sid, self._live)

    def see_out(self, user_id: UserId) -> None:
        """Take out the sockets of a user who may not be here any more, or who left."""
        for sid in self._transport.sockets(user_room(user_id)):
            session = self._sessions.get(sid)
            if session is not None:
                self.unwatch(session)
                # One that broke off must not keep her out when she comes back.
                self._catching_up.discard(session)
            self._leave(sid)

    def close_to_watchers(self) -> None:
        """End every watch: the room is not open to everyone any more."""
        watching = (self._sessions.get(sid) for sid in self._transport.sockets(self._watch))
        for session in [*watching, *self._catching_up]:
            if session is not None:
                self.unwatch(session)

    def scatter(self, head: int) -> None:
        """Take every socket out and tell it to sync."""
        for sid in self._sockets():
            self.drop_out(sid, head)

    def drop_out(self, sid: str, head: int) -> None:
        """Take one socket out and tell it to sync."""
        self._leave(sid)
        self.tell_behind(sid, head)

    # What they hear

    def note(self, membership: Membership) -> None:
        """Take a new membership into account; it may see less than the others."""
        if membership.is_member:
            self._visible_from = max(self._visible_from, membership.visible_from_seq)

    def show(self, message: Message, prev: int) -> None:
        """Send the state as of row ``message.rev`` to everyone who may see it."""
        wire = message_to_wire(message)
        if prev != message.rev - 1:
            wire["prev"] = prev
        if message.seq >= self._visible_from and not is_confidential(message):
            self._transport.broadcast(self._live, message.type, wire, also=self._watch)
            return
        # Those it is hidden from learn the position and no more.
        skip = {k: wire[k] for k in ("room_id", "rev", "prev") if k in wire}
        about = subject(message) if message.is_control else None
        for through in (self._live, self._watch):
            for sid in self._transport.sockets(through):
                session = self._sessions.get(sid)
                if session is None:
                    continue
                is_hers = session.user_id == about and is_confidential(message)
                if is_hers or sees(self._members.get(session.user_id), message):
                    self._transport.send(sid, message.type, wire, through=through)
                else:
                    self._transport.send(sid, Notice.SKIP, skip, through=through)

    def tell(self, user_id: UserId, message: Message) -> None:
        """Send a row about somebody who is not inside to those of her sockets that missed it."""
        shown = self._sockets()
        wire = message_to_wire(message)
        for sid in self._transport.sockets(user_room(user_id)):
            if sid not in shown:
                self._transport.send(sid, message.type, wire)

    def tell_staff(self, user_id: UserId) -> None:
        """Tell owner and admins that somebody asks to join."""
        notice = {"code": SystemCode.JOIN_REQUESTED, "room_id": self._room_id, "user_id": user_id}
        for sid in self._transport.sockets(self._live):
            membership = self._membership_of(sid)
            if membership is not None and membership.role in STAFF:
                self._transport.send(sid, Notice.SYSTEM, notice)

    def _is_member(self, user_id: UserId) -> bool:
        membership = self._members.get(user_id)
        return membership is not None and membership.is_member

    def _membership_of(self, sid: str) -> Membership | None:
        session = self._sessions.get(sid)
        return self._members.get(session.user_id) if session is not None else None

    def _sockets(self) -> Collection[str]:
        return [*self._transport.sockets(self._live), *self._transport.sockets(self._watch)]

    def _leave(self, sid: str) -> None:
        self._transport.leave(sid, self._live)
        self._transport.leave(sid, self._watch)

    def tell_behind(self, sid: str, head: int) -> None:
        """Tell a socket to sync the room."""
        notice = {"room_id": self._room_id, "head": head}
        self._transport.send(sid, Notice.ROOM_BEHIND, notice)
