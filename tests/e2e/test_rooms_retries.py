"""Every administrative request may be sent again: one row, whatever has become of the room."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.clients import new_client_id
from tests.e2e.people import Person
from tests.e2e.stock import Enter, Stock
from tests.servers import ServerProcess

# What a retry is answered has nothing to do with who sends it: one stock client will do.
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("stock", [Stock("python", "websocket")], ids=["python"]),
]

HOUR = 3_600_000


@pytest.fixture
def server(shared_server: ServerProcess) -> ServerProcess:
    return shared_server


class Scene:
    """A public room: Alice owns it, Bob is in it, Carol and Erin ask to be, Dave does not."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self.people = people
        self.alice = people["alice"]
        self.bob = people["bob"]
        self.room_id = ""

    @classmethod
    async def begin(cls, enter: Enter) -> "Scene":
        """Let them come."""
        names = ("alice", "bob", "carol", "erin", "dave")
        scene = cls({name: await Person.come(enter, name) for name in names})
        scene.room_id = await scene.alice.make(scene.bob, require_approval=True)
        for name in ("carol", "erin"):
            await scene.people[name].call("join_room", scene.room_id)
        return scene

    async def do(self, event: str, whom: Person | None = None, **more: Any) -> None:
        """Have Alice do something."""
        await self.alice.do(event, self.room_id, whom, **more)


Step = Callable[[Scene], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An administrative request of Alice's."""

    event: str
    whom: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    other: Mapping[str, Any]  # what differs in another request that would do something, too
    before: Step | None = None
    undone: Step

    def payload(self, scene: Scene) -> dict[str, Any]:
        """Return what Alice sends."""
        about = {"user_id": scene.people[self.whom].id} if self.whom else {}
        return {"room_id": scene.room_id, "client_id": new_client_id(), **about, **self.more}

    def another(self, scene: Scene, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return another request under the client_id of a payload."""
        people = {name: person.id for name, person in scene.people.items()}
        return {**payload, **{key: people.get(str(v), v) for key, v in self.other.items()}}


async def _two_are_banned(scene: Scene) -> None:
    for name in ("bob", "erin"):
        await scene.do("ban", scene.people[name])


async def _again_at_the_door(scene: Scene) -> None:
    await scene.bob.call("join_room", scene.room_id)
    await scene.do("approve", scene.bob)


async def _bob_is_back(scene: Scene) -> None:
    await scene.do("unban", scene.bob)
    await _again_at_the_door(scene)


async def _handed_back(scene: Scene) -> None:
    await scene.bob.do("set_role", scene.room_id, scene.alice, role="owner")
    await scene.do("kick", scene.bob)


async def _bob_owns_and_kicks(scene: Scene) -> None:
    await scene.do("set_role", scene.bob, role="owner")
    await scene.bob.do("kick", scene.room_id, scene.alice)


REQUESTS = [
    Request(
        event="invite",
        whom="dave",
        other={"user_id": "erin"},
        undone=lambda scene: scene.do("ban", scene.people["dave"]),
    ),
    Request(
        event="approve",
        whom="carol",
        other={"user_id": "erin"},
        undone=lambda scene: scene.do("kick", scene.people["carol"]),
    ),
    Request(event="kick", whom="bob", other={"user_id": "erin"}, undone=_again_at_the_door),
    Request(event="ban", whom="bob", other={"user_id": "erin"}, undone=_bob_is_back),
    Request(
        event="unban",
        whom="bob",
        other={"user_id": "erin"},
        before=_two_are_banned,
        undone=lambda scene: scene.do("ban", scene.bob),
    ),
    Request(
        event="mute",
        whom="bob",
        more={"muted_for_ms": HOUR},
        other={"muted_for_ms": HOUR + 1},
        undone=lambda scene: scene.do("mute", scene.bob, muted_for_ms=0),
    ),
    Request(
        event="set_role",
        whom="bob",
        more={"role": "admin"},
        other={"role": "member"},
        undone=lambda scene: scene.do("set_role", scene.bob, role="member"),
    ),
    Request(
        event="set_role",
        whom="bob",
        more={"role": "owner"},
        other={"role": "member"},
        undone=_handed_back,
    ),
    Request(
        event="update_room",
        more={"changes": {"name": "Coffee"}},
        other={"changes": {"name": "Milk"}},
        undone=lambda scene: scene.do("update_room", changes={"name": "Water"}),
    ),
    Request(
        event="update_room",
        more={"changes": {"settings": {"mute_all": True}}, "if_rev": 1},
        other={"if_rev": 2},
        undone=lambda scene: scene.do("update_room", changes={"settings": {"mute_all": False}}),
    ),
    # She who asked is not even a member any more.
    Request(
        event="mute",
        whom="bob",
        more={"muted_for_ms": HOUR},
        other={"muted_for_ms": HOUR + 1},
        undone=_bob_owns_and_kicks,
    ),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: f"{r.event} {[*r.more.values()]}")
async def test_a_retry_has_no_second_effect(enter: Enter, request_: Request) -> None:
    """At once it gets the same answer; later, too, nothing is done again and no row is written."""
    scene = await Scene.begin(enter)
    if request_.before is not None:
        await request_.before(scene)
    payload = request_.payload(scene)
    first = await scene.alice.io.ack(request_.event, payload)
    assert first["ok"], first
    head = await scene.alice.head(scene.room_id)
    assert await scene.alice.io.ack(request_.event, payload) == first
    assert await scene.alice.head(scene.room_id) == head
    await request_.undone(scene)
    watcher = scene.bob if request_.undone is _bob_owns_and_kicks else scene.alice
    members = await watcher.call("members", scene.room_id)
    room = (await watcher.view(scene.room_id))["room"]
    later = await scene.alice.io.ack(request_.event, payload)
    assert later["ok"], later
    assert await watcher.call("members", scene.room_id) == members
    assert (await watcher.view(scene.room_id))["room"] == room


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: f"{r.event} {[*r.more.values()]}")
async def test_another_request_needs_another_client_id(enter: Enter, request_: Request) -> None:
    """About somebody else, with other values, or under another name."""
    scene = await Scene.begin(enter)
    if request_.before is not None:
        await request_.before(scene)
    payload = request_.payload(scene)
    assert (await scene.alice.io.ack(request_.event, payload))["ok"]
    head = await scene.alice.head(scene.room_id)
    other = request_.another(scene, payload)
    assert await scene.alice.refused(request_.event, **other) == "client_id_reused"
    said = {key: payload[key] for key in ("room_id", "client_id")}
    text = {"content": {"text": "hello"}}
    assert await scene.alice.refused("chat", **said, **text) == "client_id_reused"
    assert await scene.alice.head(scene.room_id) == head


async def test_one_client_id_does_not_stand_for_two_events(enter: Enter) -> None:
    """Events with the same fields are other requests all the same."""
    scene = await Scene.begin(enter)
    payload = {"room_id": scene.room_id, "user_id": scene.bob.id, "client_id": new_client_id()}
    await scene.alice.io.call("kick", **payload)
    assert await scene.alice.refused("ban", **payload) == "client_id_reused"
    assert await scene.alice.refused("invite", **payload) == "client_id_reused"


async def test_a_used_client_id_is_told_where_nothing_would_change(enter: Enter) -> None:
    """Whatever the other request would do: the client that reused it has to know."""
    scene = await Scene.begin(enter)
    payload = {"room_id": scene.room_id, "client_id": new_client_id()}
    await scene.alice.io.call("mute", user_id=scene.bob.id, muted_for_ms=HOUR, **payload)
    nothing = {"user_id": scene.alice.id, **payload}
    assert await scene.alice.refused("invite", **nothing) == "client_id_reused"


async def test_a_room_is_deleted_once(enter: Enter) -> None:
    """Its owner's retry is answered as the first time."""
    scene = await Scene.begin(enter)
    payload = {"room_id": scene.room_id, "client_id": new_client_id()}
    assert await scene.alice.io.call("delete_room", **payload) == {}
    assert await scene.alice.io.call("delete_room", **payload) == {}
    assert await scene.bob.refusal("delete_room", scene.room_id) == "gone"
