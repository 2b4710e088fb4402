"""Every error a client can see, and the one function that makes them.

A class fixes code, HTTP status and whether trying again may help; an instance says why. The
same body goes into Socket.IO acks and HTTP responses.
"""

import logging
import secrets
from http import HTTPStatus
from typing import Any, ClassVar, cast

from marshmallow import ValidationError

from parley.storage.errors import StorageUnavailable

logger = logging.getLogger(__name__)


class ClientError(Exception):
    """Base class: the docstring of a subclass is its default message."""

    code: ClassVar[str]
    status: ClassVar[HTTPStatus]
    retryable: ClassVar[bool] = False  # may the same request work later?

    def __init__(self, message: str | None = None, **details: object) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().rstrip("."))
        self.details = details
        self.retry_after_ms: int | None = None

    def to_wire(self) -> dict[str, object]:
        """Return the error body; what is absent is absent, never null."""
        body: dict[str, object] = {
            "code": self.code,
            "message": str(self),
            "retryable": self.retryable,
        }
        if self.retry_after_ms is not None:
            body["retry_after_ms"] = self.retry_after_ms
        if self.details:
            body["details"] = self.details
        return body


class Invalid(ClientError):
    """The payload does not have the expected shape."""

    code, status = "invalid", HTTPStatus.BAD_REQUEST

    @classmethod
    def at(cls, pointer: str, message: str) -> "Invalid":
        """Return the error for one field, ``pointer`` by RFC 6901."""
        return cls(errors=[{"pointer": pointer, "message": message}])


class UnknownEvent(ClientError):
    """There is no such event in this namespace."""

    code, status = "unknown_event", HTTPStatus.BAD_REQUEST


class Unauthorized(ClientError):
    """A valid token is needed."""

    code, status = "unauthorized", HTTPStatus.UNAUTHORIZED


class IdentityMismatch(ClientError):
    """This connection belongs to another user."""

    code, status = "identity_mismatch", HTTPStatus.FORBIDDEN


class Forbidden(ClientError):
    """You may not do this here."""

    code, status = "forbidden", HTTPStatus.FORBIDDEN


class Muted(ClientError):
    """You may not speak here for now."""

    code, status = "muted", HTTPStatus.FORBIDDEN


class NotFound(ClientError):
    """There is no such thing."""

    code, status = "not_found", HTTPStatus.NOT_FOUND


class Conflict(ClientError):
    """Somebody else changed this first."""

    code, status = "conflict", HTTPStatus.CONFLICT


class Stale(Conflict):
    """The room was changed since; look at it again."""

    status = HTTPStatus.PRECONDITION_FAILED  # what If-Match is answered with


class ClientIdReused(ClientError):
    """This client_id was used for another request; every new request needs a new one."""

    code, status = "client_id_reused", HTTPStatus.CONFLICT


class RoomFull(ClientError):
    """The room has as many members as it may have."""

    code, status = "room_full", HTTPStatus.CONFLICT


class Gone(ClientError):
    """This was deleted."""

    code, status = "gone", HTTPStatus.GONE


class TooLarge(ClientError):
    """The event is larger than 65536 bytes."""

    code, status = "too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class RejectedContent(ClientError):
    """The content is not allowed here."""

    code, status = "rejected_content", HTTPStatus.UNPROCESSABLE_ENTITY


class RateLimited(ClientError):
    """Too many requests."""

    code, status, retryable = "rate_limited", HTTPStatus.TOO_MANY_REQUESTS, True


class Unavailable(ClientError):
    """Storage does not answer; nothing is lost, try again."""

    code, status, retryable = "unavailable", HTTPStatus.SERVICE_UNAVAILABLE, True


class Draining(ClientError):
    """The server is shutting down; connect again."""

    code, status, retryable = "draining", HTTPStatus.SERVICE_UNAVAILABLE, True


class Internal(ClientError):
    """Something went wrong on the server; it was logged under the incident's number."""

    code, status = "internal", HTTPStatus.INTERNAL_SERVER_ERROR


def as_client_error(exc: Exception) -> ClientError:
    """Return what the client may know about ``exc``; log what it may not."""
    match exc:
        case ClientError():
            return exc
        case ValidationError():
            return Invalid(errors=pointers(exc.messages_dict))
        case StorageUnavailable():
            return Unavailable()
        case _:
            return _incident(exc)


def _incident(exc: Exception) -> ClientError:
    incident = secrets.token_hex(8)
    logger.error("incident %s", incident, exc_info=exc)
    return Internal(incident=incident)


def pointers(messages: Any, path: str = "") -> list[dict[str, str]]:
    """Flatten marshmallow's nested messages into ``{pointer, message}``, RFC 6901."""
    if not isinstance(messages, dict):
        return [{"pointer": path, "message": str(text)} for text in messages]
    found: list[dict[str, str]] = []
    for key, inner in cast("dict[object, Any]", messages).items():
        # "_schema" is about the object itself; dict fields nest under key and value.
        step = "" if key in ("_schema", "key", "value") else "/" + _escape(str(key))
        found.extend(pointers(inner, path + step))
    return found


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
