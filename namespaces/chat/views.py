"""Answers put together of several records, as clients see them."""

from collections.abc import Iterable
from typing import Any

from parley.namespaces.chat.access import allowed
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.service import Receipt
from parley.namespaces.chat.wire import membership_to_wire, message_to_wire, room_to_wire
from parley.namespaces.wire import timestamp
from parley.storage.models import Membership, Room, RoomOverview, Timestamp, UserId


def room_view(
    room: Room,
    membership: Membership | None,
    now: Timestamp,
    *,
    member_count: int,
    members: Iterable[Membership] = (),
) -> dict[str, Any]:
    """Return a room as somebody sees it who has this membership, or none."""
    wire: dict[str, Any] = {
        "room": room_to_wire(room, member_count=member_count, members=members),
        "can": allowed(room, membership, now),
    }
    if membership is not None:
        wire["membership"] = membership_to_wire(membership, now)
    return wire


def view_of(feed: RoomFeed, user_id: UserId, now: Timestamp) -> dict[str, Any]:
    """Return a room as one user sees it; who is inside is told to members only."""
    return room_view(
        feed.room,
        feed.members.get(user_id),
        now,
        member_count=feed.member_count,
        members=feed.members.values() if feed.is_member(user_id) else (),
    )


def entry_view(overview: RoomOverview, now: Timestamp) -> dict[str, Any]:
    """Return an entry of the list of rooms."""
    wire: dict[str, Any] = {
        **room_view(overview.room, overview.membership, now, member_count=overview.member_count),
        "head": overview.head,
        "read_seq": overview.membership.read_seq,
        "unread": overview.unread.count,
        "mentions": overview.unread.mentions,
    }
    if overview.peer is not None:
        # Nothing else says whose direct room it is before somebody has written there.
        wire["room"]["members"] = sorted((overview.membership.user_id, overview.peer))
    if overview.last_message is not None:
        wire["last_message"] = message_to_wire(overview.last_message)
    return wire


def member_view(membership: Membership, name: str | None, now: Timestamp) -> dict[str, Any]:
    """Return an entry of the list of members."""
    wire = membership_to_wire(membership, now, name=name)
    return {**wire, "read_seq": membership.read_seq} if membership.is_member else wire


def receipt_to_wire(receipt: Receipt) -> dict[str, Any]:
    """Return the ack of a message; ``duplicate`` only where it is true."""
    wire: dict[str, Any] = {
        "id": receipt.message.id,
        "seq": receipt.message.seq,
        "rev": receipt.rev,
        "timestamp": timestamp(receipt.timestamp),
    }
    if receipt.duplicate:
        wire["duplicate"] = True
    return wire
