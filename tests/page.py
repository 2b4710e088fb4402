"""The chat page in Chromium, used as people use it; tests/e2e/node/page.mjs drives the browser."""

import asyncio
import contextlib
import itertools
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

DRIVER = Path(__file__).parent / "e2e" / "node" / "page.mjs"
LINE_BYTES = 16_000_000

NO_NETWORK = r"net::ERR_|WebSocket connection to .* failed"
"""What Chromium has to say where the network is away."""

Step = list[Any]  # a method of Playwright's and its arguments


class BrowserFailed(AssertionError):
    """What was asked of the page could not be done; carries Playwright's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as the page shows it."""

    id: str | None  # None until the server has it
    key: str  # of a message of one's own it is the client_id
    state: str  # "pending", "sent" or "failed"
    text: str


class Browser:
    """One Chromium with any number of worlds, each with storage, a network and pages of its own."""

    def __init__(self) -> None:
        self._pages: dict[int, Page] = {}
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> Self:
        """Start the browser; what its driver writes to stderr goes to the test's."""
        self._process = await asyncio.create_subprocess_exec(
            "node",
            str(DRIVER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def close(self) -> None:
        """End the browser with all its pages."""
        if self._process is None or self._reader is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reader

    async def open(
        self,
        url: str,
        *,
        beside: "Page | None" = None,
        forgive: str | None = None,
        **options: Any,
    ) -> "Page":
        """Open a page.

        Args:
            beside: A page of which this is another tab; None: it has a world of its own.
            forgive: A pattern; errors in the browser's console that it finds fail no test.
            options: Those of Playwright's ``newContext``, for a world of its own.
        """
        page = Page(self, next(self._numbers), forgive)
        self._pages[page.number] = page
        neighbour = None if beside is None else beside.number
        await self.call("open", page=page.number, beside=neighbour, options=options)
        await page.do(["goto", url])
        return page

    async def call(self, do: str, **command: Any) -> Any:
        """Have the driver do something and return its result.

        Raises:
            BrowserFailed: It could not be done, or not in time.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        if self._reader is None or self._reader.done():
            raise BrowserFailed("the driver of the browser has ended")
        number = next(self._numbers)
        self._calls[number] = asyncio.get_running_loop().create_future()
        line = json.dumps({"call": number, "do": do, **command})
        self._process.stdin.write(line.encode() + b"\n")
        return await self._calls[number]

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            if "call" not in said:
                self._pages[said["page"]].problems.append(said["problem"])
                continue
            answer = self._calls.pop(said["call"])
            if answer.done():
                continue  # the test gave up waiting
            if "error" in said:
                answer.set_exception(BrowserFailed(said["error"]))
            else:
                answer.set_result(said["result"])
        for answer in self._calls.values():
            answer.set_exception(BrowserFailed("the driver of the browser has ended"))


@dataclass(frozen=True, slots=True)
class Part:
    """Elements of a page, found anew each time that something is done with them."""

    page: "Page"
    steps: tuple[Step, ...] = ()

    def the(self, testid: str, text: str | None = None) -> "Part":
        """Return the part inside with a test id and, perhaps, with a text somewhere in it."""
        only = [] if text is None else [["filter", {"hasText": text}]]
        return Part(self.page, (*self.steps, ["getByTestId", testid], *only))

    def by(self, *step: Any) -> "Part":
        """Return what a method of Playwright's finds."""
        return Part(self.page, (*self.steps, list(step)))

    async def appears(self) -> None:
        """Wait until it can be seen."""
        await self._do("waitFor")

    async def goes(self) -> None:
        """Wait until nothing of it can be seen."""
        await self._do("waitFor", {"state": "hidden"})

    async def click(self, *, within_ms: int | None = None) -> None:
        """Click it as soon as it can be clicked."""
        await self._do("click", *([] if within_ms is None else [{"timeout": within_ms}]))

    async def tap(self) -> None:
        """Touch it with a finger."""
        await self._do("tap")

    async def hover(self) -> None:
        """Put the pointer on it."""
        await self._do("hover")

    async def fill(self, text: str) -> None:
        """Write a text into it."""
        await self._do("fill", text)

    async def press(self, key: str) -> None:
        """Press a key in it."""
        await self._do("press", key)

    async def text(self) -> str:
        """Wait for it, and return the text it shows."""
        text: str = await self._do("innerText")
        return text

    async def _do(self, *step: Any) -> Any:
        return await self.page.do(*self.steps, list(step))


@dataclass(eq=False)
class Page:
    """The chat page in one person's browser."""

    browser: Browser
    number: int
    forgive: str | None
    problems: list[str] = field(default_factory=list[str])
    closed: bool = False

    # What there is

    def the(self, testid: str, text: str | None = None) -> Part:
        """See `Part.the`."""
        return Part(self).the(testid, text)

    def by(self, *step: Any) -> Part:
        """See `Part.by`."""
        return Part(self).by(*step)

    def message(self, text: str) -> Part:
        """Return the message with a text."""
        has = {"@locator": [["getByTestId", "message-text"], ["filter", {"hasText": text}]]}
        return self.the("message").by("filter", {"has": has})

    async def messages(self) -> list[Message]:
        """Return what the open conversation shows now."""
        return await self._messages(None)

    async def shows(self, sent: Iterable[str], *, pending: Iterable[str] = ()) -> list[Message]:
        """Wait until the open conversation shows these texts and no others; return it then."""
        wanted = [*((text, "sent") for text in sent), *((text, "pending") for text in pending)]
        messages = await self._messages(wanted)
        shown = [(message.text, message.state) for message in messages]
        assert shown == wanted, f"\nshown:  {shown}\nwanted: {wanted}"
        return messages

    async def notices(self) -> list[str]:
        """Return what the open conversation says about people and the room, without the times."""
        read = """[...document.querySelectorAll('[data-testid="notice"]')].map(
            (line) => line.firstChild.textContent).join("\\n")"""
        lines: str = await self.do(["evaluate", read])
        return lines.split("\n")

    async def is_(self, status: str) -> None:
        """Wait until it says of its connection: online, syncing, offline or connecting."""
        found = f'[data-testid="connection"][data-status="{status}"]'
        # On a phone it may be there without being seen.
        await self.do(["locator", found], ["waitFor", {"state": "attached"}])

    async def room_id(self) -> str:
        """Return the id of the open room."""
        address: str = await self.do(["url"])
        return address.rpartition("#room/")[2]

    # What one does

    async def sign_in(self, name: str) -> None:
        """Sign in by name and wait until it is connected."""
        await self.the("signin-name").fill(name)
        await self.the("signin-name-submit").click()
        await self.is_("online")

    async def sign_in_with(self, token: str) -> None:
        """Offer a token."""
        folded = self.by("locator", "details:not([open]) > summary")
        form = self.the("signin-token-submit")
        await folded.by("or", {"@locator": form.steps}).by("first").click()
        await self.the("signin-token").fill(token)
        await form.click()

    async def create_room(self, name: str, *, kind: str = "public", setting: str = "") -> str:
        """Make a room, perhaps with one setting switched on, and return its id."""
        await self.the("new").click()
        await self.the("room-name").fill(name)
        await self.the(f"room-type-{kind}").click()
        if setting:
            await self.the("more-settings").click()
            await self.the(f"setting-{setting}").click()
        await self.the("create-room").click()
        await self.the("room-title", name).appears()
        return await self.room_id()

    async def find_room(self, name: str) -> Part:
        """Look for a public room, and return what is found; it offers the ways in."""
        await self.the("find-rooms").click()
        await self.the("find-input").fill(name)
        await self.the("found-state", "1 room").appears()
        return self.the("found-room", name)

    async def about_room(self, tab: str = "about") -> None:
        """Open the window about the room, or turn its page if it is open."""
        if not await self.do(["evaluate", "document.querySelector('dialog[open]') !== null"]):
            await self.the("details").click()
        await self.the(f"details-tab-{tab}").click()

    def person(self, user: str, state: str = "member") -> Part:
        """Return somebody in a list of the window about the room."""
        found = {"@locator": [["locator", f'[data-user="{user}"]']]}
        return self.the(f"people-{state}").the("person").by("and", found)

    async def act_on(self, user: str, act: str, *, sure: bool = False) -> None:
        """Do something about a member by her menu; ``sure`` answers the question before it."""
        await self.person(user).the("person-menu").click()
        await self.the(f"act-{act}").click()
        if sure:
            await self.the("confirm").click()

    async def close_window(self) -> None:
        """Close the window in front, as Escape does."""
        await self.press("Escape")

    async def join_room(self, link: str) -> None:
        """Join a public room by its link, or by its id."""
        await self.the("find-rooms").click()
        await self.the("find-input").fill(link)
        await self.the("open-link").click()
        await self.the("join").click()
        await self.the("room-title").appears()

    async def go_to(self, room_id: str | None = None) -> None:
        """Open the address of a room, whether one is in it or not; without an id no room's."""
        await self.do(["evaluate", f"location.hash = '#room/{room_id or ''}'"])

    async def open_room(self, name: str) -> None:
        """Choose a room from the list."""
        await self.the("room", name).click()
        await self.the("room-title", name).appears()

    async def write(self, *texts: str) -> None:
        """Write messages, one after the other, each ended by Enter."""
        for text in texts:
            await self.the("composer").fill(text)
            await self.the("composer").press("Enter")

    async def write_with_button(self, text: str) -> None:
        """Write a message as on a phone, where Enter makes a line."""
        await self.the("composer").fill(text)
        await self.the("send").click()

    async def edit(self, text: str, into: str) -> None:
        """Edit a message of one's own."""
        await self._use("edit", text)
        await self.write(into)

    async def delete(self, text: str) -> None:
        """Delete a message of one's own."""
        await self._use("delete", text)
        await self.the("confirm").click()

    async def press(self, *keys: str) -> None:
        """Press keys wherever the focus is, one after the other."""
        for key in keys:
            await self.do(["keyboard"], ["press", key])

    async def type(self, text: str) -> None:
        """Type a text wherever the focus is."""
        await self.do(["keyboard"], ["type", text])

    async def focused(self) -> str:
        """Return the test id of what has the focus."""
        testid: str = await self.do(["evaluate", "document.activeElement.dataset.testid ?? ''"])
        return testid

    async def react(self, text: str, emoji: str) -> None:
        """React to a message, or take the reaction back."""
        await self._use("react", text)
        await self.message(text).the(f"emoji-{emoji}").click()

    async def reload(self) -> None:
        """Load the page again."""
        await self.do(["reload"])

    # What happens to it

    async def set_offline(self, offline: bool) -> None:
        """Take the network of this browser away, or give it back."""
        await self.do(["context"], ["setOffline", offline])

    async def take_clock(self) -> None:
        """Load the page again with a clock that goes on by itself, and that `wait_out` moves."""
        await self.do(["clock"], ["install"])
        await self.reload()

    async def wait_out(self, ms: int) -> None:
        """Let time go by at once; see `take_clock`."""
        await self.do(["clock"], ["fastForward", ms])

    async def block(self, url: str) -> None:
        """Fail what it asks for at addresses of a form, until `unblock`."""
        await self.browser.call("block", page=self.number, url=url)

    async def unblock(self, url: str) -> None:
        """See `block`."""
        await self.do(["context"], ["unroute", url])

    async def check_accessible(self, within: str = "body") -> None:
        """Check that axe-core finds nothing serious in a part of the page, by day and by night."""
        found: list[str] = []
        for scheme in ("light", "dark"):
            await self.do(["emulateMedia", {"colorScheme": scheme, "reducedMotion": "reduce"}])
            wrong = await self.browser.call("violations", page=self.number, selector=within)
            found += [f"{scheme}: {violation}" for violation in wrong]
        assert not found, "\n".join(found)

    async def screenshot(self, name: str) -> None:
        """Keep a picture, if ``PARLEY_TEST_SCREENSHOTS`` names a folder for it."""
        if folder := os.environ.get("PARLEY_TEST_SCREENSHOTS"):
            path = f"{folder}/{name}.png"
            await self.do(["screenshot", {"path": path, "animations": "disabled"}])

    async def close(self) -> None:
        """Close it, and check that the browser had nothing to complain about."""
        if self.closed:
            return
        self.closed = True
        await self.browser.call("close", page=self.number)
        forgiven = re.compile(self.forgive) if self.forgive else None
        problems = [p for p in self.problems if not (forgiven and forgiven.search(p))]
        assert not problems, "\n".join(problems)

    async def do(self, *steps: Step) -> Any:
        """Call methods of Playwright's page, each on what the one before returned."""
        return await self.browser.call("steps", page=self.number, steps=steps)

    async def run(self, function: str, *arguments: Any) -> Any:
        """Call a function that is written in JavaScript, in the page."""
        called = f"({function})({', '.join(map(json.dumps, arguments))})"
        return await self.do(["evaluate", called])

    async def _use(self, tool: str, text: str) -> None:
        """Click a tool of a message; it hides again if something moves the message away."""
        message = self.message(text)
        for within_ms in (1_000, 2_000):
            await message.hover()
            with contextlib.suppress(BrowserFailed):
                await message.the(tool).click(within_ms=within_ms)
                return
        await message.hover()
        await message.the(tool).click()

    async def _messages(self, wanted: list[tuple[str, str]] | None) -> list[Message]:
        shown = await self.browser.call("messages", page=self.number, wanted=wanted)
        return [Message(**message) for message in shown]
