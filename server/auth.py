"""Tokens: made by `TokenMint`, turned into an `Identity` by `TokenAuthenticator`.

A key has one family of algorithms, and the server chooses both by ``kid``; what the token's
header claims is only compared. Keys fetched from elsewhere (JWKS: RS, ES, EdDSA) join in
`TokenAuthenticator._key_of`; revocation joins at the end of `TokenAuthenticator.__call__`, where
user and ``jti`` are known.
"""

import re
import secrets
import time
import unicodedata
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

import jwt

from parley.namespaces.errors import Unauthorized
from parley.namespaces.identity import Identity
from parley.server.keys import KeyRing, SigningKey
from parley.storage.models import UserId

ALGORITHM = "HS256"
MAX_TOKEN_CHARS = 8_192
MAX_NAME_CHARS = 80  # code points
MAX_ROLES = 32
MAX_EXPIRY = 253_402_300_799  # the last second of the year 9999
CLOCK_SKEW_S = 10  # by which the clock of another issuer may be ahead, for nbf and iat

_USER_ID = re.compile(r"\A[A-Za-z0-9._@-]{1,64}\Z")
_ROLE = re.compile(r"\A[A-Za-z0-9._:-]{1,64}\Z")


class TokenMint:
    """Makes the tokens of people we vouch for."""

    def __init__(
        self,
        keys: KeyRing,
        *,
        audience: str | None = None,
        issuer: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._key = keys.first
        self._common = {"aud": audience, "iss": issuer}
        self._now = now

    def mint(
        self,
        user_id: str,
        *,
        name: str | None = None,
        roles: Collection[str] = (),
        ttl_s: int,
    ) -> str:
        """Return a token that `TokenAuthenticator` accepts for ``ttl_s`` seconds.

        Raises:
            ValueError: The user id, the name or a role is not allowed.
        """
        issued_at = int(self._now())
        claims: dict[str, Any] = {
            "sub": checked_user_id(user_id),
            "name": checked_name(name),
            "roles": sorted(checked_roles(list(roles))) or None,
            **self._common,
            "iat": issued_at,
            "exp": min(issued_at + ttl_s, MAX_EXPIRY),
            "jti": secrets.token_hex(8),
        }
        present = {claim: value for claim, value in claims.items() if value is not None}
        return jwt.encode(
            present, self._key.secret, algorithm=ALGORITHM, headers={"kid": self._key.kid}
        )


class TokenAuthenticator:
    """See `namespaces.identity.Authenticator`."""

    def __init__(
        self,
        keys: KeyRing,
        *,
        audience: str | None = None,
        issuer: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._audience = audience
        self._issuer = issuer
        self._now = now

    def __call__(self, token: str) -> Identity:
        """See `Authenticator`; no message repeats anything of the token but its expiry."""
        claims = self._verified(token)
        try:
            return Identity(
                user_id=checked_user_id(claims.get("sub")),
                name=checked_name(claims.get("name")),
                roles=checked_roles(claims.get("roles")),
                expires_at=self._checked_expiry(claims["exp"]),
                token_id=claims.get("jti"),
            )
        except ValueError as error:
            raise Unauthorized(f"the token is not valid: {error}") from None

    def _verified(self, token: str) -> dict[str, Any]:
        # Before anything is parsed: a token is free to send, and to parse it is not.
        if len(token) > MAX_TOKEN_CHARS:
            raise Unauthorized(f"the token has more than {MAX_TOKEN_CHARS} characters")
        if not token.isascii():
            raise Unauthorized("this cannot be read as a token")
        try:
            return jwt.decode(
                token,
                self._key_of(token).secret,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                leeway=CLOCK_SKEW_S,
                options={
                    "require": ["exp", "sub"],
                    "verify_exp": False,  # ours says when, and bears huge numbers
                    "verify_sub": False,
                    "verify_aud": self._audience is not None,
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.PyJWTError as error:
            raise Unauthorized(_reason(error)) from None

    def _key_of(self, token: str) -> SigningKey:
        kid: str | None = jwt.get_unverified_header(token).get("kid")
        key = self._keys.first if kid is None else self._keys.get(kid)
        if key is None:
            raise Unauthorized("the token is signed with a key (kid) that is not known here")
        return key

    def _checked_expiry(self, exp: object) -> float:
        # A bool is an int in Python, NaN is below and above nothing, and 10**400 is no float.
        if isinstance(exp, bool) or not isinstance(exp, int | float) or exp != exp:  # noqa: PLR0124
            raise ValueError("exp must be a number of seconds")
        expires_at = float(max(0, min(exp, MAX_EXPIRY)))
        if expires_at <= self._now():
            moment = datetime.fromtimestamp(expires_at, UTC)
            raise Unauthorized(f"the token expired at {moment:%Y-%m-%dT%H:%M:%SZ}")
        return expires_at


def checked_user_id(value: object) -> UserId:
    """Return ``value`` as a user id, or raise `ValueError`."""
    if not isinstance(value, str) or not _USER_ID.match(value):
        raise ValueError("a user id (sub) is 1 to 64 characters of A-Z a-z 0-9 . _ @ -")
    return UserId(value)


def checked_name(value: object) -> str | None:
    """Return a display name without spaces around it, None for none, or raise `ValueError`."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARS:
        raise ValueError(f"a name is text of at most {MAX_NAME_CHARS} characters")
    # Control characters and lone surrogates: the latter cannot even be stored.
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise ValueError("a name has no control characters")
    return value.strip() or None


def checked_roles(value: object) -> frozenset[str]:
    """Return a list of roles as a set, or raise `ValueError`."""
    if value is None:
        return frozenset()
    if not isinstance(value, list) or len(value) > MAX_ROLES:
        raise ValueError(f"roles are a list of at most {MAX_ROLES}")
    roles = [role for role in value if isinstance(role, str) and _ROLE.match(role)]
    if len(roles) < len(value):
        raise ValueError("a role is 1 to 64 characters of A-Z a-z 0-9 . _ : -")
    return frozenset(roles)


def _reason(error: jwt.PyJWTError) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"the token has no {error.claim}"
    return next(
        (reason for kind, reason in _REASONS.items() if isinstance(error, kind)),
        "this cannot be read as a token",
    )


_REASONS = {
    jwt.InvalidSignatureError: "the token's signature does not match",
    jwt.InvalidAlgorithmError: f"the token's algorithm is not allowed here, only {ALGORITHM}",
    jwt.ImmatureSignatureError: "the token is not valid yet; are the clocks right?",
    jwt.InvalidAudienceError: "the token is meant for another audience (aud)",
    jwt.InvalidIssuerError: "the token comes from another issuer (iss)",
}
