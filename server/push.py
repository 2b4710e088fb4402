"""Pushes by webhook: one signed POST for each notification, to the operator's own receiver.

The receiver knows a repetition by ``id`` and a forgery by the signature: HMAC-SHA-256, keyed with
the shared secret, over the timestamp, a dot and the body. It checks the age of the timestamp, so
that what was overheard once is of no use later.
"""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from parley.namespaces.notification.seams import PushFailed
from parley.namespaces.notification.wire import notification_to_wire
from parley.server.settings import Settings, is_private
from parley.storage.notifications import Notification

TIMEOUT_S = 10.0  # for the whole answer
DELIVERY, TIMESTAMP, SIGNATURE = "Parley-Delivery", "Parley-Timestamp", "Parley-Signature"

_OWN_FAULT = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, 415, 422})
"""Answers that are about this one push; any other failure is the receiver's as a whole."""


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return the signature of a body sent at a time (seconds since 1970)."""
    return "v1=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator["WebhookSender | None"]:
    """Open the way to the receiver that the settings name, None if they name none."""
    if settings.push_url is None or settings.push_secret is None:
        yield None
        return
    secret = settings.push_secret.encode()
    async with WebhookSender.open(
        settings.push_url, secret, private=settings.push_private
    ) as sender:
        yield sender


class WebhookSender:
    """See `PushSender`."""

    def __init__(self, session: aiohttp.ClientSession, url: str, secret: bytes) -> None:
        """Use `open`."""
        self._session = session
        self._url = URL(url)
        self._secret = secret

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, secret: bytes, *, private: bool
    ) -> AsyncIterator["WebhookSender"]:
        """Send to ``url`` meanwhile.

        Args:
            private: Whether the receiver may be on an address that is not public, such as that
                of this machine. Otherwise a name that leads there is refused at each sending,
                for what a name leads to can change.
        """
        resolver = None if private else PublicResolver()
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        # No proxy of the environment: it would resolve the name itself.
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            yield cls(session, url, secret)

    async def send(self, notification: Notification) -> None:
        """See `PushSender`."""
        body = orjson.dumps(
            {"id": notification.id, "notification": notification_to_wire(notification)}
        )
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            DELIVERY: notification.id,
            TIMESTAMP: timestamp,
            SIGNATURE: sign(self._secret, timestamp, body),
        }
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise PushFailed(f"no answer: {error!r}", everything=True) from error
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise PushFailed(f"the receiver answered {status}", everything=status not in _OWN_FAULT)


class PublicResolver(AbstractResolver):
    """Finds the addresses of a name, and only public ones."""

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        """See `AbstractResolver`."""
        found = await self._resolver.resolve(host, port, family)
        public = [one for one in found if not is_private(one["host"])]
        if not public:
            raise OSError(f"{host} has no public address; PARLEY_PUSH_PRIVATE=1 allows others")
        return public

    async def close(self) -> None:
        """See `AbstractResolver`."""
        await self._resolver.close()
