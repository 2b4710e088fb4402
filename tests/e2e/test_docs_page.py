"""The page at /api/docs in Chromium: somebody reads about an operation and tries it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.page import Browser, Part
from tests.servers import ServerProcess

pytestmark = [pytest.mark.node, pytest.mark.chromium, pytest.mark.timeout(120)]

DESKTOP: dict[str, Any] = {"viewport": {"width": 1180, "height": 900}, "colorScheme": "light"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "deviceScaleFactor": 2,
    "isMobile": True,
    "hasTouch": True,
    "colorScheme": "dark",
}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    browser = await Browser().start()
    yield browser
    await browser.close()


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_somebody_tries_an_operation(
    server: ServerProcess, browser: Browser, device: dict[str, Any]
) -> None:
    name = "phone" if device is PHONE else "desktop"
    # Without a token the answer is 401, which the browser's console tells as well.
    page = await browser.open(f"{server.url}/api/docs", forgive="401", **device)
    create = page.by("locator", "#create_room")
    await create.by("locator", "summary").by("first").click()
    await _send(create)
    assert "unauthorized" in await create.by("locator", ".output").text()
    await page.by("locator", "#token").fill(server.token("alice", roles=["admin"]))
    assert "alice (admin), until" in await page.by("locator", "#whose").text()
    await _send(create)
    await create.by("locator", ".output .good").appears()
    assert "201" in await create.by("locator", ".output").text()
    assert '"name": "Tea"' in await create.by("locator", ".output pre").text()
    await page.screenshot(f"docs-{name}")
    online = page.by("locator", "#list_online")
    await online.by("locator", "summary").by("first").click()
    await _send(online)
    assert '"items": []' in await online.by("locator", ".output pre").text()
    # Nothing is wider than the screen.
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.do(["evaluate", wide]) <= 0
    await page.close()


async def test_an_address_opens_its_operation(server: ServerProcess, browser: Browser) -> None:
    page = await browser.open(f"{server.url}/api/docs#send_message", **DESKTOP)
    await page.by("locator", "#send_message[open] textarea").appears()
    curl = page.by("locator", "#send_message .as-curl")
    await curl.click()
    assert "/api/v1/messages/rooms/" in await curl.text()
    await page.close()


async def _send(operation: Part) -> None:
    await operation.by("locator", "button").click()
    await operation.by("locator", ".output pre").appears()
