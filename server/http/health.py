"""Whether the process lives, and whether it can serve."""

import asyncio
from typing import Final

from aiohttp import web

from parley.server.admission import Admission
from parley.server.http.errors import answer
from parley.storage.base import UserRepository
from parley.storage.errors import StorageError
from parley.storage.expiring import Bus
from parley.storage.models import UserId

SERVER_ID: Final = web.AppKey("SERVER_ID", str)

ANSWER_S = 1.0  # for storage; a balancer asks every few seconds

_NOBODY = UserId("nobody")  # reading about anyone shows that storage answers


async def healthz(request: web.Request) -> web.Response:
    """Answer as long as the event loop turns."""
    return answer({"status": "ok", "server_id": request.app[SERVER_ID]})


def add_routes(app: web.Application, *, server_id: str) -> None:
    """Serve ``/healthz``."""
    app[SERVER_ID] = server_id
    app.router.add_get("/healthz", healthz)


def add_readiness(
    app: web.Application, users: UserRepository, bus: Bus, admission: Admission | None
) -> None:
    """Serve ``/readyz``."""

    async def readyz(request: web.Request) -> web.Response:
        """Answer 200 where a balancer may send people here, else 503.

        With ``?new``, also 503 where nobody new is let in: the API may have room all the same.
        """
        works = {"storage": await _answers(users), "bus": not bus.deaf}
        checks = {name: "ok" if it_does else "unavailable" for name, it_does in works.items()}
        if admission is not None and "new" in request.query:
            checks["new"] = admission.why_closed() or "ok"
        if admission is not None and admission.draining:
            status = "draining"
        else:
            status = "ok" if set(checks.values()) == {"ok"} else "unavailable"
        return answer({"status": status, "checks": checks}, status=200 if status == "ok" else 503)

    app.router.add_get("/readyz", readyz)


async def _answers(users: UserRepository) -> bool:
    try:
        async with asyncio.timeout(ANSWER_S):
            await users.get(_NOBODY)
    except (StorageError, TimeoutError):
        return False
    return True
