"""`RoomRepository.listed` and `page`."""

from collections.abc import Sequence

import pytest

from parley.storage.models import RoomListing, RoomType, Timestamp
from tests.storage.drafts import (
    ANN,
    BOB,
    EVE,
    append,
    banned,
    head_of,
    joined,
    left,
    member,
    new_room,
    snapshot,
    updated,
)
from tests.storage.stores import Store

PUBLIC = RoomType.PUBLIC


def names(listings: Sequence[RoomListing]) -> list[str]:
    """Return what the rooms are called."""
    return [listing.room.name for listing in listings]


async def found(store: Store, containing: str) -> list[str]:
    """Return the names that a search finds."""
    return names(await store.rooms.listed(containing=containing, limit=100))


async def named(store: Store, *wanted: str) -> None:
    """Make public rooms of these names."""
    for name in wanted:
        await new_room(store, ANN, room_type=PUBLIC, name=name)


async def test_public_rooms_are_listed_by_name(store: Store) -> None:
    """In the order of their names without regard to case; each comes as it is stored."""
    await named(store, "beta", "Alpha", "Ärger", "alpine")
    listings = await store.rooms.listed(limit=100)
    assert names(listings) == ["Alpha", "alpine", "beta", "Ärger"]
    for listing in listings:
        assert listing.room == (await snapshot(store, listing.room.id)).room


@pytest.mark.parametrize(
    ("room_type", "settings"),
    [
        (RoomType.PRIVATE, {}),
        (RoomType.GROUP, {}),
        (RoomType.DIRECT, {}),
        (RoomType.PUBLIC, {"is_private": True}),
    ],
)
async def test_other_rooms_are_not_listed(
    store: Store, room_type: RoomType, settings: dict[str, bool]
) -> None:
    """What is not public, or private by its settings, nobody finds."""
    await new_room(store, ANN, room_type=room_type, settings=settings)
    assert list(await store.rooms.listed(limit=100)) == []


async def test_a_room_is_listed_as_it_is_now(store: Store) -> None:
    """A new name counts, and a room that turns private and back goes and comes."""
    room_id = await new_room(store, ANN, room_type=PUBLIC, name="Tea")
    await append(store, room_id, updated(ANN, name="Coffee"))
    assert (await found(store, "tea"), await found(store, "coffee")) == ([], ["Coffee"])
    await append(store, room_id, updated(ANN, settings={"is_private": True}))
    assert await found(store, "") == []
    await append(store, room_id, updated(ANN, settings={"is_private": False}))
    assert await found(store, "") == ["Coffee"]


async def test_pages_of_the_list_join_without_overlap(store: Store) -> None:
    """Each key goes on behind its room, among equal names too."""
    await named(store, *["same", "SAME", "Same"], *[f"Room {i}" for i in range(4)])
    whole = await store.rooms.listed(limit=100)
    assert len(whole) == 7
    pages, after = list[RoomListing](), None
    while page := await store.rooms.listed(after=after, limit=2):
        pages += page
        after = page[-1].key
    assert pages == list(whole)


async def test_pages_hold_what_was_asked_for(store: Store) -> None:
    """The text goes with the key: what does not match is not in between."""
    await named(store, "tea 1", "coffee", "tea 2", "water", "tea 3")
    first = await store.rooms.listed(containing="tea", limit=2)
    rest = await store.rooms.listed(containing="tea", after=first[-1].key, limit=2)
    assert names(first) + names(rest) == ["tea 1", "tea 2", "tea 3"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Green Tea", "TEA"),
        ("ÄRGER", "ärger"),
        ("Straße", "STRASSE"),
        ("Ελληνικός", "ΕΛΛΗΝΙΚΌΣ"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER W}ide", "wide"),
        ("Cafe\u0301", "CAFÉ"),
    ],
)
async def test_case_and_form_of_letters_do_not_matter(store: Store, name: str, text: str) -> None:
    """A name is found by its text in capitals, small letters, or other forms of the same."""
    await named(store, name, "other")
    assert await found(store, text) == [name]


@pytest.mark.parametrize("text", ["100%", "%", "_", "a_b", "\\", "'", "*", "["])
async def test_every_character_stands_for_itself(store: Store, text: str) -> None:
    """There are no wildcards."""
    await named(store, "100 per cent", "acb", "nothing", f"<{text}>")
    assert await found(store, text) == [f"<{text}>"]


async def test_only_who_is_inside_is_counted(store: Store) -> None:
    """Whoever comes or goes in whatever way, the count is that of the members."""
    room_id = await new_room(store, ANN, BOB, room_type=PUBLIC)
    for row, count in (
        (joined(EVE), 3),
        (member(ANN, EVE, role="admin"), 3),
        (member(ANN, EVE, role="owner"), 3),
        (left(ANN), 2),
        (member(EVE, ANN, state="pending"), 2),
        (joined(ANN), 3),
        (banned(EVE, ANN), 2),
        (member(EVE, ANN), 2),
        (member(EVE, ANN, state="invited"), 2),
        (updated(EVE, name="Coffee"), 2),
        (left(EVE, heir=BOB), 1),
        (left(BOB), 0),
    ):
        await append(store, room_id, row)
        (listing,) = await store.rooms.listed(limit=1)
        inside = [m for m in (await snapshot(store, room_id)).members if m.is_member]
        assert listing.member_count == count == len(inside)


async def test_all_rooms_come_page_by_page(store: Store) -> None:
    """Of every type, by id, without those that are deleted."""
    rooms = [await new_room(store, ANN, room_type=room_type) for room_type in RoomType]
    gone = await new_room(store, ANN)
    head = await head_of(store, gone)
    await store.rooms.delete(
        gone, epoch=head.epoch, after=head.rev, new_epoch="11111111", at=Timestamp(2)
    )
    first = await store.rooms.page(limit=3)
    rest = await store.rooms.page(after=first[-1].id, limit=3)
    assert [room.id for room in (*first, *rest)] == sorted(rooms)
    assert first[0] == (await snapshot(store, first[0].id)).room
    assert list(await store.rooms.page(after=rest[-1].id, limit=3)) == []
