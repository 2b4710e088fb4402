import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.namespaces.errors import Unauthorized
from parley.namespaces.identity import Authenticator
from parley.server.auth import TokenAuthenticator, TokenMint
from parley.server.keys import KeyRing, SigningKey

NOW = 1_700_000_000
KEY = SigningKey(kid="k1", secret=bytes(range(32)))
OLD = SigningKey(kid="k0", secret=bytes(range(32, 64)))
RING = KeyRing((KEY, OLD))


def now() -> float:
    return NOW


authenticate: Authenticator = TokenAuthenticator(RING, now=now)
mint = TokenMint(RING, now=now).mint


def signed(
    claims: dict[str, Any], *, key: SigningKey = KEY, headers: dict[str, Any] | None = None
) -> str:
    whole = {"sub": "alice", "exp": NOW + 60, **claims}
    present = {name: value for name, value in whole.items() if value is not ...}
    return jwt.encode(present, key.secret, headers={"kid": key.kid, **(headers or {})})


def part(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def refusal(token: str) -> str:
    with pytest.raises(Unauthorized) as caught:
        authenticate(token)
    message = str(caught.value)
    assert caught.value.__cause__ is None
    assert not any(piece in message for piece in token.split(".") if len(piece) > 4)
    return message


def test_a_minted_token_says_who_it_is() -> None:
    identity = authenticate(mint("alice", name=" Alice Ä ", roles=["admin", "bot"], ttl_s=60))
    assert identity.user_id == "alice"
    assert identity.name == "Alice Ä"
    assert identity.roles == {"admin", "bot"}
    assert identity.expires_at == NOW + 60
    assert identity.token_id


def test_two_tokens_have_two_ids() -> None:
    assert mint("alice", ttl_s=60) != mint("alice", ttl_s=60)


def test_only_sub_and_exp_are_needed() -> None:
    identity = authenticate(signed({}))
    assert (identity.name, identity.roles, identity.token_id) == (None, frozenset(), None)


@pytest.mark.parametrize("user_id", ["", "a b", "é", "a\n", "a" * 65, "a/b", "$where"])
def test_a_token_is_not_minted_for_a_bad_user_id(user_id: str) -> None:
    with pytest.raises(ValueError, match="user id"):
        mint(user_id, ttl_s=60)


@pytest.mark.parametrize("sub", ["", "a b", "a\n", "a" * 65, 7, ["alice"], True, {"$ne": ""}])
def test_a_bad_sub_is_refused(sub: object) -> None:
    assert "sub" in refusal(raw({"sub": sub, "exp": NOW + 60}))


def raw(claims: dict[str, Any] | str) -> str:
    """Sign what PyJWT would not encode."""
    text = claims if isinstance(claims, str) else json.dumps(claims)
    return jwt.api_jws.encode(text.encode(), KEY.secret, headers={"kid": KEY.kid})


@pytest.mark.parametrize("claim", ["exp", "sub"])
def test_a_missing_claim_is_named(claim: str) -> None:
    assert refusal(signed({claim: ...})) == f"the token has no {claim}"
    assert refusal(signed({claim: None})) == f"the token has no {claim}"


def test_the_message_says_when_it_expired() -> None:
    assert refusal(signed({"exp": NOW})) == "the token expired at 2023-11-14T22:13:20Z"
    assert authenticate(signed({"exp": NOW + 0.5})).expires_at == NOW + 0.5


@pytest.mark.parametrize("exp", ["1" + "0" * 400, "1e400", "1e18", "Infinity", "253402300800"])
def test_an_expiry_far_away_is_clamped(exp: str) -> None:
    identity = authenticate(raw(f'{{"sub": "alice", "exp": {exp}}}'))
    assert identity.expires_at == 253_402_300_799


@pytest.mark.parametrize("exp", ["0", "-1", "-1e400", "-1" + "0" * 400, "-Infinity", "-0.0"])
def test_an_expiry_long_ago_has_expired(exp: str) -> None:
    message = refusal(raw(f'{{"sub": "alice", "exp": {exp}}}'))
    assert message == "the token expired at 1970-01-01T00:00:00Z"


@pytest.mark.parametrize("exp", ["NaN", "true", '"9999999999"', "[]", "{}"])
def test_an_expiry_is_a_number(exp: str) -> None:
    assert "exp must be a number" in refusal(raw(f'{{"sub": "alice", "exp": {exp}}}'))


def test_a_number_too_long_to_parse_is_refused() -> None:
    refusal(raw(f'{{"sub": "alice", "exp": {"9" * 5000}}}'))


@pytest.mark.parametrize("name", ["a" * 81, 5, ["a"], "a\x00b", "a\nb", "\ud800"])
def test_a_bad_name_is_refused(name: object) -> None:
    assert "name" in refusal(raw({"sub": "alice", "exp": NOW + 60, "name": name}))


def test_a_name_counts_code_points() -> None:
    assert authenticate(signed({"name": "😀" * 80})).name == "😀" * 80
    assert authenticate(signed({"name": "  "})).name is None


@pytest.mark.parametrize("roles", ["admin", ["a" * 65], [1], [["a"]], ["a b"], ["a"] * 33, {}])
def test_bad_roles_are_refused(roles: object) -> None:
    assert "role" in refusal(signed({"roles": roles}))


def test_every_key_of_the_ring_verifies() -> None:
    assert authenticate(signed({}, key=OLD)).user_id == "alice"


def test_without_a_kid_the_first_key_counts() -> None:
    claims = {"sub": "alice", "exp": NOW + 60}
    assert authenticate(jwt.encode(claims, KEY.secret)).user_id == "alice"
    assert "signature" in refusal(jwt.encode(claims, OLD.secret))


def test_a_key_counts_only_under_its_own_kid() -> None:
    assert "signature" in refusal(signed({}, key=OLD, headers={"kid": "k1"}))
    assert "not known here" in refusal(signed({}, headers={"kid": "k9"}))
    # The header itself: PyJWT would refuse to write a kid that is not text.
    body = signed({}).split(".", 1)[1]
    header = part(b'{"alg": "HS256", "kid": 7}')
    refusal(f"{header}.{body}")


@pytest.mark.parametrize("algorithm", ["none", "HS384", "RS256", "", None, ["HS256"], 7])
def test_another_algorithm_is_refused(algorithm: object) -> None:
    header = part(json.dumps({"alg": algorithm, "kid": "k1"}).encode())
    body = part(json.dumps({"sub": "alice", "exp": NOW + 60}).encode())
    assert "HS256" in refusal(f"{header}.{body}.{part(b'x' * 32)}")
    assert "HS256" in refusal(f"{header}.{body}.")


def test_another_algorithm_with_the_right_key_is_refused() -> None:
    long = SigningKey(kid="k1", secret=bytes(64))
    token = jwt.encode({"sub": "a", "exp": NOW + 60}, long.secret, "HS512", {"kid": "k1"})
    with pytest.raises(Unauthorized, match="only HS256"):
        TokenAuthenticator(KeyRing((long,)), now=now)(token)


def test_a_changed_token_is_refused() -> None:
    header, _, signature = signed({}).split(".")
    body = part(json.dumps({"sub": "bob", "exp": NOW + 60}).encode())
    assert refusal(f"{header}.{body}.{signature}") == "the token's signature does not match"


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "ä.b.c", "\ud800", "e30.e30.e30", "null", "\x00" * 9, "[]"]
)
def test_what_is_not_a_token_is_refused(token: str) -> None:
    refusal(token)


def test_the_length_is_checked_before_anything_is_parsed() -> None:
    assert "8192" in refusal("a" * 8_193)
    deep = part(b"[" * 6_000)
    refusal(f"{deep[:8_000]}.e30.e30")


def test_audience_and_issuer_count_when_they_are_configured() -> None:
    strict = {"audience": "chat", "issuer": "https://id.example"}
    check = TokenAuthenticator(RING, **strict, now=now)
    assert check(TokenMint(RING, **strict, now=now).mint("alice", ttl_s=60)).user_id == "alice"
    assert check(signed({"aud": ["x", "chat"], "iss": "https://id.example"})).user_id == "alice"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"iss": "https://id.example"}, "no aud"),
        ({"aud": "chat"}, "no iss"),
        ({"aud": "mail", "iss": "https://id.example"}, "audience"),
        ({"aud": {"chat": 1}, "iss": "https://id.example"}, "audience"),
        ({"aud": "chat", "iss": "https://evil.example"}, "issuer"),
    ]
    for claims, reason in wrong:
        with pytest.raises(Unauthorized, match=reason):
            check(signed(claims))
    assert authenticate(signed({"aud": "anything", "iss": "anyone"})).user_id == "alice"


def test_a_token_for_later_is_refused() -> None:
    far = 4_000_000_000  # PyJWT takes the real clock for nbf
    assert "not valid yet" in refusal(signed({"nbf": far, "exp": far + 1}))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_CLAIMS = st.sampled_from(
    ["sub", "exp", "name", "roles", "jti", "aud", "iss", "iat", "nbf", "kid", "crit", "b64"]
)
# Hypothesis builds its table of characters within the first example it draws.
_patient = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


@_patient
@given(st.dictionaries(_CLAIMS, _JSON))
def test_any_signed_claims_give_an_identity_or_a_refusal(claims: dict[str, Any]) -> None:
    try:
        identity = authenticate(raw({"sub": "alice", "exp": NOW + 60, **claims}))
    except Unauthorized:
        return
    assert identity.expires_at > NOW


@_patient
@given(st.dictionaries(_CLAIMS | st.just("alg"), _JSON), st.text())
def test_any_header_is_refused_unless_signed(header: dict[str, Any], tail: str) -> None:
    with pytest.raises(Unauthorized):
        authenticate(f"{part(json.dumps(header).encode())}.e30.{tail}")
