"""`Bus`, and what the one in memory adds to it."""

import asyncio
import logging

import pytest

from parley.storage.expiring import Bus, Subscription
from parley.storage.memory.bus import MemoryBus


class Inbox:
    """A listener that keeps what it hears; `until` waits for it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._more = asyncio.Event()

    async def __call__(self, payload: bytes) -> None:
        self.heard.append(payload)
        self._more.set()

    async def until(self, payload: bytes) -> list[bytes]:
        while payload not in self.heard:
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), 10)
        return self.heard


async def test_subscribers_hear_their_channel_in_order(bus: Bus) -> None:
    """Every subscriber of a channel gets its payloads, and those of no other."""
    one, two, other = Inbox(), Inbox(), Inbox()
    subscriptions = [
        await bus.subscribe("a", one),
        await bus.subscribe("a", two),
        await bus.subscribe("b", other),
    ]
    for payload in (b"1", b"2", b"3"):
        bus.publish("a", payload)
    bus.publish("b", b"end")
    assert await one.until(b"3") == [b"1", b"2", b"3"]
    assert await two.until(b"3") == [b"1", b"2", b"3"]
    assert await other.until(b"end") == [b"end"]
    for subscription in subscriptions:
        await subscription.cancel()


async def test_what_nobody_hears_is_gone(bus: Bus) -> None:
    """A subscriber hears what is published from now on."""
    bus.publish("a", b"before")
    inbox = Inbox()
    subscription = await bus.subscribe("a", inbox)
    bus.publish("a", b"after")
    assert await inbox.until(b"after") == [b"after"]
    await subscription.cancel()


async def test_nothing_comes_after_cancel(bus: Bus) -> None:
    """What was queued or is published later is not delivered; cancelling twice is fine."""
    ended, going = Inbox(), Inbox()
    subscription, other = await bus.subscribe("a", ended), await bus.subscribe("a", going)
    bus.publish("a", b"queued")
    await subscription.cancel()
    await subscription.cancel()
    bus.publish("a", b"later")
    await going.until(b"later")
    assert b"later" not in ended.heard
    await other.cancel()


async def test_a_listener_may_end_its_own_subscription(bus: Bus) -> None:
    """Cancelling from within the listener does not wait for itself, and is the last call."""
    inbox, heard = Inbox(), list[bytes]()
    subscriptions: list[Subscription] = []

    async def listen(payload: bytes) -> None:
        heard.append(payload)
        await subscriptions[0].cancel()

    subscriptions += [await bus.subscribe("a", listen), await bus.subscribe("a", inbox)]
    bus.publish("a", b"1")
    bus.publish("a", b"2")
    await inbox.until(b"2")
    bus.publish("a", b"3")
    await inbox.until(b"3")
    assert heard == [b"1"]
    await subscriptions[1].cancel()


async def test_a_failing_listener_is_logged_and_goes_on(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    """The next payload comes after an error, and other listeners do not notice."""
    inbox = Inbox()

    async def listen(payload: bytes) -> None:
        if payload == b"bad":
            raise ValueError("a bad payload")
        await inbox(payload)

    subscription = await bus.subscribe("a", listen)
    with caplog.at_level(logging.ERROR):
        bus.publish("a", b"bad")
        bus.publish("a", b"good")
        assert await inbox.until(b"good") == [b"good"]
    assert "a bad payload" in caplog.text
    await subscription.cancel()


async def test_a_slow_listener_loses_the_oldest() -> None:
    """A full queue drops its oldest payload, so memory stays bounded."""
    bus, inbox = MemoryBus(max_waiting=3), Inbox()
    subscription = await bus.subscribe("a", inbox)
    for i in range(10):
        bus.publish("a", b"%d" % i)
    assert await inbox.until(b"9") == [b"7", b"8", b"9"]
    await subscription.cancel()
