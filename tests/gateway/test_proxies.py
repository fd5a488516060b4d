"""Who the client is: the peer, or what a proxy that we trust says."""

import pytest
from structlog.testing import capture_logs

from services.gateway.proxies import Proxies, parse_networks
from tests.gateway.harness import Gateway

TRUSTED = parse_networks("10.0.0.0/8, fd00::/8")


def settled(peer: str, *, secure: bool = False, scheme: str = "http", **headers: str) -> tuple[str, str]:
    lines = [
        (name.replace("_", "-").encode(), line.encode()) for name, text in headers.items() for line in text.split("|")
    ]
    scope = {"client": (peer, 1), "scheme": scheme, "headers": lines}
    Proxies(TRUSTED, secure=secure).settle(scope)
    return scope["client"][0], scope["scheme"]  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("peer", "chain", "client"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody whom we trust said it
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # what is left of it may be made up
        ("10.0.0.1", "198.51.100.1, 10.2.2.2", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1|198.51.100.1", "198.51.100.1"),  # two lines of one header
        ("10.0.0.1", "10.9.9.9, 10.2.2.2", "10.9.9.9"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("fd00::1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_the_rightmost_stranger_is_the_client(peer: str, chain: str, client: str) -> None:
    assert settled(peer, x_forwarded_for=chain)[0] == client


@pytest.mark.parametrize(
    ("peer", "proto", "secure", "scheme"),
    [
        ("10.0.0.1", "https", False, "https"),
        ("10.0.0.1", "http", False, "http"),
        ("203.0.113.9", "https", False, "http"),
        ("203.0.113.9", "http", True, "https"),
        ("10.0.0.1", "https, http", False, "http"),
    ],
)
def test_tls_is_what_a_trusted_proxy_says(peer: str, proto: str, secure: bool, scheme: str) -> None:
    assert settled(peer, secure=secure, x_forwarded_proto=proto)[1] == scheme


def test_a_socket_behind_tls_is_a_secure_one() -> None:
    assert settled("10.0.0.1", scheme="ws", x_forwarded_proto="https")[1] == "wss"


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy", "10.0.0.0/33"])
def test_networks_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it must be networks"):
        parse_networks(text)


def test_a_proxy_that_nobody_named_is_told_once() -> None:
    proxies = Proxies(parse_networks(""), secure=True)
    with capture_logs() as logs:
        for header in (b"host", b"x-forwarded-for", b"x-forwarded-for"):
            proxies.settle({"client": ("172.18.0.2", 1), "scheme": "http", "headers": [(header, b"198.51.100.1")]})
    (told,) = logs
    assert told["log_level"] == "warning"
    assert "172.18.0.2" in told["peer"]
    assert "TRUSTED_PROXIES" in told["todo"]


async def test_an_untrusted_header_changes_no_address(gateway: Gateway) -> None:
    headers = {"X-Forwarded-For": "198.51.100.77"}
    for _ in range(2):
        await gateway.client()("POST", "/api/session", {"email": "x@example.com", "password": "wrong"}, headers=headers)
    counted = await gateway.pool.fetchval("SELECT max(failures) FROM sign_in_failures")
    assert counted == 2
