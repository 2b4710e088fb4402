"""`PresenceStore`."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from parley.storage.expiring import PresenceStore
from parley.storage.memory.presence import MemoryPresenceStore
from parley.storage.models import Timestamp, UserId
from parley.storage.presence import Device, Presence, Status
from parley.storage.redis.presence import RedisPresenceStore
from tests.redis_databases import REDIS, empty
from tests.storage.drafts import ANN, BOB, EVE

LEASE_S, GRACE_S = 10.0, 2.0
NODE, OTHER = "node-1", "node-2"


@dataclass
class House:
    """A store on a clock that the test moves; wall clock and this one are the same."""

    seconds: float = 0.0
    wait_s: float = 0.0  # what the last claim said
    store: PresenceStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryPresenceStore(lease_s=LEASE_S, monotonic=lambda: self.seconds)

    @property
    def at(self) -> Timestamp:
        return Timestamp(int(self.seconds * 1_000))

    def microseconds(self) -> int:
        return round(self.seconds * 1_000_000)

    async def put(self, *devices: Device, invisible: Collection[UserId] = ()) -> set[UserId]:
        return set(await self.store.put(devices, at=self.at, invisible=invisible))

    async def leave(self, *devices: Device) -> None:
        await self.store.leave(devices, grace_s=GRACE_S)

    async def hide(self, user_id: UserId, invisible: bool = True) -> bool:
        return await self.store.hide(user_id, invisible, at=self.at)

    async def due(self, *, after: float) -> tuple[set[UserId], set[UserId]]:
        """Let time pass, claim, and return whose presence changed and who left."""
        self.seconds += after
        due = await self.store.claim(at=self.at)
        self.wait_s = due.wait_s
        return set(due.changed), set(due.left)

    async def of(self, user_id: UserId) -> Presence:
        return (await self.store.get([user_id]))[user_id]


@pytest.fixture(params=["memory", *REDIS])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    house = House()
    if request.param == "memory":
        yield house
        return
    async with empty(request.param) as database:
        house.store = RedisPresenceStore(database, lease_s=LEASE_S, now=house.microseconds)
        yield house


def device(
    number: int,
    user_id: UserId = ANN,
    server_id: str = NODE,
    *,
    status: str | None = None,
    name: str | None = None,
    location: str | None = None,
) -> Device:
    return Device(
        id=f"{number:016x}",
        user_id=user_id,
        server_id=server_id,
        since=Timestamp(number),
        status=None if status is None else Status(status),
        name=name,
        location=location,
    )


def names(presence: Presence) -> list[str | None]:
    return [each.name for each in presence.devices]


# Devices


async def test_who_is_not_known_is_offline(house: House) -> None:
    """Every user that is asked about is answered."""
    await house.put(device(1))
    found = await house.store.get([ANN, BOB])
    assert set(found) == {ANN, BOB}
    assert (found[BOB].status, found[BOB].devices, found[BOB].changed_at) == ("offline", (), None)
    assert not found[BOB].is_shown
    assert set(await house.store.shown()) == {ANN}
    assert await house.store.get([]) == {}


@pytest.mark.parametrize(
    ("statuses", "together"),
    [
        ([None], "online"),
        (["away"], "away"),
        (["away", "busy"], "busy"),
        (["busy", "away", None], "online"),
        (["away", "online", "busy"], "online"),
    ],
)
async def test_a_user_is_the_most_present_of_her_devices(
    house: House, statuses: list[str | None], together: str
) -> None:
    """Online before busy, busy before away."""
    for number, status in enumerate(statuses):
        await house.put(device(number, status=status))
    assert (await house.of(ANN)).status == together


async def test_a_report_changes_what_it_names(house: House) -> None:
    """What is left out stays; an empty text takes back; the oldest device is first."""
    await house.put(device(1, name="phone", location="tram", status="away"), device(2))
    assert await house.put(device(1, location="")) == {ANN}
    first, second = (await house.of(ANN)).devices
    assert (first.status, first.name, first.location) == ("away", "phone", "")
    assert (second.id, second.name) == (device(2).id, None)


async def test_what_changes_nothing_is_not_told(house: House) -> None:
    """A report of what is so already has no version and no time."""
    assert await house.put(device(1, name="phone"), device(2, BOB)) == {ANN, BOB}
    before = await house.of(ANN)
    house.seconds = 1.0
    assert await house.put(device(1, name="phone"), device(1, status="online")) == set()
    assert await house.hide(ANN, invisible=False) is False
    assert (await house.of(ANN)).changed_at == before.changed_at


# Grace


async def test_who_has_left_stays_for_the_grace(house: House) -> None:
    """Nothing is due before, and then she is gone, once."""
    await house.put(device(1))
    house.seconds = 5.0
    await house.leave(device(1))
    assert await house.due(after=1.5) == (set(), set())
    assert house.wait_s == pytest.approx(0.5)
    assert (await house.of(ANN)).status == "online"
    assert await house.due(after=house.wait_s) == ({ANN}, {ANN})
    assert (await house.of(ANN)).status == "offline"
    assert await house.due(after=GRACE_S) == (set(), set())


async def test_a_reload_changes_nothing(house: House) -> None:
    """Who comes back within the grace takes the place, and what was reported of it."""
    await house.put(device(1, name="phone", status="busy"), device(2, name="desk"))
    before = await house.of(ANN)
    await house.leave(device(1))
    house.seconds = 1.0
    assert await house.put(device(3)) == set()
    assert names(await house.of(ANN)) == ["phone", "desk"]
    assert await house.due(after=GRACE_S) == (set(), set())
    assert (await house.of(ANN)).changed_at == before.changed_at
    # The one that is there now may leave like any other.
    await house.leave(device(3))
    assert await house.due(after=GRACE_S) == ({ANN}, set())
    assert names(await house.of(ANN)) == ["desk"]


async def test_who_comes_takes_the_place_of_the_last_to_leave(house: House) -> None:
    """Of several that have left it is the one that is most likely back."""
    for number, name in enumerate(["phone", "desk"]):
        await house.put(device(number, name=name))
    await house.leave(device(0))
    house.seconds = 1.0
    await house.leave(device(1))
    assert await house.put(device(2)) == set()
    assert await house.due(after=1.0) == ({ANN}, set())
    assert names(await house.of(ANN)) == ["desk"]


async def test_a_device_that_comes_back_itself_is_not_ended_by_its_old_deadline(
    house: House,
) -> None:
    """Each time it leaves it has the whole grace."""
    await house.put(device(1))
    await house.leave(device(1))
    house.seconds = 1.0
    assert await house.put(device(1)) == set()
    await house.leave(device(1))
    assert await house.due(after=1.5) == (set(), set())
    assert await house.due(after=0.5) == ({ANN}, {ANN})


async def test_one_of_two_devices_ends_alone(house: House) -> None:
    """She is still here: she has not left."""
    await house.put(device(1, status="away"), device(2))
    await house.leave(device(2), device(7))
    assert await house.due(after=GRACE_S) == ({ANN}, set())
    assert (await house.of(ANN)).status == "away"


# Versions


async def test_versions_rise_also_over_an_absence(house: House) -> None:
    """Each change has a number above all that were shown before."""
    seen: list[int] = []

    async def changed() -> None:
        presence = await house.of(ANN)
        assert max(seen, default=-1) < presence.as_of < 2**53
        seen.append(presence.as_of)

    await house.put(device(1))
    await changed()
    await house.put(device(1, status="away"))
    await changed()
    await house.leave(device(1))
    await house.due(after=GRACE_S)
    assert (await house.of(ANN)).as_of > seen[-1]
    seen.append((await house.of(ANN)).as_of)
    await house.put(device(2))
    await changed()


async def test_versions_are_a_clock_whatever_happens(house: House) -> None:
    """Who looks twice sees how much time has passed, and not what changed meanwhile."""
    await house.put(device(1), invisible=[ANN])
    seen = [(await house.of(BOB)).as_of]
    for change in (False, True, False):
        house.seconds += 2.0
        if change:
            for status in ("away", "busy", "online"):
                await house.put(device(1, status=status))
        seen.append((await house.of(BOB)).as_of)
    passed = [later - earlier for earlier, later in pairwise(seen)]
    assert passed == [pytest.approx(2_000_000, abs=10)] * 3


# Invisible


async def test_who_is_invisible_is_not_shown(house: House) -> None:
    """Her devices are known, and that she left is nobody's business."""
    await house.put(device(1), device(2, BOB))
    assert await house.hide(ANN) is True
    assert await house.hide(ANN) is False
    presence = await house.of(ANN)
    assert (presence.status, presence.is_shown, presence.invisible) == ("online", False, True)
    assert set(await house.store.shown()) == {BOB}
    await house.leave(device(1))
    assert await house.due(after=GRACE_S) == ({ANN}, set())


async def test_who_comes_may_be_invisible_from_the_first_moment(house: House) -> None:
    """What is known of one who is here already counts."""
    await house.put(device(1), invisible=[ANN])
    await house.put(device(2), device(3, BOB))
    await house.put(device(4, BOB), invisible=[BOB])
    assert set(await house.store.shown()) == {BOB}
    assert await house.hide(ANN, invisible=False) is True
    assert set(await house.store.shown()) == {ANN, BOB}
    assert await house.hide(EVE) is False
    await house.put(device(5, EVE))
    assert (await house.of(EVE)).is_shown


# Leases


async def test_a_node_that_renews_keeps_its_devices(house: House) -> None:
    """A lease is counted from its last renewal."""
    await house.put(device(1))
    for _ in range(3):
        assert await house.due(after=LEASE_S - 1) == (set(), set())
        assert house.wait_s == pytest.approx(1.0)
        assert await house.store.renew(NODE) is True
    assert (await house.of(ANN)).status == "online"


async def test_the_devices_of_a_node_end_with_its_lease(house: House) -> None:
    """Those of others stay; each that ends is claimed once."""
    await house.put(device(1), device(2, BOB), device(3, BOB, OTHER))
    house.seconds = LEASE_S / 2
    await house.store.renew(OTHER)
    assert await house.due(after=LEASE_S / 2) == ({ANN, BOB}, {ANN})
    assert [each.server_id for each in (await house.of(BOB)).devices] == [OTHER]
    assert await house.due(after=0) == (set(), set())


async def test_a_node_that_comes_too_late_is_told(house: House) -> None:
    """It puts its devices again, and they are as they were."""
    assert await house.store.renew(NODE) is False
    await house.put(device(1, name="phone"))
    house.seconds = LEASE_S
    assert await house.store.renew(NODE) is False
    await house.store.claim(at=house.at)
    assert await house.put(device(1, name="phone")) == {ANN}
    assert await house.store.renew(NODE) is True
    assert names(await house.of(ANN)) == ["phone"]


async def test_a_device_that_moved_to_another_node_outlives_the_first(house: House) -> None:
    """Whose place was taken does not end with its node."""
    await house.put(device(1, name="phone"))
    await house.leave(device(1))
    house.seconds = 1.0
    await house.put(device(2, server_id=OTHER))
    house.seconds = LEASE_S
    await house.store.claim(at=house.at)
    assert names(await house.of(ANN)) == ["phone"]


async def test_nothing_is_left_of_who_is_gone() -> None:
    """A thousand visits, and a thousand reloads, leave nothing behind in memory."""
    house = House()
    assert isinstance(house.store, MemoryPresenceStore)
    await house.put(device(0))
    await house.leave(device(0))
    await house.put(device(1))
    await house.due(after=GRACE_S)
    size = house.store.size
    for visit in range(1, 1_000):
        guest = device(10_000 + visit, UserId(f"user-{visit}"))
        await house.put(guest)
        await house.leave(guest, device(visit))
        await house.put(device(visit + 1))
        await house.due(after=GRACE_S)
        await house.store.renew(NODE)
    assert house.store.size == size
