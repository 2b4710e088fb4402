"""Acks of messages that were sent more than once."""

from collections.abc import Sequence
from typing import Any

from tests.clients import Lost, new_client_id


def message(room_id: str, text: str) -> tuple[str, dict[str, Any]]:
    """Return an event that says something in a room."""
    content = {"text": text}
    return "chat", {"room_id": room_id, "client_id": new_client_id(), "content": content}


def data_of(acks: Sequence[dict[str, Any] | Lost]) -> list[dict[str, Any]]:
    """Return the data of acks, all of which said yes."""
    assert all(not isinstance(ack, Lost) and ack["ok"] for ack in acks), acks
    return [ack["data"] for ack in acks if not isinstance(ack, Lost)]


def one_effect(receipts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Check that two receipts are of one message, and return the one that was first."""
    (first,) = [receipt for receipt in receipts if "duplicate" not in receipt]
    (second,) = [receipt for receipt in receipts if "duplicate" in receipt]
    assert second == {**first, "duplicate": True}
    return first
