"""What clients hear is held to the shapes: every ack and every event of every test."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson
from marshmallow import Schema, ValidationError, fields

from parley.namespaces.base import BaseNamespace
from parley.namespaces.chat.events import ChatNamespace
from parley.namespaces.chat.message_shapes import MessageShape
from parley.namespaces.notification.events import NotificationNamespace
from parley.namespaces.presence.events import PresenceNamespace
from parley.namespaces.shapes import Either, ErrorShape, RefusalShape
from parley.server.http.json_schema import fields_of, key_of
from tests.namespaces.schema_words import innermost, name_of

NAMESPACES: Mapping[str, type[BaseNamespace]] = {
    "/chat": ChatNamespace,
    "/presence": PresenceNamespace,
    "/notification": NotificationNamespace,
}
ACKS_OF: Mapping[str, Mapping[str, Schema]] = {
    name: {event.name: event.answers() for event in namespace.events.values()}
    for name, namespace in NAMESPACES.items()
}
EVENTS_OF: Mapping[str, Mapping[str, Schema]] = {
    name: {event: said.shape() for event, said in namespace.notices.items()}
    for name, namespace in NAMESPACES.items()
}
ACKS, EVENTS = ACKS_OF["/chat"], EVENTS_OF["/chat"]
MESSAGE, ERROR = MessageShape(), ErrorShape()
_REFUSAL = RefusalShape()

surprises: list[str] = []
"""What was heard and has no shape; `tests.conftest` fails the test that has any."""


def hold_ack(event: str, ack: Any, namespace: str) -> None:
    """Hold the answer to an event to its shape."""
    match ack:
        case {"ok": True, "data": data, **more} if not more:
            _hold(f"the ack of {event}", ACKS_OF[namespace].get(event), data)
        case _:
            _hold(f"the ack of {event}", _REFUSAL, ack)


def hold_event(name: str, payload: Any, namespace: str) -> None:
    """Hold an event of the server to its shape."""
    _hold(f"the event {name}", EVENTS_OF[namespace].get(name), payload)


def _hold(what: str, schema: Schema | None, data: Any) -> None:
    encoded = orjson.dumps(data)
    if (surprise := _surprise(schema, encoded)) is not None:
        surprises.append(f"{what}: {surprise}: {data!r}")


@lru_cache(maxsize=1_000)  # a thousand clients hear the same
def _surprise(schema: Schema | None, encoded: bytes) -> str | None:
    if schema is None:
        return "there is none"
    try:
        schema.load(orjson.loads(encoded))
    except ValidationError as error:
        return str(error)
    return None


# Which fields were there


def fields_of_all(schema: Schema) -> Iterator[str]:
    """Yield every field of an object and of the objects inside, as ``object.field``."""
    for shape in _shapes(schema):
        for field in fields_of(shape).values():
            yield f"{name_of(schema)}.{key_of(field)}"
            if (inner := innermost(field)) is not None:
                yield from fields_of_all(inner)


def fields_in(schema: Schema, value: Mapping[str, Any]) -> Iterator[str]:
    """Yield those of them that are there in a value."""
    shape = _made(schema, value)
    for field in fields_of(shape).values():
        key = key_of(field)
        if key in value:
            yield f"{name_of(schema)}.{key}"
            if (inner := innermost(field)) is not None:
                for item in _items(field, value[key]):
                    yield from fields_in(inner, item)


def _shapes(schema: Schema) -> list[Schema]:
    if isinstance(schema, Either):
        return [shape() for shape in dict.fromkeys(schema.shapes.values())]
    return [schema]


def _made(schema: Schema, value: Mapping[str, Any]) -> Schema:
    return schema.shapes[value[schema.by]]() if isinstance(schema, Either) else schema


def _items(field: Any, value: Any) -> list[Any]:
    if isinstance(field, fields.Nested):
        return [value]
    return list(value.values() if isinstance(field, fields.Dict) else value)
