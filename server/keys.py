"""Secrets: the keys that sign tokens, and the one that everything else is derived from.

Both are made at the first start, in the data folder. They are apart because they live
differently: a signing key is replaced at will, the root secret must outlive that.
"""

import binascii
import contextlib
import logging
import os
import re
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from parley.server.settings import Settings

logger = logging.getLogger(__name__)

MIN_SECRET_BYTES = 32  # RFC 7518, 3.2: as long as the hash of HS256
SIGNING_KEYS_FILE = "signing-key"
ROOT_SECRET_FILE = "root-secret"  # noqa: S105 (a name)

_KID = re.compile(r"\A[A-Za-z0-9._-]{1,64}\Z")


class KeyFileError(Exception):
    """A key file cannot be read, written or understood. Names the file, never a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One HS256 key under the name that tokens carry as ``kid``."""

    kid: str
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Return a new random key."""
        return cls(kid=secrets.token_hex(4), secret=secrets.token_bytes(MIN_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``kid:base64url``; `ValueError` says what is wrong without showing the key."""
        kid, colon, encoded = text.strip().partition(":")
        if not colon or not _KID.match(kid):
            raise ValueError("a key must be written kid:base64url, kid 1-64 of A-Z a-z 0-9 . _ -")
        try:
            return cls(kid=kid, secret=_decoded(encoded))
        except ValueError as error:
            raise ValueError(f"the key {kid!r} {error}") from None

    def __str__(self) -> str:
        """Return the form that `parse` reads, so it shows the secret."""
        return f"{self.kid}:{_encoded(self.secret)}"


def parse_keys(texts: Iterable[str]) -> tuple[SigningKey, ...]:
    """Read one key or more, every ``kid`` once; `ValueError` otherwise."""
    keys = tuple(SigningKey.parse(text) for text in texts)
    if not keys:
        raise ValueError("there must be at least one key")
    if len({key.kid for key in keys}) < len(keys):
        raise ValueError("two keys have the same kid")
    return keys


class KeyRing:
    """Keys by ``kid``: the first signs, all of them verify.

    To rotate, put a new key in front and take the old one out when its last token has expired.
    """

    def __init__(self, keys: tuple[SigningKey, ...]) -> None:
        self.first = keys[0]
        self._by_kid = {key.kid: key for key in keys}

    @classmethod
    def load(cls, settings: "Settings") -> Self:
        """Take the keys of the settings, else those of the data folder, made here if missing.

        Nodes of a cluster have no folder in common: where they share a secret, and have no keys
        of their own, all of them derive the same one from it.

        Raises:
            KeyFileError: The file exists but is of no use, or cannot be made.
        """
        if settings.signing_keys:
            return cls(settings.signing_keys)
        if settings.cluster_key is not None:
            root = RootSecret(settings.cluster_key.encode())
            kid = root.derive("name of the signing key").hex()[:8]
            return cls((SigningKey(kid=kid, secret=root.derive("signing key")),))
        path = settings.data_dir / SIGNING_KEYS_FILE
        text = _read_or_make(path, lambda: str(SigningKey.generate()))
        lines = (line.strip() for line in text.splitlines())
        try:
            keys = parse_keys(line for line in lines if line and not line.startswith("#"))
        except ValueError as error:
            raise KeyFileError(f"{path}: {error}") from None
        _warn_if_shared(path)
        return cls(keys)

    def get(self, kid: str) -> SigningKey | None:
        """Return the key of that name, None if it is not on the ring."""
        return self._by_kid.get(kid)


class RootSecret:
    """What keyed digests and the like are derived from; made once, never rotated.

    Not taken from a signing key: a digest of a request must be the same on its retry days later,
    whatever happened to the keys in between. Not kept in the database: who has only a copy of
    that shall not be able to guess short messages by their digests. So it belongs into a backup
    of the data folder.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def load(cls, settings: "Settings") -> Self:
        """Take what all nodes share, else the secret of the data folder, made here if missing.

        Raises:
            KeyFileError: The file exists but is of no use, or cannot be made.
        """
        if settings.cluster_key is not None:
            return cls(settings.cluster_key.encode())
        path = settings.data_dir / ROOT_SECRET_FILE
        text = _read_or_make(path, lambda: _encoded(secrets.token_bytes(MIN_SECRET_BYTES)))
        try:
            secret = _decoded(text.strip())
        except ValueError as error:
            raise KeyFileError(f"{path}: the secret {error}") from None
        _warn_if_shared(path)
        return cls(secret)

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes that are always the same for ``purpose`` and tell nothing of others."""
        # Late, because `parley token` has no use for it and wants to be quick.
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

        info = b"parley " + purpose.encode()
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._secret)

    def fingerprint(self) -> str:
        """Return what is the same for the same secret; it may be shown."""
        return self.derive("cluster fingerprint").hex()[:16]


def _read_or_make(path: Path, make: Callable[[], str]) -> str:
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _publish(path, make() + "\n")
        return path.read_text("ascii")
    except OSError as error:
        raise KeyFileError(f"{error.filename or path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise KeyFileError(f"{path}: not a key file") from None


def _publish(path: Path, text: str) -> None:
    """Create ``path`` whole and on disk, or leave the one that another process made first."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(draft, "x", opener=_private) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: `parley token` and `parley serve` may both be here for the first
        # time, and the loser must take the winner's key instead of replacing it.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _warn_if_shared(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        logger.warning("%s is open to other users (mode %o); chmod 600 it", path, mode)


def _encoded(secret: bytes) -> str:
    return urlsafe_b64encode(secret).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    stripped = text.rstrip("=")
    try:
        secret = urlsafe_b64decode(stripped + "=" * (-len(stripped) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("is not base64url") from None
    # b64decode skips what is not of its alphabet, so compare: a typing error must not pass.
    if _encoded(secret) != stripped:
        raise ValueError("is not base64url")
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(f"has {len(secret)} bytes, at least {MIN_SECRET_BYTES} are needed")
    return secret
