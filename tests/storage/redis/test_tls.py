"""Over TLS a Redis is believed by its certificate."""

import datetime as dt
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from parley.storage.errors import StorageUnavailable
from parley.storage.redis.bus import RedisBus
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.nodes import RedisNodes
from tests.redis_server import RedisServer, free_port
from tests.storage.redis.buses import Inbox, opened_bus

pytestmark = pytest.mark.redis


class Authority:
    """Signs itself, and speaks for 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the Redis of a test")])
        now = dt.datetime.now(dt.UTC)
        signed = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ours")


@pytest.fixture
def url(authority: Authority) -> Iterator[str]:
    """Return where a Redis listens that speaks TLS."""
    port = free_port()
    server = RedisServer(
        *("--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(authority.certificate), "--tls-key-file", str(authority.key)),
        *("--tls-ca-cert-file", str(authority.certificate)),
    )
    yield f"rediss://127.0.0.1:{port}/0"
    server.close()


async def test_nodes_speak_and_are_known(url: str, authority: Authority) -> None:
    trusting = f"{url}?ssl_ca_certs={authority.certificate}"
    async with opened_bus(trusting) as bus, opened_bus(trusting) as other:
        inbox = Inbox()
        await bus.subscribe("room:1", inbox)
        other.publish("room:1", b"tea")
        await inbox.until(b"tea")
    async with RedisDatabase.open(trusting) as database:
        assert not await RedisNodes(database).others()


async def test_a_stranger_is_not_spoken_to(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And the log says what is wrong."""
    stranger = Authority(tmp_path / "another")
    async with RedisDatabase.open(f"{url}?ssl_ca_certs={stranger.certificate}") as database:
        async with RedisBus.open(database) as bus:
            assert bus.deaf
        with pytest.raises(StorageUnavailable):
            await RedisNodes(database).others()
    assert "certificate verify failed" in caplog.text
