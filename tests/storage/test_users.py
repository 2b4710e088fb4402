"""`UserRepository`."""

import asyncio
from dataclasses import replace

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


async def test_when_users_were_seen_never_goes_back(store: Store) -> None:
    """The latest time counts, of a user who is known and of one who was not."""
    await store.users.see(ANN, "Ann", Timestamp(1))
    await store.users.saw({ANN: Timestamp(5), BOB: Timestamp(7)})
    await store.users.saw({ANN: Timestamp(4)})
    found = await store.users.known([ANN, BOB, EVE, ANN])
    assert found == {
        ANN: User(id=ANN, name="Ann", first_seen=Timestamp(1), last_seen=Timestamp(5)),
        BOB: User(id=BOB, name=None, first_seen=Timestamp(7), last_seen=Timestamp(7)),
    }
    await store.users.saw({ANN: Timestamp(9)})
    assert await store.users.get(ANN) == replace(found[ANN], last_seen=Timestamp(9))
    await store.users.saw({})
    assert await store.users.known([]) == {}


async def test_who_is_invisible_stays_so(store: Store) -> None:
    """It is kept with the user's record, whether she had one or not, and taken back alone."""
    await store.users.see(ANN, "Ann", Timestamp(1))
    await store.users.set_invisible(ANN, True, Timestamp(2))
    await store.users.set_invisible(BOB, True, Timestamp(3))
    await store.users.see(ANN, "Anne", Timestamp(4))
    found = await store.users.known([ANN, BOB])
    assert [found[user].invisible for user in (ANN, BOB)] == [True, True]
    assert (found[ANN].name, found[BOB].first_seen) == ("Anne", Timestamp(3))
    await store.users.set_invisible(ANN, False, Timestamp(5))
    anne = User(id=ANN, name="Anne", first_seen=Timestamp(1))
    assert await store.users.get(ANN) == anne


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
