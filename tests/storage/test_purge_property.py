"""Any log that is purged now and then, against the model: what is kept is as if nothing went."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.storage.models import Draft, RoomId, RowKind, Stored, Timestamp
from tests.storage.drafts import EPOCH, a_room
from tests.storage.stores import NAMES_FOR_LONG, STORES, Store
from tests.storage.test_log_property import STEPS, USERS, Model, State, Step, seen


@dataclass
class PurgedModel(Model):
    """A log whose rows up to ``floor`` are gone, but for messages that were changed above it."""

    floor: int = 0
    gone: set[int] = field(default_factory=set[int])

    def append(self, draft: Draft) -> tuple[bool, int]:
        """Return whether the row is new, and its position; what is gone is not known."""
        for rev, row in enumerate(self.rows, 1):
            same = (row.sender, row.client_id) == (draft.sender, draft.client_id)
            if same and rev not in self.gone:
                return False, rev
        self.rows.append(draft)
        return True, len(self.rows)

    def purge(self, before: int, limit: int) -> int:
        """Remove up to ``limit`` rows in their order; return how many messages went."""
        known = self.kept()
        above = list(enumerate(self.rows, 1))[self.floor : -1]  # never the row at the head
        going = [rev for rev, _ in takewhile(lambda r: r[1].created_at < before, above)][:limit]
        self.floor = going[-1] if going else self.floor
        left = self.kept()
        creations = {state["seq"] for state in left.values()}
        self.gone = {rev for rev in range(1, self.floor + 1) if rev not in creations}
        return len(known) - len(left)

    def kept(self) -> dict[str, State]:
        """Return the messages that were changed above the floor."""
        states = self.messages() if self.rows else {}
        return {id_: state for id_, state in states.items() if state["rev"] > self.floor}

    def takes(self, draft: Draft) -> bool:
        """Whether the message it changes is still there."""
        return draft.kind is RowKind.CREATE or draft.message_id in self.kept()


Purge = tuple[int, int]  # before, limit
PURGES = st.tuples(st.integers(0, 12), st.integers(1, 5))


async def play(store: Store, room_id: RoomId, actions: Sequence[tuple[int, Step] | Purge]) -> Model:
    """Do everything to the store and the model, and compare what they answer."""
    model, sent = PurgedModel(), list[Draft]()
    for at, action in actions:
        if isinstance(action, int):
            done = await store.messages.purge(room_id, before=Timestamp(at), limit=action)
            assert done.removed == model.purge(at, action)
            assert done.log_floor == model.floor
            continue
        draft = replace(action.draft(sent), created_at=Timestamp(at))
        if not model.takes(draft):
            continue
        sent.append(draft)
        (outcome,) = await store.messages.append(
            room_id, epoch=EPOCH, after=len(model.rows), drafts=[draft]
        )
        is_new, rev = model.append(draft)
        assert isinstance(outcome, Stored) is is_new
        assert (outcome.message.rev if isinstance(outcome, Stored) else outcome.rev) == rev
        await check(store, room_id, model)
    return model


async def check(store: Store, room_id: RoomId, model: PurgedModel) -> None:
    """Every read shows what is kept, and cursors from the floor on miss nothing."""
    in_order = sorted(model.kept().values(), key=lambda state: state["seq"])
    history = await store.messages.history(room_id, limit=1_000)
    assert [seen(message) for message in history] == in_order
    oldest = in_order[0]["seq"] if in_order else len(model.rows) + 1
    assert await store.messages.oldest(room_id) == oldest
    for cursor in range(model.floor, len(model.rows) + 1):
        page = await store.messages.changes(room_id, after=cursor)
        assert page.dense
        changed = sorted((s for s in in_order if s["rev"] > cursor), key=lambda s: s["rev"])
        assert [seen(message) for message in page.messages] == changed
    for user in USERS:
        unread = await store.messages.unread(room_id, user, after=0)
        others = [s for s in in_order if s["sender"] != user]
        assert unread.count == sum(not s["deleted"] for s in others)
        assert unread.mentions == sum(user in s["mentions"] for s in others)


@pytest.mark.parametrize("name", NAMES_FOR_LONG)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    actions=st.lists(
        st.one_of(st.tuples(st.integers(0, 12), STEPS), PURGES), min_size=1, max_size=30
    )
)
def test_a_purged_log_is_its_newer_part(
    name: str, actions: Sequence[tuple[int, Step] | Purge]
) -> None:
    """Whatever is written and purged, in whatever order, reads agree with the model."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with STORES[name](Path(folder)) as store:
                room = await store.rooms.create(a_room(), [])
                await play(store, room.room.id, actions)

    asyncio.run(run())
