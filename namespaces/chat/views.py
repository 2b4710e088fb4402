"""Answers put together of several records, as clients see them."""

from collections.abc import Mapping
from typing import Any

from parley.namespaces.chat.access import allowed
from parley.namespaces.chat.reading import RoomSummary
from parley.namespaces.chat.service import Receipt
from parley.namespaces.chat.wire import membership_to_wire, message_to_wire, room_to_wire
from parley.namespaces.wire import timestamp
from parley.storage.models import Membership, Room, UserId


def room_view(
    room: Room, members: Mapping[UserId, Membership], membership: Membership
) -> dict[str, Any]:
    """Return a room as one of its members sees it."""
    return {
        "room": room_to_wire(room, members.values()),
        "membership": membership_to_wire(membership),
        "can": allowed(room, membership),
    }


def summary_to_wire(summary: RoomSummary) -> dict[str, Any]:
    """Return an entry of the list of rooms."""
    feed = summary.room.feed
    wire = {
        **room_view(feed.room, feed.members, summary.membership),
        "head": feed.head,
        "read_seq": summary.membership.read_seq,
        "unread": summary.unread.count,
        "mentions": summary.unread.mentions,
    }
    if summary.last_message is not None:
        wire["last_message"] = message_to_wire(summary.last_message)
    return wire


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
