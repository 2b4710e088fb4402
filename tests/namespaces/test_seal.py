"""What is sealed is taken from nodes only, and only where it was said."""

from parley.namespaces.seal import Seal

SEAL = Seal(b"k" * 32)


def test_only_the_same_key_and_place_open_it() -> None:
    sealed = SEAL.seal(b"nodes", b"x y")
    assert SEAL.open(b"nodes", sealed) == b"x y"
    assert SEAL.open(b"node:n2", sealed) is None
    assert SEAL.open(b"nodes x", sealed[:-3] + b"y") is None
    assert SEAL.open(b"nodes", b"") is None
    assert Seal(b"o" * 32).open(b"nodes", sealed) is None
