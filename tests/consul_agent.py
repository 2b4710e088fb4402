"""A Consul agent as its HTTP API is documented, as far as services are concerned.

https://developer.hashicorp.com/consul/api-docs/agent/service. Stricter than the real one: a field
that is not documented is refused. It looks at nodes when the test says so.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
from aiohttp import web

from tests.clients import WAIT_S

_DURATION = re.compile(r"\A[0-9]+(ms|s|m|h)\Z")
_SERVICE: Mapping[type[object], str] = {
    str: "Name ID Address Namespace Kind",
    int: "Port",
    bool: "EnableTagOverride",
    list: "Tags Checks",
    dict: "TaggedAddresses Meta Proxy Connect Check Weights",
}
_CHECK: Mapping[type[object], str] = {
    str: "Name CheckID Notes HTTP Method Body TCP Status TLSServerName Interval Timeout TTL "
    "DeregisterCriticalServiceAfter",
    int: "OutputMaxSize SuccessBeforePassing FailuresBeforeWarning FailuresBeforeCritical",
    bool: "TLSSkipVerify",
    list: "Args",
    dict: "Header",
}
_DURATIONS = ("Interval", "Timeout", "DeregisterCriticalServiceAfter", "TTL")


class ConsulAgent:
    """Keeps services; a token is asked for if it has one."""

    def __init__(self, token: str | None = None) -> None:
        self.port = 0
        self.services: dict[str, dict[str, Any]] = {}
        self.registrations = 0
        self._token = token
        self._changed = asyncio.Condition()

    @classmethod
    @asynccontextmanager
    async def running(cls, token: str | None = None) -> AsyncGenerator["ConsulAgent"]:
        """Serve meanwhile."""
        agent = cls(token)
        app = web.Application(middlewares=[agent._admit])
        app.router.add_put("/v1/agent/service/register", agent._register)
        app.router.add_put("/v1/agent/service/deregister/{id}", agent._deregister)
        app.router.add_get("/v1/agent/service/{id}", agent._get)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        agent.port = runner.addresses[0][1]
        try:
            yield agent
        finally:
            await runner.cleanup()

    async def shows(self, wanted: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """Wait until the services are as wanted, and return them."""
        async with asyncio.timeout(WAIT_S), self._changed:
            await self._changed.wait_for(lambda: wanted(self.services))
        return self.services

    async def check(self, id: str) -> str:
        """Look at a service as its check says; return its status."""
        check = self.services[id]["Check"]
        async with (
            aiohttp.ClientSession() as http,
            http.request(check.get("Method", "GET"), check["HTTP"]) as response,
        ):
            return "passing" if 200 <= response.status < 300 else "critical"

    @web.middleware
    async def _admit(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self._token is not None and request.headers.get("X-Consul-Token") != self._token:
            return web.Response(status=403, text="Permission denied: anonymous token")
        response: web.StreamResponse = await handler(request)
        async with self._changed:
            self._changed.notify_all()
        return response

    async def _register(self, request: web.Request) -> web.Response:
        service = await request.json()
        problem = _problem(service, _SERVICE) or _problem(service.get("Check", {}), _CHECK)
        if problem or not service.get("Name"):
            return web.Response(status=400, text=problem or "Missing service name")
        self.services[service.get("ID") or service["Name"]] = service
        self.registrations += 1
        return web.Response()

    async def _deregister(self, request: web.Request) -> web.Response:
        if self.services.pop(request.match_info["id"], None) is None:
            return web.Response(status=404, text="Unknown service ID")
        return web.Response()

    async def _get(self, request: web.Request) -> web.Response:
        service = self.services.get(request.match_info["id"])
        if service is None:
            return web.Response(status=404, text="unknown service ID")
        about = {key: service[key] for key in ("ID", "Address", "Port", "Meta")}
        return web.json_response({**about, "Service": service["Name"], "ContentHash": "0"})


def _problem(given: dict[str, Any], known: Mapping[type[object], str]) -> str | None:
    for name, value in given.items():
        if name not in known.get(cast("type[object]", type(value)), "").split():
            return f"invalid key, or type of its value: {name}"
        if name in _DURATIONS and not _DURATION.match(value):
            return f"time: invalid duration {value!r}"
    return None
