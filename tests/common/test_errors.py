import grpc
import pytest
from google.rpc import status_pb2

from services.common.errors import (
    AnswerLost,
    Fault,
    InvalidRequest,
    Kind,
    NotFound,
    ShowbillError,
    Unavailable,
    require,
)
from services.common.problem import HTTP_STATUS, headers, problem
from services.common.status import DETAILS_KEY, GRPC_STATUS, RemoteError, decode, encode


class BuyerRefused(ShowbillError):
    """The buyer {handle} was refused."""

    kind = Kind.FAILED_PRECONDITION
    reason = "BUYER_REFUSED"


def over_the_wire(error: ShowbillError) -> RemoteError:
    code, message, trailing = encode(error)
    metadata = grpc.aio.Metadata(*trailing)
    return decode(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), metadata, message))


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_place_in_both_tables(kind: Kind) -> None:
    assert kind in GRPC_STATUS
    assert kind in HTTP_STATUS


def test_grpc_codes_are_distinct_so_that_kinds_survive() -> None:
    assert len(set(GRPC_STATUS.values())) == len(Kind)


def test_an_error_survives_the_wire_with_all_it_says() -> None:
    error = BuyerRefused(handle="@maya", faults=[Fault("buyer", "Choose another.")], retry_after=1.5)
    remote = over_the_wire(error)
    assert (remote.kind, remote.reason, remote.message) == (
        Kind.FAILED_PRECONDITION,
        "BUYER_REFUSED",
        "The buyer @maya was refused.",
    )
    assert remote.faults == (Fault("buyer", "Choose another."),)
    assert remote.retry_after == 1.5
    assert remote.details == {"handle": "@maya"}


def test_a_bare_grpc_error_gets_our_words() -> None:
    bare = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "socket closed")
    remote = decode(bare)
    assert remote.kind is Kind.UNAVAILABLE
    assert remote.message == AnswerLost().message, "what was asked for may have been done"
    assert remote.retry_after is not None


def test_status_details_name_our_domain() -> None:
    _, _, ((key, raw),) = encode(NotFound(what="show"))
    assert key == DETAILS_KEY
    assert status_pb2.Status.FromString(raw).code == grpc.StatusCode.NOT_FOUND.value[0]


def test_all_faults_of_a_request_are_reported_at_once() -> None:
    faults = [Fault("name", "The name is empty."), Fault("price", "The price is negative.")]
    with pytest.raises(InvalidRequest) as error:
        require(faults)
    body = problem(error.value, "req-1")
    assert body["errors"] == [
        {"pointer": "name", "detail": "The name is empty."},
        {"pointer": "price", "detail": "The price is negative."},
    ]


def test_a_problem_document_is_whole() -> None:
    assert problem(NotFound(what="show"), "req-1") == {
        "type": "urn:showbill:problem:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no show with this id in your workspace.",
        "requestId": "req-1",
    }
    assert headers(Unavailable()) == {"Retry-After": "2"}
