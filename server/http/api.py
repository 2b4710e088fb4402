"""What a route of the HTTP API is: declared once, and read by the router and by the documents.

A request takes the same fields as an event, loaded by the same schema. Where each of them travels
follows from the route: see `_where`.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any

from marshmallow import Schema, fields

from parley.namespaces.chat.services import ChatServices
from parley.namespaces.errors import ClientError
from parley.namespaces.fields import RequestSchema, about, page_cursor
from parley.namespaces.identity import Identity
from parley.namespaces.notification.services import NotificationServices
from parley.namespaces.presence.service import PresenceService
from parley.namespaces.shapes import Shape
from parley.server.connections import Connections
from parley.storage.base import UserRepository
from parley.storage.expiring import Bus
from parley.storage.models import Timestamp, UserId

PREFIX = "/api/v1"
MAX_BODY_BYTES = 65_536

HEADERS = {"client_id": "Idempotency-Key", "if_rev": "If-Match"}
"""Fields that HTTP has a header for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the handlers of requests work with."""

    chat: ChatServices
    presence: PresenceService
    notifications: NotificationServices
    users: UserRepository
    connections: Connections
    bus: Bus
    now: Callable[[], Timestamp]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: whose it is, and what answers it."""

    identity: Identity
    services: Services

    @property
    def chat(self) -> ChatServices:
        """Return the services of the chat."""
        return self.services.chat

    @property
    def notifications(self) -> NotificationServices:
        """Return the services of notifications."""
        return self.services.notifications

    def now(self) -> Timestamp:
        """Return what time it is."""
        return self.services.now()

    @property
    def user_id(self) -> UserId:
        """Return who asks."""
        return self.identity.user_id


@dataclass(frozen=True, slots=True)
class Reply:
    """A response that is a success."""

    data: Any
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def page(cls, items: Iterable[Any], following: str | None) -> "Reply":
        """Return a page of a list; ``following`` is the cursor of the next one."""
        return cls({"items": list(items), **({} if following is None else {"next": following})})


Handler = Callable[[Call, Any], Awaitable[Reply]]


def next_page() -> fields.String:
    """Return a field for where a list goes on."""
    return page_cursor(**about("The `cursor` of the next page. Absent on the last one."))


def page_of(item: type[Schema] | fields.Field[Any], name: str) -> type[Shape]:
    """Return the shape of a page of a list, of shapes or of simple values."""
    inner = item if isinstance(item, fields.Field) else fields.Nested(item)
    items = fields.List(inner, required=True)
    return type(
        name, (Shape,), {"__doc__": "A page of a list.", "items": items, "next": next_page()}
    )


class Where(Enum):
    """Where a field of a request travels."""

    PATH = "path"
    HEADER = "header"
    QUERY = "query"
    BODY = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of the API."""

    method: str
    path: str  # below `PREFIX`, with fields in braces
    handler: Handler
    takes: RequestSchema
    fields: Mapping[str, Where]  # of `takes`, and where each of them travels
    gives: Mapping[int, type[Shape]]  # by status
    fails: tuple[type[ClientError], ...]  # beside what any request may fail with
    body: str | None  # the field that the body is, where it is not an object of fields
    role: str | None  # that a token must have
    tagged: bool  # whether its answers have an ETag
    names: Mapping[str, str]  # fields of other requests that its answer has, and where
    group: str

    @property
    def name(self) -> str:
        """Return what programs call it."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """Return what it does, in one sentence without its period."""
        return self._told[0].rstrip(".")

    @property
    def description(self) -> str:
        """Return what else there is to say, in Markdown."""
        return self._told[2]

    @property
    def _told(self) -> tuple[str, str, str]:
        return inspect.cleandoc(self.handler.__doc__ or "").partition("\n\n")

    @property
    def has_body(self) -> bool:
        """Whether it takes a body."""
        return Where.BODY in self.fields.values()

    def pointer(self, pointer: str) -> str:
        """Return where in the HTTP request that is what ``pointer`` finds in the payload."""
        first, slash, rest = pointer.removeprefix("/").partition("/")
        if first == self.body:
            return slash + rest
        return f"/{HEADERS[first]}" if self.fields.get(first) is Where.HEADER else pointer


class Routes:
    """The operations about one thing."""

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self.description = description
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def add(
        self,
        method: str,
        path: str,
        *,
        takes: type[RequestSchema],
        gives: Mapping[int, type[Shape]],
        fails: Iterable[type[ClientError]] = (),
        body: str | None = None,
        role: str | None = None,
        tagged: bool = False,
        names: Mapping[str, str] | None = None,
    ) -> Callable[[Handler], Handler]:
        """Enter a handler; its docstring is what people read about it."""

        def enter(handler: Handler) -> Handler:
            schema = takes()
            route = Route(
                method=method,
                path=path,
                handler=handler,
                takes=schema,
                fields={name: _where(method, path, name) for name in schema.declared_fields},
                gives=gives,
                fails=tuple(fails),
                body=body,
                role=role,
                tagged=tagged,
                names=names or {},
                group=self.name,
            )
            self._routes.append(route)
            return handler

        return enter


def _where(method: str, path: str, name: str) -> Where:
    if f"{{{name}}}" in path:
        return Where.PATH
    if name in HEADERS:
        return Where.HEADER
    return Where.BODY if method in ("POST", "PUT") else Where.QUERY
