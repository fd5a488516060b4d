"""What Prometheus reads of the gateway beside what every service has."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

HTTP_SECONDS: Final = Histogram(
    "showbill_http_seconds",
    "HTTP requests, by method, route and status.",
    ("method", "route", "status"),
    buckets=_SECONDS,
)
WEBHOOKS: Final = Counter("showbill_webhooks", "Webhook deliveries, by provider and outcome.", ("provider", "outcome"))
SOCKETS: Final = Gauge("showbill_sockets", "WebSocket connections that are open.")
