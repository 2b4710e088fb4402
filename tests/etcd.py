"""A real etcd on free ports, with a folder of its own, to be killed."""

import asyncio
import base64
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from functools import cache
from http.client import HTTPException
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from tests.redis_server import free_port

START_S = 30.0
WAIT_S = 30.0  # for the nodes to be as wanted; a lease may have to end first

Nodes = Mapping[str, Any]


class EtcdServer:
    """One etcd; it may be killed, robbed of its data, and started again on its port."""

    def __init__(self) -> None:
        """Take a port; it is not started."""
        self.folder = Path(tempfile.mkdtemp(prefix="parley-etcd-"))
        self.port = free_port()
        self._peers = f"http://127.0.0.1:{free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "EtcdServer":
        """Start it and return when it answers; it has what it had."""
        url = f"http://127.0.0.1:{self.port}"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(program(), "--data-dir", str(self.folder / "data")),
                    *("--listen-client-urls", url, "--advertise-client-urls", url),
                    *("--listen-peer-urls", self._peers),
                    *("--initial-advertise-peer-urls", self._peers),
                    *("--initial-cluster", f"default={self._peers}"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._answers(url)
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def forget(self) -> None:
        """Lose all data; only while it does not run."""
        shutil.rmtree(self.folder / "data")

    def close(self) -> None:
        """End it and remove what it wrote."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def nodes(self, prefix: str) -> Nodes:
        """Return what is entered below a prefix, by its key."""
        async with self._session() as http:
            return (await _read(http, prefix))[0]

    async def shows(self, prefix: str, wanted: Callable[[Nodes], bool]) -> Nodes:
        """Wait until what is below a prefix is as wanted, and return it."""
        async with asyncio.timeout(WAIT_S), self._session() as http:
            nodes, revision = await _read(http, prefix)
            if wanted(nodes):
                return nodes
            watch = {"create_request": {**_below(prefix), "start_revision": revision + 1}}
            async with http.post("/v3/watch", json=watch) as response:
                async for line in response.content:
                    for event in orjson.loads(line)["result"].get("events", []):
                        key = _text(event["kv"]["key"])
                        if event.get("type") == "DELETE":
                            nodes.pop(key, None)
                        else:
                            nodes[key] = orjson.loads(_text(event["kv"]["value"]))
                    if wanted(nodes):
                        return nodes
        raise AssertionError("etcd ended the watch")

    async def revoke_all(self) -> None:
        """End every lease, as if its time were over."""
        async with self._session() as http:
            async with http.post("/v3/lease/leases", json={}) as response:
                leases = (await response.json())["leases"]
            for lease in leases:
                async with http.post("/v3/lease/revoke", json={"ID": lease["ID"]}) as response:
                    assert response.status == 200

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(f"http://127.0.0.1:{self.port}")

    def _answers(self, url: str) -> None:
        end = time.monotonic() + START_S
        while True:
            try:
                with urllib.request.urlopen(f"{url}/health", timeout=START_S) as answer:
                    if b'"true"' in answer.read():
                        return
            except (OSError, HTTPException):
                pass  # it has no way to say that it listens
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.01)


@cache
def program() -> str:
    """Return what starts etcd: `make test` has installed it."""
    found = os.environ.get("PARLEY_TEST_ETCD") or shutil.which("etcd")
    assert found, "no etcd: run the tests by `make test`, or leave them out with -m 'not etcd'"
    return found


async def _read(http: aiohttp.ClientSession, prefix: str) -> tuple[dict[str, Any], int]:
    async with http.post("/v3/kv/range", json=_below(prefix)) as response:
        answer: Any = await response.json()
    pairs = answer.get("kvs", [])
    nodes = {_text(pair["key"]): orjson.loads(_text(pair["value"])) for pair in pairs}
    return nodes, int(answer["header"]["revision"])


def _below(prefix: str) -> dict[str, str]:
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return {"key": _base64(prefix), "range_end": _base64(end)}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
