"""Rows of the log, made from what people and the server want written."""

import hashlib
from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar, Protocol

import orjson

from parley.storage.ids import new_id
from parley.storage.models import (
    WAITING,
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


class Request(Protocol):
    """A payload that a client may send again under the same ``client_id``."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def client_id(self) -> ClientId | None:
        """Return the request's id, None where the client gave none."""
        ...


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
        request: Request | None = None,
    ) -> Draft:
        """Return the row that makes ``user_id`` a member."""
        content = {"user_id": user_id, "role": role, "reason": reason}
        if by != user_id:
            content["by"] = by
        return self._control(MessageType.JOIN_ROOM, by, content, request)

    def left(
        self,
        user_id: UserId,
        *,
        by: UserId,
        reason: str,
        was: MemberState = MemberState.MEMBER,
        heir: UserId | None = None,
        request: Request | None = None,
    ) -> Draft:
        """Return the row that ends how a user stands with a room; ``heir`` becomes owner by it."""
        content = {"user_id": user_id, "reason": reason}
        if by != user_id:
            content["by"] = by
        if was in WAITING:
            content["was"] = was
        if heir is not None:
            content["owner"] = heir
        return self._control(MessageType.LEAVE_ROOM, by, content, request)

    def updated(self, by: UserId, content: dict[str, Any], request: Request | None = None) -> Draft:
        """Return a ``room_update`` row: ``{"changed": …}`` or ``{"member": …}``."""
        return self._control(MessageType.ROOM_UPDATE, by, content, request)

    def digest_of(self, request: Request) -> bytes:
        """Return what tells a retry of a request from another one under its client_id."""
        asked = {f.name: getattr(request, f.name) for f in fields(request) if f.name != "client_id"}
        return self._digest(type(request).__name__, asked)

    def _control(
        self,
        message_type: MessageType,
        sender: UserId,
        content: dict[str, Any],
        request: Request | None,
    ) -> Draft:
        row_id = new_id()
        known = request if request is not None and request.client_id is not None else None
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
        # Keyed, so that the column says nothing about a text once that is deleted.
        encoded = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(encoded, key=self._key, digest_size=16).digest()
