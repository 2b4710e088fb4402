"""The connection to a MongoDB: made, looked at, and closed."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.monitoring import CommandListener

from parley.storage.errors import StorageError, StorageUnavailable
from parley.storage.mongo.errors import shortened, translated_reads

logger = logging.getLogger(__name__)

Client = AsyncMongoClient[dict[str, Any]]

HEARTBEAT_MS = 2_000  # until a server that does not answer is asked again
CLOSE_S = 1.0  # for what nobody waits for any more
OLDEST_WIRE = 17  # MongoDB 6.0
NOT_LET_IN = (11, 18)  # UserNotFound, AuthenticationFailed


@asynccontextmanager
async def connected(
    url: str, timeout_ms: int, listeners: Sequence[CommandListener]
) -> AsyncGenerator[Client, None]:
    """Connect to a replica set that will do, and close in the end what was opened.

    Args:
        timeout_ms: Of one operation, with the driver's own retries.
        listeners: Told of every command, by the driver.

    Raises:
        StorageUnavailable: No primary answers.
        StorageError: The URL is of no use, or what it names is no replica set of MongoDB 6.0 or
            newer, or does not let its user in.
    """
    client = _made(url, timeout_ms, listeners)
    try:
        await _look_at(client)
        yield client
    finally:
        await _close(client)


def _made(url: str, timeout_ms: int, listeners: Sequence[CommandListener]) -> Client:
    try:
        return AsyncMongoClient(
            url,
            timeoutMS=timeout_ms,
            serverSelectionTimeoutMS=timeout_ms,
            connectTimeoutMS=timeout_ms,
            appname="parley",
            heartbeatFrequencyMS=HEARTBEAT_MS,
            retryWrites=True,
            retryReads=True,
            event_listeners=list(listeners),
        )
    except (PyMongoError, ValueError, OSError) as error:  # the last: a file that it names
        # Not its words: they may hold the URL, and that a password.
        sentence = (
            f"MONGODB_URL is of no use to the driver ({type(error).__name__}): look at the hosts, "
            "the ports and the options; user and password must be percent-encoded"
        )
        raise StorageError(sentence) from None


async def _close(client: Client) -> None:
    """Close the client, which tells the server what sessions are over if that listens."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await client.close()
    except TimeoutError:
        logger.warning("MongoDB did not answer at the end")
        await client.close()  # it has forgotten the sessions, and what is left needs no server


async def _look_at(client: Client) -> None:
    with translated_reads():
        try:
            hello = await client.admin.command("hello")
        except ConnectionFailure as error:
            if not client.topology_description.server_descriptions():  # the driver took all out
                raise StorageError(
                    "MONGODB_URL: no host there is a member of the replica set that it names; "
                    "MongoDB must run as one, of a single member will do"
                ) from error
            raise StorageUnavailable(
                f"MongoDB does not answer where MONGODB_URL says: {shortened(error)}"
            ) from error
        except OperationFailure as error:
            if error.code in NOT_LET_IN:
                raise StorageError(
                    "MONGODB_URL: MongoDB does not let its user in; look at the user, the "
                    "password, and authSource, the database that the user is of"
                ) from None
            raise
    if "setName" not in hello:
        raise StorageError("MongoDB must run as a replica set; one of a single member will do")
    if hello["maxWireVersion"] < OLDEST_WIRE:
        raise StorageError("MongoDB must be 6.0 or newer")
