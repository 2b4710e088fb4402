"""The webhook: where it may lead, and what counts as arrived."""

import socket

import pytest

from parley.namespaces.notification.seams import PushFailed
from parley.server.push import PublicResolver, WebhookSender, sign
from parley.server.settings import InvalidSettings, Settings
from parley.storage.models import Timestamp, UserId
from parley.storage.notifications import Notification, NotificationId
from tests.receivers import SECRET, Receiver

NOTIFICATION = Notification(
    id=NotificationId("0" * 24),
    user_id=UserId("ann"),
    seq=1,
    rev=1,
    content={"title": "Tea", "body": "is ready"},
    created_at=Timestamp(1),
)


async def test_a_private_address_is_refused_where_a_name_leads_there() -> None:
    """A name is looked up at each sending: what it leads to can change."""
    async with Receiver.running() as receiver:
        url = receiver.url.replace("127.0.0.1", "localhost")
        async with WebhookSender.open(url, SECRET.encode(), private=False) as sender:
            with pytest.raises(PushFailed, match="no public address"):
                await sender.send(NOTIFICATION)
        assert receiver.requests == []
        async with WebhookSender.open(url, SECRET.encode(), private=True) as sender:
            await sender.send(NOTIFICATION)
        assert len(receiver.requests) == 1


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "localhost"])
async def test_every_way_to_write_this_machine_is_private(host: str) -> None:
    resolver = PublicResolver()
    with pytest.raises(OSError, match=r"no public address|not known|No address"):
        await resolver.resolve(host, 80, socket.AF_INET)
    await resolver.close()


async def test_a_redirect_is_not_followed() -> None:
    async with Receiver.running() as elsewhere, Receiver.running() as receiver:
        receiver.answer = lambda: 307
        receiver.location = elsewhere.url
        async with WebhookSender.open(receiver.url, SECRET.encode(), private=True) as sender:
            with pytest.raises(PushFailed, match="307"):
                await sender.send(NOTIFICATION)
        assert elsewhere.requests == []


def test_a_signature_depends_on_everything() -> None:
    signature = sign(b"secret", "1", b"{}")
    others = [sign(b"Secret", "1", b"{}"), sign(b"secret", "2", b"{}"), sign(b"secret", "1", b"[]")]
    assert signature.startswith("v1=")
    assert len({signature, *others}) == 4


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        ({"URL": "https://example.org/"}, "PARLEY_PUSH_SECRET: is needed"),
        ({"URL": "ftp://example.org/", "SECRET": SECRET}, "must be an http(s) address"),
        ({"URL": "https://example.org/", "SECRET": "short"}, "at least 32 characters"),
        ({"URL": "http://127.0.0.1:9000/", "SECRET": SECRET}, "not on a public address"),
        ({"URL": "http://[::1]/", "SECRET": SECRET}, "not on a public address"),
        ({"URL": "http://169.254.169.254/", "SECRET": SECRET}, "not on a public address"),
        ({"URL": "http://localhost/", "SECRET": SECRET}, "not on a public address"),
    ],
)
def test_a_webhook_that_cannot_be_is_a_problem(env: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_env({f"PARLEY_PUSH_{name}": value for name, value in env.items()})
    assert problem in str(caught.value)
    assert env.get("SECRET", "no secret") not in str(caught.value)


def test_a_private_webhook_may_be_allowed() -> None:
    env = {"URL": "http://127.0.0.1:9000/", "SECRET": SECRET, "PRIVATE": "1"}
    settings = Settings.from_env({f"PARLEY_PUSH_{name}": value for name, value in env.items()})
    assert settings.push_private
    assert SECRET not in repr(settings)
