"""A namespace's table of events: name, schema, handler, and what a handler may return."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema

from parley.namespaces.compiled import Fast, compiled
from parley.namespaces.promise import Promise
from parley.namespaces.session import Session


@dataclass(frozen=True, slots=True)
class Answer:
    """A handler's result with something to do once the ack is in the socket's outbox.

    Both run in the same step of the event loop: nothing is sent between.
    """

    data: Any
    then: Callable[[], None]
    acked: Callable[[], None] | None = None  # only where the client asked for an ack


@dataclass(frozen=True, slots=True)
class Later:
    """A handler's result that is still being written, while its order is already fixed.

    Only for events declared with ``overlaps=True``.
    """

    data: Promise[Any]


Method = Callable[[Any, Session, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Event:
    """One row of a namespace's table."""

    name: str
    schema: Schema  # built once: building it costs four times what loading does
    fast: Fast | None  # its fast form; None: it has none
    method: Method
    answers: type[Schema]  # the shape of its ack's data; for documents and tests
    overlaps: bool


def handles(
    name: str,
    schema: type[Schema],
    *,
    answers: type[Schema],
    overlaps: bool = False,
) -> Callable[[Method], Method]:
    """Enter a method into its namespace's table.

    Args:
        answers: The shape of the ack's data.
        overlaps: The handler returns `Later`; a socket's next overlapping event may begin
            before this one is answered.
    """

    def enter(method: Method) -> Method:
        built = schema()
        vars(method)["event"] = Event(name, built, compiled(built), method, answers, overlaps)
        return method

    return enter


def collect(namespace: type) -> Mapping[str, Event]:
    """Return the table of a namespace: its methods marked with `handles`, by event."""
    members = (getattr(member, "__dict__", {}) for member in vars(namespace).values())
    events = (attributes["event"] for attributes in members if "event" in attributes)
    return {event.name: event for event in events}
