"""What can be reached in the chat page: by keys, by search, on a small phone, by all senses."""

from collections.abc import AsyncIterator

import pytest

from tests.clients import ChatClient, new_user
from tests.page import Page
from tests.page_visits import (
    MARKS,
    SMALL_PHONE,
    Visit,
    fits,
    hears,
    invite,
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


async def test_a_reply_that_names_somebody_by_keyboard_alone(
    visit: Visit, server: ServerProcess
) -> None:
    """From the list of rooms to a reply with a completed name, without a pointer."""
    a, bob = new_user("ann"), await person(server, new_user("bob"), name="Bob Andersson")
    carla = new_user("carla")
    room_id = await new_room(bob, "Tea", [a, carla])
    await tell(bob, room_id, "who has the kettle?")
    ann = await visit(a)
    await ann.the("room", "Tea").appears()
    await until_focused(ann, "room")
    await ann.press("Enter")
    await ann.message("who has the kettle?").appears()
    assert await ann.focused() == "composer"
    await until_focused(ann, "message", key="Shift+Tab")
    await ann.press("r")
    await ann.the("composer-bar", "who has the kettle?").appears()
    assert await ann.focused() == "composer"

    await ann.type("it was @and")
    await ann.the("mention-option", "Andersson").appears()
    await ann.press("Escape")
    await ann.the("mention-box").goes()
    await ann.the("composer-bar", "who has").appears()  # Escape closed the list alone
    await ann.press("Backspace", "Backspace", "Backspace", "Backspace")
    await ann.type("@")
    await ann.the("mention-option", carla).appears()
    assert await ann.do(["getByTestId", "composer"], ["getAttribute", "role"]) == "combobox"
    await ann.press("ArrowDown", "ArrowUp", "ArrowDown", "Tab")
    await ann.the("mention-box").goes()
    await ann.type("I think")
    await ann.press("Enter")
    said = await hears(bob, f"it was @{carla} I think")
    assert said["content"]["mentions"] == [carla]
    assert "reply_to" in said["content"]
    named = ann.message("I think").by("locator", ".mention")
    assert await named.text() == f"@{carla}"
    await bob.close()


async def test_search_in_what_is_loaded_and_further_back(
    visit: Visit, server: ServerProcess
) -> None:
    """Matches are counted and walked through; what is older is loaded when it is wanted.

    Those who listen to the page are told what is new, and nothing of what was there already.
    """
    b = new_user("bob")
    bob = await person(server, b)
    room_id = await long_room(bob)
    ann = await visit(new_user("ann"))
    await ann.join_room(room_id)
    await ann.message("line 119").appears()
    await ann.press("Control+f")
    assert await ann.focused() == "search-input"
    await ann.type("LINE 11")
    await ann.the("search-count", "1 of 10").appears()
    await ann.by("locator", ".message.current").by("filter", {"hasText": "line 119"}).appears()
    await ann.press("Enter", "Enter")
    await ann.the("search-count", "3 of 10").appears()
    await ann.press("Shift+Enter")
    await ann.the("search-count", "2 of 10").appears()
    assert await ann.the("announcer").text() == ""
    await tell(bob, room_id, "line 11 and a half")
    await ann.the("search-count", "3 of 11").appears()
    await ann.the("announcer", f"{b}: line 11 and a half").appears()
    assert await ann.by("locator", "mark").by("first").text() == "line 11"

    await ann.the("search-input").fill("café")
    await ann.the("search-count", "Nothing in what is loaded").appears()
    await ann.the("search-load").click()
    await ann.the("search-count", "1 of 1").appears()
    await ann.by("locator", ".message.current").by("filter", {"hasText": "Cafe"}).appears()
    assert await ann.the("announcer").text() == f"{b}: line 11 and a half"
    await ann.press("Escape")
    await ann.the("search-bar").goes()
    assert await ann.focused() == "composer"
    await bob.close()


async def test_a_quote_leads_to_its_message(visit: Visit, server: ServerProcess) -> None:
    """However far back it is: what lies between is loaded."""
    bob = await person(server, new_user("bob"))
    room_id = await long_room(bob)
    history = await bob.call("history", room_id=room_id, limit=10)
    first = await bob.call("history", room_id=room_id, around=3, limit=4)
    quoted = next(m for m in first["messages"] if m["content"].get("text") == "in the Cafe")
    assert quoted["id"] not in {m["id"] for m in history["messages"]}
    await tell(bob, room_id, "there it is", reply_to=quoted["id"])
    ann = await visit(new_user("ann"))
    await ann.join_room(room_id)
    quote = ann.message("there it is").the("quote")
    assert "an earlier message" in await quote.text()
    await quote.click()
    pointed = '[data-testid="message"].pointed'
    await ann.by("locator", pointed).by("filter", {"hasText": "in the Cafe"}).appears()
    assert "in the Cafe" in await quote.text()
    await bob.close()


async def test_every_page_and_window_is_accessible(visit: Visit, server: ServerProcess) -> None:
    """axe-core has nothing serious against any of them, in either theme."""
    a, b = new_user("ann"), new_user("bob")
    bob = await busy_world(server, a, b)
    ann = await visit()
    await ann.the("signin-name").appears()
    await ann.check_accessible()
    await ann.sign_in(a)
    async for _ in all_there_is(ann, b):
        is_open = await ann.do(["evaluate", "document.querySelector('dialog[open]') !== null"])
        await ann.check_accessible("dialog:last-of-type" if is_open else "body")
    await bob.close()


async def test_on_the_smallest_phone(visit: Visit, server: ServerProcess) -> None:
    """Nothing is wider than the screen, and nothing smaller than a finger."""
    a, b = new_user("ann"), new_user("bob")
    bob = await busy_world(server, a, b)
    ann = await visit(a, **SMALL_PHONE)
    async for step in all_there_is(ann, b):
        assert await fits(ann), step
        assert await ann.do(["evaluate", SMALL]) == "", step
    await bob.close()


SMALL = """
[...([...document.querySelectorAll("dialog[open]")].at(-1) ?? document).querySelectorAll(
  "button, summary, textarea, :not(.text) > a[href], [role=option], input"
)]
  .filter((node) => !["checkbox", "radio"].includes(node.type)) // their labels are large
  .filter((node) => node.checkVisibility({ visibilityProperty: true }))
  .map((node) => [node, node.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 44 || height < 44)
  .map(([node, { width, height }]) => `${node.outerHTML} ${width} x ${height}`)
  .join("\\n")
"""
"""What of the window in front, else of the page, is smaller than 44 pixels; links in a text are."""


async def busy_world(server: ServerProcess, a: str, b: str) -> ChatClient:
    """Put the first of two people where all there is can be seen; return the second."""
    ann, bob = await person(server, a), await person(server, b, name="Bob Andersson")
    room_id = await new_room(ann, "Tea", [b], "All about the kettle")
    await ann.call("mute", **new(room_id=room_id, user_id=b, muted_for_ms=3_600_000))
    await ann.call("ban", **new(room_id=room_id, user_id=new_user("mallory")))
    await invite(ann, new_user("zoe"), room_id)
    said = await tell(ann, room_id, f"@{b} where is the kettle? https://example.org/tea")
    await ann.call("react", **new(message_id=said, emoji="👍", on=True))
    asking = {"settings": {"require_approval": True}}
    await ann.call("update_room", **new(room_id=room_id, changes=asking))
    for name in ("carla", "dmitri"):
        other = await person(server, new_user(name))
        await other.call("join_room", room_id=room_id)
        await other.close()
    await invite(bob, a, await new_room(bob, "Secret garden", type="private"))
    board = await new_room(bob, "Board", [a], settings={"mute_all": True})
    await tell(bob, board, f"@{a} the office is closed", mentions=[a])
    await new_room(bob, f"Garden of {b}", description="Slugs and tomatoes")
    await ann.close()
    return bob


async def all_there_is(ann: Page, b: str) -> AsyncIterator[str]:
    """Open every page and every window, one after the other; each is named."""
    for part in (around_rooms, in_a_room, about_a_room):
        async for step in part(ann, b):
            yield step


async def around_rooms(ann: Page, b: str) -> AsyncIterator[str]:
    """Open what is outside of rooms."""
    await ann.the("request").by("first").appears()
    await ann.the("invitation").appears()
    yield "list"
    await ann.the("new").click()
    await ann.the("more-settings").click()
    yield "new room"
    await ann.the("new-tab-person").click()
    yield "write to somebody"
    await ann.close_window()
    found = await ann.find_room(f"Garden of {b}")
    yield "found"
    await ann.the("find-input").fill("nothing is called so")
    await ann.the("make-it").appears()
    yield "nothing found"
    await ann.the("find-input").fill(f"Garden of {b}")
    await found.the("watch").click()
    await ann.the("composer-lock", "looking in").appears()
    yield "looking in"
    await ann.do(["evaluate", "location.hash = '#room/aaaaaaaaaaaaaaaaaaaaaaaa'"])
    await ann.the("empty", "no such room").appears()
    yield "nowhere"


async def in_a_room(ann: Page, _: str) -> AsyncIterator[str]:
    """Open what is in conversations."""
    await to_list(ann)
    await ann.open_room("Board")
    await ann.the("composer-lock", "Only owner").appears()
    yield "closed to writing"
    await to_list(ann)
    await ann.open_room("Tea")
    await ann.message("where is the kettle?").appears()
    yield "conversation"
    await ann.the("composer").fill("@")
    await ann.the("mention-box").appears()
    yield "names"
    await ann.the("composer").fill("")
    await ann.the("search").click()
    await ann.the("search-input").fill("kettle")
    await ann.the("search-count", "1 of 1").appears()
    yield "search"
    await ann.press("Escape")


async def about_a_room(ann: Page, b: str) -> AsyncIterator[str]:
    """Open the window about the room that is open, and those on top of it."""
    await ann.about_room()
    yield "about"
    for way in ("leave-room", "delete-room"):
        await ann.the(way).click()
        yield way
        await ann.close_window()
    await ann.about_room("people")
    await ann.the("people-banned").the("person").appears()
    await ann.the("people-invited").the("person").appears()
    yield "people"
    await ann.person(b).the("person-menu").click()
    await ann.the("menu").appears()
    yield "menu"
    await ann.press("Escape")
    await ann.about_room("settings")
    yield "settings"


async def to_list(page: Page) -> None:
    """Go back to the list, where that is a step."""
    if await page.do(["getByTestId", "back"], ["isVisible"]):
        await page.the("back").click()


async def long_room(owner: ChatClient) -> str:
    """Return a room with more said in it than a page of history holds."""
    room_id = await new_room(owner, "Long")
    await tell(owner, room_id, "in the Cafe")
    for n in range(120):
        await tell(owner, room_id, f"line {n:03}")
    return room_id


async def until_focused(page: Page, testid: str, *, key: str = "Tab") -> None:
    """Press Tab until something has the focus."""
    for _ in range(20):
        if await page.focused() == testid:
            return
        await page.press(key)
    raise AssertionError(f"{testid} cannot be reached by {key}")
