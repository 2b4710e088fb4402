"""Rows of the log, made from what people and the server want written."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from parley.namespaces.chat.schemas import CreateRoom
from parley.storage.ids import new_id
from parley.storage.models import (
    ClientId,
    Draft,
    MessageId,
    MessageType,
    Role,
    RowKind,
    Timestamp,
    UserId,
)


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

    def founded(self, owner: UserId, request: CreateRoom) -> Draft:
        """Return the first row of a room; it knows the request again by its client_id."""
        joined = self.joined(owner, by=owner, role=Role.OWNER, reason="created")
        if request.client_id is None:
            return joined
        asked = (request.name, request.type, request.description, request.members)
        return replace(joined, client_id=request.client_id, digest=self._digest(*asked))

    def joined(
        self, user_id: UserId, *, by: UserId, role: Role = Role.MEMBER, reason: str
    ) -> Draft:
        """Return the row that makes ``user_id`` a member."""
        content = {"user_id": user_id, "role": role, "reason": reason}
        if by != user_id:
            content["by"] = by
        return self._control(MessageType.JOIN_ROOM, by, content)

    def left(self, user_id: UserId, *, heir: UserId | None) -> Draft:
        """Return the row that ends a membership; ``heir`` becomes owner by it."""
        content = {"user_id": user_id, "reason": "left"}
        if heir is not None:
            content["owner"] = heir
        return self._control(MessageType.LEAVE_ROOM, user_id, content)

    def _control(self, message_type: MessageType, sender: UserId, content: dict[str, Any]) -> Draft:
        return Draft(
            id=(id := new_id()),
            kind=RowKind.CREATE,
            message_id=MessageId(id),
            sender=sender,
            client_id=ClientId(f"sys:{id}"),
            digest=b"",
            created_at=self._now(),
            type=message_type,
            content=content,
        )

    def _digest(self, *request: Any) -> bytes:
        # Keyed, so that the column says nothing about a text once that is deleted.
        encoded = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(encoded, key=self._key, digest_size=16).digest()
