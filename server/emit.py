"""What ``parley emit`` does: asks a running server over HTTP, and asks again where that is safe."""

import http.client
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

TIMEOUT_S = 15
PAUSES_S = (1, 2, 4, 8)  # between tries

Json = dict[str, Any]


class Refused(Exception):
    """The server said no, and to ask again would not help."""


class NoAnswer(Exception):
    """It may have happened or not."""


def moment_in(seconds: int) -> str:
    """Return the moment in so many seconds, as the API writes it."""
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


class NotThere(NoAnswer):
    """There was nobody to ask, so this try did nothing."""


class Emitter:
    """Speaks to one server with one token."""

    def __init__(
        self, url: str, token: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._url = f"{url.rstrip('/')}/api/v1"
        self._token = token
        self._sleep = sleep

    def publish(self, notification: Mapping[str, Any], key: str) -> Iterator[Json]:
        """Publish a notification and yield how far it has come, until all have it.

        Raises:
            Refused: Nothing was published.
            NoAnswer: Publishing the same with the same key is safe.
        """
        while True:
            # The same request again: the server knows it by its key, and answers after a second.
            told = self._insist("/notifications", notification, key)
            yield told
            if told["finished"]:
                return

    def announce(self, content: Mapping[str, Any], room_id: str | None) -> int:
        """Tell something to who is connected; return how many sockets heard it.

        Raises:
            Refused: Nobody heard it.
            NoAnswer: Perhaps they heard it; nothing knows a repetition.
        """
        body = {"content": content} | ({} if room_id is None else {"room_id": room_id})
        return int(self._ask("/connections/broadcast", body, {})["sockets"])

    def _insist(self, path: str, body: Mapping[str, Any], key: str) -> Json:
        for pause in PAUSES_S:
            try:
                return self._ask(path, body, {"Idempotency-Key": key})
            except NoAnswer:
                self._sleep(pause)
        return self._ask(path, body, {"Idempotency-Key": key})

    def _ask(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Json:
        request = urllib.request.Request(  # noqa: S310 (`cli` takes http and https only)
            self._url + path,
            json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                **headers,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
                told: Json = json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise _failure(error) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            absent = isinstance(reason, ConnectionRefusedError | socket.gaierror)
            raise (NotThere if absent else NoAnswer)(
                f"nobody answers at {self._url}: {reason}"
            ) from None
        return told


def _failure(error: urllib.error.HTTPError) -> Exception:
    """Return what a status other than 2xx means."""
    try:
        told = json.load(error)["error"]
        lines = [f"{told['code']}: {told['message']}"]
        places = told.get("details", {}).get("errors", ())
        lines += [f"{place['pointer'] or 'all of it'}: {place['message']}" for place in places]
    except (ValueError, LookupError, TypeError):  # not from Parley: a proxy in front of it, say
        lines = [f"{error.code} {error.reason}"]
    if error.code == HTTPStatus.TOO_MANY_REQUESTS or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return NoAnswer("\n".join(lines))
    return Refused("\n".join(lines))
