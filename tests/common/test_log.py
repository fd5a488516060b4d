"""What a process writes to stderr, as a process of its own: structlog and the standard library alike."""

import json
import subprocess
import sys
from typing import Any

SECRET = "sk_live_" + "a" * 24
BEGIN = """
import logging
import structlog
from services.common import log as logs
from services.common.context import bind_request
from services.common.secret import Secret
logs.configure("invoicing")
log = structlog.get_logger()
SECRET = "sk_live_" + "a" * 24
"""


def lines(code: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=True)
    assert SECRET not in done.stdout + done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_line_is_one_json_object_with_the_request() -> None:
    (line,) = lines("bind_request('request-0001'); log.info('made', rows=3)")
    expected = {"service": "invoicing", "event": "made", "level": "info", "rows": 3, "request_id": "request-0001"}
    assert expected.items() <= line.items()
    assert line["timestamp"].endswith("Z")


def test_secrets_are_blanked_however_deep_they_lie() -> None:
    (line,) = lines("log.warning('said ' + SECRET, each={'of': [SECRET, Secret(SECRET)]}, thing=ValueError(SECRET))")
    assert line["event"] == "said sk_live_***"
    assert line["each"] == {"of": ["sk_live_***", "***"]}


def test_a_traceback_is_kept_without_its_secret() -> None:
    (line,) = lines(
        """
try:
    raise ValueError(SECRET)
except ValueError:
    log.exception('broke')
"""
    )
    assert "ValueError: sk_live_***" in line["exception"]


def test_lines_of_libraries_are_treated_the_same() -> None:
    first, second = lines(
        """
bind_request('request-0002')
logging.getLogger('somewhere').warning('key %s', SECRET)
try:
    raise ValueError(SECRET)
except ValueError:
    logging.getLogger('somewhere').exception('broke')
"""
    )
    assert (first["event"], first["request_id"]) == ("key sk_live_***", "request-0002")
    assert "ValueError: sk_live_***" in second["exception"]


def test_a_librarys_request_data_is_not_logged() -> None:
    assert lines("logging.getLogger('stripe').info('email=a@example.com')") == []
