"""`UserRepository`."""

import asyncio

from parley.storage.models import Timestamp, User
from tests.storage.drafts import ANN, BOB, EVE
from tests.storage.stores import Store


async def test_a_user_appears_at_first_sight(store: Store) -> None:
    """The first call makes the record, later ones keep its date."""
    assert await store.users.get(ANN) is None
    seen = User(id=ANN, name="Ann", first_seen=Timestamp(1))
    assert await store.users.see(ANN, "Ann", Timestamp(1)) == seen
    assert await store.users.see(ANN, "Ann", Timestamp(2)) == seen
    assert await store.users.get(ANN) == seen


async def test_a_name_is_replaced_and_never_lost(store: Store) -> None:
    """A new name counts, None keeps what is known."""
    await store.users.see(BOB, None, Timestamp(1))
    assert (await store.users.see(BOB, "Bob", Timestamp(2))).name == "Bob"
    assert (await store.users.see(BOB, None, Timestamp(3))).name == "Bob"
    assert (await store.users.see(BOB, "Rob", Timestamp(4))).name == "Rob"


async def test_sights_at_once_make_one_record(store: Store) -> None:
    """Several devices of a new user find the same record."""
    names = ["Ann", None, "Ann", None]
    seen = await asyncio.gather(*[store.users.see(ANN, name, Timestamp(1)) for name in names])
    assert seen[-1] == User(id=ANN, name="Ann", first_seen=Timestamp(1))
    assert await store.users.get(ANN) == seen[-1]


async def test_names_are_those_that_are_known(store: Store) -> None:
    """Who was never seen, or has none, is left out."""
    await store.users.see(ANN, "Ann", Timestamp(1))
    await store.users.see(BOB, None, Timestamp(1))
    assert await store.users.names([ANN, BOB, EVE, ANN]) == {ANN: "Ann"}
    assert await store.users.names([]) == {}


async def test_users_are_paged_by_id(store: Store) -> None:
    for user in (EVE, ANN, BOB):
        await store.users.see(user, None, Timestamp(1))
    assert await store.users.count() == 3
    assert [user.id for user in await store.users.page(limit=2)] == [ANN, BOB]
    assert [user.id for user in await store.users.page(after=BOB, limit=2)] == [EVE]
    assert await store.users.page(after=EVE, limit=2) == []
