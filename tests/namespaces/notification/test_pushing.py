"""The outbox of pushes against a real receiver: away, slow to accept, and back."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from parley.namespaces.notification.pushing import GIVE_UP_MS, Pushing
from parley.server.push import WebhookSender, sign
from parley.storage.models import Timestamp, UserId
from parley.storage.notifications import Added
from tests.clients import WAIT_S
from tests.namespaces.notification.world import ANN, World
from tests.receivers import SECRET, Receiver
from tests.storage.inboxes import notice
from tests.storage.stores import NAMES, STORES, Store

BOB = UserId("bob")
AFTER_MS = 3_000


@dataclass
class Post:
    """An outbox with its worker, a receiver, and the time."""

    world: World
    pushing: Pushing
    receiver: Receiver
    here: set[UserId] = field(default_factory=set[UserId])

    @property
    def store(self) -> Store:
        return self.world.store

    async def add(self, *users: UserId, **fields: Any) -> list[Added]:
        """Store a notification for each."""
        drafts = [notice(u, created_at=Timestamp(self.world.now), **fields) for u in users]
        added = list(await self.store.notifications.add(drafts, push=self.pushing.terms()))
        self.pushing.entered(refused=sum(one.push_refused for one in added))
        return added

    async def wait(self, ms: int = AFTER_MS) -> None:
        """Let time pass, and the worker see it."""
        self.world.now += ms
        self.pushing.entered(refused=0)

    async def empty(self) -> None:
        """Wait until nothing waits."""
        async with asyncio.timeout(WAIT_S):
            while await self.store.pushes.size():
                await self.wait(1_000)


@asynccontextmanager
async def posting(
    folder: Path, *, name: str = "sqlite", most: int = 10_000
) -> AsyncGenerator[Post]:
    """Run the worker meanwhile."""
    async with (
        STORES[name](folder / "data") as store,
        Receiver.running() as receiver,
        WebhookSender.open(receiver.url, SECRET.encode(), private=True) as sender,
    ):
        world = World(store)

        async def present(users: Collection[UserId]) -> Collection[UserId]:
            return desk.here & set(users)

        pushing = Pushing(
            outbox=world.store.pushes,
            sender=sender,
            present=present,
            now=lambda: Timestamp(world.now),
            after_ms=AFTER_MS,
            most=most,
            first_pause_s=0.001,
        )
        desk = Post(world, pushing, receiver)
        worker = asyncio.create_task(pushing.forever())
        try:
            yield desk
        finally:
            worker.cancel()
            await asyncio.wait([worker])


@pytest.fixture(params=NAMES)
async def post(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Post]:
    async with posting(tmp_path, name=request.param) as post:
        yield post


async def test_a_push_is_signed_and_named(post: Post) -> None:
    (added,) = await post.add(ANN)
    await post.wait()
    await post.receiver.has(1)
    [(headers, body)] = post.receiver.requests
    assert headers["Parley-Signature"] == sign(SECRET.encode(), headers["Parley-Timestamp"], body)
    assert headers["Parley-Delivery"] == added.notification.id
    [push] = post.receiver.pushes
    assert (push["id"], push["notification"]["to"]) == (added.notification.id, ANN)
    assert push["notification"]["content"] == {"title": "Tea", "body": "is ready"}
    await post.empty()
    assert len(post.receiver.requests) == 1


async def test_who_is_there_or_has_read_it_needs_none(post: Post) -> None:
    """As it is when the push is due, whatever was before."""
    (read,), (gone,) = await post.add(ANN), await post.add(ANN)
    await post.add(BOB)
    await post.add(ANN)
    await post.store.notifications.mark_read(
        ANN, ids=[read.notification.id], at=Timestamp(1), limit=1
    )
    await post.store.notifications.retract(gone_id(gone), at=Timestamp(1), limit=9)
    post.here = {BOB}
    await post.wait()
    await post.receiver.has(1)
    await post.empty()
    assert [push["notification"]["to"] for push in post.receiver.pushes] == [ANN]
    assert read.notification.id not in post.receiver.ids
    assert gone.notification.id not in post.receiver.ids


def gone_id(added: Added) -> Any:
    return f"test-{added.notification.id}"


async def test_nothing_is_sent_before_its_time(post: Post) -> None:
    (first,) = await post.add(ANN)
    await post.wait(AFTER_MS - 1)
    await post.pushing.once()
    assert post.receiver.requests == []
    await post.wait(1)
    await post.receiver.has(1)
    assert post.receiver.ids == [first.notification.id]


async def test_a_receiver_that_was_down_gets_every_push(post: Post) -> None:
    """Down for a minute, then up: every push arrives, none twice after its id is looked at."""
    await post.receiver.stop()
    added = [await post.add(ANN, BOB) for _ in range(100)]
    for _ in range(20):
        await post.wait()
        await post.pushing.once()
    assert await post.store.pushes.size() == 200
    await post.receiver.start()
    await post.empty()
    assert set(post.receiver.ids) == {one.notification.id for pair in added for one in pair}
    assert len(post.receiver.ids) == 200


async def test_a_receiver_that_says_no_is_asked_again(post: Post) -> None:
    """Whatever it says that is no success; a redirect leads nowhere."""
    answers = iter([500, 503, 429, 404, 301, 400, 413, 100 + 104])
    post.receiver.location = "http://127.0.0.1:1/"
    post.receiver.answer = lambda: next(answers, 204)
    (added,) = await post.add(ANN)
    await post.wait()
    await post.empty()
    assert post.receiver.ids == [added.notification.id] * 8


async def test_one_bad_push_holds_up_no_other(post: Post) -> None:
    (bad,) = await post.add(ANN, content={"title": "bad", "body": "x"})

    def answer() -> int:
        return 400 if post.receiver.pushes[-1]["id"] == bad.notification.id else 204

    post.receiver.answer = answer
    others = await post.add(*[BOB] * 5)
    await post.wait()
    await post.receiver.has(6)
    await post.wait(GIVE_UP_MS + 1)
    await post.empty()
    assert {one.notification.id for one in others} < set(post.receiver.ids)


async def test_a_push_is_given_up_after_a_day(post: Post) -> None:
    post.receiver.answer = lambda: 500
    await post.add(ANN)
    await post.wait()
    await post.receiver.asked(2)
    await post.wait(GIVE_UP_MS + 1)
    await post.empty()


async def test_the_outbox_is_bounded(tmp_path: Path) -> None:
    async with posting(tmp_path, most=3) as post:
        await post.receiver.stop()
        refused = [(await post.add(ANN))[0].push_refused for _ in range(5)]
        assert refused == [False, False, False, True, True]
        assert len(await post.store.notifications.listed(ANN, limit=9)) == 5
        await post.receiver.start()
        await post.wait()
        await post.empty()
        assert len(post.receiver.ids) == 3
