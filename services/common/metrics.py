"""What Prometheus reads of a process: figures that every service has, and the address that they are read at.

A service's own figures stand beside the code that they count. Labels are of few values: a method, a route's template,
an outcome; never an id, a name or an amount.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from services.common.addresses import Listen
from services.common.errors import CannotStart

_SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

RPC_SECONDS: Final = Histogram(
    "showbill_rpc_seconds", "gRPC calls served, by method and status code.", ("method", "code"), buckets=_SECONDS
)
EVENTS_PUBLISHED: Final = Counter("showbill_events_published", "Events that the stream has.")
EVENTS_SWEPT: Final = Counter(
    "showbill_events_swept", "Events that a crash or an absence of NATS left, and the sweeper published."
)
EVENTS_WAITING: Final = Gauge("showbill_events_waiting", "Events that are committed and not published yet.")
NATS_CONNECTED: Final = Gauge("showbill_nats_connected", "1 while the connection to NATS stands, else 0.")


def offer(listen: Listen) -> int:
    """Offers the figures at http://<listen>/metrics from a thread of its own; answers the port. Raises CannotStart."""
    try:
        server, _ = start_http_server(listen.port, listen.host)
    except OSError as error:
        raise CannotStart(
            f"Metrics cannot be offered at {listen}: {error.strerror}. Set METRICS_LISTEN to another address."
        ) from error
    return server.server_port
