"""An answer holds no key, however it came into the error: status, metadata and problem document alike."""

import msgspec

from services.common.errors import Fault, ShowbillError
from services.common.problem import problem
from services.common.status import encode

KEY = "rk_live_51" + "plantedkey" * 2
ERROR = ShowbillError(f"Invalid API Key provided: {KEY}", faults=[Fault(KEY, f"Not {KEY}.")], echoed=KEY)


def test_grpc_status_and_metadata_hold_no_key() -> None:
    _, message, trailing = encode(ERROR)
    assert message == "Invalid API Key provided: rk_live_***"
    assert "rk_live_***" in str(trailing)
    assert "plantedkey" not in f"{message} {trailing}"


def test_problem_document_holds_no_key() -> None:
    body = msgspec.json.encode(problem(ERROR, "request-1")).decode()
    assert body.count("rk_live_***") == 3
    assert "plantedkey" not in body
