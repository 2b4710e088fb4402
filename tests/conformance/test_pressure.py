"""A client that sends faster than it is handled is slowed down, and nothing of it is lost."""

import asyncio
from typing import Any

import pytest

from parley.namespaces.mailbox import LIMIT
from tests.conformance.test_namespaces import entered
from tests.engines import House
from tests.links import LINKS, body_of

FLOOD = 3_000
READ_AHEAD = 3 * 262_144 // 1_000  # events of 1 KB that one read of the transport may bring


class Slow:
    """A handler that waits until it is told to go on."""

    def __init__(self, house: House) -> None:
        self.goes = asyncio.Event()
        self.numbers: list[int] = []
        house.server.on("n", self.handle)

    async def handle(self, sid: str, number: int, *rest: Any) -> None:
        """Note one event."""
        await self.goes.wait()
        self.numbers.append(number)


@pytest.mark.parametrize("kind", [kind for kind in LINKS if kind != "polling"])
async def test_a_flood_on_a_websocket_is_not_read(house: House, kind: str) -> None:
    """What waits is bounded while handlers are slow, and all is handled in order afterwards."""
    slow, link = Slow(house), await house.link(kind)
    sid = await entered(link)
    text = "x" * 1_000
    sending = asyncio.ensure_future(link.send(*(f'42["n",{n},"{text}"]' for n in range(FLOOD))))
    member = house.server.manager.member(sid, "/")
    await house.until(lambda: member.mailbox is not None and member.mailbox.full)
    await house.turn()
    assert LIMIT <= len(member.mailbox._waiting) < LIMIT + READ_AHEAD
    slow.goes.set()
    await sending
    await house.until(lambda: len(slow.numbers) == FLOOD)
    assert slow.numbers == list(range(FLOOD))


async def test_a_flood_of_posts_is_answered_late(house: House) -> None:
    """A POST is answered when there is room again, so that an honest client waits."""
    slow, link = Slow(house), await house.polling()
    await entered(link)
    post = asyncio.ensure_future(link.post(body_of(f'42["n",{n}]' for n in range(FLOOD))))
    await house.until(lambda: _waits(house) >= LIMIT)
    assert not post.done()
    slow.goes.set()
    assert await post == (200, "ok")
    await house.until(lambda: len(slow.numbers) == FLOOD)
    assert slow.numbers == list(range(FLOOD))


async def test_a_post_that_is_not_answered_yet_is_active(house: House) -> None:
    """The session is closed when a second POST comes: else nothing would bound what waits."""
    slow, link = Slow(house), await house.polling()
    await entered(link)
    body = body_of(f'42["n",{n}]' for n in range(2 * LIMIT))
    first = asyncio.ensure_future(link.post(body))
    await house.until(lambda: _waits(house) >= LIMIT)
    waited = _waits(house)
    status, _ = await link.post(body)
    slow.goes.set()
    await first
    assert (status, waited < 3 * LIMIT) == (400, True)


def _waits(house: House) -> int:
    """Return how many events wait for the only client there is."""
    (sid,) = house.server.manager.sids("/", None)
    mailbox = house.server.manager.member(sid, "/").mailbox
    return 0 if mailbox is None or mailbox._waiting is None else len(mailbox._waiting)
