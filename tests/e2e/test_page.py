"""The chat page in Chromium: people talk, and no trouble of the network costs them a word."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.clients import ChatClient, new_user
from tests.e2e.stock import Enter, Stock
from tests.page import NO_NETWORK, Page
from tests.page_visits import (
    DESKTOP,
    MARKS,
    PHONE,
    WEB,
    Visit,
    darkness,
    fits,
    hears,
    invite,
    look,
    new,
    new_room,
    person,
    serving,
    stored,
    tell,
)
from tests.proxies import Proxy
from tests.servers import ServerProcess

pytestmark = MARKS

SOCKET_IO = "**/socket.io/?*"  # where the page connects to
CLIENT = "**/socket.io.esm.min.js"


@pytest.fixture
def server(page_server: ServerProcess) -> ServerProcess:
    return page_server


@pytest.fixture
def stock() -> Stock:
    """Return the client of those who take part without a browser."""
    return Stock("python", "websocket")


async def test_two_people_talk(visit: Visit) -> None:
    """Rooms, links, messages, edits, reactions, typing, read marks, unread counts, deletions."""
    a, b = new_user("ann"), new_user("bob")
    ann = await visit(a, permissions=["clipboard-read", "clipboard-write"])
    bob = await visit(b)
    assert await ann.the("me").text() == a
    await ann.create_room("Tea")
    await ann.the("copy-link").click()
    await ann.the("toast", "Link copied").appears()
    await bob.join_room(await ann.do(["evaluate", "navigator.clipboard.readText()"]))

    await ann.write("hello")
    await bob.shows(["hello"])
    await bob.write("good morning")
    await ann.shows(["hello", "good morning"])
    await bob.the("composer").fill("I am just")
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

    await ann.delete("are you")
    texts = ["hello", "good evening", "tea is ready", "This message was deleted", "there?"]
    at_ann, at_bob = await asyncio.gather(ann.shows(texts), bob.shows(texts))
    assert [m.id for m in at_ann] == [m.id for m in at_bob]


async def test_who_was_offline_has_what_the_others_have(visit: Visit, enter: Enter) -> None:
    """Both write while one is away; then both see the same in the same order, nothing twice."""
    b = new_user("bob")
    ann, bob = await visit(new_user("ann"), forgive=NO_NETWORK), await visit(b)
    room_id = await ann.create_room("Tea")
    await bob.join_room(room_id)
    await ann.write("one", "two")
    await bob.shows(["one", "two"])

    await ann.set_offline(True)
    await ann.is_("offline")
    await ann.the("banner", "Offline").appears()
    of_ann, of_bob = [f"ann {n}" for n in range(5)], [f"bob {n}" for n in range(5)]
    await asyncio.gather(ann.write(*of_ann), bob.write(*of_bob))
    await bob.edit("bob 0", into="bob zero")
    await ann.react("two", "🎉")
    of_bob[0] = "bob zero"
    await bob.shows(["one", "two", *of_bob])
    written = await ann.shows(["one", "two"], pending=of_ann)
    await ann.screenshot("offline")

    await ann.set_offline(False)
    await ann.is_("online")
    await ann.the("banner", "Offline").goes()
    texts = ["one", "two", *of_bob, *of_ann]
    at_ann, at_bob = await asyncio.gather(ann.shows(texts), bob.shows(texts))
    await bob.message("two").the("reaction-🎉", "1").appears()
    kept = await stored(await enter(b), room_id)
    assert [m.id for m in at_ann] == [m.id for m in at_bob] == [m["id"] for m in kept]
    assert [m["client_id"] for m in kept[-5:]] == [m.key for m in written[-5:]]


async def test_a_killed_server_costs_nothing(visit: Visit, tmp_path: Path) -> None:
    """What is written around a ``kill -9`` is there once, also where only the ack was lost."""
    server = await serving(tmp_path / "data").start()
    b = new_user("bob")
    texts = [f"line {n}" for n in range(10, 40)]
    first, second = texts[:15], texts[15:]
    async with Proxy.before(server.port) as network:
        ann = await visit(new_user("ann"), url=network.url, forgive=NO_NETWORK)
        room_id = await ann.create_room("Tea")
        bob = await join(server, b, room_id)
        writing = asyncio.create_task(ann.write(*first))
        await hears(bob, first[5])
        await server.kill()
        await writing
        await ann.is_("offline")
        await server.start()
        await ann.shows(first)

        bob = await join(server, b, room_id)
        network.muted = True  # what ann sends is stored, and she does not learn of it
        writing = asyncio.create_task(ann.write(*second))
        await hears(bob, second[0])
        await server.kill()
        network.muted = False
        await writing
        written = await ann.shows(first, pending=second)
        await server.start()
        shown = await ann.shows(texts)

        bob = await join(server, b, room_id)
        kept = await stored(bob, room_id)
        assert [m["content"]["text"] for m in kept] == texts
        assert [m["id"] for m in kept] == [m.id for m in shown]
        assert [m["client_id"] for m in kept] == [m.key for m in written]
        await bob.close()
        await ann.close()
    await server.kill()


async def test_a_reload_keeps_what_is_unsent(
    visit: Visit, enter: Enter, server: ServerProcess
) -> None:
    """Neither what waits for its ack nor what was written offline is lost or sent twice."""
    bob = await enter(new_user("bob"))
    async with Proxy.before(server.port) as network:
        ann = await visit(new_user("ann"), url=network.url, forgive=NO_NETWORK)
        room_id = await ann.create_room("Tea")
        await bob.call("join_room", room_id=room_id)
        await ann.write("acked")
        await ann.shows(["acked"])
        network.muted = True
        await ann.write("stored")
        await hears(bob, "stored")
        await ann.block(SOCKET_IO)
        network.cut()
        network.muted = False
        await ann.is_("offline")
        await ann.write("written offline")
        unsent = ["stored", "written offline"]
        before = await ann.shows(["acked"], pending=unsent)

        await ann.reload()
        await ann.is_("offline")
        assert await ann.shows(["acked"], pending=unsent) == before
        await ann.unblock(SOCKET_IO)
        await ann.the("banner").by("getByRole", "button").click()  # try now
        after = await ann.shows(["acked", *unsent])
        assert [m.key for m in after] == [m.key for m in before]
        kept = await stored(bob, room_id)
        assert [(m["id"], m["client_id"]) for m in kept] == [(m.id, m.key) for m in after]
        await ann.close()


async def test_signing_in_with_a_token(visit: Visit, server: ServerProcess) -> None:
    """A token lets in, also as part of a link; what is none is refused in words."""
    user_id = new_user("ann")
    token = server.token(user_id)
    head, claims, signature = token.split(".")
    forged = f"{head}.{claims}.{'b' if signature[0] == 'a' else 'a'}{signature[1:]}"
    # The page drops a connection that refused it, perhaps in the middle of its upgrade.
    page = await visit(forgive=r"closed before the connection is established|400 \(Bad Request\)")
    await page.sign_in_with("ann")
    await page.by("getByRole", "alert").by("filter", {"hasText": "not a token"}).appears()
    await page.sign_in_with(forged)
    assert "signature" in await page.the("signin-reason").text()
    await page.sign_in_with(token)
    await page.is_("online")
    assert await page.the("me").text() == user_id

    linked = await visit(url=f"{server.url}#token={token}")
    await linked.is_("online")
    assert token not in await linked.do(["url"])


async def test_the_page_says_what_is_missing(visit: Visit, tmp_path: Path) -> None:
    """Without the Socket.IO client there is a page that says how to get it."""
    web = shutil.copytree(WEB, tmp_path / "web", ignore=shutil.ignore_patterns("node_modules"))
    server = await serving(tmp_path / "data", web=web).start()
    page = await visit(url=server.url)
    assert "npm ci" in await page.by("locator", "body").text()
    await server.kill()

    # Where another server gives out the files, the page itself says it.
    page = await visit(forgive=NO_NETWORK)
    await page.block(CLIENT)
    await page.reload()
    await page.the("missing-client", "npm ci").appears()


async def test_on_a_phone(visit: Visit, enter: Enter, server: ServerProcess) -> None:
    """List and conversation take turns, nothing is wider than the screen, and dark is dark."""
    bob = await enter(new_user("bob"))
    name = "A room with a name that no phone has the width for"
    room_id = await new_room(bob, name)
    await bob.say(room_id, "no phone is as wide as " + "this" * 30)
    await bob.say(room_id, "but this fits")
    ann = await visit(new_user("ann"), **PHONE)
    await ann.the("no-rooms").appears()
    assert await fits(ann)

    await ann.do(["goto", f"{server.url}#room/{room_id}"])
    await ann.the("join").tap()
    fitting = ann.message("but this fits")
    await fitting.tap()
    await fitting.the("react").tap()
    await fitting.the("emoji-👍").tap()
    await fitting.the("reaction-👍", "1").appears()
    await ann.write_with_button("hello from a phone")
    await hears(bob, "hello from a phone")
    await ann.the("rooms").goes()
    assert await fits(ann)
    assert await darkness(ann) > 0.7

    await ann.the("back").tap()
    await ann.the("composer").goes()
    await ann.the("room", name).appears()
    assert await fits(ann)
    await ann.the("room", name).tap()
    await ann.the("composer").appears()


async def test_pictures_of_a_conversation(
    visit: Visit, enter: Enter, server: ServerProcess
) -> None:
    """All there is to a conversation can be seen at once: by day, by night, on a phone."""
    people = ["ann", "bob", "carla", "dmitri", "eve"]
    bob, carla, dmitri, eve = [await enter(name) for name in people[1:]]
    await invite(eve, "ann", await new_room(eve, "Surprise for Bob", type="private"))
    await busy_with_a_word(server, "frida", "ann")
    mug = "@ann is the blue mug yours?"
    await tell(eve, await new_room(eve, "Kitchen", people), mug, mentions=["ann"])
    ann = await visit(**DESKTOP)
    await ann.the("signin-name").appears()
    await ann.screenshot("sign-in")
    await ann.sign_in("ann")

    await tell(carla, await new_room(carla, "Book club", people), "Chapters 4 to 7 for Tuesday")
    await dmitri.call("private", to="ann", **new(content={"text": "Your bike is at the station"}))
    for name in ("Book club", "dmitri", "frida"):
        await ann.open_room(name)
    release = await new_room(bob, "Release 2.4", people)
    for text in ("The changelog is up for review", "All checks are green", "Tagging at noon"):
        await tell(bob, release, text)

    walk = await new_room(bob, "Harbour walk", people, "Saturday, whatever the weather")
    await ann.open_room("Harbour walk")
    ferry = await tell(bob, walk, "Morning! The ferry leaves at 9:40 on Saturday. Who is in?")
    await tell(carla, walk, "Me, and the dog 🐕")
    await tell(dmitri, walk, "In. I can carry the big thermos")
    await ann.write("@dmitri yes please! And I make sandwiches")
    await hears(bob, "@dmitri yes please! And I make sandwiches")
    rain = await tell(eve, walk, "Rain from noon, they say: https://weather.example/harbour")
    lunch = await tell(bob, walk, "Then the other way round, and lunch in the café", reply_to=rain)
    await tell(carla, walk, "☔😂")
    await tell(carla, walk, "@ann can you book the table by the window?", mentions=["ann"])
    await ann.write("Booked")
    booked = await hears(bob, "Booked")
    await ann.edit("Booked", into="Booked: one o'clock, five people and a dog")
    await ann.react("lunch in the café", "👍")
    for who, message_id, emoji in [
        (dmitri, ferry, "❤️"),
        (carla, lunch, "👍"),
        (dmitri, lunch, "👍"),
        (eve, lunch, "🎉"),
    ]:
        await who.call("react", **new(message_id=message_id, emoji=emoji, on=True))
    for reader in (bob, carla, eve):
        await reader.call("read", room_id=walk, seq=booked["seq"])
    await dmitri.call("typing", room_id=walk, typing=True)

    await ann.the("seen-by", "bob, carla and eve").appears()
    await ann.the("typing", "dmitri").appears()
    await ann.message("Booked: one").the("edited").appears()
    await ann.message("lunch in").the("reaction-👍", "3").appears()
    await ann.the("room", "Release 2.4").the("unread", "3").appears()
    await ann.the("room", "Kitchen").the("unread", "@ 1").appears()
    await ann.the("inbox-unread", "1").appears()
    await ann.the("room", "frida").the("presence", "Busy").appears()
    await ann.the("room", "dmitri").the("presence", "Online").appears()
    assert await darkness(ann) < 0.3
    await ann.screenshot("light")
    await ann.do(["emulateMedia", {"colorScheme": "dark"}])
    assert await darkness(ann) > 0.7
    await ann.screenshot("dark")
    await pictures_of_a_phone(await visit("ann", **PHONE))


async def busy_with_a_word(server: ServerProcess, user: str, to: str) -> None:
    """Let somebody write a private message and be seen as busy."""
    writer = await person(server, user)
    await writer.call("private", to=to, **new(content={"text": "In a meeting until noon"}))
    await writer.close()
    await (await look(server, user)).call("set_status", status="busy")


async def pictures_of_a_phone(phone: Page) -> None:
    """Show the same where there is less room."""
    await phone.the("room", "Harbour walk").appears()
    await phone.screenshot("phone-list")
    await phone.the("room", "Harbour walk").tap()
    await phone.message("Booked: one").appears()
    await phone.screenshot("phone")


async def join(server: ServerProcess, user_id: str, room_id: str) -> ChatClient:
    """Return a member of a room who uses no browser."""
    client = await person(server, user_id)
    await client.call("join_room", room_id=room_id)
    return client
