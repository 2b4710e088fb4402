"""The ``/presence`` namespace: events in, acks out. Thin; the rules are in the service."""

from collections.abc import Mapping
from typing import Any

from parley.namespaces.base import BaseNamespace
from parley.namespaces.presence import schemas, shapes
from parley.namespaces.presence.catch_up import CatchUp
from parley.namespaces.presence.greeting import Greeting
from parley.namespaces.presence.notices import NOTICES
from parley.namespaces.presence.service import PresenceService
from parley.namespaces.requests import OneRoom, OneRoomSchema
from parley.namespaces.session import Session
from parley.namespaces.shapes import NothingShape
from parley.namespaces.table import handles


class PresenceNamespace(BaseNamespace):
    """Translate ``/presence`` events into calls of `PresenceService`; no rules here."""

    notices = NOTICES

    def __init__(
        self, *, service: PresenceService, greeting: Greeting, catch_up: CatchUp, **door: Any
    ) -> None:
        super().__init__("/presence", **door)
        self._service = service
        self._greeting = greeting
        self._catch_up = catch_up

    # The life of a socket

    async def connected(self, session: Session, auth: Mapping[str, Any]) -> None:
        """Tell the socket how its own user is."""
        self._greeting.begin(session)

    async def disconnected(self, session: Session) -> None:
        """Follow nobody any more."""
        self._greeting.end(session)

    def fell_behind(self, sid: str, room: str) -> bool:
        """See `BaseNamespace`."""
        return self._catch_up.fell_behind(sid, room)

    # Events

    @handles("set_status", schemas.SetStatusSchema, answers=shapes.PresenceShape)
    async def set_status(self, session: Session, request: schemas.SetStatus) -> object:
        """Acknowledge with the user as she sees herself, when others can see it too."""
        return (await self._service.set_status(session, request)).to_wire()

    @handles("subscribe", schemas.NamedUsersSchema, answers=shapes.PeopleShape)
    async def subscribe(self, session: Session, request: schemas.NamedUsers) -> object:
        """Acknowledge with how these users are; this socket hears of every change."""
        views = await self._service.subscribe(session, request.user_ids)
        return {"users": [view.to_wire() for view in views]}

    @handles("unsubscribe", schemas.UnsubscribeSchema, answers=NothingShape)
    async def unsubscribe(self, session: Session, request: schemas.Unsubscribe) -> object:
        """Acknowledge when this socket hears of them no more."""
        self._service.unsubscribe(session, request)
        return {}

    @handles("get", schemas.NamedUsersSchema, answers=shapes.PeopleShape)
    async def get(self, session: Session, request: schemas.NamedUsers) -> object:
        """Acknowledge with how these users are."""
        views = await self._service.get(session.user_id, request.user_ids)
        return {"users": [view.to_wire() for view in views]}

    @handles("room", OneRoomSchema, answers=shapes.WhoIsHereShape)
    async def room(self, session: Session, request: OneRoom) -> object:
        """Acknowledge with who is here of a room; this socket hears who comes and goes."""
        return await self._service.room(session, request.room_id)
