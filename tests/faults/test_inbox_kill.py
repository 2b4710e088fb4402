"""``kill -9`` in the middle: every user is told once of all that was accepted."""

import asyncio
import contextlib
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from parley.storage.models import Timestamp, UserId
from parley.storage.sqlite.database import FILE, Database
from tests.clients import Client, Lost, new_client_id
from tests.servers import ServerProcess
from tests.storage.stores import sqlite_store

USERS = 20_000


async def _ask(server: ServerProcess, key: str, method: str, path: str, **options: Any) -> Any:
    headers = {"Authorization": f"Bearer {server.token('root', roles=['admin'])}"}
    async with (
        aiohttp.ClientSession(headers={**headers, "Idempotency-Key": key}) as session,
        session.request(method, f"{server.url}/api/v1/notifications{path}", **options) as answer,
    ):
        assert answer.status in (200, 201, 202), await answer.text()
        return await answer.json()


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_fan_out_that_is_killed_reaches_each_user_once(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "data") as database:
        users = sqlite_store(database).users
        names = [UserId(f"user-{n:05}") for n in range(USERS)]
        await asyncio.gather(*(users.see(name, None, Timestamp(1)) for name in names))
    server = ServerProcess(tmp_path / "data")
    await server.start()
    body = {"all": True, "title": "Tea", "body": "is ready"}
    number, key, done, killed = 0, "", 0, False
    while not killed and number < 10:  # on a busy machine it may be through before the kill
        number, key = number + 1, f"publication-{number + 1}"
        asking = asyncio.create_task(_ask(server, key, "POST", "", json=body))
        done = await _through(tmp_path / "data", key, "done > 0")
        await server.kill()
        await server.start()
        await asyncio.wait([asking])
        killed = done < USERS and asking.exception() is not None
    assert killed
    # By itself, whether anybody asks or not.
    await _through(tmp_path / "data", key, "finished")
    progress = await _ask(server, key, "POST", "", json=body)
    assert (progress["duplicate"], progress["done"]) == (True, USERS + 1)
    path = f"/publications/{progress['publication_id']}"
    assert (await _ask(server, key, "GET", path))["finished"]
    assert await server.stop() == 0
    async with Database.open(tmp_path / "data") as database:
        heads = await sqlite_store(database).notifications.heads([*names, UserId("root")])
    assert Counter(head.rev for head in heads.values()) == {number: USERS + 1}
    print(f"killed after {done} of {USERS + 1}")  # noqa: T201


async def _through(folder: Path, key: str, condition: str) -> int:
    """Return how many users are through, as soon as the publication is so far; from the file."""
    with contextlib.closing(sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True)) as file:
        async with asyncio.timeout(120):
            while True:
                found = file.execute(
                    f"SELECT done FROM publications WHERE client_id = ? AND {condition}", (key,)
                ).fetchone()
                if found is not None:
                    return int(found[0])
                await asyncio.sleep(0)


async def test_a_message_that_was_acked_is_told_of_once(server: ServerProcess) -> None:
    """Killed under load: whatever lay between message and notification is made good."""
    alice, acked, first = Client(), list[str](), asyncio.Event()
    await alice.connect(server.url, server.token("alice"))
    await alice.ready()

    async def send() -> None:
        while True:  # so that something is under way, whenever the kill comes
            sent = {"client_id": new_client_id(), "content": {"text": "tea"}}
            acked.append((await alice.call("private", to="bob", **sent))["id"])
            if len(acked) == 100:
                first.set()

    sending = [asyncio.create_task(send()) for _ in range(100)]
    await first.wait()
    await server.kill()
    ends = await asyncio.gather(*sending, return_exceptions=True)
    await alice.close()
    assert len(acked) >= 100
    assert {type(end) for end in ends} == {Lost}
    await server.start()
    bob = Client("/notification")
    await bob.connect(server.url, server.token("bob"))
    await bob.ready()
    told: list[str] = []
    query: dict[str, Any] = {"limit": 200}
    while True:
        page = await bob.call("list", **query)
        told += [one["content"]["data"]["message_id"] for one in page["notifications"]]
        if "next" not in page:
            break
        query["cursor"] = page["next"]
    await bob.close()
    assert len(told) == len(set(told))
    assert set(acked) <= set(told)
    print(f"acked {len(acked)}, told {len(told)}")  # noqa: T201
