"""What Prometheus reads."""

import socket
import urllib.request

import pytest

from services.common import metrics
from services.common.addresses import Listen
from services.common.errors import CannotStart


def test_figures_are_offered_in_prometheus_form() -> None:
    metrics.RPC_SECONDS.labels("/showbill.test.v1.Tests/Ask", "OK").observe(0.01)
    port = metrics.offer(Listen("127.0.0.1", 0))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    assert 'showbill_rpc_seconds_count{code="OK",method="/showbill.test.v1.Tests/Ask"} 1.0' in text
    assert "process_resident_memory_bytes" in text


def test_a_taken_address_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = Listen("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(CannotStart, match=f"{listen}.*METRICS_LISTEN"):
            metrics.offer(listen)
