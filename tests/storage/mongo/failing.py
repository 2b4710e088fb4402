"""A MongoDB server that fails on demand, by its own command for that."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient

WAIT_MS = 20_000
NO_MAJORITY = {"code": 64, "errmsg": "waiting for replication timed out"}  # a write concern error


class Failing:
    """Fails commands of the product, not those of the test."""

    def __init__(self, client: "MongoClient[dict[str, Any]]") -> None:
        self._admin = client.admin
        self._entered = 0

    def commands(self, *names: str, times: int | None = 1, **how: Any) -> None:
        """Let the next ``times`` of these commands fail; None: all of them."""
        mode: Any = "alwaysOn" if times is None else {"times": times}
        data = {"failCommands": list(names), "appName": "parley", **how}
        done = self._admin.command("configureFailPoint", "failCommand", mode=mode, data=data)
        self._entered = done["count"]

    async def reached(self) -> None:
        """Return when a command has come to the point where it fails."""
        await asyncio.to_thread(
            self._admin.command,
            "waitForFailPoint",
            "failCommand",
            timesEntered=self._entered + 1,
            maxTimeMS=WAIT_MS,
        )

    @contextmanager
    def no_majority(self) -> Generator[None]:
        """Let nothing that is written become durable, as if the other members were away."""
        name = "disableSnapshotting"
        self._admin.command("configureFailPoint", name, mode="alwaysOn")
        try:
            yield
        finally:
            self._admin.command("configureFailPoint", name, mode="off")
            # It is taken note of with the next write.
            self._admin.client["test"]["settled"].insert_one({})

    def stop(self) -> None:
        """Fail nothing any more."""
        self._admin.command("configureFailPoint", "failCommand", mode="off")
