"""`storage.fold` by itself: what every storage and every node must come to, however often."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from parley.storage import fold
from parley.storage.models import Draft, Membership, MemberState, Role, Room, RoomType, UserId
from tests.storage.drafts import ANN, BOB, EVE, a_room, banned, founding, joined, left, member

USERS = (ANN, BOB, EVE)


class Folded(NamedTuple):
    """A room and everyone who has a membership in it, after some rows."""

    room: Room
    members: dict[UserId, Membership]

    def after(self, draft: Draft, rev: int) -> "Folded":
        """Return what the row at ``rev`` makes of it."""
        message = fold.created(self.room.id, draft, rev)
        room, members = fold.room_after(self.room, message), dict(self.members)
        for user, after in list(fold.memberships_after(room, members.get, message)):
            if after is None:
                del members[user]
            else:
                members[user] = after
        return Folded(room, members)

    def owners(self) -> list[UserId]:
        """Return who has the role."""
        return [m.user_id for m in self.members.values() if m.role is Role.OWNER]

    def heir(self, user: UserId) -> UserId | None:
        """Return whom the owner's leave names."""
        others = (m.user_id for m in self.members.values() if m.is_member and m.user_id != user)
        return min(others, default=None) if self.room.owner == user else None

    def row(self, action: str, by: UserId, user: UserId) -> Draft | None:
        """Return the row of an action, None where the rules do not let it happen."""
        standing = self.members.get(user)
        state = standing.state if standing is not None else None
        is_owner, is_inside = self.room.owner == user, state is MemberState.MEMBER
        owner = self.room.owner
        is_banned = state is MemberState.BANNED
        rows = {
            "join": (
                not is_inside and not is_banned,
                joined(user, "member" if owner else "owner"),
            ),
            "leave": (state is not None and not is_banned, left(user, heir=self.heir(user))),
            "ban": (not is_owner and not is_banned, banned(by, user)),
            "unban": (is_banned, member(by, user)),
            "invite": (state is None, member(by, user, state="invited")),
            "ask": (state is None, member(user, user, state="pending")),
            "promote": (is_inside and not is_owner, member(by, user, role="admin")),
            "demote": (is_inside and not is_owner, member(by, user, role="member")),
            "hand over": (
                is_inside and owner is not None and not is_owner,
                member(owner or by, user, role="owner"),
            ),
            "mute": (is_inside and not is_owner, member(by, user, muted_for_ms=5)),
            "unmute": (is_inside and not is_owner, member(by, user, muted_for_ms=0)),
        }
        is_allowed, row = rows[action]
        return row if is_allowed else None


PEOPLE = ("join", "leave", "ban", "unban", "invite", "ask")
ACTIONS = st.sampled_from((*PEOPLE, "promote", "demote", "hand over", "mute", "unmute"))


@given(
    actions=st.lists(
        st.tuples(ACTIONS, st.sampled_from(USERS), st.sampled_from(USERS)), max_size=30
    )
)
def test_rows_add_up_to_a_room_with_one_owner(
    actions: list[tuple[str, UserId, UserId]],
) -> None:
    """Whatever is allowed, in whatever order: each row folds once, and nobody else owns it."""
    now = Folded(a_room(room_type=RoomType.GROUP), {})
    rows = founding(ANN, BOB)
    for rev, founder in enumerate(rows, 1):
        now = now.after(founder, rev)
    for action in actions:
        row = now.row(*action)
        if row is not None:
            rows.append(row)
            now = now.after(row, len(rows))
            assert now.after(row, len(rows)) == now
        assert now.owners() == ([] if now.room.owner is None else [now.room.owner])
        assert (now.room.owner is None) is not any(m.is_member for m in now.members.values())
