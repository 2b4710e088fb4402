"""Where a request comes from: the proxy, or whom a trusted proxy names."""

import ipaddress

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from parley.server.http.peers import Peers

PROXIES = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.1.0.0/16")]

WAYS: dict[str, tuple[list[str], str]] = {
    "no proxy": ([], "127.0.0.1"),
    "one proxy": (["192.0.2.7"], "192.0.2.7"),
    "two proxies": (["192.0.2.7, 10.1.2.3"], "192.0.2.7"),
    "two headers": (["192.0.2.7", "10.1.2.3"], "192.0.2.7"),
    "a client that claims another": (["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
    "a client that claims a proxy": (["10.1.9.9, 192.0.2.7, 10.1.2.3"], "192.0.2.7"),
    "no address": (["unknown"], "unknown"),
    "an address of version 6": (["2001:db8::1"], "2001:db8::1"),
}


@pytest.mark.parametrize(("headers", "address"), WAYS.values(), ids=WAYS)
def test_the_way_is_followed_as_far_as_proxies_are_trusted(
    headers: list[str], address: str
) -> None:
    """What stands in front of the last untrusted address is only claimed."""
    assert Peers(PROXIES)(_request(headers)) == address


def test_nobody_is_believed_who_is_not_trusted() -> None:
    """Without trusted proxies the header means nothing."""
    assert Peers([])(_request(["192.0.2.7"])) == "127.0.0.1"
    assert Peers([ipaddress.ip_network("10.1.0.0/16")])(_request(["192.0.2.7"])) == "127.0.0.1"


def _request(forwarded: list[str]) -> web.Request:
    headers = CIMultiDict([("X-Forwarded-For", line) for line in forwarded])
    request: web.Request = make_mocked_request("GET", "/", headers=headers)
    return request.clone(remote="127.0.0.1")
