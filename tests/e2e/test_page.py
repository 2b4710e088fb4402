"""The chat page in Chromium: people talk, and what happens to the network costs them nothing."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest
import pytest_asyncio

from tests.clients import ChatClient, new_client_id, new_user
from tests.e2e.stock import Enter, Stock
from tests.page import NO_NETWORK, Browser, Page
from tests.proxies import Proxy
from tests.servers import ServerProcess

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.node,
    pytest.mark.chromium,
    pytest.mark.timeout(120),
]

WEB = Path(__file__).resolve().parents[2] / "client-examples" / "web"
SOCKET = "**/socket.io/?*"  # where the page's connection goes
CLIENT = "**/socket.io.esm.min.js"
DESKTOP = {"viewport": {"width": 1180, "height": 780}, "deviceScaleFactor": 2}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "deviceScaleFactor": 2,
    "isMobile": True,
    "hasTouch": True,
}


class Visit(Protocol):
    """Opens the page and signs in by name, if one is given."""

    def __call__(
        self,
        name: str | None = None,
        *,
        url: str | None = None,  # where the page is, if not where the server says
        forgive: str | None = None,
        **options: Any,
    ) -> Awaitable[Page]:
        """See `Browser.open`."""
        ...


def serving(data_dir: Path, *, web: Path = WEB) -> ServerProcess:
    """Return a server as ``make run`` starts it."""
    return ServerProcess(data_dir, {"PARLEY_WEB_ROOT": str(web), "PARLEY_DEV_LOGIN": "1"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    process = serving(tmp_path_factory.mktemp("server") / "data")
    await process.start()
    yield process
    await process.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    browser = await Browser().start()
    yield browser
    await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Browser, server: ServerProcess) -> AsyncIterator[Visit]:
    """Return what opens pages; errors in their consoles fail the test."""
    pages: list[Page] = []

    async def visit(
        name: str | None = None,
        *,
        url: str | None = None,
        forgive: str | None = None,
        **options: Any,
    ) -> Page:
        page = await browser.open(url or server.url, forgive=forgive, **options)
        pages.append(page)
        if name is not None:
            await page.sign_in(name)
        return page

    yield visit
    for page in pages:
        await page.close()


@pytest.fixture
def stock() -> Stock:
    """Return the client of those who take part without a browser."""
    return Stock("python", "websocket")


async def test_two_people_talk(visit: Visit) -> None:
    a, b = new_user("ann"), new_user("bob")
    may = {"permissions": ["clipboard-read", "clipboard-write"]}
    ann, bob = await asyncio.gather(visit(a, **may), visit(b))
    assert await ann.the("me").text() == a
    await ann.create_room("Tea")
    await ann.the("copy-link").click()
    await ann.the("toast", "Link copied").appears()
    await bob.join_room(await ann.do(["evaluate", "navigator.clipboard.readText()"]))

    await ann.write("hello")
    await bob.shows(["hello"])
    await bob.write("good morning")
    await ann.shows(["hello", "good morning"])
    await bob.the("composer").press("W")
    await ann.the("typing", b).appears()

    await bob.edit("good morning", into="good evening")
    await ann.shows(["hello", "good evening"])
    await ann.message("good evening").the("edited").appears()
    await bob.react("hello", "👍")
    await ann.message("hello").the("reaction-👍", "1").click()
    await bob.message("hello").the("reaction-👍", "2").appears()

    await ann.write("tea is ready")
    await ann.the("seen-by", b).appears()
    await bob.create_room("Elsewhere")
    await ann.write("are you", "there?")
    await bob.the("room", "Tea").the("unread", "2").appears()
    await ann.message("there?").appears()
    await ann.the("seen-by").goes()
    await bob.open_room("Tea")
    await bob.the("new-divider").appears()
    await bob.the("unread").goes()
    await ann.the("seen-by", b).appears()

    await ann.message("are you").hover()
    await ann.message("are you").the("delete").click()
    await ann.the("confirm").click()
    texts = ["hello", "good evening", "tea is ready", "This message was deleted", "there?"]
    shown = await asyncio.gather(ann.shows(texts), bob.shows(texts))
    assert len({tuple(message.id for message in messages) for messages in shown}) == 1


async def test_who_was_offline_has_what_the_other_has(visit: Visit, enter: Enter) -> None:
    """Both write while one is away; then both see the same, nothing twice, in the same order."""
    a, b = new_user("ann"), new_user("bob")
    ann, bob = await asyncio.gather(visit(a, forgive=NO_NETWORK), visit(b))
    room_id = await ann.create_room("Tea")
    await bob.join_room(room_id)
    await ann.write("one", "two")
    await bob.shows(["one", "two"])

    await ann.set_offline(offline=True)
    await ann.is_("offline")
    await ann.the("banner", "Offline").appears()
    mine, theirs = [f"ann {n}" for n in range(5)], [f"bob {n}" for n in range(5)]
    await asyncio.gather(ann.write(*mine), bob.write(*theirs))
    await bob.edit("bob 0", into="bob zero")
    await ann.react("two", "🎉")
    written = await ann.shows(["one", "two"], pending=mine)
    theirs[0] = "bob zero"
    await bob.shows(["one", "two", *theirs])

    await ann.set_offline(offline=False)
    await ann.is_("online")
    await ann.the("banner", "Offline").goes()
    texts = ["one", "two", *theirs, *mine]
    at_ann, at_bob = await asyncio.gather(ann.shows(texts), bob.shows(texts))
    kept = await stored(await enter(b), room_id)
    assert [m.id for m in at_ann] == [m.id for m in at_bob] == [m["id"] for m in kept]
    assert [m["content"]["text"] for m in kept] == texts
    sent = [m["client_id"] for m in kept if m["content"]["text"] in mine]
    assert sent == [m.key for m in written[2:]]
    await bob.message("two").the("reaction-🎉", "1").appears()


async def test_a_killed_server_costs_nothing(
    browser: Browser, visit: Visit, tmp_path: Path
) -> None:
    """What is written around a ``kill -9`` is there once, also where only the ack was lost."""
    ...


async def stored(member: ChatClient, room_id: str) -> list[dict[str, Any]]:
    """Return the messages people wrote, as the server keeps them."""
    history = await member.call("history", room_id=room_id)
    return [message for message in history["messages"] if message["type"] == "chat"]
