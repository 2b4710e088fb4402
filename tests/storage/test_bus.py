"""`Bus`, and what the one in memory adds to it."""

import asyncio
import logging

import pytest

from parley.storage.expiring import Bus, Subscription
from parley.storage.memory.bus import MemoryBus
from tests.storage.redis.buses import Inbox


async def test_subscribers_hear_their_channel_in_order(bus: Bus, sender: Bus) -> None:
    """Every subscriber of a channel gets its payloads, and those of no other."""
    one, two, other = Inbox(), Inbox(), Inbox()
    subscriptions = [
        await bus.subscribe("a", one),
        await bus.subscribe("a", two),
        await bus.subscribe("b", other),
    ]
    for payload in (b"1", b"2", b"3"):
        sender.publish("a", payload)
    sender.publish("b", b"end")
    assert await one.until(b"3") == [b"1", b"2", b"3"]
    assert await two.until(b"3") == [b"1", b"2", b"3"]
    assert await other.until(b"end") == [b"end"]
    for subscription in subscriptions:
        await subscription.cancel()


async def test_what_nobody_hears_is_gone(bus: Bus, sender: Bus) -> None:
    """A subscriber hears what is published from now on."""
    earlier, inbox = Inbox(), Inbox()
    subscriptions = [await bus.subscribe("a", earlier)]
    sender.publish("a", b"before")
    await earlier.until(b"before")
    subscriptions.append(await bus.subscribe("a", inbox))
    sender.publish("a", b"after")
    assert await inbox.until(b"after") == [b"after"]
    for subscription in subscriptions:
        await subscription.cancel()


async def test_a_channel_may_be_left_and_heard_again(bus: Bus, sender: Bus) -> None:
    """Each subscription that has returned is in force, whatever came right before it."""
    for number in range(20):
        inbox, given_up = Inbox(), Inbox()
        await (await bus.subscribe("a", given_up)).cancel()
        subscription = await bus.subscribe("a", inbox)
        sender.publish("a", b"%d" % number)
        assert await inbox.until(b"%d" % number) == [b"%d" % number]
        await subscription.cancel()


async def test_many_channels_at_once(bus: Bus, sender: Bus) -> None:
    """Each is confirmed, and hears what is said there and nothing else."""
    channels = [f"room:{number}" for number in range(500)]
    inboxes = {channel: Inbox() for channel in channels}
    subscriptions = await asyncio.gather(*(bus.subscribe(c, inboxes[c]) for c in channels))
    for channel in channels:
        sender.publish(channel, channel.encode())
    for channel, inbox in inboxes.items():
        assert await inbox.until(channel.encode()) == [channel.encode()]
    await asyncio.gather(*(subscription.cancel() for subscription in subscriptions))


async def test_a_payload_is_any_bytes(bus: Bus, sender: Bus) -> None:
    """Nothing is added or taken away."""
    inbox, payloads = Inbox(), [b"", b" ", b"\r\n", bytes(range(256)), b"x" * 65_536]
    subscription = await bus.subscribe("a", inbox)
    for payload in [*payloads, b"end"]:
        sender.publish("a", payload)
    assert await inbox.until(b"end") == [*payloads, b"end"]
    await subscription.cancel()


async def test_nothing_comes_after_cancel(bus: Bus, sender: Bus) -> None:
    """What was queued or is published later is not delivered; cancelling twice is fine."""
    ended, going = Inbox(), Inbox()
    subscription, other = await bus.subscribe("a", ended), await bus.subscribe("a", going)
    sender.publish("a", b"queued")
    await subscription.cancel()
    await subscription.cancel()
    sender.publish("a", b"later")
    await going.until(b"later")
    assert b"later" not in ended.heard
    await other.cancel()


async def test_a_listener_may_end_its_own_subscription(bus: Bus, sender: Bus) -> None:
    """Cancelling from within the listener does not wait for itself, and is the last call."""
    inbox, heard = Inbox(), list[bytes]()
    subscriptions: list[Subscription] = []

    async def listen(payload: bytes) -> None:
        heard.append(payload)
        await subscriptions[0].cancel()

    subscriptions += [await bus.subscribe("a", listen), await bus.subscribe("a", inbox)]
    sender.publish("a", b"1")
    sender.publish("a", b"2")
    await inbox.until(b"2")
    sender.publish("a", b"3")
    await inbox.until(b"3")
    assert heard == [b"1"]
    await subscriptions[1].cancel()


async def test_a_failing_listener_is_logged_and_goes_on(
    bus: Bus, sender: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    """The next payload comes after an error, and other listeners do not notice."""
    inbox = Inbox()

    async def listen(payload: bytes) -> None:
        if payload == b"bad":
            raise ValueError("a bad payload")
        await inbox(payload)

    subscription = await bus.subscribe("a", listen)
    with caplog.at_level(logging.ERROR):
        sender.publish("a", b"bad")
        sender.publish("a", b"good")
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
