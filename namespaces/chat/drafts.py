"""Rows of the log, made from what people and the server want written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from parley.namespaces.digest import digest_of
from parley.storage.ids import new_id
from parley.storage.models import (
    ClientId,
    Draft,
    MemberState,
    MessageId,
    MessageType,
    Role,
    RowKind,
    Timestamp,
    UserId,
)

STRANGER = "stranger"  # what a ``leave_room`` row says of somebody who was banned from outside


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a client may send again under the same ``client_id``."""

    event: str
    payload: Any  # a dataclass with ``client_id``, None where the client gave none

    @property
    def client_id(self) -> ClientId | None:
        """Return the request's id, None where the client gave none."""
        client_id: ClientId | None = self.payload.client_id
        return client_id


class Drafts:
    """Makes drafts with their time and the digest of the request they come from."""

    def __init__(self, *, now: Callable[[], Timestamp], digest_key: bytes) -> None:
        self._now = now
        self._key = digest_key

    def said(
        self,
        message_type: MessageType,
        sender: UserId,
        client_id: ClientId,
        *,
        content: dict[str, Any],
        metadata: dict[str, Any] | None,
        to: UserId | None = None,
    ) -> Draft:
        """Return a new message."""
        return Draft(
            id=(id := new_id()),
            kind=RowKind.CREATE,
            message_id=MessageId(id),
            sender=sender,
            client_id=client_id,
            digest=self._digest(message_type, content, metadata),
            created_at=self._now(),
            type=message_type,
            to=to,
            content=content,
            metadata=metadata,
        )

    def changed(
        self,
        kind: RowKind,
        message_id: MessageId,
        sender: UserId,
        client_id: ClientId,
        *,
        content: dict[str, Any] | None = None,
        emoji: str = "",
        on: bool = True,
    ) -> Draft:
        """Return a change of a message."""
        return Draft(
            id=new_id(),
            kind=kind,
            message_id=message_id,
            sender=sender,
            client_id=client_id,
            digest=self._digest(kind, message_id, content, emoji, on),
            created_at=self._now(),
            content=content or {},
            emoji=emoji,
            on=on,
        )

    def joined(
        self,
        user_id: UserId,
        *,
        by: UserId,
        role: Role = Role.MEMBER,
        reason: str,
        asked: Asked | None = None,
    ) -> Draft:
        """Return the row that makes ``user_id`` a member."""
        content = {"user_id": user_id, "role": role, "reason": reason}
        if by != user_id:
            content["by"] = by
        return self._control(MessageType.JOIN_ROOM, by, content, asked)

    def left(
        self,
        user_id: UserId,
        *,
        by: UserId,
        reason: str,
        was: MemberState | None = MemberState.MEMBER,
        heir: UserId | None = None,
        asked: Asked | None = None,
    ) -> Draft:
        """Return the row that ends how a user stands with a room; ``heir`` becomes owner by it.

        Args:
            was: How she stood with it; None: a stranger.
        """
        content = {"user_id": user_id, "reason": reason}
        if by != user_id:
            content["by"] = by
        if was is not MemberState.MEMBER:
            content["was"] = was or STRANGER
        if heir is not None:
            content["owner"] = heir
        return self._control(MessageType.LEAVE_ROOM, by, content, asked)

    def updated(self, by: UserId, content: dict[str, Any], asked: Asked | None = None) -> Draft:
        """Return a ``room_update`` row: ``{"changed": …}`` or ``{"member": …}``."""
        return self._control(MessageType.ROOM_UPDATE, by, content, asked)

    def digest_of(self, asked: Asked) -> bytes:
        """Return what tells a retry of a request from another one under its client_id."""
        said = {name: value for name, value in _fields(asked.payload) if name != "client_id"}
        return self._digest(asked.event, said)

    def _control(
        self,
        message_type: MessageType,
        sender: UserId,
        content: dict[str, Any],
        asked: Asked | None,
    ) -> Draft:
        row_id = new_id()
        known = asked if asked is not None and asked.client_id is not None else None
        return Draft(
            id=row_id,
            kind=RowKind.CREATE,
            message_id=MessageId(row_id),
            sender=sender,
            client_id=(known and known.client_id) or ClientId(f"sys:{row_id}"),
            digest=self.digest_of(known) if known is not None else b"",
            created_at=self._now(),
            type=message_type,
            content=content,
        )

    def _digest(self, *request: Any) -> bytes:
        return digest_of(self._key, *request)


def _fields(payload: Any) -> Iterator[tuple[str, Any]]:
    for field in fields(payload):
        yield field.name, getattr(payload, field.name)
