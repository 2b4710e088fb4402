"""Who may do what in which room: every cell of the grid of `rights`, through the door."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio

from parley.namespaces.chat.access import RIGHTS, VISITOR, Right
from parley.namespaces.chat.events import ChatNamespace
from parley.namespaces.chat.wire import watch_key
from tests.namespaces.chat.cast import Cast
from tests.namespaces.chat.grid import Cell, Grid
from tests.namespaces.chat.house import House
from tests.namespaces.chat.rights import GRID

pytestmark = pytest.mark.asyncio(loop_scope="module")

RESTRICTED = [event for event, right in RIGHTS.items() if right != Right()]
NOT_ABOUT_A_ROOM = {"create_room", "rooms", "discover"}
ONLY_READS = {"read", "members", "history", "room", "sync", "typing", "signal", "unwatch"}
REFUSED = {"forbidden", "not_found", "muted", "denied", "gone"}
AT_ONCE = 100  # rooms that are made together: they share commits

grid = Grid(GRID)
events = {action.partition(" ")[0] for action in grid.actions}


class Stage:
    """Where cells of the grid are played, and what came of it."""

    def __init__(self, house: House) -> None:
        self.happened: dict[Cell, str] = {}
        self._house = house
        self._shared: dict[tuple[str, str], Cast] = {}

    async def play(self, cells: Sequence[Cell]) -> None:
        """Try every cell: what is to have an effect in a room of its own, the rest together."""
        lasting = [cell for cell in cells if _lasts(cell)]
        for start in range(0, len(lasting), AT_ONCE):
            await asyncio.gather(*map(self._alone, lasting[start : start + AT_ONCE]))
        for cell in cells:
            if not _lasts(cell):
                self.happened[cell] = await self._try(await self._cast(cell), cell)

    async def can(self, cell: Cell) -> Sequence[str] | None:
        """Return what the room's view tells the actor she may do; None if there is none."""
        cast = await self._cast(cell)
        ack = await self._house.ask(cast.user(cell.actor), "room", {"room_id": cast.room.id})
        return ack["data"]["can"] if ack["ok"] else None

    async def _cast(self, cell: Cell) -> Cast:
        key = (cell.kind, cell.setting)
        if key not in self._shared:
            self._shared[key] = await Cast(self._house, *key).gather()
        return self._shared[key]

    async def _alone(self, cell: Cell) -> None:
        cast = await Cast(self._house, cell.kind, cell.setting).gather()
        self.happened[cell] = await self._try(cast, cell)

    async def _try(self, cast: Cast, cell: Cell) -> str:
        event, payload = cast.request(cell.action, cell.actor, cell.target)
        actor = cast.user(cell.actor)
        before = self._house.head(cast.room.id)
        ack = await self._house.ask(actor, event, payload)
        rows = self._house.head(cast.room.id) - before
        if not ack["ok"]:
            return str(ack["error"]["code"]) + (f" and {rows} rows" if rows else "")
        if event == "watch":
            watchers = self._house.wire.sockets(watch_key(cast.room.id))
            return "ok" if actor in watchers else "same"
        return _done(event, ack["data"], rows)


def _event(cell: Cell) -> str:
    return cell.action.partition(" ")[0]


def _lasts(cell: Cell) -> bool:
    return cell.expected in ("ok", "asks") and _event(cell) not in ONLY_READS


def _done(event: str, data: Any, rows: int) -> str:
    if event == "sync":
        (part,) = data["rooms"].values()
        return "ok" if part["state"] == "reset" else str(part["state"])
    if event in ONLY_READS - {"unwatch"}:
        return "ok" if rows == 0 else f"{rows} rows"
    if event == "join_room" and data["membership"]["state"] == "pending":
        return "asks" if rows == 1 and "sync" not in data else "same"
    if rows == 0:
        return "same"
    # An emptied room has no rows at all.
    return "ok" if rows == 1 or event == "delete_room" else f"{rows} rows"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with House.open(tmp_path_factory.mktemp("rights")) as house:
        yield house


async def test_every_event_about_a_room_is_in_the_grid() -> None:
    assert events == set(ChatNamespace.events) - NOT_ABOUT_A_ROOM
    assert events >= {*RIGHTS, *VISITOR}


async def mismatches(house: House, cells: Sequence[Cell]) -> list[str]:
    """Play cells of one event and return where the grid says something else.

    What somebody does must come out as it says, and ``can`` in the room's view must tell it.
    """
    stage = Stage(house)
    await stage.play(cells)
    wrong = [f"{c}: {stage.happened[c]}" for c in cells if stage.happened[c] != c.expected]
    outcomes: dict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        outcomes[cell.kind, cell.setting, cell.actor].append(cell)
    for same in outcomes.values():
        can = await stage.can(same[0])
        told = can is not None and _event(same[0]) in can
        happened = {stage.happened[cell] for cell in same}
        if happened & {"ok", "asks"}:
            is_right = told or can is None
        else:
            is_right = not (told and happened <= REFUSED)
        wrong += [] if is_right else [f"{same[0]} and can: {can}"]
    return wrong


def cells_of(event: str) -> list[Cell]:
    actions = [action for action in grid.actions if action.partition(" ")[0] == event]
    return [cell for action in actions for cell in grid.cells(action)]


@pytest.mark.parametrize("event", sorted(events))
async def test_what_happens_is_what_the_grid_says(house: House, event: str) -> None:
    wrong = await mismatches(house, cells_of(event))
    assert not wrong, "\n".join(wrong)


# Not `private`: the room it is said in follows from the two people, and has only them in it.
@pytest.mark.parametrize("event", sorted({*RESTRICTED} - {"private"}))
async def test_the_grid_notices_when_a_restriction_is_gone(
    house: House, event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line of `RIGHTS` that lets every member do everything everywhere is found out."""
    monkeypatch.setitem(RIGHTS, event, Right())
    assert await mismatches(house, [cell for cell in cells_of(event) if not cell.setting])
