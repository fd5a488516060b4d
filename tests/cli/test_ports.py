"""Ports are free, or named."""

import socket

import pytest

from services.cli.complaint import Complaint
from services.cli.ports import Ports, check_free
from tests.waiting import free_port


def test_ports_follow_the_base_save_those_chosen() -> None:
    ports = Ports.of(9000, nats=7777)
    assert (ports.gateway, ports.postgres, ports.nats, ports.sandbox) == (9000, 9003, 7777, 9020)


def test_taken_port_is_named_with_its_option() -> None:
    with socket.socket() as other:
        port = free_port()
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(
            Complaint, match=f"Port {port}, wanted by nats, is taken .* --nats-port or SHOWBILL_NATS_PORT"
        ):
            check_free(free_ports(nats=port))


def test_port_wanted_twice_is_named() -> None:
    port = free_port()
    with pytest.raises(Complaint, match=f"Port {port} is wanted by both gateway and sandbox"):
        check_free(free_ports(gateway=port, sandbox=port))


def test_port_beyond_the_last_one_is_refused() -> None:
    with pytest.raises(Complaint, match="Port 70000, wanted by gateway, does not exist"):
        check_free(free_ports(gateway=70_000))


def test_port_of_a_sandbox_that_does_not_run_may_be_taken() -> None:
    with socket.socket() as other:
        port = free_port()
        other.bind(("127.0.0.1", port))
        other.listen()
        check_free(free_ports(sandbox=port), frozenset({"sandbox"}))


def free_ports(**chosen: int) -> Ports:
    names = ("gateway", "integrations", "invoicing", "postgres", "nats", "sandbox")
    return Ports(**{name: chosen.get(name) or free_port() for name in names})
