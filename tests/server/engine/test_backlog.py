"""What waits for a transport keeps its order and its weight."""

from hypothesis import given
from hypothesis import strategies as st

from parley.server.engine.backlog import Backlog
from parley.server.engine.rooms import Room

TEA, PUB = Room("/", "tea"), Room("/", "pub")


def _backlog() -> Backlog:
    backlog = Backlog()
    backlog.add(b"own", None, ephemeral=False)
    backlog.add(b"tea-1", TEA, ephemeral=False)
    backlog.add(b"typing", TEA, ephemeral=True)
    backlog.add(b"pub-123", PUB, ephemeral=False)
    backlog.add(b"tea-2", TEA, ephemeral=False)
    return backlog


def test_frames_leave_in_the_order_in_which_they_came() -> None:
    """The first frames are taken first, and the size follows, when a transport has room."""
    backlog = _backlog()
    assert backlog.size == 26
    assert backlog.take(2) == [b"own", b"tea-1"]
    assert backlog.size == 18
    assert backlog.take() == [b"typing", b"pub-123", b"tea-2"]
    assert (backlog.size, backlog.take(), backlog.take(3)) == (0, [], [])


def test_shedding_drops_what_is_ephemeral() -> None:
    """Typing goes and everything else stays, in order, when a backlog sheds."""
    backlog = _backlog()
    backlog.shed()
    assert backlog.size == 20
    assert backlog.take() == [b"own", b"tea-1", b"pub-123", b"tea-2"]


def test_dropping_a_room_drops_only_what_came_through_it() -> None:
    """Other rooms and what is meant for one client stay when a room gives way."""
    backlog = _backlog()
    backlog.drop(TEA)
    assert backlog.size == 10
    assert backlog.take() == [b"own", b"pub-123"]


def test_the_heaviest_room_is_the_one_with_the_most_bytes() -> None:
    """The room that would help most is named, and none when only direct frames wait."""
    backlog = _backlog()
    assert backlog.heaviest() is TEA
    backlog.drop(TEA)
    assert backlog.heaviest() is PUB
    backlog.drop(PUB)
    assert backlog.heaviest() is None


_WAITING = st.tuples(st.binary(max_size=9), st.sampled_from([None, TEA, PUB]), st.booleans())
_STEPS = st.one_of(
    _WAITING,
    st.integers(min_value=0, max_value=5),
    st.sampled_from(["shed", TEA, PUB]),
)


@given(st.lists(_STEPS, max_size=30))
def test_the_size_is_that_of_what_waits(steps: list[object]) -> None:
    """Size and content are those of a plain list, whatever is done in whatever order."""
    backlog, model = Backlog(), list[tuple[bytes, Room | None, bool]]()
    for step in steps:
        match step:
            case (bytes() as frame, None | Room() as room, bool() as ephemeral):
                backlog.add(frame, room, ephemeral=ephemeral)
                model.append((frame, room, ephemeral))
            case int():
                assert backlog.take(step) == [frame for frame, *_ in model[:step]]
                del model[:step]
            case "shed":
                backlog.shed()
                model = [waiting for waiting in model if not waiting[2]]
            case _:
                assert isinstance(step, Room)
                backlog.drop(step)
                model = [waiting for waiting in model if waiting[1] is not step]
        assert backlog.size == sum(len(frame) for frame, *_ in model)
    assert backlog.take() == [frame for frame, *_ in model]
