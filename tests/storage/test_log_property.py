"""Any log against a model of twenty lines: positions, duplicates, folds, pages, unread counts."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.storage.models import Draft, Message, Outcome, RoomId, RowKind, Stored, UserId
from tests.storage.drafts import ANN, BOB, EPOCH, EVE, a_room, deleted, edited, reacted, said
from tests.storage.stores import NAMES_FOR_LONG, STORES, Store

USERS = (ANN, BOB, EVE)
LIMITS = (1, 2, 3, 7, None)

State = dict[str, Any]


@dataclass
class Model:
    """A log as a list of its rows; whatever is asked is computed from the whole list."""

    rows: list[Draft] = field(default_factory=list[Draft])

    def append(self, draft: Draft) -> tuple[bool, int]:
        """Return whether the row is new, and its position."""
        for rev, row in enumerate(self.rows, 1):
            if (row.sender, row.client_id) == (draft.sender, draft.client_id):
                return False, rev
        self.rows.append(draft)
        return True, len(self.rows)

    def messages(self) -> dict[str, State]:
        """Return every message's state by its id."""
        states: dict[str, State] = {}
        for rev, row in enumerate(self.rows, 1):
            if row.kind is RowKind.CREATE:
                states[row.id] = {"seq": rev, "text": row.content["text"], "sender": row.sender}
                states[row.id] |= {"mentions": row.content.get("mentions", []), "reactions": {}}
                states[row.id] |= {"deleted": False}
            state = states[row.message_id]
            state["rev"] = rev
            if row.kind is RowKind.DELETE:
                state |= {"text": None, "mentions": [], "reactions": {}, "deleted": True}
            elif row.kind is RowKind.EDIT and not state["deleted"]:
                state["text"] = row.content["text"]
                state["mentions"] = row.content.get("mentions", [])
            elif row.kind is RowKind.REACT and not state["deleted"]:
                users = state["reactions"].setdefault(row.emoji, [])
                if row.on and row.sender not in users:
                    users.append(row.sender)
                elif not row.on and row.sender in users:
                    users.remove(row.sender)
                if not users:
                    del state["reactions"][row.emoji]
        return states


def seen(message: Message) -> State:
    """Return a message in the model's words."""
    return {
        "seq": message.seq,
        "rev": message.rev,
        "sender": message.sender,
        "text": message.content.get("text"),
        "mentions": message.content.get("mentions", []),
        "reactions": {emoji: list(users) for emoji, users in message.reactions.items()},
        "deleted": message.deleted,
    }


@dataclass(frozen=True)
class Step:
    """What a user does; ``which`` picks an earlier message, or an earlier draft to send again."""

    action: str
    user: UserId
    which: int
    text: str
    mentions: Sequence[UserId]
    on: bool

    def draft(self, sent: Sequence[Draft]) -> Draft:
        mentions = {"mentions": list(self.mentions)} if self.mentions else {}
        if not sent or self.action == "say":
            return said(self.user, self.text, **mentions)
        earlier = sent[self.which % len(sent)]
        if self.action == "repeat":
            return earlier
        if self.action == "edit":
            return edited(self.user, earlier.message_id, self.text, **mentions)
        if self.action == "delete":
            return deleted(self.user, earlier.message_id)
        return reacted(self.user, earlier.message_id, self.text[:1] or "+", on=self.on)


STEPS = st.builds(
    Step,
    # A word twice is twice as likely.
    action=st.sampled_from(["say", "say", "say", "edit", "delete", "react", "react", "repeat"]),
    user=st.sampled_from(USERS),
    which=st.integers(0, 50),
    text=st.text(alphabet="ab\x00\u2028é\U0001f600", max_size=3),
    mentions=st.lists(st.sampled_from(USERS), max_size=2),
    on=st.booleans(),
)


async def play(store: Store, room_id: RoomId, batches: Sequence[Sequence[Step]]) -> Model:
    """Append each batch at the head, comparing the outcomes with the model's."""
    model, sent = Model(), list[Draft]()
    for batch in batches:
        head = len(model.rows)
        drafts: list[Draft] = []
        for step in batch:
            drafts.append(step.draft(sent))
            sent.append(drafts[-1])
        outcomes = await store.messages.append(room_id, epoch=EPOCH, after=head, drafts=drafts)
        assert len(outcomes) == len(drafts)
        for draft, outcome in zip(drafts, outcomes, strict=True):
            compare(model, draft, outcome)
    return model


def compare(model: Model, draft: Draft, outcome: Outcome) -> None:
    """Append one draft to the model too; its outcome must say the same."""
    is_new, rev = model.append(draft)
    assert isinstance(outcome, Stored) is is_new
    assert (outcome.message.rev if isinstance(outcome, Stored) else outcome.rev) == rev
    assert seen(outcome.message) == model.messages()[outcome.message.id]


async def check_pages(store: Store, room_id: RoomId, model: Model) -> None:
    """From every cursor, whatever the limit, each changed message comes once and as it is."""
    states = model.messages()
    for cursor in range(len(model.rows) + 1):
        expected = sorted(
            (state for state in states.values() if state["rev"] > cursor),
            key=lambda state: state["rev"],
        )
        for limit in LIMITS:
            found, last, more = list[State](), cursor, True
            while more:
                page = await store.messages.changes(room_id, after=last, limit=limit)
                assert page.dense
                assert page.last - last <= (limit or len(model.rows))
                found += map(seen, page.messages)
                last, more = page.last, page.more
            assert found == expected
            assert last == len(model.rows)


async def check_reads(store: Store, room_id: RoomId, model: Model) -> None:
    """History, single messages and counts are those of the model."""
    states = model.messages()
    in_order = sorted(states.values(), key=lambda state: state["seq"])
    every = await store.messages.history(room_id, limit=10_000)
    assert [seen(message) for message in every] == in_order
    for message in every:
        assert await store.messages.get(message.id) == message
    for seq in range(0, len(model.rows) + 2, 3):
        before = await store.messages.history(room_id, before=seq, limit=2)
        after = await store.messages.history(room_id, after=seq, limit=2)
        assert [seen(m) for m in before] == [s for s in in_order if s["seq"] < seq][-2:]
        assert [seen(m) for m in after] == [s for s in in_order if s["seq"] > seq][:2]
        for user in USERS:
            new = [s for s in in_order if s["seq"] > seq and s["sender"] != user]
            unread = await store.messages.unread(room_id, user, after=seq)
            assert unread.count == sum(not s["deleted"] for s in new)
            assert unread.mentions == sum(user in s["mentions"] for s in new)


@pytest.mark.parametrize("name", NAMES_FOR_LONG)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches=st.lists(st.lists(STEPS, min_size=1, max_size=6), min_size=1, max_size=6))
def test_a_log_is_what_its_rows_add_up_to(name: str, batches: list[list[Step]]) -> None:
    """Whatever is appended, every read agrees with the list of rows."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with STORES[name](Path(folder)) as store:
                room = await store.rooms.create(a_room(), [])
                model = await play(store, room.room.id, batches)
                await check_pages(store, room.room.id, model)
                await check_reads(store, room.room.id, model)

    asyncio.run(run())
