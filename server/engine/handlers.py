"""Calling an application's handlers, and what they may ask about their client.

The names are python-socketio's. Its own find a client by its connection, which is gone when the
disconnect handler runs; here a client is known until that is through.
"""

# pyright: standard
# (python-socketio ships without types)

import functools
import inspect
from collections.abc import Awaitable, Callable
from types import CoroutineType
from typing import Any

import socketio

from parley.server.engine.manager import LocalManager
from parley.server.engine.rooms import Member

RESERVED = frozenset({"connect", "connect_error", "disconnect"})  # events that no client may send


class Handlers(socketio.AsyncServer):  # type: ignore[misc]  # socketio is untyped
    """See `socketio.AsyncServer`."""

    manager: LocalManager

    def transport(self, sid: str, namespace: str | None = None) -> str:
        """See `socketio.AsyncServer`; its disconnect handler may still ask."""
        return "websocket" if self._known(sid, namespace).connection.upgraded else "polling"

    async def get_session(self, sid: str, namespace: str | None = None) -> dict[str, Any]:
        """See `socketio.AsyncServer`."""
        connection = self._known(sid, namespace).connection
        if connection.session is None:
            connection.session = {}
        session: dict[str, Any] = connection.session.setdefault(namespace or "/", {})
        return session

    async def save_session(
        self, sid: str, session: dict[str, Any], namespace: str | None = None
    ) -> None:
        """See `socketio.AsyncServer`."""
        await self.get_session(sid, namespace)
        self._known(sid, namespace).connection.session[namespace or "/"] = session

    def _known(self, sid: str, namespace: str | None) -> Member:
        """Return a client; it is known until its disconnect handler is through."""
        member = self.manager.member(sid, namespace or "/")
        if member is None:
            raise KeyError("no such client")
        return member

    def get_environ(self, sid: str, namespace: str | None = None) -> dict[str, Any] | None:
        """See `socketio.AsyncServer`; what is in it says `requests`."""
        member = self.manager.member(sid, namespace or "/")
        return None if member is None else member.connection.environ

    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """Call the handler of an event and wait for what it answers.

        Stock finds out by a TypeError how many arguments a handler takes, and so calls one that
        raises it a second time.
        """
        answer = self.call_handler(event, namespace, args)
        return await answer if waits(answer) else answer

    def call_handler(self, event: Any, namespace: str, args: tuple[Any, ...]) -> Any:
        """Call the handler of an event; it may answer with something to wait for."""
        handler, args = self._get_event_handler(event, namespace, args)
        if handler is None:
            handler, args = self._get_namespace_handler(namespace, args)
            return handler.trigger_event(event, *args) if handler else self.not_handled
        if event in RESERVED:
            args = args[: _takes(handler)]
        return handler(*args)


def waits(answer: Any) -> bool:
    """Whether what a handler returned is to be waited for."""
    # The first is what nearly all return; to ask for the other costs five times as much.
    return type(answer) is CoroutineType or isinstance(answer, Awaitable)


@functools.lru_cache(maxsize=1_024)
def _takes(handler: Callable[..., Any]) -> int | None:
    """Return how many arguments a handler takes by position, None: any; old ones take one less."""
    parameters = inspect.signature(handler).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    return sum(parameter.kind is not parameter.KEYWORD_ONLY for parameter in parameters)
