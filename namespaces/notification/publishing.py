"""One notification for many: kept, fanned out in pages, gone on with after a crash."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from parley.namespaces.digest import digest_of
from parley.namespaces.errors import ClientIdReused, Gone, Invalid, NotFound
from parley.namespaces.notification.delivery import Delivery
from parley.namespaces.notification.schemas import Publish
from parley.namespaces.wire import moment
from parley.storage.base import MemberRepository, RoomRepository, UserRepository
from parley.storage.errors import StorageUnavailable
from parley.storage.ids import new_id
from parley.storage.models import ClientId, MemberState, RoomId, Timestamp, UserId
from parley.storage.notifications import (
    Audience,
    NotificationDraft,
    NotificationId,
    Publication,
    PublicationId,
)
from parley.storage.outgoing import MuteRepository, PublicationRepository

logger = logging.getLogger(__name__)

PAGE_USERS = 500  # in one transaction, between which others write
ANSWER_S = 1.0  # how long a request waits for its fan-out; who asks again gets its progress
PAUSE_S = 1.0  # before a page is tried again that storage did not take


class Publisher:
    """Begins publications and sees them through."""

    def __init__(
        self,
        *,
        publications: PublicationRepository,
        delivery: Delivery,
        rooms: RoomRepository,
        members: MemberRepository,
        users: UserRepository,
        mutes: MuteRepository,
        digest_key: bytes,
        now: Callable[[], Timestamp],
    ) -> None:
        self._publications = publications
        self._delivery = delivery
        self._rooms = rooms
        self._members = members
        self._users = users
        self._mutes = mutes
        self._digest_key = digest_key
        self._now = now
        self._running: dict[PublicationId, asyncio.Task[None]] = {}
        self._left = set[PublicationId]()  # for the next start

    async def publish(self, publisher: UserId, request: Publish) -> tuple[Publication, bool]:
        """Return a publication as far as it has come after `ANSWER_S`, and whether it is new.

        It is on disk when this returns, and goes on whatever becomes of who asked.

        Raises:
            NotFound, Gone: There is no such room, or not any more.
            Invalid: ``expires_at`` is past.
            ClientIdReused: The client_id stands for another request.
        """
        publication = await self._made(publisher, request)
        kept = await self._publications.begin(publication)
        if kept.digest != publication.digest:
            raise ClientIdReused(client_id=request.client_id)
        if not kept.finished:
            await asyncio.wait([self._start(kept)], timeout=ANSWER_S)
        return await self.progress(kept.id), kept.id == publication.id

    async def progress(self, publication_id: PublicationId) -> Publication:
        """Return how far a publication has come.

        Raises:
            NotFound: There is none, or it was finished more than a week ago.
        """
        found = await self._publications.get(publication_id)
        if found is None:
            raise NotFound("no such publication", publication_id=publication_id)
        return found

    async def resume(self) -> None:
        """Go on with what was broken off: at the start, and when another node has died.

        Raises:
            StorageUnavailable: Call again.
        """
        # What runs may be through before the answer is here, which has it unfinished then.
        not_now = self._left | self._running.keys()
        for publication in await self._publications.unfinished():
            if publication.id not in not_now:
                self._start(publication)

    async def stop(self) -> None:
        """Break off what runs; the next start goes on with it."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    def _start(self, publication: Publication) -> "asyncio.Task[None]":
        running = self._running.get(publication.id)
        if running is None:
            running = asyncio.create_task(self._fan_out(publication))
            self._running[publication.id] = running
            running.add_done_callback(lambda _: self._running.pop(publication.id, None))
        return running

    async def _fan_out(self, publication: Publication) -> None:
        while not publication.finished:
            try:
                publication = await self._step(publication)
            except StorageUnavailable:
                await asyncio.sleep(PAUSE_S)
            except Exception:
                logger.exception("publication %s is left for the next start", publication.id)
                self._left.add(publication.id)
                return

    async def _step(self, publication: Publication) -> Publication:
        """Add one page of users, then note that it is through.

        A crash between the two adds the page again: all of it duplicates.
        """
        page = await self._page(publication)
        muting: set[UserId] = set()
        if publication.audience.room_id is not None and page:
            muting = set(await self._mutes.muting(publication.audience.room_id, page))
        drafts = [_draft(publication, user, self._now()) for user in page if user not in muting]
        added = await self._delivery.deliver(drafts)
        advanced = replace(
            publication,
            done=publication.done + len(page),
            stored=publication.stored + sum(not one.duplicate for one in added),
            after=page[-1] if page else publication.after,
            finished=len(page) < PAGE_USERS,
        )
        await self._publications.advance(advanced)
        return advanced

    async def _page(self, publication: Publication) -> Sequence[UserId]:
        """Return the next users of the audience, by id."""
        audience, after = publication.audience, publication.after
        if audience.everyone:
            users = await self._users.page(after=after, limit=PAGE_USERS)
            return [user.id for user in users]
        if audience.room_id is not None:
            inside = await self._members.of_room(
                audience.room_id, state=MemberState.MEMBER, after=after, limit=PAGE_USERS
            )
            return [membership.user_id for membership, _ in inside]
        return [user for user in audience.user_ids if user > (after or "")][:PAGE_USERS]

    async def _made(self, publisher: UserId, request: Publish) -> Publication:
        audience = Audience(
            user_ids=tuple(sorted(request.user_ids or ())),
            room_id=request.room_id,
            everyone=bool(request.all),
        )
        said = replace(request, client_id=ClientId(""))
        return Publication(
            id=PublicationId(new_id()),
            publisher=publisher,
            client_id=request.client_id,
            digest=digest_of(self._digest_key, "publish", said),
            audience=audience,
            content=request.content,
            created_at=self._now(),
            dedupe_key=request.dedupe_key,
            collapse_key=request.collapse_key,
            expires_at=_expiry(request, self._now()),
            total=await self._total(audience),
        )

    async def _total(self, audience: Audience) -> int:
        if audience.everyone:
            return await self._users.count()
        if audience.room_id is not None:
            return await self._inside(audience.room_id)
        return len(audience.user_ids)

    async def _inside(self, room_id: RoomId) -> int:
        snapshot = await self._rooms.get(room_id)
        if snapshot is None:
            raise NotFound("no such room", room_id=room_id)
        if snapshot.room.deleted:
            raise Gone("this room was deleted", room_id=room_id)
        return sum(membership.is_member for membership in snapshot.members)


def _expiry(request: Publish, now: Timestamp) -> Timestamp | None:
    if request.expires_at is None:
        return None
    try:
        expires_at = moment(request.expires_at)
    except ValueError:
        raise Invalid.at("/expires_at", "there is no such moment") from None
    if expires_at <= now:
        raise Invalid.at("/expires_at", "not in the future")
    return expires_at


def _draft(publication: Publication, user_id: UserId, now: Timestamp) -> NotificationDraft:
    key = publication.dedupe_key
    return NotificationDraft(
        id=NotificationId(new_id()),
        user_id=user_id,
        client_id=ClientId(f"pub:{publication.id}" if key is None else f"key:{key}"),
        content=publication.content,
        created_at=now,
        collapse_key=publication.collapse_key,
        expires_at=publication.expires_at,
    )
