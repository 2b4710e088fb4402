"""`storage.fold` by itself: what every storage and every node must come to, however often."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from parley.storage import fold
from parley.storage.models import Draft, Membership, Message, Role, Room, RoomType, UserId
from tests.storage.drafts import (
    ANN,
    BOB,
    EVE,
    a_room,
    banned,
    founding,
    joined,
    left,
    member,
    updated,
)

USERS = st.sampled_from([ANN, BOB, EVE])
Members = dict[UserId, Membership]

ROWS = st.one_of(
    st.builds(joined, USERS),
    st.builds(lambda user, heir: left(user, heir=heir), USERS, st.none() | USERS),
    st.builds(banned, USERS, USERS),
    st.builds(lambda by, user, state: member(by, user, state=state), USERS, USERS,
              st.sampled_from(["invited", "pending"])),
    st.builds(lambda by, user, role: member(by, user, role=role), USERS, USERS,
              st.sampled_from(["owner", "admin", "member"])),
    st.builds(lambda by, user, ms: member(by, user, muted_for_ms=ms), USERS, USERS,
              st.sampled_from([0, 5])),
    st.builds(member, USERS, USERS),
    st.builds(lambda name: updated(ANN, name=name), st.sampled_from(["Tea", "Coffee"])),
    st.builds(lambda on: updated(ANN, settings={"mute_all": on}), st.booleans()),
)  # fmt: skip


def folded(room: Room, members: Members, message: Message) -> tuple[Room, Members]:
    """Return a room and its members after one row."""
    room = fold.room_after(room, message)
    members = dict(members)
    for user, after in list(fold.memberships_after(room, members.get, message)):
        if after is None:
            del members[user]
        else:
            members[user] = after
    return room, members


def every(room: Room, drafts: Sequence[Draft]) -> list[Message]:
    """Return the messages of rows from position 1 on."""
    return [fold.created(room.id, draft, rev) for rev, draft in enumerate(drafts, 1)]


@given(rows=st.lists(ROWS, max_size=8))
def test_folding_a_row_again_changes_nothing(rows: list[Draft]) -> None:
    """Whatever came before it, a row that is folded twice is folded once."""
    room, members = a_room(room_type=RoomType.GROUP), Members()
    for message in every(room, [*founding(ANN, BOB), *rows]):
        room, members = folded(room, members, message)
        assert folded(room, members, message) == (room, members)


@given(rows=st.lists(ROWS, max_size=8))
def test_a_fold_depends_on_the_rows_alone(rows: list[Draft]) -> None:
    """Two nodes that start at different positions of the log end at the same room."""
    first = a_room(room_type=RoomType.GROUP)
    messages = every(first, [*founding(ANN, BOB), *rows])
    whole: tuple[Room, Members] = (first, {})
    for message in messages:
        whole = folded(*whole, message)
    for middle in range(len(messages)):
        late: tuple[Room, Members] = (first, {})
        for message in messages[:middle]:
            late = folded(*late, message)
        for message in messages[middle:]:
            late = folded(*late, message)
        assert late == whole


def test_a_hand_over_is_undone_by_nobody_else() -> None:
    """A role that does not make an owner leaves the room with the one it has."""
    room, members = a_room(), Members()
    rows = [*founding(ANN, BOB), member(ANN, BOB, role="admin"), member(ANN, BOB, role="member")]
    for message in every(room, rows):
        room, members = folded(room, members, message)
    assert (room.owner, members[ANN].role, members[BOB].role) == (ANN, Role.OWNER, Role.MEMBER)
