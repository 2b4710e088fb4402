"""Adding notifications: positions by optimistic insert, without a transaction.

Whatever node has something for an inbox writes to it. A row goes to the head and up; who was
faster is found out by the unique index, and the next position is tried. Only what takes the place
of another notification is a transaction.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from parley.storage.errors import OutcomeUnknown, StorageError
from parley.storage.models import ClientId, UserId
from parley.storage.mongo import inbox
from parley.storage.mongo.database import Document, MongoDatabase, Session
from parley.storage.mongo.errors import translated_reads
from parley.storage.mongo.inbox_documents import notification_from, row_of_draft
from parley.storage.mongo.inserting import insert
from parley.storage.mongo.logs import PAUSE_S, TRIES
from parley.storage.mongo.migrations import INBOX_POSITION
from parley.storage.notifications import Added, Ending, NotificationDraft, PushTerms, created

Request = tuple[UserId, ClientId]


class PushRoom:
    """How many pushes may still be entered, and on what terms."""

    def __init__(self, terms: PushTerms | None, left: int) -> None:
        """Nothing is to be pushed without ``terms``."""
        self._terms = terms
        self._left = left

    def take(self) -> PushTerms | None:
        """Take the place of one push, if there is one."""
        self._left -= 1
        return self._terms if self._left >= 0 else None

    def give_back(self) -> None:
        """Take note that what `take` was for came to nothing."""
        self._left += 1

    def refuses(self, taken: PushTerms | None) -> bool:
        """Whether what is to be pushed got no place."""
        return self._terms is not None and taken is None


class Adding:
    """One call of `NotificationRepository.add`."""

    def __init__(
        self, database: MongoDatabase, drafts: Sequence[NotificationDraft], pushes: PushRoom
    ) -> None:
        """Nothing is written before `store`."""
        self._database = database
        self._requests = list(map(_request_of, drafts))
        self._pushes = pushes
        self._added: dict[Request, Added] = {}
        # By inbox and in order. Equal requests are one row, at the place of the first.
        self._waiting: dict[UserId, list[NotificationDraft]] = {}
        first: dict[Request, NotificationDraft] = {}
        for draft in drafts:
            if first.setdefault(_request_of(draft), draft) is draft:
                self._waiting.setdefault(draft.user_id, []).append(draft)
        self._heads: dict[UserId, int] = {}
        self._taken: dict[UserId, int] = {}  # the newest position somebody else was seen to have

    async def store(self) -> Sequence[Added]:
        """See `NotificationRepository.add`."""
        collapsing = [
            self._waiting.pop(user_id)
            for user_id, drafts in list(self._waiting.items())
            if any(draft.collapse_key is not None for draft in drafts)
        ]
        try:
            if self._waiting:
                await self._database.write(self._insert_all())
            # Not in that write: what has a turn may not wait for another, and these need some.
            await inbox.side_by_side(self._take_places, collapsing)
        except StorageError as error:
            if any(not added.duplicate for added in self._added.values()):
                # Some rows are there already, so "nothing was stored" would not be true.
                raise OutcomeUnknown(f"a part was stored, then: {error}") from error
            raise
        return self._answers()

    async def _insert_all(self) -> None:
        while self._waiting:
            if self._behind():
                with translated_reads():
                    await self._catch_up()
            await self._insert_some()

    async def _catch_up(self) -> None:
        """Read where inboxes end, as far as that is not known for certain."""
        for _ in range(TRIES):
            self._heads |= await inbox.heads(self._database, self._behind())
            if not self._behind():
                return
            await asyncio.sleep(PAUSE_S)
        # The index has a row that no majority has, and that an election may take back.
        raise OutcomeUnknown(f"inbox of {self._behind()[0]}: a position is unsettled")

    def _behind(self) -> list[UserId]:
        """Return whose head is not known, or is below a position that is taken."""
        return [u for u in self._waiting if self._heads.get(u, -1) < self._taken.get(u, 0)]

    async def _insert_some(self) -> None:
        """Insert the next row of each inbox; all rows, where it is one inbox.

        With several rows of several inboxes, one that is in the way would not stop those behind
        it in its inbox, and leave a hole.
        """
        only = len(self._waiting) == 1
        drafts = [d for some in self._waiting.values() for d in (some if only else some[:1])]
        tried = [
            (draft, self._heads[draft.user_id] + 1 + (place if only else 0), self._pushes.take())
            for place, draft in enumerate(drafts)
        ]
        rows = [row_of_draft(draft, rev, push) for draft, rev, push in tried]
        clashes = await insert(self._database.inbox, rows, ordered=only)
        end = min(clashes) if only and clashes else len(rows)
        known: list[NotificationDraft] = []
        for place, (draft, rev, push) in enumerate(tried):
            if place not in clashes and place < end:
                self._heads[draft.user_id] = rev
                refused = self._pushes.refuses(push)
                added = Added(notification=created(draft, rev), push_refused=refused)
                self._added[_request_of(draft)] = added
                continue
            self._pushes.give_back()
            if clashes.get(place) == INBOX_POSITION:
                self._taken[draft.user_id] = rev
            elif place in clashes:
                known.append(draft)
        if known:
            await self._find(known)
        self._wait_for_others()

    async def _find(self, known: Sequence[NotificationDraft]) -> None:
        """Answer those that are stored already, ``known`` at least."""
        waiting = [draft for some in self._waiting.values() for draft in some]
        with translated_reads():
            found = await stored(self._database, map(_request_of, waiting))
        if not all(_request_of(draft) in found for draft in known):
            # The index has it, a majority does not yet: an answer now might be taken back.
            raise OutcomeUnknown("a notification that was stored before is unsettled")
        self._added = {**found, **self._added}

    def _wait_for_others(self) -> None:
        """Leave in `_waiting` what has no answer."""
        left = {
            user_id: [draft for draft in drafts if _request_of(draft) not in self._added]
            for user_id, drafts in self._waiting.items()
        }
        self._waiting = {user_id: drafts for user_id, drafts in left.items() if drafts}

    async def _take_places(self, drafts: Sequence[NotificationDraft]) -> None:
        """Store what takes the place of others, or comes before that in its inbox."""
        for draft in drafts:
            push = self._pushes.take()
            added = await self._take_place(draft, push)
            if added.duplicate:
                self._pushes.give_back()
            else:
                added = replace(added, push_refused=self._pushes.refuses(push))
            self._added[_request_of(draft)] = added

    async def _take_place(self, draft: NotificationDraft, push: PushTerms | None) -> Added:
        """Store one, and end the one in whose place it comes."""
        rows = self._database.inbox
        request = _request_of(draft)

        async def work(session: Session) -> Added:
            known = await stored(self._database, [request], session)
            if known:
                return known[request]
            older: list[Document] = []
            if draft.collapse_key is not None:
                asked = {"user_id": draft.user_id, "collapse_key": draft.collapse_key}
                older = await rows.find(asked, inbox.PLACE, session=session).to_list()
            collapse = inbox.Change(Ending.COLLAPSE.value, draft.created_at)
            head = await inbox.append(self._database, session, older, draft.user_id, collapse)
            await rows.insert_many([row_of_draft(draft, head + 1, push)], session=session)
            return Added(notification=created(draft, head + 1))

        return await self._database.transact(work)

    def _answers(self) -> Sequence[Added]:
        answers: list[Added] = []
        answered = set[Request]()
        for request in self._requests:
            added = self._added[request]
            again = request in answered
            answers.append(replace(added, duplicate=True, push_refused=False) if again else added)
            answered.add(request)
        return answers


async def stored(
    database: MongoDatabase, requests: Iterable[Request], session: Session | None = None
) -> Mapping[Request, Added]:
    """Return what is answered to requests that are known: their notifications as of today."""
    wanted = set(requests)
    asked = {
        # The type, as it is the condition of the index.
        "client_id": {"$in": _sorted(client_id for _, client_id in wanted), "$type": "string"},
        "user_id": {"$in": _sorted(user_id for user_id, _ in wanted)},
    }
    return {
        request: Added(notification=notification_from(row), duplicate=True)
        async for row in database.inbox.find(asked, session=session)
        if (request := (row["user_id"], row["client_id"])) in wanted
    }


def _sorted(names: Iterable[str]) -> Collection[str]:
    return sorted(set(names))


def _request_of(draft: NotificationDraft) -> Request:
    return draft.user_id, draft.client_id
