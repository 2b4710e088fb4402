"""Rooms in the chat page: making, finding and entering them, and what their owners do there."""

from typing import Any

import pytest

from tests.clients import new_user
from tests.page import NO_NETWORK
from tests.page_visits import MARKS, Visit, new, new_room, person, tell
from tests.servers import ServerProcess

pytestmark = MARKS

CLIPBOARD: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture
def server(page_server: ServerProcess) -> ServerProcess:
    return page_server


async def test_a_request_from_the_question_to_the_kick(visit: Visit) -> None:
    """Who finds a room asks to join, is let in, muted, unmuted, and sent away with her words."""
    a, b = new_user("ann"), new_user("bob")
    ann, bob = await visit(a), await visit(b, **CLIPBOARD)
    name = f"Chess of {a}"
    await ann.create_room(name, setting="require_approval")
    found = await bob.find_room(name)
    await found.the("ask").click()
    await found.the("take_back").appears()
    await bob.close_window()
    await bob.the("my-request", name).appears()
    await ann.the("toast", b).appears()
    await ann.the("requests", "1").appears()
    await ann.the("request", b).the("approve").click()
    await ann.the("request").goes()
    await bob.the("my-request").goes()
    await bob.open_room(name)
    await bob.write("hello")
    await ann.shows(["hello"])
    assert (await ann.notices())[-2:] == [f"{b} asked to join", f"You let {b} in"]

    await ann.about_room("people")
    await ann.act_on(b, "mute-1h")
    await ann.person(b).the("muted-sign").appears()
    await bob.the("composer-lock", "You are muted until").appears()
    assert await bob.do(["getByTestId", "composer"], ["isDisabled"])
    await ann.act_on(b, "unmute")
    await bob.the("composer-lock", "muted").goes()
    await bob.write("thanks")
    await ann.person(b).the("muted-sign").goes()

    await ann.act_on(b, "kick", sure=True)
    await ann.person(b).goes()
    await bob.the("parted", f"{a} removed you from {name}").appears()
    await bob.the("room").goes()
    await bob.the("left-behind").goes()


async def test_what_was_not_sent_to_a_room_is_offered(visit: Visit, server: ServerProcess) -> None:
    """Who was banned while she was away is told so, and keeps her words."""
    a, b = new_user("ann"), new_user("bob")
    ann = await person(server, a)
    room_id = await new_room(ann, "Tea", [b])
    bob = await visit(b, forgive=NO_NETWORK, **CLIPBOARD)
    await bob.open_room("Tea")
    await bob.set_offline(True)
    await bob.is_("offline")
    await bob.write("one more thing", "and another")
    await ann.call("ban", **new(room_id=room_id, user_id=b))
    await bob.set_offline(False)
    await bob.the("parted", "You were banned from Tea").appears()
    await bob.the("room").goes()
    await bob.the("left-behind", "one more thing").appears()
    await bob.the("copy-unsent").click()
    await bob.the("toast", "Copied").appears()
    copied = await bob.do(["evaluate", "navigator.clipboard.readText()"])
    assert copied == "one more thing\n\nand another"
    await bob.the("discard-unsent").click()
    await bob.the("left-behind").goes()
    await ann.close()


async def test_an_invitation_is_declined_and_accepted(visit: Visit) -> None:
    """It waits for an answer, on the list and where the room would be; a withdrawn one is gone."""
    a, b = new_user("ann"), new_user("bob")
    ann, bob = await visit(a), await visit(b)
    room_id = await ann.create_room("Secret garden", kind="private")
    await ann.about_room("people")

    async def invite() -> None:
        await ann.the("invite-user").fill(b)
        await ann.the("invite").click()
        await ann.person(b, "invited").appears()
        await bob.the("invitation", "Secret garden").appears()

    await invite()
    await bob.the("toast", f"{a} invites you").appears()
    await bob.the("invitation", f"{a} invites you").the("decline").click()
    await ann.person(b, "invited").goes()
    await bob.the("invitation").goes()
    await invite()
    await bob.go_to(room_id)
    await bob.the("outside-name", "Secret garden").appears()
    await ann.person(b, "invited").the("act-withdraw").click()
    await bob.the("parted", f"{a} withdrew the invitation").appears()
    await bob.the("outside-name").goes()
    await bob.go_to()
    await invite()
    await ann.person(b, "invited").the("act-withdraw").click()
    await bob.the("parting", f"{a} withdrew the invitation").the("dismiss").click()
    await bob.the("parting").goes()
    await invite()
    await bob.go_to(room_id)
    await bob.the("accept").click()
    await bob.the("composer").appears()
    await ann.person(b).appears()
    await ann.close_window()
    assert (await ann.notices())[-1] == f"{b} accepted the invitation"


async def test_people_page_by_page(visit: Visit, server: ServerProcess) -> None:
    """Members show by pages, with their number; roles, bans and the room change hands."""
    a = new_user("ann")
    others = [f"{a}-{n:03}" for n in range(100)]
    bob = others[7]
    client = await person(server, a)
    await new_room(client, "Town hall", others)
    ann = await visit(a)
    await ann.open_room("Town hall")
    await ann.about_room("people")
    await ann.by("getByText", "Members (101)").appears()
    await ann.person(others[98]).appears()
    await ann.person(others[99]).goes()
    await ann.the("more-member").click()
    await ann.person(others[99]).appears()
    await ann.the("more-member").goes()

    await ann.act_on(bob, "make-admin")
    await ann.person(bob).the("role", "Admin").appears()
    await ann.act_on(others[20], "ban", sure=True)
    await ann.person(others[20], "banned").the("act-unban").click()
    await ann.person(others[20], "banned").goes()
    await ann.by("getByText", "Members (100)").appears()
    await ann.act_on(bob, "hand-over", sure=True)
    await ann.person(bob).the("role", "Owner").appears()
    await ann.person(a).the("role", "Admin").appears()
    await ann.person(bob).the("person-menu").click()
    assert await ann.the("menu").text() == f"Write to {bob}"  # she is above ann now
    await client.close()


async def test_the_owner_leaves(visit: Visit, server: ServerProcess) -> None:
    """She reads who inherits before she goes; the heir and the others read it after."""
    a, b, c = new_user("ann"), new_user("bob"), new_user("carla")
    carla = await person(server, c)
    ann, bob = await visit(a), await visit(b)
    room_id = await ann.create_room("Tea")
    await carla.call("join_room", room_id=room_id)
    await bob.go_to(room_id)
    await bob.the("join").click()
    await bob.the("composer").appears()
    await ann.about_room("people")
    await ann.act_on(b, "make-admin")
    await ann.person(b).the("role", "Admin").appears()
    await ann.about_room()
    await ann.the("leave-room").click()
    await ann.the("confirm-dialog", f"{b} will own the room").appears()
    await ann.the("confirm").click()
    await ann.the("room").goes()
    await bob.the("notice", f"{a} left; you are the owner now").appears()
    await bob.about_room("people")
    await bob.person(b).the("role", "Owner").appears()
    await carla.close()


async def test_a_room_is_deleted_by_its_name(visit: Visit) -> None:
    """Only who types its name deletes it; the others are told, wherever they are."""
    a, b = new_user("ann"), new_user("bob")
    ann, bob = await visit(a), await visit(b)
    room_id = await ann.create_room("Tea")
    await bob.join_room(room_id)
    await bob.create_room("Elsewhere")
    await ann.about_room()
    await ann.the("delete-room").click()
    await ann.the("delete-name").fill("Te")
    await ann.the("delete-submit").click()
    await ann.the("form-error", "not the name").appears()
    await ann.the("delete-name").fill("Tea")
    await ann.the("delete-submit").click()
    await ann.the("room").goes()
    await bob.the("parting", "Tea was deleted").appears()
    await bob.the("room", "Tea").goes()
    await bob.the("dismiss").click()
    await bob.go_to(room_id)
    await bob.the("empty", "This room was deleted").appears()
    await ann.the("parting").goes()


async def test_looking_in_without_joining(visit: Visit, server: ServerProcess) -> None:
    """Who looks in reads what is said, over a lost connection too, and joins when she likes."""
    a = new_user("ann")
    ann = await person(server, a)
    room_id = await new_room(ann, f"Garden of {a}")
    await tell(ann, room_id, "one")
    bob = await visit(new_user("bob"), forgive=NO_NETWORK)
    await (await bob.find_room(f"Garden of {a}")).the("watch").click()
    await bob.shows(["one"])
    await bob.the("composer-lock", "looking in").appears()
    await tell(ann, room_id, "two")
    await bob.shows(["one", "two"])
    await bob.set_offline(True)
    await bob.is_("offline")
    await tell(ann, room_id, "three")
    await bob.set_offline(False)
    await bob.shows(["one", "two", "three"])
    await bob.the("composer-lock").the("join").click()
    await bob.the("composer-lock", "looking in").goes()
    await bob.write("four")
    await bob.shows(["one", "two", "three", "four"])
    await ann.close()


async def test_a_request_is_refused_while_looking_in(visit: Visit, server: ServerProcess) -> None:
    """Who looks in and asks to join hears the answer, and goes on looking in."""
    a, b = new_user("ann"), new_user("bob")
    ann = await person(server, a)
    name = f"Choir of {a}"
    room_id = await new_room(ann, name, settings={"require_approval": True})
    bob = await visit(b)
    await (await bob.find_room(name)).the("watch").click()
    await bob.the("composer-lock").the("ask").click()
    await bob.the("composer-lock").the("take_back").appears()
    await ann.call("kick", **new(room_id=room_id, user_id=b))
    await bob.the("toast", f"{a} refused your request").appears()
    await bob.the("composer-lock").the("ask").click()
    await bob.the("composer-lock").the("take_back").appears()
    await ann.call("approve", **new(room_id=room_id, user_id=b))
    await bob.the("composer-lock", "looking in").goes()
    await bob.write("hello")
    await bob.shows(["hello"])
    await ann.close()


async def test_settings_that_two_change_at_once(visit: Visit, server: ServerProcess) -> None:
    """The second is told what the first has changed; what she wrote stays, and counts at last."""
    a, b = new_user("ann"), new_user("bob")
    bob = await person(server, b)
    ann = await visit(a)
    room_id = await ann.create_room("Tea")
    await bob.call("join_room", room_id=room_id)
    await ann.about_room("people")
    await ann.act_on(b, "make-admin")
    await ann.person(b).the("role", "Admin").appears()
    await ann.about_room("settings")
    await ann.the("room-name").fill("Tea and cake")
    changes = {"name": "Coffee", "settings": {"mute_all": True}}
    await bob.call("update_room", **new(room_id=room_id, changes=changes))
    await ann.the("save-room").click()
    await ann.the("conflict", "Name is now “Coffee”; yours: “Tea and cake”").appears()
    await ann.the("conflict", "Only owner and admins write is now on").appears()
    assert await ann.do(["getByTestId", "room-name"], ["inputValue"]) == "Tea and cake"
    assert await ann.do(["getByTestId", "setting-mute_all"], ["isChecked"])
    await ann.the("save-room").click()
    await ann.the("toast", "Saved").appears()
    await ann.the("conflict").goes()
    await ann.close_window()
    await ann.the("room-title", "Tea and cake").appears()
    assert (await ann.notices())[-2:] == [
        f"{b} renamed the room. It is now called “Coffee”. {b} left writing to owner and admins",
        "You renamed the room. It is now called “Tea and cake”",
    ]
    await bob.close()


async def test_silence_ends_by_itself(visit: Visit, server: ServerProcess) -> None:
    """A composer that a mute has closed opens when its time is over, with what was in it."""
    a, b = new_user("ann"), new_user("bob")
    ann = await person(server, a)
    room_id = await new_room(ann, "Tea", [b])
    bob = await visit(b)
    await bob.open_room("Tea")
    await bob.the("composer").fill("I was just going to say")
    await ann.call("mute", **new(room_id=room_id, user_id=b, muted_for_ms=4_000))
    await bob.the("composer-lock", "You are muted").appears()
    assert await bob.focused() == "composer-lock"
    await bob.do(["locator", '[data-testid="composer"]:enabled'], ["waitFor"])
    assert await bob.focused() == "composer"
    await bob.press("Enter")
    await bob.shows(["I was just going to say"])
    for settings, words in (
        ({"mute_all": True}, "Only owner and admins"),
        ({"mute_all": False, "allowed_types": ["image"]}, "Only images may be sent"),
    ):
        await ann.call("update_room", **new(room_id=room_id, changes={"settings": settings}))
        await bob.the("composer-lock", words).appears()
    await ann.close()
