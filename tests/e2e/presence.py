"""People who look at one another in `/presence`, with stock clients."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.clients import ChatClient, new_user
from tests.servers import ServerProcess

Content = dict[str, Any]
Come = Callable[..., Awaitable[ChatClient]]
"""Connects a user to a namespace, by default `/presence`; then the server knows the device."""

GRACE_MS = 300  # of the servers here
EVENTS = ("user_online", "user_offline", "status")


class Observer:
    """Somebody's client that follows others."""

    def __init__(self, io: ChatClient) -> None:
        self.io = io

    async def follows(self, *user_ids: str) -> Mapping[str, Content]:
        """Follow users and return how they are."""
        users = (await self.io.call("subscribe", user_ids=list(user_ids)))["users"]
        return {content["user_id"]: content for content in users}

    async def sees(self, user_id: str) -> Content:
        """Ask how one user is."""
        [content] = (await self.io.call("get", user_ids=[user_id]))["users"]
        return dict(content)

    async def hears(self, name: str, user_id: str, after: int = 0, **wanted: Any) -> Content:
        """Wait for an event about a user whose content has these fields."""

        def matches(data: Any) -> bool:
            content = data["content"]
            return bool(content["user_id"] == user_id and wanted.items() <= content.items())

        return dict((await self.io.event(name, matches, after=after))["content"])

    def heard(self, user_id: str, after: int = 0) -> list[str]:
        """Return the names of all events about a user so far."""
        told = [(name, data) for name, data in self.io.events[after:] if name in EVENTS]
        return [name for name, data in told if data["content"]["user_id"] == user_id]


def looks(content: Content) -> Content:
    """Return what one sees of a user, whoever she is and whenever it is asked."""
    return {k: v for k, v in content.items() if k not in ("user_id", "version")}


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP API, with a token of one user: it is no device."""

    server: ServerProcess
    user_id: str
    roles: tuple[str, ...] = ()

    async def __call__(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        """Return the status and the body of an answer."""
        token = self.server.token(self.user_id, roles=self.roles)
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.server.url}/api/v1{path}"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, url, json=body or None) as answer,
        ):
            return answer.status, await answer.json()

    async def online(self, path: str = "online") -> list[str]:
        """Return who is listed."""
        status, page = await self("GET", f"/connections/{path}")
        assert status == 200, page
        return list(page["items"])


@dataclass(frozen=True, slots=True)
class People:
    """Ann and Bob, who share a room, and Cid, who is in none. None of them is here yet."""

    ann: str
    bob: str
    cid: str
    room_id: str

    @classmethod
    async def meet(cls, server: ServerProcess) -> "People":
        """Make users and their room."""
        ann, bob, cid = new_user("ann"), new_user("bob"), new_user("cid")
        room = {"name": "Tea", "type": "public", "members": [bob]}
        status, made = await Api(server, ann)("POST", "/rooms", **room)
        assert status == 201, made
        return cls(ann, bob, cid, made["room"]["id"])
