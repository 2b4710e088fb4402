"""The bell of the chat page: what came while one was away, on every tab, and on the desktop."""

from typing import Any

import pytest

from tests.clients import new_user
from tests.e2e.presence import Api
from tests.page import NO_NETWORK, Page, Part
from tests.page_visits import (
    DESKTOP,
    MARKS,
    SMALL_PHONE,
    Visit,
    another_tab,
    fits,
    new,
    new_room,
    person,
    tell,
)
from tests.servers import ServerProcess

pytestmark = MARKS


@pytest.fixture
def server(page_server: ServerProcess) -> ServerProcess:
    return page_server


async def test_a_mention_while_away_waits_at_the_bell(visit: Visit, server: ServerProcess) -> None:
    """It is counted on both tabs; opening it shows the message, and it is read on both."""
    a, bob = new_user("ann"), await person(server, new_user("bob"))
    tea = await new_room(bob, "Tea", [a])
    await tell(bob, tea, "@ann who has the kettle?", mentions=[a])
    for number in range(3):
        await tell(bob, tea, f"or cup {number}")
    one, two = await visit(a), await visit(a)
    for page in (one, two):
        await page.the("inbox-unread", "1").appears()
    await one.the("bell").click()
    row = one.the("notification", "who has the kettle?")
    await row.by("getByText", "Unread").by("first").appears()
    await row.the("open-one").click()
    await one.the("room-title", "Tea").appears()
    await one.message("who has the kettle?").appears()
    for page in (one, two):
        await page.the("inbox-unread").goes()
    await two.the("bell").click()
    await two.the("notification", "who has the kettle?").appears()
    await two.the("read-one").goes()


async def test_to_read_the_room_is_to_read_the_notification(
    visit: Visit, server: ServerProcess
) -> None:
    """What is about a message goes from the bell when the message is read, wherever that is."""
    a, b = new_user("ann"), new_user("bob")
    bob = await person(server, b)
    await bob.call("private", to=a, **new(content={"text": "your bike is at the station"}))
    ann = await visit(a)
    await ann.the("inbox-unread", "1").appears()
    await ann.open_room(b)
    await ann.message("your bike is at the station").appears()
    await ann.the("inbox-unread").goes()


async def test_the_inbox_by_keyboard(visit: Visit, server: ServerProcess) -> None:
    """Newest first; one is read, one is deleted, all are read; the focus stays near."""
    a = new_user("ann")
    await publish(server, a, *(f"Build {n}" for n in (1, 2, 3)))
    ann, other = await visit(a), await visit(a)
    await ann.the("inbox-unread", "3").appears()
    assert await ann.do(["title"]) == "(3) Parley"
    await ann.do(["evaluate", "document.querySelector('[data-testid=bell]').focus()"])
    await ann.press("Enter")
    await ann.the("notification", "Build 3").appears()
    assert await titles(ann) == ["Build 3", "Build 2", "Build 1"]
    await ann.check_accessible()
    await focus(ann.the("notification", "Build 3").the("read-one"))
    await ann.press("Enter")
    await other.the("inbox-unread", "2").appears()
    await ann.the("notification", "Build 3").the("read-one").goes()
    assert await ann.focused() in {"delete-one", "read-one"}
    await focus(ann.the("notification", "Build 2").the("delete-one"))
    await ann.press("Enter")
    await ann.the("notification", "Build 2").goes()
    assert await ann.focused() in {"delete-one", "read-one"}
    await other.the("inbox-unread", "1").appears()
    await ann.the("read-all").click()
    for page in (ann, other):
        await page.the("inbox-unread").goes()
    await publish(server, a, "Build 4")  # it is live
    await other.the("toast", "Build 4").appears()
    await ann.the("notification", "Build 4").appears()
    assert await titles(ann) == ["Build 4", "Build 3", "Build 1"]
    await ann.press("Escape")
    assert await ann.focused() == "bell"


async def test_an_empty_inbox_and_a_long_one(visit: Visit, server: ServerProcess) -> None:
    """It says that there is nothing; of many the rest is a click away, without a hole."""
    a = new_user("ann")
    ann = await visit(a)
    await ann.the("bell").click()
    await ann.by("getByText", "Nothing here").appears()
    await ann.check_accessible()
    numbers = range(60)
    await publish(server, a, *(f"Report {n}" for n in numbers))
    await ann.the("notification", "Report 59").appears()
    late = await visit(a)
    await late.the("inbox-unread", "60").appears()
    await late.the("bell").click()
    await late.the("more-inbox").click()
    await late.the("notification", "Report 0").appears()
    await late.the("more-inbox").goes()
    assert await titles(late) == [f"Report {n}" for n in reversed(numbers)]


async def test_offline_the_inbox_shows_what_it_has(visit: Visit, server: ServerProcess) -> None:
    """What was there is there after a reload without a network, and the rest comes after it."""
    a = new_user("ann")
    await publish(server, a, "Before")
    ann = await visit(a, forgive=NO_NETWORK)
    await ann.the("bell").click()
    await ann.the("notification", "Before").appears()
    await ann.run(STORED, a)
    await ann.press("Escape")
    await ann.block("**/socket.io/?*")
    await ann.reload()
    await ann.is_("offline")
    await ann.the("inbox-unread", "1").appears()
    await ann.the("bell").click()
    await ann.the("notification", "Before").appears()
    await ann.by("getByText", "Offline: this is what was here before.").appears()
    await publish(server, a, "Meanwhile")
    await ann.unblock("**/socket.io/?*")
    await ann.the("notification", "Meanwhile").appears()
    assert await titles(ann) == ["Meanwhile", "Before"]


async def test_a_muted_room_has_no_bell(visit: Visit, server: ServerProcess) -> None:
    """Muted on one tab, it is on the other; mentions there are no notifications any more."""
    a, b = new_user("ann"), new_user("bob")
    bob = await person(server, b)
    tea = await new_room(bob, "Tea", [a])
    ann, other = await visit(a), await visit(a)
    await ann.open_room("Tea")
    await ann.about_room()
    await ann.the("mute-room").click()
    muted = other.the("room", "Tea").by("getByText", "Muted")
    await muted.appears()
    await ann.check_accessible()
    await ann.close()
    await other.close()
    await tell(bob, tea, "@ann are you there?", mentions=[a])
    await publish(server, a, "Not about the room")
    ann = await visit(a)
    await ann.the("inbox-unread", "1").appears()
    await ann.the("bell").click()
    assert await titles(ann) == ["Not about the room"]
    await ann.press("Escape")
    await ann.open_room("Tea")
    await ann.about_room()
    await ann.the("mute-room").click()
    await ann.the("room", "Tea").by("getByText", "Muted").goes()


async def test_the_desktop_hears_only_while_nobody_looks(
    visit: Visit, server: ServerProcess
) -> None:
    """Asked for by a button; a click opens the room; muted rooms and the page in front do not."""
    a, b = new_user("ann"), new_user("bob")
    bob = await person(server, b)
    tea = await new_room(bob, "Tea", [a])
    ann = await visit(a)
    await ann.do(["evaluate", WATCHED_DESKTOP])
    await ann.the("bell").click()
    assert await said(ann) == ""
    await ann.the("allow-desktop").click()
    await ann.the("desktop-on").appears()
    await ann.press("Escape")
    await tell(bob, tea, "@ann in front", mentions=[a])
    await ann.the("room", "Tea").the("unread", "@ 1").appears()
    await hide(ann)
    await tell(bob, tea, "not for her")
    await tell(bob, tea, "@ann behind", mentions=[a])
    await publish(server, a, "Build 5")
    await says(ann, 2)
    assert await said(ann) == f"{b} · Tea: @ann behind, Build 5: It is done"
    await hide(ann, hidden=False)
    await ann.do(["evaluate", "shim.shown[0].onclick()"])
    await ann.the("room-title", "Tea").appears()
    await ann.message("@ann behind").appears()


async def test_hidden_tabs_are_quiet_while_one_is_looked_at(
    visit: Visit, server: ServerProcess
) -> None:
    """Of two that are hidden each says it under the same tag: a desktop shows one of each tag."""
    a, b = new_user("ann"), new_user("bob")
    bob = await person(server, b)
    tea = await new_room(bob, "Tea", [a])
    one = await visit(a)
    two = await another_tab(visit, one)
    for tab in (one, two):
        await tab.do(["evaluate", WATCHED_DESKTOP])
        await tab.do(["evaluate", "Notification.requestPermission()"])
    await hide(two)
    await tell(bob, tea, "@ann at the first tab", mentions=[a])
    await publish(server, a, "Build 6")
    for tab in (one, two):
        await tab.the("inbox-unread", "1").appears()
    await hide(one)
    behind = await tell(bob, tea, "@ann behind both", mentions=[a])
    # What either had said before would stand before it.
    for tab in (one, two):
        await says(tab, 1)
        assert await said(tab) == f"{b} · Tea: @ann behind both"
        assert await tab.do(["evaluate", "shim.tags.join()"]) == behind

    await hide(one, hidden=False)
    await tell(bob, tea, "@ann at the first tab again", mentions=[a])
    await two.the("room", "Tea").the("unread", "@ 3").appears()
    await one.close()
    await two.run(NOBODY_LOOKS)
    await tell(bob, tea, "@ann the first tab is gone", mentions=[a])
    await says(two, 2)
    assert (await said(two)).split(", ")[1] == f"{b} · Tea: @ann the first tab is gone"


async def test_pictures_of_the_inbox(visit: Visit, server: ServerProcess) -> None:
    """Each state by day, by night and on a phone."""
    a = new_user("ann")
    ann = await visit(a, **DESKTOP)
    await ann.the("bell").click()
    await ann.by("getByText", "Nothing here").appears()
    await ann.screenshot("inbox-empty-light")
    await ann.close()
    bob, carla = await person(server, "bob"), await person(server, "carla")
    kitchen = await new_room(carla, "Kitchen", [a])
    await publish(server, a, "Backup finished")
    await tell(carla, kitchen, f"@{a} is the blue mug yours?", mentions=[a])
    text = "Your bike is at the station. " * 9
    await bob.call("private", to=a, **new(content={"text": text}))
    ann = await visit(a, **DESKTOP)
    await ann.the("bell").click()
    await ann.the("notification", "Backup").the("read-one").click()
    await ann.the("inbox-unread", "2").appears()
    await ann.screenshot("inbox-light")
    await ann.do(["emulateMedia", {"colorScheme": "dark"}])
    await ann.screenshot("inbox-dark")
    await ann.press("Escape")
    await ann.open_room("Kitchen")
    await ann.about_room()
    await ann.the("mute-room").click()
    await ann.the("room", "Kitchen").by("getByText", "Muted").appears()
    await ann.screenshot("mute-dark")
    phone = await visit(a, **SMALL_PHONE)
    await phone.the("bell").tap()
    await phone.the("notification", "bike").appears()
    assert await fits(phone)
    await phone.check_accessible()
    await phone.screenshot("inbox-phone")
    await phone.press("Escape")
    await phone.screenshot("inbox-phone-list")


WATCHED_DESKTOP = """
globalThis.shim = {hidden: false, said: [], shown: [], tags: []};
Object.defineProperty(document, "hidden", {get: () => shim.hidden});
globalThis.Notification = class {
  static permission = "default";
  static async requestPermission() { this.permission = "granted"; }
  constructor(title, {body, tag}) {
    shim.said.push(`${title}: ${body}`);
    shim.shown.push(this);
    shim.tags.push(tag);
    document.documentElement.dataset.said = shim.said.length;
  }
  close() {}
};
"""
"""A desktop that can be read: Chromium has none here, and its pages are never hidden."""


NOBODY_LOOKS = """
async () => {
  const looked = async () => (await navigator.locks.query()).held.length > 0;
  while (await looked()) await new Promise((resolve) => setTimeout(resolve, 20));
}
"""
"""Waits until no tab says that it is looked at: one that was closed goes a moment later."""


STORED = """
async (user) => {
  const kept = () => new Promise((resolve) => {
    const opening = indexedDB.open(`parley:${user}:inbox`);
    opening.onsuccess = () => {
      const reading = opening.result.transaction("rooms").objectStore("rooms").getAll();
      reading.onsuccess = () => {
        opening.result.close();
        resolve(reading.result.some((record) => record.from_seq === 0));
      };
    };
  });
  while (!(await kept())) await new Promise((resolve) => setTimeout(resolve, 20));
}
"""
"""Waits until the device has kept the whole inbox, a moment after it has come."""


async def hide(page: Page, *, hidden: bool = True) -> None:
    """Turn to something else than a page with `WATCHED_DESKTOP`, or to the page again."""
    turned = "document.dispatchEvent(new Event('visibilitychange'))"
    await page.do(["evaluate", f"shim.hidden = {str(hidden).lower()}; {turned}"])


async def says(page: Page, count: int) -> None:
    """Wait until so much was said on the desktop."""
    told = f'[data-said="{count}"]'
    await page.do(["locator", told], ["waitFor", {"state": "attached"}])


async def said(page: Page) -> str:
    """Return what was said on the desktop."""
    lines: str = await page.do(["evaluate", "shim.said.join(', ')"])
    return lines


async def focus(part: Part) -> None:
    """Put the focus on something."""
    await part.page.do(*part.steps, ["focus"])


async def titles(page: Page) -> list[str]:
    """Return the titles of the open inbox, from the top."""
    read = """[...document.querySelectorAll('[data-testid="notification"] b')].map(
        (title) => title.lastChild.textContent).join("\\n")"""
    lines: str = await page.do(["evaluate", read])
    return lines.split("\n")


async def publish(server: ServerProcess, user: str, *wanted: str) -> None:
    """Publish notifications to a user, one after the other."""
    api = Api(server, "root", roles=("admin",))
    for title in wanted:
        payload: dict[str, Any] = {"title": title, "body": "It is done"}
        status, answer = await api("POST", "/notifications", user_ids=[user], **payload)
        assert status in {201, 202}, answer
