"""Who follows whom on this node, and what each of them is told."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence

from parley.namespaces.eager import Crew
from parley.namespaces.errors import Forbidden
from parley.namespaces.presence.follows import Follows
from parley.namespaces.presence.memberships import Memberships
from parley.namespaces.presence.privacy import Privacy
from parley.namespaces.presence.tracked import TrackedUsers
from parley.namespaces.presence.views import Sighting, View
from parley.namespaces.presence.wire import Notice, followers_key, notice_of, view_to_event
from parley.namespaces.session import Session, user_room
from parley.namespaces.transport import Transport
from parley.storage.models import Timestamp, UserId

MAX_FOLLOWED = 1_000  # users of one socket
PAIRS_AT_ONCE = 100  # sockets and whom they follow, settled in one step of the event loop

Pair = tuple[Session, UserId]


class Followers:
    """Sockets that follow users. Who may see a user is in her Socket.IO room; who may not waits.

    Whether she may is asked when she begins to follow, and again when memberships change: so
    that a change goes to a whole room, and nothing is asked about each of those in it.
    """

    def __init__(
        self,
        *,
        tracked: TrackedUsers,
        privacy: Privacy,
        memberships: Memberships,
        transport: Transport,
        now: Callable[[], Timestamp],
    ) -> None:
        self._tracked = tracked
        self._privacy = privacy
        self._memberships = memberships
        self._transport = transport
        self._crew = Crew()
        self._now = now
        self._follows = Follows[UserId]()
        self._of_user: dict[UserId, set[Session]] = {}  # sockets, by whom they belong to
        self._waiting: dict[UserId, set[Session]] = {}  # who follow her and may not see her
        self.moves = 0  # counts changes of memberships that may concern somebody here; to be read
        self._moving = asyncio.Lock()
        tracked.observe(self._changed)

    # Coming and going

    def begin(self, session: Session) -> None:
        """Let a socket hear of its own user."""
        self._follows.begin(session)
        self._of_user.setdefault(session.user_id, set()).add(session)
        self._tracked.hold([session.user_id])
        self._transport.enter(session.sid, user_room(session.user_id))

    def end(self, session: Session) -> None:
        """Forget a socket that is gone."""
        if session not in self._follows:
            return
        self.unfollow(session)
        self._follows.end(session)
        _discard(self._of_user, session.user_id, session)
        self._tracked.release([session.user_id])
        self._transport.leave(session.sid, user_room(session.user_id))

    async def follow(self, session: Session, user_ids: Collection[UserId]) -> Sequence[View]:
        """Follow users from now on, and return how they are as far as she may see.

        Between the moment of these views and the return nothing is sent.

        Raises:
            Forbidden: She would follow more than `MAX_FOLLOWED`. Nothing has changed.
            StorageUnavailable: She follows whom she followed before.
        """
        if session not in self._follows:
            return []  # she left while this waited for its turn
        followed = self._follows.of(session)
        fresh = set(user_ids) - followed - {session.user_id}
        if len(followed) + len(fresh) > MAX_FOLLOWED:
            raise Forbidden(f"one connection follows {MAX_FOLLOWED} users at most")
        moves = self.moves
        for user_id in fresh:
            self._begin_to_wait(session, user_id)
        try:
            await self._memberships.note([session.user_id, *fresh])
            visible = await self._privacy.seen_by(session.user_id, user_ids)
            await self._tracked.look(user_ids)
        except BaseException:
            self.unfollow(session, fresh)
            raise
        if session.closed:
            return []
        # No await from here: what changes from now on comes as an event.
        for user_id in fresh.intersection(visible):
            self._admit(session, user_id)
        if moves != self.moves:
            # She may have left, or come into, a room since she was asked about.
            self._crew.start(self.moved([session.user_id]))
        return [self.view(session, user_id) for user_id in user_ids]

    def unfollow(self, session: Session, user_ids: Iterable[UserId] | None = None) -> None:
        """Follow users no more, None: anybody; whom the socket does not follow is no error."""
        followed = set(self._follows.of(session))
        for user_id in followed if user_ids is None else followed.intersection(user_ids):
            self._follows.discard(session, user_id)
            _discard(self._waiting, user_id, session)
            self._transport.leave(session.sid, followers_key(user_id))
            self._tracked.release([user_id])

    def view(self, session: Session, user_id: UserId) -> View:
        """Return how somebody whom the socket follows looks to its user, as she was told."""
        may_see = not self._waits(session, user_id)
        return self._tracked.sighting(user_id).seen_by(session.user_id, may_see=may_see)

    def resume(self, session: Session, user_id: UserId, key: str) -> None:
        """Tell a socket that missed what came through ``key`` how the user is, and go on."""
        follows = user_id in self._follows.of(session)
        # Who waits was told so, or is about to be told how the user is.
        if user_id == session.user_id or (follows and not self._waits(session, user_id)):
            self._transport.enter(session.sid, key)
            self.tell(session, user_id)

    def tell(self, session: Session, user_id: UserId) -> None:
        """Send one socket how a user is."""
        self._send(session, Notice.STATUS, self.view(session, user_id))

    async def settled(self) -> None:
        """Wait until nothing is under way that no request waits for."""
        await self._crew.settled()

    # What changes

    def _changed(self, before: Sighting, after: Sighting) -> None:
        user_id, now = after.presence.user_id, self._now()
        for was, is_, room in (
            (before.own, after.own, user_room(user_id)),
            (before.public, after.public, followers_key(user_id)),
        ):
            if not was.shows_as(is_):
                notice = notice_of(was, is_)
                self._transport.broadcast(room, notice, view_to_event(notice, is_, now))

    async def moved(self, user_ids: Iterable[UserId]) -> None:
        """Look again at who may see whom, after memberships of these users have changed.

        Raises:
            StorageUnavailable: For some nothing has changed yet; call again.
        """
        concerned = [user_id for user_id in user_ids if user_id in self._tracked]
        if concerned:
            self.moves += 1
        # One after the other, or what an older one has read could come in last.
        async with self._moving:
            # What is sent is as of now: above all versions that stood there before. One look for
            # all of them, they mostly follow one another.
            followed = (self._followed_by(user_id) for user_id in concerned)
            await self._tracked.look(set(concerned).union(*followed))
            for user_id in concerned:
                await self._moved_as_viewer(user_id)
                await self._moved_as_seen(user_id, apart_from=concerned)

    def _followed_by(self, viewer: UserId) -> set[UserId]:
        return set[UserId]().union(*map(self._follows.of, self._of_user.get(viewer, ())))

    async def _moved_as_viewer(self, viewer: UserId) -> None:
        followed = self._followed_by(viewer)
        if followed:
            visible = set(await self._privacy.seen_by(viewer, followed))
            for session in list(self._of_user.get(viewer, ())):
                pairs = [(session, user_id) for user_id in followed & self._follows.of(session)]
                await self._settle_all(pairs, lambda _, user_id: user_id in visible)

    async def _moved_as_seen(self, user_id: UserId, *, apart_from: Collection[UserId]) -> None:
        """Look at those who follow her, but not at viewers who are looked at themselves."""
        following = {session.user_id for session in self._follows.followers(user_id)}
        viewers = following.difference(apart_from)
        if viewers:
            seers = set(await self._privacy.seers_of(user_id, viewers))
            followers = self._follows.followers(user_id)
            pairs = [(session, user_id) for session in followers if session.user_id in viewers]
            await self._settle_all(pairs, lambda session, _: session.user_id in seers)

    async def _settle_all(
        self, pairs: Sequence[Pair], sees: Callable[[Session, UserId], bool]
    ) -> None:
        """Settle pairs, and let others have their turn after every `PAIRS_AT_ONCE`.

        What somebody may see can be another by then: who changed it calls `moved`, which waits
        for this one and settles it again, from a later look.
        """
        for begin in range(0, len(pairs), PAIRS_AT_ONCE):
            for session, user_id in pairs[begin : begin + PAIRS_AT_ONCE]:
                self._settle(session, user_id, sees=sees(session, user_id))
            await asyncio.sleep(0)

    def _settle(self, session: Session, user_id: UserId, *, sees: bool) -> None:
        if user_id not in self._follows.of(session):
            return  # any more
        saw = not self._waits(session, user_id)
        if saw is sees or self._tracked.unseen([user_id]):
            return  # of a user who was not looked at yet, `follow` is about to tell
        before = self.view(session, user_id)
        if sees:
            self._admit(session, user_id)
        else:
            self._transport.leave(session.sid, followers_key(user_id))
            self._waiting.setdefault(user_id, set()).add(session)
        after = self.view(session, user_id)
        if not before.shows_as(after):
            self._send(session, notice_of(before, after), after)

    # Who may not see her

    def _waits(self, session: Session, user_id: UserId) -> bool:
        return session in self._waiting.get(user_id, ())

    def _begin_to_wait(self, session: Session, user_id: UserId) -> None:
        self._follows.add(session, user_id)
        self._tracked.hold([user_id])
        self._waiting.setdefault(user_id, set()).add(session)

    def _admit(self, session: Session, user_id: UserId) -> None:
        _discard(self._waiting, user_id, session)
        self._transport.enter(session.sid, followers_key(user_id))

    def _send(self, session: Session, notice: Notice, view: View) -> None:
        self._transport.send(session.sid, notice, view_to_event(notice, view, self._now()))


def _discard(sets: dict[UserId, set[Session]], user_id: UserId, session: Session) -> None:
    """Take a socket out of a user's set, and let go of one that is empty."""
    sessions = sets.get(user_id, set[Session]())
    sessions.discard(session)
    if not sessions:
        sets.pop(user_id, None)
