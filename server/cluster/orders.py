"""What others may order over Redis, read from the bytes of a message and checked.

Who writes it is python-socketio's `RedisManager` or `AsyncRedisManager` in a backend. Its versions
differ in ``data``: a list of arguments since 5.15.1; before that the one argument as it was given;
before 5.14.0 the whole message is a pickle, which may run anything and is not opened.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import orjson

from parley.namespaces.plain import is_plain

MAX_BYTES = 1_048_576  # of a message; no client would be sent more in one piece
MAX_ATTACHMENTS = 10  # of an event; socket.io-client takes no more

# Clients tell their application of a connection by these names.
RESERVED = frozenset({"connect", "connect_error", "disconnect"})


class Unusable(Exception):
    """A message that is not followed; the reason has nothing of what was in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit:
    """Send an event to rooms, or to everyone in the namespace."""

    namespace: str
    event: str
    arguments: tuple[Any, ...]
    rooms: Sequence[str] | None  # None: everyone in the namespace
    skip: Sequence[str]  # sids


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterRoom:
    """Put a client into a room."""

    namespace: str
    sid: str
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveRoom:
    """Take a client out of a room."""

    namespace: str
    sid: str
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRoom:
    """Take everyone out of a room."""

    namespace: str
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """Send a client away from a namespace."""

    namespace: str
    sid: str


Order = Emit | EnterRoom | LeaveRoom | CloseRoom | Disconnect


def read(text: bytes, *, own: str) -> Order | None:
    """Return what a message orders; None if it comes from the host ``own``.

    Raises:
        Unusable: It orders nothing that is done here.
    """
    if len(text) > MAX_BYTES:
        raise Unusable(f"it is larger than {MAX_BYTES} bytes")
    if text.startswith(b"\x80"):
        raise Unusable("it is a pickle: the backend needs python-socketio 5.15.1 or newer")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Unusable("it is not JSON") from None
    if not _is_object(message):
        raise Unusable("it is not an object")
    if message.get("host_id") == own:
        return None
    method = message.get("method")
    make = _METHODS.get(method) if isinstance(method, str) else None
    if make is None:
        # Among them `callback`: nothing here waits for a client of another node.
        raise Unusable("its method is none that is done here")
    return make(message)


def _emit(message: Mapping[str, Any]) -> Emit:
    event = message.get("event")
    if not isinstance(event, str) or not is_plain(event) or event in RESERVED or not event:
        raise Unusable("its event has no name, or a reserved one")
    return Emit(
        namespace=_namespace(message),
        event=event,
        arguments=_arguments(message),
        rooms=_names(message, "room"),
        skip=_names(message, "skip_sid") or (),
    )


def _arguments(message: Mapping[str, Any]) -> tuple[Any, ...]:
    data = message.get("data")
    if not is_plain(data):
        raise Unusable("its data are nested too deep, or not what clients can read")
    if message.get("binary"):
        data = _with_attachments(data)
    # 5.14.0 and 5.14.1 have no `binary`, and know no list of arguments.
    if _is_list(data) and "binary" in message:
        return () if data == [None] else tuple(data)
    return () if data is None else (data,)


def _with_attachments(data: Any) -> Any:
    if not _is_list(data) or not data:
        raise Unusable("its data are said to be binary and are not a list")
    first, *rest = data
    if len(rest) > MAX_ATTACHMENTS:
        raise Unusable(f"it has more than {MAX_ATTACHMENTS} attachments")
    try:
        waiting = {n: base64.b64decode(each, validate=True) for n, each in enumerate(rest)}
    except (TypeError, ValueError, binascii.Error):
        raise Unusable("an attachment is not base64") from None
    placed = _placed(first, waiting)
    if waiting:
        raise Unusable("an attachment has no place")
    return placed


def _placed(value: Any, waiting: dict[int, bytes]) -> Any:
    """Return ``value`` with each attachment in its place; one that is used twice could grow."""
    if _is_list(value):
        return [_placed(inner, waiting) for inner in value]
    if not _is_object(value):
        return value
    if "_placeholder" not in value or "num" not in value:
        return {key: _placed(inner, waiting) for key, inner in value.items()}
    number = value["num"]
    if not isinstance(number, int) or number not in waiting:
        raise Unusable("a place has no attachment")
    return waiting.pop(number)


def _namespace(message: Mapping[str, Any]) -> str:
    namespace = message.get("namespace") or "/"
    if not isinstance(namespace, str):
        raise Unusable("its namespace is not a name")
    return namespace if namespace.startswith("/") else f"/{namespace}"


def _names(message: Mapping[str, Any], key: str) -> list[str] | None:
    value = message.get(key)
    if value is None:
        return None
    names = value if _is_list(value) else [value]
    if not all(isinstance(name, str) for name in names):
        raise Unusable(f"its {key} is not a name, nor a list of names")
    return names


def _name(message: Mapping[str, Any], key: str) -> str:
    name = message.get(key)
    if not isinstance(name, str):
        raise Unusable(f"its {key} is not a name")
    return name


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


_METHODS: Mapping[str, Callable[[Mapping[str, Any]], Order]] = {
    "emit": _emit,
    "enter_room": lambda message: EnterRoom(
        namespace=_namespace(message), sid=_name(message, "sid"), room=_name(message, "room")
    ),
    "leave_room": lambda message: LeaveRoom(
        namespace=_namespace(message), sid=_name(message, "sid"), room=_name(message, "room")
    ),
    "close_room": lambda message: CloseRoom(
        namespace=_namespace(message), room=_name(message, "room")
    ),
    "disconnect": lambda message: Disconnect(
        namespace=_namespace(message), sid=_name(message, "sid")
    ),
}
