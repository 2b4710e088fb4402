"""Hints that no node can have written do nothing, and end nothing."""

from hypothesis import given
from hypothesis import strategies as st

from parley.namespaces import hints
from parley.storage.models import RoomId, UserId

ROOM, ALICE, BOB = RoomId("6b03d82fcb6048fa857eefb8"), UserId("alice"), UserId("bob@example.org")

# Bytes of all kinds, and such as are nearly right.
PAYLOADS = st.one_of(
    st.binary(max_size=200),
    st.text(alphabet="ab0 .\n\x00$é٣", max_size=100).map(lambda text: text.encode()),
    st.just(b"9" * 5_000),
    st.just(b"a" * 65_536),
)


def test_what_is_written_is_read() -> None:
    assert [hints.read_moved(hint) for hint in hints.moved(ROOM, [ALICE, BOB])] == [
        (ROOM, [ALICE, BOB])
    ]
    many = [UserId(f"user{number}") for number in range(1_200)]
    read = [hints.read_moved(hint) for hint in hints.moved(ROOM, many)]
    assert [user_id for moved in read if moved for user_id in moved[1]] == many
    assert [u for hint in hints.named_users(many) for u in hints.read_users(hint)] == many
    assert hints.read_position(b"17") == 17


@given(PAYLOADS)
def test_what_is_read_is_ids_and_numbers(payload: bytes) -> None:
    """Nothing raises, and nothing else comes out, whatever comes in."""
    moved = hints.read_moved(payload)
    for id in (*([moved[0], *moved[1]] if moved else []), *hints.read_users(payload)):
        assert 1 <= len(id) <= 64
        assert id.isascii()
        assert not set(id) & set(" \n\x00$")
    position = hints.read_position(payload)
    assert position is None or 0 <= position < 10**16
