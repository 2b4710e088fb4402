"""Who is here, in the chat page: dots and words, one's own status, and going away by itself."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from parley.server.app import running as running_here
from parley.server.settings import Settings
from tests.clients import new_user
from tests.e2e.presence import GRACE_MS, Observer
from tests.page import Browser, Page, Part
from tests.page_visits import (
    DESKTOP,
    MARKS,
    PHONE,
    SMALL_PHONE,
    WEB,
    Visit,
    another_tab,
    darkness,
    fits,
    look,
    new,
    new_room,
    person,
    running,
    tell,
)
from tests.servers import ServerProcess

pytestmark = MARKS

IDLE_MS = 5 * 60_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """Return a server that the tests share: each has users of its own."""
    data_dir = tmp_path_factory.mktemp("server") / "data"
    async with running(data_dir, grace_ms=GRACE_MS) as server:
        yield server


async def test_two_tabs_are_one_person(visit: Visit, server: ServerProcess) -> None:
    """One closed: still here. Both closed: gone after the grace, once for everybody."""
    a = new_user("ann")
    one = await visit(a)
    two = await another_tab(visit, one)
    pages = [await writing_with(visit, server, new_user(name), a) for name in ("bob", "cid")]
    others = [await watcher(server, new_user(name), a) for name in ("dan", "eve")]
    for page in pages:
        await shows(page, a, "Online")
        await page.run(WATCHED_DOT, a)
    for other in others:
        await other.follows(a)

    await one.close()
    # Its device is gone, as everybody who follows her was told; and nobody shows a change.
    for other in others:
        await other.hears("status", a, devices=[{"status": "online"}])
    for page in pages:
        await shows(page, a, "Online")
    await two.close()
    for page in pages:
        await page.the("room-line", "Last seen just now").appears()
        await dot(page.the("room", a)).goes()
    for other in others:
        await other.hears("user_offline", a)

    # Whatever else was told of her would come before she is back.
    await visit(a)
    for page in pages:
        await shows(page, a, "Online")
        assert await page.do(["evaluate", "dots.join('|')"]) == "Online||Online"
    for other in others:
        await other.hears("user_online", a)
        told = [name for name in other.heard(a) if name != "status"]
        assert told == ["user_offline", "user_online"]


async def test_away_by_itself_and_back_with_the_next_input(
    visit: Visit, server: ServerProcess
) -> None:
    """After some minutes without input she is away; busy stays busy; another device counts."""
    a, b = new_user("ann"), new_user("bob")
    ann = await visit(a, forgive="WebSocket is closed before the connection is established")
    bob = await writing_with(visit, server, b, a)
    await ann.take_clock()
    await ann.is_("online")
    await ann.wait_out(IDLE_MS - 30_000)
    await ann.is_("online")
    await shows(bob, a, "Online")
    await ann.wait_out(31_000)
    await shows(bob, a, "Away")
    await ann.the("connection", "Away").appears()

    await ann.do(["mouse"], ["move", 40, 40])
    await shows(bob, a, "Online")
    await ann.wait_out(IDLE_MS)
    await shows(bob, a, "Away")
    phone = await visit(a, **PHONE)
    await shows(bob, a, "Online")
    await phone.close()
    await shows(bob, a, "Away")

    await be(ann, "busy")
    await shows(bob, a, "Busy")
    eve = await watcher(server, new_user("eve"), a)
    await eve.follows(a)
    await ann.wait_out(IDLE_MS)
    await ann.is_("online")
    # Over the clock's leap she has connected anew, and has said how she is.
    assert (await eve.sees(a))["status"] == "busy"


async def test_one_chooses_how_one_is_seen_by_keyboard(visit: Visit, server: ServerProcess) -> None:
    """A choice holds over a reload; who is invisible is seen as who is not here, but by herself."""
    a, b = new_user("ann"), new_user("bob")
    ann = await visit(a)
    bob = await writing_with(visit, server, b, a)
    await shows(bob, a, "Online")
    await ann.do(["evaluate", "document.querySelector('[data-testid=own-status]').focus()"])
    await ann.press("Enter")
    await ann.the("menu").appears()
    assert await ann.focused() == "be-online"
    await ann.check_accessible()
    await ann.press("b", "Enter")
    assert await ann.focused() == "own-status"
    await shows(bob, a, "Busy")
    await ann.the("connection", "Busy").appears()
    await ann.reload()
    await ann.the("connection", "Busy").appears()
    await shows(bob, a, "Busy")

    await be(ann, "invisible")
    await ann.the("connection", "Invisible").appears()
    await bob.the("room-line", "Last seen").appears()
    await dot(bob.the("room", a)).goes()
    await ann.reload()
    await ann.the("connection", "Invisible").appears()
    await be(ann, "online")
    await ann.the("connection", "Online").appears()
    await shows(bob, a, "Online")


async def test_who_is_here_of_a_room(visit: Visit, server: ServerProcess) -> None:
    """The head counts, and the list of members has a dot for each who is here."""
    a, b, carla = new_user("ann"), new_user("bob"), new_user("carla")
    bob = await person(server, b)
    await new_room(bob, "Tea", [a, carla])
    ann = await visit(a)
    await ann.open_room("Tea")
    await ann.the("room-line", "2 of 3 here").appears()
    await ann.about_room("people")
    await dot(ann.person(b), "Online").appears()
    await dot(ann.person(a), "Online").appears()
    await dot(ann.person(carla)).goes()
    await ann.check_accessible()

    presence = await look(server, carla)
    await dot(ann.person(carla), "Online").appears()
    await presence.call("set_status", status="away")
    await dot(ann.person(carla), "Away").appears()
    await ann.close_window()
    await ann.the("room-line", "3 of 3 here").appears()
    await presence.close()
    await ann.the("room-line", "2 of 3 here").appears()


async def test_it_comes_back_with_the_connection(visit: Visit, server: ServerProcess) -> None:
    """Offline nothing is said of others; back online all is as it is then."""
    a, b = new_user("ann"), new_user("bob")
    ann = await writing_with(visit, server, a, b, forgive="net::ERR_|WebSocket connection")
    device = await look(server, b)
    await shows(ann, b, "Online")
    await ann.set_offline(True)
    await ann.is_("offline")
    await ann.the("room-line", "Only the two of you").appears()
    await dot(ann.the("room", b)).goes()
    await device.call("set_status", status="busy")
    await ann.set_offline(False)
    await shows(ann, b, "Busy")


async def test_a_server_without_presence(browser: Browser, tmp_path: Path) -> None:
    """Of an older server the page shows all that there is; nothing is said to be wrong."""
    settings = Settings(port=0, data_dir=tmp_path / "data", web_root=WEB, dev_login=True)
    async with running_here(settings) as node:
        doors: dict[str, Any] = vars(node.sockets)["namespace_handlers"]
        for namespace in ("/presence", "/notification"):
            doors.pop(namespace, None)
        ann = await browser.open(f"http://127.0.0.1:{node.port}")
        await ann.sign_in(new_user("ann"))
        await ann.create_room("Tea")
        await ann.write("hello")
        await ann.shows(["hello"])
        await ann.the("room-line", "1 member").appears()
        await ann.the("connection", "Connected").appears()
        assert await ann.do(["getByTestId", "own-status"], ["isDisabled"])
        await ann.the("bell").goes()
        await ann.the("presence").goes()
        await ann.close()


async def test_pictures_of_presence(visit: Visit, server: ServerProcess) -> None:
    """Each state by day, by night and on a phone, where nothing is wider than the screen."""
    a, b, c, d = (new_user(name) for name in ("ann", "bob", "carla", "dmitri"))
    people = {user: await person(server, user) for user in (b, c, d)}
    for user, client in people.items():
        await client.call("private", to=a, **new(content={"text": f"hello from {user}"}))
    tea = await new_room(people[b], "Tea", [a, c, d], "Every day at four")
    await tell(people[c], tea, "Who has the kettle?")
    await people[d].close()
    for user, status in ((b, "busy"), (c, "away")):
        device = await look(server, user)
        await device.call("set_status", status=status)
        await people[user].close()
    ann = await visit(a, **DESKTOP)
    await ann.open_room(d)
    await ann.the("room-line", "Last seen").appears()
    await ann.screenshot("presence-direct-light")
    await ann.do(["emulateMedia", {"colorScheme": "dark"}])
    assert await darkness(ann) > 0.7
    await ann.the("own-status").click()
    await ann.screenshot("presence-menu-dark")
    await ann.press("Escape")
    await ann.open_room("Tea")
    await ann.about_room("people")
    await ann.the("presence").by("first").appears()
    await ann.screenshot("presence-people-dark")
    await ann.do(["emulateMedia", {"colorScheme": "light"}])
    await ann.screenshot("presence-people-light")
    await ann.close_window()
    await ann.the("own-status").click()
    await ann.screenshot("presence-menu-light")
    phone = await visit(a, **SMALL_PHONE)
    await dot(phone.the("room", f"hello from {b}"), "Busy").appears()
    assert await fits(phone)
    await phone.screenshot("presence-phone-list")
    await phone.the("own-status").tap()
    await phone.the("menu").appears()
    await phone.screenshot("presence-phone-menu")
    await phone.press("Escape")
    await phone.the("room", f"hello from {c}").tap()
    await phone.the("room-line", "Away").appears()
    assert await fits(phone)
    await phone.check_accessible()
    await phone.screenshot("presence-phone-direct")


WATCHED_DOT = """
(user) => {
  const dot = () => {
    const rooms = [...document.querySelectorAll('[data-testid="room"]')];
    const hers = rooms.find((room) => room.textContent.includes(user));
    return hers?.querySelector('[data-testid="presence"]')?.textContent ?? "";
  };
  globalThis.dots = [dot()];
  const note = () => dot() === dots.at(-1) || dots.push(dot());
  new MutationObserver(note).observe(document, {
    childList: true, subtree: true, characterData: true, attributes: true,
  });
}
"""
"""Keeps what the dot of a user has said from now on, each time that it was another."""


def dot(part: Part, word: str | None = None) -> Part:
    """Return the dot of somebody, perhaps one that says something."""
    return part.the("presence", word)


async def shows(page: Page, user: str, word: str) -> None:
    """Wait until a page says of somebody what she is: in the list, and in the open head."""
    await dot(page.the("room", user), word).appears()
    await page.the("room-line", word).appears()


async def be(page: Page, status: str) -> None:
    """Choose how one is seen."""
    await page.the("own-status").click()
    await page.the(f"be-{status}").click()


async def writing_with(
    visit: Visit, server: ServerProcess, user: str, other: str, forgive: str | None = None
) -> Page:
    """Return the page of a user who has a conversation with somebody, and looks at it."""
    client = await person(server, user)
    await client.call("private", to=other, **new(content={"text": "hello"}))
    await client.close()
    page = await visit(user, forgive=forgive)
    await page.open_room(other)
    return page


async def watcher(server: ServerProcess, user: str, other: str) -> Observer:
    """Return somebody who may see another user, without a browser."""
    chat = await person(server, user)
    await chat.call("private", to=other, **new(content={"text": "I see you"}))
    return Observer(await look(server, user))
