"""What tests of the chat page share: its server, its visitors, and people without a browser."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.clients import ChatClient, Client, new_client_id
from tests.page import Browser, Page
from tests.servers import ServerProcess

MARKS = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.node,
    pytest.mark.chromium,
    pytest.mark.timeout(120),
]
"""What a module of such tests says of itself, as its `pytestmark`; see `tests/e2e/conftest.py`."""

WEB = Path(__file__).resolve().parents[1] / "client-examples" / "web"

DESKTOP: dict[str, Any] = {
    "viewport": {"width": 1180, "height": 800},
    "deviceScaleFactor": 2,
    "colorScheme": "light",
}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "deviceScaleFactor": 2,
    "isMobile": True,
    "hasTouch": True,
    "colorScheme": "dark",
}
SMALL_PHONE: dict[str, Any] = {**PHONE, "viewport": {"width": 360, "height": 740}}


class Visit(Protocol):
    """Opens the page, by default in a new browser, and signs in if a name is given."""

    def __call__(
        self,
        name: str | None = None,
        *,
        url: str | None = None,  # where the page is, if not where the server says
        beside: Page | None = None,  # a page of which this is another tab
        forgive: str | None = None,
        **options: Any,
    ) -> Awaitable[Page]:
        """See `Browser.open`."""
        ...


def serving(data_dir: Path, *, web: Path = WEB, grace_ms: int = 10_000) -> ServerProcess:
    """Return a server with the page, as for development."""
    page = {"PARLEY_WEB_ROOT": str(web), "PARLEY_DEV_LOGIN": "1"}
    return ServerProcess(data_dir, {**page, "PARLEY_PRESENCE_GRACE_MS": str(grace_ms)})


@asynccontextmanager
async def running(data_dir: Path, *, grace_ms: int = 10_000) -> AsyncGenerator[ServerProcess]:
    """Run a server with the page."""
    process = serving(data_dir, grace_ms=grace_ms)
    await process.start()
    yield process
    await process.kill()


@asynccontextmanager
async def browsing() -> AsyncGenerator[Browser]:
    """Run a browser: each of its pages has a world of its own."""
    browser = await Browser().start()
    yield browser
    await browser.close()


@asynccontextmanager
async def visits(browser: Browser, server: ServerProcess) -> AsyncGenerator[Visit]:
    """Give what opens the page; what its console complains about fails the test."""
    pages: list[Page] = []

    async def visit(
        name: str | None = None,
        *,
        url: str | None = None,
        beside: Page | None = None,
        forgive: str | None = None,
        **options: Any,
    ) -> Page:
        where = url or server.url
        page = await browser.open(where, beside=beside, forgive=forgive, **options)
        pages.append(page)
        if name is not None:
            await page.sign_in(name)
        return page

    yield visit
    await asyncio.gather(*(page.close() for page in pages))


async def another_tab(visit: Visit, page: Page) -> Page:
    """Open the page once more in the same browser: she is signed in there already."""
    tab = await visit(beside=page)
    await tab.is_("online")
    return tab


async def person(server: ServerProcess, user_id: str, *, name: str | None = None) -> ChatClient:
    """Return somebody who uses no browser."""
    client = await Client().connect(server.url, server.token(user_id, name=name))
    await client.ready()
    return client


async def look(server: ServerProcess, user_id: str) -> ChatClient:
    """Return a device of a user that has joined `/presence`, and no more."""
    return await Client("/presence").connect(server.url, server.token(user_id))


def new(**payload: Any) -> dict[str, Any]:
    """Return a request that changes something."""
    return {"client_id": new_client_id(), **payload}


async def new_room(
    owner: ChatClient,
    name: str,
    members: Sequence[str] = (),
    description: str = "",
    **more: Any,
) -> str:
    """Make a public room, if not told otherwise, and return its id."""
    about = {"members": list(members)} | ({"description": description} if description else {})
    created = await owner.call("create_room", **{"name": name, "type": "public", **about, **more})
    room_id: str = created["room"]["id"]
    return room_id


async def invite(host: ChatClient, user_id: str, room_id: str) -> None:
    """Invite somebody to a room."""
    await host.call("invite", **new(room_id=room_id, user_id=user_id))


async def tell(member: ChatClient, room_id: str, text: str, **content: Any) -> str:
    """Send a message and return its id."""
    receipt = await member.call("chat", **new(room_id=room_id, content={"text": text, **content}))
    message_id: str = receipt["id"]
    return message_id


async def hears(member: ChatClient, text: str) -> dict[str, Any]:
    """Wait until a member hears a text, which is stored then."""
    message: dict[str, Any] = await member.event(
        "chat", lambda message: message["content"].get("text") == text
    )
    return message


async def stored(member: ChatClient, room_id: str) -> list[dict[str, Any]]:
    """Return what people wrote in a room, as the server keeps it."""
    history = await member.call("history", room_id=room_id)
    return [message for message in history["messages"] if message["type"] == "chat"]


async def fits(page: Page) -> bool:
    """Tell whether nothing is wider than the screen."""
    wider = "document.documentElement.scrollWidth > screen.width"
    return not await page.do(["evaluate", wider])


async def darkness(page: Page) -> float:
    """Return how dark the page is, from 0 (white) to 1 (black)."""
    color: str = await page.do(["evaluate", "getComputedStyle(document.body).backgroundColor"])
    return 1 - max(int(channel) for channel in re.findall(r"\d+", color)[:3]) / 255
