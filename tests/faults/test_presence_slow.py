"""A reader of presence that stops reading: events are given up, what is so is told in the end."""

from pathlib import Path

import aiohttp
import pytest

from tests.e2e.presence import Observer, People
from tests.raw_client import RawClient
from tests.servers import ServerProcess

DEVICES = 12
CHANGES = 5_000
AT_ONCE = 20
LABEL = "x" * 63
ENV = {"PARLEY_QUEUE_BYTES": "131072", "PARLEY_WRITE_TIMEOUT_MS": "3600000"}


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_slow_reader_of_presence_ends_with_what_is_so(tmp_path: Path) -> None:
    server = await ServerProcess(tmp_path / "data", ENV).start()
    people = await People.meet(server)
    async with aiohttp.ClientSession() as http:

        async def connect(user_id: str) -> RawClient:
            client = RawClient(http, namespace="/presence")
            await client.connect(server.url, server.token(user_id))
            await client.event("status")
            return client

        reader = await connect(people.bob)
        bob = Observer(reader)
        await bob.follows(people.ann)
        phones = [await connect(people.ann) for _ in range(DEVICES)]
        for phone in phones:
            labels = {"device": LABEL + "!", "location": LABEL + "?"}
            await phone.call("set_status", status="away", **labels)
        # Her devices are told too, and read on.
        before = len(bob.io.events)
        reader.reading.clear()
        for begin in range(0, CHANGES, AT_ONCE):
            names = [f"{number:05}{LABEL[5:]}" for number in range(begin, begin + AT_ONCE)]
            said = [{"status": "busy", "device": name} for name in names]
            await phones[0].burst([("set_status", each) for each in said])
        reader.reading.set()
        last = f"{CHANGES - 1:05}{LABEL[5:]}"
        told = await bob.io.event(
            "status",
            lambda data: any(each.get("device") == last for each in data["content"]["devices"]),
            after=before,
        )
        assert told["content"]["status"] == "busy"
        # Else nothing was ever given up, and this shows nothing.
        assert len(bob.io.events) - before < CHANGES
        assert bob.io.connected.is_set()
        for client in (bob.io, *phones):
            await client.close()
    await server.kill()
