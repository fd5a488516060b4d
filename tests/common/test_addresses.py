"""Addresses in settings: taken as they are meant, or refused before anything starts."""

import pytest

from services.common.addresses import parse_base_url, parse_listen, parse_url_prefix


@pytest.mark.parametrize(
    ("text", "host", "port", "written"),
    [
        ("127.0.0.1:8400", "127.0.0.1", 8400, "127.0.0.1:8400"),
        ("0.0.0.0:0", "0.0.0.0", 0, "0.0.0.0:0"),
        ("[::1]:8400", "::1", 8400, "[::1]:8400"),
        ("localhost:1", "localhost", 1, "localhost:1"),
    ],
)
def test_host_and_port_are_taken_apart(text: str, host: str, port: int, written: str) -> None:
    listen = parse_listen(text)
    assert (listen.host, listen.port, str(listen)) == (host, port, written)


@pytest.mark.parametrize(
    "text", ["8400", "127.0.0.1", ":8400", "host:", "host:http", "host:65536", "host:-1", "host:²"]
)
def test_what_is_no_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it must be host:port, for example"):
        parse_listen(text)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("https://showbill.example", "https://showbill.example"),
        ("https://showbill.example/", "https://showbill.example"),
        ("HTTPS://Showbill.Example:8443", "https://showbill.example:8443"),
        ("http://[::1]:8400", "http://[::1]:8400"),
    ],
)
def test_public_address_is_taken_as_browsers_write_it(text: str, taken: str) -> None:
    assert parse_base_url(text) == taken


NO_ADDRESSES = [
    "showbill.example",
    "ftp:nonsense",
    "ftp://showbill.example",
    "//showbill.example",
    "https://",
    "https:///path",
    "https://showbill.example:port",
    "https://showbill.example:99999",
    "https://[::1",
    "https://name:password@showbill.example",
    "https://showbill.example?x=1",
    "https://showbill.example#x",
    "https://show bill.example",
    "https://showbill.example\\@evil.example",
]


@pytest.mark.parametrize("text", [*NO_ADDRESSES, "https://showbill.example/path"])
def test_what_is_no_public_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it must be an http or https address without a path"):
        parse_base_url(text)


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it must be an http or https address, for example"):
        parse_url_prefix(text)


def test_prefix_may_have_a_path() -> None:
    assert parse_url_prefix("http://127.0.0.1:8500/dashboard/") == "http://127.0.0.1:8500/dashboard"
