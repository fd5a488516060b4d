"""The ports of the stack on loopback: what they are by default, and whether they are free."""

import errno
import socket
from dataclasses import dataclass, fields

from services.cli.complaint import Complaint

HOST = "127.0.0.1"
BASE = 8400
OFFSETS = {"gateway": 0, "integrations": 1, "invoicing": 2, "postgres": 3, "nats": 4, "sandbox": 20}


@dataclass(frozen=True)
class Ports:
    """One port for each server."""

    gateway: int
    integrations: int
    invoicing: int
    postgres: int
    nats: int
    sandbox: int

    @classmethod
    def of(cls, base: int, **chosen: int | None) -> "Ports":
        """Those that were chosen, the rest counted from `base`."""
        return cls(**{name: chosen.get(name) or base + offset for name, offset in OFFSETS.items()})

    def address(self, name: str) -> str:
        """`127.0.0.1:8400`"""
        return f"{HOST}:{getattr(self, name)}"


def check_free(ports: Ports, unused: frozenset[str] = frozenset()) -> None:
    """Raises Complaint that names every port that is taken, or wanted twice, and how to choose another."""
    problems = []
    seen: dict[int, str] = {}
    for name in (field.name for field in fields(Ports) if field.name not in unused):
        port = getattr(ports, name)
        if port in seen:
            problems.append(f"Port {port} is wanted by both {seen[port]} and {name}. {_how(name)}")
        elif (why := _unusable(port)) is not None:
            problems.append(f"Port {port}, wanted by {name}, {why}. {_how(name)}")
        seen[port] = name
    if problems:
        problems.append("All of them move together with --port-base or SHOWBILL_PORT_BASE.")
        raise Complaint("\n".join(problems))


def _how(name: str) -> str:
    return f"Choose another with --{name}-port or SHOWBILL_{name.upper()}_PORT."


def _unusable(port: int) -> str | None:
    with socket.socket() as probe:
        # As servers do: a port whose last connections have just ended is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OverflowError:
            return "does not exist: ports end at 65535"
        except OSError as error:
            return "is taken by another program" if error.errno == errno.EADDRINUSE else f"is refused: {error.strerror}"
    return None
